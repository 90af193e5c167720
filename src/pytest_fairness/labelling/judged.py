"""Verdicts on the labels so far, by the same rules as those of the gate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import groupby

from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.decision.inherited import with_failures
from pytest_fairness.gate.decision.multiplicity import Family, confirm_failures
from pytest_fairness.gate.decision.shares import mark_small
from pytest_fairness.gate.decision.sides import Answer, answer
from pytest_fairness.gate.decision.verdict import give_verdict
from pytest_fairness.gate.estimates.counted import read_estimates
from pytest_fairness.gate.estimates.estimate import Estimate
from pytest_fairness.gate.questions import Question, asked_of
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.labelling.aims import Aim, aims_of, concerned_groups, positive_of, why_not
from pytest_fairness.labelling.drawn import Drawn
from pytest_fairness.labelling.labels_file import LabelRecord
from pytest_fairness.labelling.pool import Pool
from pytest_fairness.policy import Evaluation, Policy
from pytest_fairness.statistics.groups import groups_of
from pytest_fairness.statistics.labelled.rates import LabelledRates

__all__ = ["Judging"]


@dataclass(frozen=True, eq=False)
class Judging:
    """The questions of a policy beside the labels that a record has.

    Args:
        policy: The policy.
        evaluation: The evaluation set.
        pool: The images.
        record: The rounds, all with labels.

    Raises:
        PolicyError: No question can be answered by labels in rounds.
    """

    policy: Policy
    evaluation: Evaluation
    pool: Pool
    record: LabelRecord

    @cached_property
    def asked(self) -> dict[str, Question]:
        """The questions by their keys."""
        found = asked_of(
            self.policy, self.evaluation, model=self.pool.model, levels=self.pool.counts.levels
        )
        return {one.key: one for one in found}

    @cached_property
    def refused(self) -> Mapping[str, str]:
        """The questions that labels in rounds do not answer, each with the reason."""
        positive = self.evaluation.positive
        reasons = {key: why_not(one, self.pool, positive) for key, one in self.asked.items()}
        refused = {key: why for key, why in reasons.items() if why}
        if len(refused) == len(reasons):
            told = "; ".join(f"{key}: {why}" for key, why in refused.items())
            msg = f"{self.policy.source}: no question that label can answer: {told or 'it asks nothing'}"
            raise PolicyError(msg)
        return refused

    @cached_property
    def aims(self) -> dict[str, list[Aim]]:
        """The aims of all groups of each question that is not refused."""
        known: dict[object, list[Aim]] = {}
        found = {}
        for key, question in self.asked.items():
            if key not in self.refused:
                rate = question.rule.metric.rate
                positive = positive_of(question, self.evaluation.positive)
                same = rate.name, positive, question.by
                if same not in known:
                    known[same] = aims_of(rate, positive, question.by, self.pool)
                found[key] = known[same]
        return found

    @cached_property
    def drawn(self) -> Drawn:
        """The draws of the rounds."""
        aims = {aim.key: aim for some in self.aims.values() for aim in some}
        return Drawn(self.pool, self.record.rounds, aims)

    def aims_for(self, keys: Sequence[str]) -> list[Aim]:
        """Return the aims that some questions need, each once."""
        found = {}
        for key in keys:
            question = self.asked[key]
            groups = groups_of(self.pool.counts.levels, question.by)
            for position in concerned_groups(question, groups):
                aim = self.aims[key][position]
                found[aim.key] = aim
        return list(found.values())

    def can_go_on(self, key: str) -> bool:
        """Return whether an image without a label is left for a question."""
        free = self.drawn.free(len(self.record.rounds))
        return any(bool((aim.members & free).any()) for aim in self.aims_for([key]))

    def verdicts(self) -> list[Verdict]:
        """Return the verdict on each question, those refused included.

        What fails by a policy that this one extends, judged alone, fails, as in the gate.
        """
        verdicts = self._own_verdicts()
        for inherited in reversed(self.policy.alone):
            evaluation = inherited.evaluations.get(self.evaluation.name)
            if evaluation is None:
                continue
            floor = Judging(inherited, evaluation, self.pool, self.record)
            try:
                answers = floor._own_verdicts()
            except PolicyError:  # labels in rounds answer none of its questions
                continue
            failed = [
                one for one in answers if one.outcome == "fail" and one.question in self.asked
            ]
            verdicts = with_failures(verdicts, failed, inherited.source)
        return verdicts

    def _own_verdicts(self) -> list[Verdict]:
        """The verdicts by this file of the policy alone."""
        asked = list(self.asked.values())
        family = Family.of(self.policy, asked)
        # Intervals hold at every look by themselves.
        decision = replace(self.policy.decision, looks=1)
        answers = self._answers(asked)
        shares = family.shares(self.policy, asked)
        confirmations = confirm_failures(answers, shares, shown=decision.confidence)
        return [
            give_verdict(
                one,
                decision,
                confirmation=confirmations.get(position),
                family=family.questions,
            )
            for position, one in enumerate(answers)
        ]

    def _answers(self, asked: Sequence[Question]) -> list[Answer]:
        decision = self.policy.decision
        levels = {"shown": decision.confidence, "to_pass": decision.confidence_to_pass}
        found = []
        measured: dict[int, LabelledRates] = {}
        for _, batch in groupby(asked, key=lambda question: question.batch):
            some = list(batch)
            first = some[0]
            if first.key in self.refused:
                estimates = [Estimate.undefined(one, self.refused[one.key]) for one in some]
            else:
                aims = self.aims[first.key]
                if id(aims) not in measured:
                    measured[id(aims)] = LabelledRates([self.drawn.draws(aim) for aim in aims])
                estimates = read_estimates(
                    some,
                    measured[id(aims)],
                    self.pool.counts,
                    confidence=decision.confidence,
                )
                estimates = mark_small(estimates, self.pool.counts, first.by, first.rule)
            found += [
                answer(one, seen, **levels) for one, seen in zip(some, estimates, strict=True)
            ]
        return found
