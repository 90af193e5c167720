"""What a metric is: a rate, several rates, or what an analysis observes; pure data."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

from pytest_fairness.statistics.metrics.cells import Cells, direction, in_words
from pytest_fairness.statistics.metrics.observed import ObservedDefinition, check_name

__all__ = [
    "Comparison",
    "CompositeDefinition",
    "FlipRate",
    "Measure",
    "Metric",
    "Rate",
    "compared_range",
]

Comparison = Literal["none", "difference", "ratio"]
Formula = Literal["mean", "mean F1", "largest gap", "smallest", "spread", "odds"]
Worse = Literal["lower", "higher", "either"]


@dataclass(frozen=True, slots=True)
class Rate:
    """A rate is the share of some cells of the confusion matrix among some of its cells.

    Its difference and its ratio between groups are declared with it: `NAME_difference` and
    `NAME_ratio`.

    Args:
        name: Name in policies, e.g. `false_positive_rate`.
        short: Name in messages, e.g. `FPR`.
        seen: The cells that are counted; not empty.
        among: The cells that they are counted among: these and others. Either TP, FP, FN and TN,
            which need a positive class, or RIGHT and WRONG.
        higher_is_better: Which end "best group" means. It follows from the cells, and is to be
            given only where they leave it open, as for a selection rate.

    Raises:
        ValueError: The name or the cells make no rate.

    Example:
        >>> from pytest_fairness.statistics.metrics.cells import FP, TP
        >>> Rate("false_discovery_rate", "FDR", seen=FP, among=TP | FP).higher_is_better
        False
    """

    name: str
    short: str
    seen: Cells
    among: Cells
    higher_is_better: bool | None = None

    door: ClassVar[Literal["metrics"]] = "metrics"
    analysis: ClassVar[str] = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        if problem := self._problem():
            msg = f"rate {self.name!r}: {problem}"
            raise ValueError(msg)
        if (known := self._better) is not None:
            object.__setattr__(self, "higher_is_better", known)

    def _problem(self) -> str:
        """Why the cells make no rate; empty where they do."""
        both = self.seen | self.among
        if not self.seen or not self.among:
            return f"seen = {self.seen} among = {self.among}: neither may be empty"
        if both & Cells.ANSWERS and both & Cells.OF_A_CLASS:
            return (
                "RIGHT and WRONG hold for all classes, TP, FP, FN and TN for one: use cells of one "
                "kind"
            )
        if self.seen not in self.among or self.seen == self.among:
            return (
                f"seen must be some of among, and not all: got {in_words(self.seen)} among "
                f"{in_words(self.among)}"
            )
        if self.higher_is_better not in (None, self._better) and self._better is not None:
            return (
                f"higher_is_better = {self.higher_is_better}, but of {in_words(self.seen)} among "
                f"{in_words(self.among)} {'more' if self._better else 'fewer'} is better; drop it"
            )
        return ""

    @property
    def _better(self) -> bool | None:
        found = direction(self.seen, self.among)
        return None if found is None else found == "higher"

    @property
    def needs_positive(self) -> bool:
        """Whether the rate is undefined without a named positive class."""
        return self.among != Cells.ANSWERS

    @property
    def among_true_classes(self) -> bool:
        """Whether true classes alone tell what it is counted among: the same for two models."""
        return self.among in (
            Cells.ANSWERS,
            Cells.OF_A_CLASS,
            Cells.POSITIVES,
            Cells.NEGATIVES,
        )

    @property
    def counted_among(self) -> str:
        """The name of the samples that the cells are counted among: `negatives`, `samples called positive`."""
        return in_words(self.among)

    def counted_among_class(self, name: str) -> str:
        """Return the name of those samples when a class is asked for as the positive one: `samples of class cat`."""
        return in_words(self.among, name)

    @property
    def worse(self) -> Worse:
        """The change that is for the worse. Where the cells do not tell, as for a selection rate, either is."""
        return {None: "either", True: "lower", False: "higher"}[self._better]  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class FlipRate:
    """The share of matched pairs whose two images are given different classes.

    Args:
        name: Name in policies.
        short: Name in messages.
    """

    name: str
    short: str

    analysis: ClassVar[str] = ""
    needs_positive: ClassVar[bool] = False
    higher_is_better: ClassVar[bool] = False
    counted_among: ClassVar[str] = "matched pairs"


@dataclass(frozen=True, slots=True)
class CompositeDefinition:
    """A measure that is made of several rates of a group.

    Args:
        name: Field's name, e.g. `balanced_accuracy`.
        short: Name in messages.
        formula: The mean of the parts; the mean of the F1 scores 2 p / (1 + p) of the parts; the
            smallest part; how far the largest and the smallest part are apart; the part in which
            two groups differ most, which a group alone does not have; or the odds p / (1 - p) of
            the only part.
        parts: The rates.
        each_class: Whether each class takes the part of the positive one in turn.
        higher_is_better: Which end "best group" means; None where no group can be the best.
        analysis: The analysis that it belongs to; empty where it belongs to none.
    """

    name: str
    short: str
    formula: Formula
    parts: tuple[Rate, ...]
    each_class: bool = False
    higher_is_better: bool | None = True
    analysis: str = ""

    door: ClassVar[Literal["metrics"]] = "metrics"

    @property
    def needs_positive(self) -> bool:
        """Whether the measure is undefined without a named positive class."""
        return not self.each_class

    @property
    def counted_among(self) -> str:
        """The name of the samples that the measure is computed from."""
        own = self.formula in ("mean F1", "odds")
        return self.parts[0].counted_among if own else "samples"


Measure: TypeAlias = Rate | FlipRate | CompositeDefinition | ObservedDefinition


def compared_range(
    comparison: Comparison, low: float = 0.0, high: float = 1.0
) -> tuple[float, float]:
    """Return the smallest and the largest value of a comparison of two values in a range.

    Args:
        comparison: How they are compared; `none` for a value alone.
        low: The smallest value of a group.
        high: The largest value of a group.

    Example:
        >>> compared_range("difference")
        (-1.0, 1.0)
    """
    if comparison == "none":
        return low, high
    return (low - high, high - low) if comparison == "difference" else (0.0, math.inf)


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure by group, or its difference or ratio between groups.

    Args:
        name: Name in policies.
        measure: What is counted among what, or what is made of several such rates.
        comparison: How two groups are compared.
        matched: Whether it is asked of matched images, which differ in one attribute only.
        alias: Whether the field knows the comparison by a name of its own.
    """

    name: str
    measure: Measure
    comparison: Comparison = "none"
    matched: bool = False
    alias: bool = False

    @property
    def rate(self) -> Rate:
        """The rate of a metric that is one.

        Raises:
            TypeError: The metric is no single rate.
        """
        if not isinstance(self.measure, Rate):
            msg = f"{self.name} is no single rate"
            raise TypeError(msg)
        return self.measure

    @property
    def observed(self) -> ObservedDefinition | None:
        """The observation of an analysis, or None for a metric of counts."""
        return self.measure if isinstance(self.measure, ObservedDefinition) else None

    @property
    def analysis(self) -> str | None:
        """The marker of the analysis that it belongs to, or None for rates and what is made of them."""
        return self.measure.analysis or None

    @property
    def compares(self) -> bool:
        """Whether a group is compared with a reference."""
        pairs = self.observed is not None and self.observed.shape == "pairs"
        return self.comparison != "none" or self.matched or pairs

    @property
    def allowed_range(self) -> tuple[float, float]:
        """The smallest and the largest value that it can take.

        Example:
            >>> from pytest_fairness.statistics.metrics.cells import FP, TN
            >>> fpr = Rate("false_positive_rate", "FPR", FP, FP | TN)
            >>> Metric("false_positive_rate_difference", fpr, "difference").allowed_range
            (-1.0, 1.0)
        """
        low, high = 0.0, 1.0
        if self.observed is not None:
            low, high = self.observed.floor, self.observed.ceiling
        elif isinstance(self.measure, CompositeDefinition) and self.measure.formula == "odds":
            high = math.inf
        return compared_range(self.comparison, low, high)

    @property
    def signed(self) -> bool:
        """Whether the value has a sign: which of two groups is ahead, or above its null."""
        if self.observed is not None and self.observed.floor < 0:
            return True
        largest = isinstance(self.measure, CompositeDefinition) and (
            self.measure.formula == "largest gap"
        )
        return self.comparison == "difference" and not largest

    @property
    def title(self) -> str:
        """The name in messages: `FPR difference`, `disparate impact`."""
        if self.alias or self.matched:
            return self.name.replace("_", " ")
        short = self.measure.short
        return f"{short} {self.comparison}" if self.comparison != "none" else short
