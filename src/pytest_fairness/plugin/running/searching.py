"""The search for a change of the image that harms one group more than another: tests of a policy."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.plugin.session import GateSession

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pytest_fairness.analyses.perturbation import Parity, Perturbation
    from pytest_fairness.analyses.perturbation.parity import Harm
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.policy import Rule

__all__ = ["Search", "parity_of", "searches"]

_HARMS: "Mapping[str, Harm]" = {
    "perturbation_flip_rate_difference": "flip rate",
    "perturbation_accuracy_drop_difference": "accuracy drop",
}


@dataclass(frozen=True, slots=True)
class Search:
    """A search: a model, an evaluation set, and the rule whose limit no change may break.

    Args:
        model: Name of the model under test.
        evaluation: Name of the evaluation set.
        rule: Its limit holds for the changes that it names, and for all that are searched.
        by: The attributes that are crossed.
        reference: Level of each that the groups are compared with.
    """

    model: str
    evaluation: str
    rule: "Rule"
    by: tuple[str, ...]
    reference: "Mapping[str, str]"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001  (IPython's protocol)
        """What Hypothesis shows of it when a search fails."""
        printer.text(self.name)

    @property
    def name(self) -> str:
        """The id of its test: `tone-changes:ads-emoji_people-skin_tone-flip_rate`."""
        from pytest_fairness.gate.questions import slug

        harm = _HARMS[self.rule.metric.name].replace(" ", "_")
        by = "_x_".join(slug(one, "-") for one in self.by)
        what = "-".join((slug(self.model, "-"), slug(self.evaluation, "-"), by, harm))
        return f"{slug(self.rule.id, ':')}:{what}"


def searches(gate: GateSession) -> list[Search]:
    """Return one search for each rule on a difference under changes, model, evaluation and `by`."""
    found: dict[str, Search] = {}
    for question in gate.questions(tuple(_HARMS)):
        reference = question.reference
        if isinstance(reference, str) or reference is None:
            continue  # the data choose the groups: there is no pair to search
        search = Search(question.model, question.evaluation, question.rule, question.by, reference)
        found.setdefault(search.name, search)
    return list(found.values())


def parity_of(
    gate: GateSession,
    search: Search,
    perturbation: "Perturbation",
    *,
    searched: int,
    find_model: "Callable[[str], Classifier]",
    folder: Path,
) -> "Parity":
    """Change every image, run the model once more, and compare the groups.

    Args:
        gate: Policy, models and evaluation sets of this process; predictions of the unchanged
            images are computed once.
        search: What is searched.
        perturbation: The change.
        searched: Number of changes that the search tries.
        find_model: Model under test by its name.
        folder: A folder that all processes of this run share.

    Raises:
        FairnessError: The model or the data cannot be used.
    """
    from pytest_fairness.analyses.perturbation import perturbation_parity, perturbed_predictions

    evaluation = gate.policy.evaluations[search.evaluation]
    before = gate.predictions(search.model, search.evaluation, find_model, folder)
    after = perturbed_predictions(
        find_model(search.model),
        gate.model_runs.samples(evaluation),
        perturbation,
        device=gate.settings.device,
        batch_size=gate.settings.batch_size,
    )
    return perturbation_parity(
        before,
        after,
        perturbation,
        by=search.by,
        reference=search.reference,
        limit=search.rule.limit.high,
        harm=_HARMS[search.rule.metric.name],
        confidence=gate.policy.decision.confidence,
        searched=searched,
        cluster=evaluation.cluster,
        looks=gate.policy.decision.looks,
    )
