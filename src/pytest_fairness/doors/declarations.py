"""What a package can declare: readers, kinds of models, analyses and reports; pure data.

Metrics are declared by the definitions of `pytest_fairness.statistics.metrics`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from pytest_fairness.doors.registry import Door
from pytest_fairness.statistics.metrics.definitions import CompositeDefinition
from pytest_fairness.statistics.metrics.observed import ObservedDefinition, OfKind

__all__ = ["Analysis", "ModelKind", "Reader", "Report"]


def _check_endings(name: str, endings: tuple[str, ...]) -> None:
    """Raise for an ending that no file can have: files are matched in lower case, from the dot on."""
    for ending in endings:
        if not ending.startswith(".") or ending.count(".") > 1 or ending != ending.lower():
            msg = f"{name!r}: ending {ending!r} must be a dot and lower case, such as '.html'"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True)
class Reader:
    """A format of data sets, named by `reader` in `[evaluation.NAME]`.

    Args:
        name: Name in policies.
        read: `"package.module:function"`, which takes a `Source` and returns a `Listing`.
        options: Key of the table `options` -> the type that its value must have.
    """

    door: ClassVar[Door] = "readers"

    name: str
    read: str
    options: Mapping[str, type] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class ModelKind:
    """A kind of model under test, named by `kind` in `[model.NAME]`.

    Args:
        name: Name in policies.
        load: `"package.module:function"`, which takes a `ModelSpec` and a `Loading` and returns a
            `Found` or a `Classifier`; empty where pytest alone makes the model.
        keys: Keys of `[model.NAME]` that the kind takes, beside those of every kind (labels,
            score, preprocessing, ...).
        needed: Keys that must be written.
        endings: Endings of `path` by which the kind is recognised when `kind` is absent.
        extra: Extra of pytest-fairness with the packages that it needs; empty where it needs none.
        by_ending_only: Whether a policy cannot name it: only the ending of a file tells it.
    """

    door: ClassVar[Door] = "models"

    name: str
    load: str
    keys: tuple[str, ...] = ("path", "sha256")
    needed: tuple[str, ...] = ()
    endings: tuple[str, ...] = ()
    extra: str = ""
    by_ending_only: bool = False

    def __post_init__(self) -> None:
        _check_endings(self.name, self.endings)


@dataclass(frozen=True, slots=True)
class Analysis:
    """A measurement of a model, with the metrics that a policy can put limits on.

    Args:
        name: Name of the analysis, and of the pytest marker of its tests: `-m attention`.
        about: What its questions are about, for `pytest --markers`.
        metrics: What it measures.
        observe: `"package.module:function"`, an `Observer`: takes the model, the evaluation set,
            its predictions, the observations that are wanted and how to run the model, and returns
            `Observed`. Empty where every metric is derived from predictions.
        of: What the key `of` of a rule names, for metrics that do not say it themselves.
        facts: Fact that it observes beside a value -> what reports call it.
    """

    door: ClassVar[Door] = "analyses"

    name: str
    about: str
    metrics: tuple[ObservedDefinition | CompositeDefinition, ...]
    observe: str = ""
    of: OfKind | None = None
    facts: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def measures(self) -> tuple[ObservedDefinition | CompositeDefinition, ...]:
        """The metrics, each with the name of this analysis and what `of` names."""
        return tuple(
            replace(metric, analysis=self.name, of=metric.of or self.of)
            if isinstance(metric, ObservedDefinition)
            else replace(metric, analysis=self.name)
            for metric in self.metrics
        )


@dataclass(frozen=True, slots=True)
class Report:
    """A page or file that is rendered from a run record alone.

    Args:
        name: Name on the command line.
        render: `"package.module:function"`, which takes a `RunRecord` and returns a text.
        ending: Ending of the file, such as `.html`.
    """

    door: ClassVar[Door] = "reports"

    name: str
    render: str
    ending: str

    def __post_init__(self) -> None:
        _check_endings(self.name, (self.ending,))
