"""What a metric is: a rate, several rates, or what an analysis observes; pure data."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

__all__ = [
    "Comparison",
    "CompositeDefinition",
    "Measure",
    "Metric",
    "ObservedDefinition",
    "OfKind",
    "RateDefinition",
    "SampleMean",
]

Comparison = Literal["none", "difference", "ratio"]
Event = Literal["correct", "wrong", "called positive", "called negative", "flipped"]
Among = Literal[
    "all",
    "positives",
    "negatives",
    "called positive",
    "positives or called positive",
    "matched pairs",
]
Formula = Literal["mean", "mean F1", "largest gap", "smallest", "spread"]
Worse = Literal["lower", "higher", "either"]
Shape = Literal["by group", "whole", "pairs"]


@dataclass(frozen=True, slots=True)
class OfKind:
    """The kind of thing that the key `of` of a rule names.

    Args:
        name: What it is, in words: `part`, `layer`.
        example: What to write, for messages: `["background"]`.
    """

    name: str
    example: str


@dataclass(frozen=True, slots=True)
class RateDefinition:
    """A rate is the share of an event among some of a group's samples.

    Args:
        name: Field's name, e.g. `false_positive_rate`.
        short: Name in messages, e.g. `FPR`.
        event: What is counted.
        among: The samples it is counted among (true class, or predicted class for precision).
        higher_is_better: Which end "best group" means.
    """

    name: str
    short: str
    event: Event
    among: Among
    higher_is_better: bool = True

    door: ClassVar[Literal["metrics"]] = "metrics"
    analysis: ClassVar[str] = ""

    @property
    def needs_positive(self) -> bool:
        """Whether the rate is undefined without a named positive class."""
        return self.event != "flipped" and (self.among != "all" or self.event.startswith("called"))

    @property
    def counted_among(self) -> str:
        """The name of the samples that the event is counted among: `negatives`, `samples called positive`."""
        return {
            "all": "samples",
            "called positive": "samples called positive",
            "positives or called positive": "samples positive or called positive",
        }.get(self.among, self.among)

    def counted_among_class(self, name: str) -> str:
        """Return the name of those samples when a class is asked for as the positive one: `samples of class cat`."""
        return {
            "positives": f"samples of class {name}",
            "negatives": f"samples of another class than {name}",
            "called positive": f"samples called {name}",
            "positives or called positive": f"samples of class {name} or called so",
        }.get(self.among, self.counted_among)

    @property
    def worse(self) -> Worse:
        """The change that is for the worse. Of a selection rate neither is, so both count."""
        if self.event.startswith("called") and self.among == "all":
            return "either"
        return "lower" if self.higher_is_better else "higher"


@dataclass(frozen=True, slots=True)
class CompositeDefinition:
    """A measure that is made of several rates of a group.

    Args:
        name: Field's name, e.g. `balanced_accuracy`.
        short: Name in messages.
        formula: The mean of the parts; the mean of the F1 scores 2 p / (1 + p) of the parts; the
            smallest part; how far the largest and the smallest part are apart; or the part in
            which two groups differ most, which a group alone does not have.
        parts: The rates.
        each_class: Whether each class takes the part of the positive one in turn.
        higher_is_better: Which end "best group" means; None where no group can be the best.
        analysis: The analysis that it belongs to; empty where it belongs to none.
    """

    name: str
    short: str
    formula: Formula
    parts: tuple[RateDefinition, ...]
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
        return self.parts[0].counted_among if self.formula == "mean F1" else "samples"


@dataclass(frozen=True, slots=True)
class ObservedDefinition:
    """A number that an analysis observes of every sample, or of a model as a whole.

    Args:
        name: Name in policies, e.g. `attention_mask_score`.
        short: Name in messages.
        shape: `by group`: a number for every sample, of which each group has a mean; `whole`: one
            number for an attribute; `pairs`: one number for two groups.
        of: What `of` in a rule names, one question each; None where nothing is named, or where the
            analysis says it for all of its metrics.
        floor: Smallest value that is possible.
        ceiling: Largest value that is possible.
        higher_is_better: Which end "best group" means; None where neither is.
        needs_positive: Whether it is undefined without a named class.
        counted_among: What is averaged over, in words.
        binary: Whether the number of a sample is 0 or 1, so that its mean is a rate.
        derive: `"package.module:function"` where predictions alone tell it: takes `Predictions`,
            the `Evaluation` and the class asked of, and returns a number of every sample (N,), or
            why there is none. Empty where the analysis observes the model.
        needs_labels: Whether the evaluation must name a column of sets of labels.
        column: Column of the predictions that holds the numbers; empty where the rule names it and
            its bounds; None where they come from elsewhere.
        value: `"package.module:function"`, as in `SampleMean`; empty where they come from elsewhere.
        columns: Columns of numbers that the function of `value` reads.
        analysis: The analysis that it belongs to, which sets it.
    """

    name: str
    short: str
    shape: Shape = "by group"
    of: OfKind | None = None
    floor: float = 0.0
    ceiling: float = 1.0
    higher_is_better: bool | None = None
    needs_positive: bool = False
    counted_among: str = "samples with a value"
    binary: bool = False
    derive: str = ""
    needs_labels: bool = False
    analysis: str = ""
    column: str | None = None
    value: str = ""
    columns: tuple[str, ...] = ()

    door: ClassVar[Literal["metrics"]] = "metrics"

    @property
    def from_predictions(self) -> bool:
        """Whether predictions alone tell it, without the model."""
        return bool(self.derive or self.value or self.column is not None)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Columns of numbers that samples and predictions must have."""
        return (self.column, *self.columns) if self.column else self.columns


@dataclass(frozen=True, slots=True)
class SampleMean:
    """The mean of a bounded number that is known of every sample.

    Its difference between groups is declared with it: `NAME_difference`. A ratio of means is not
    offered: its interval has no bound where the mean of the reference may be 0.

    Args:
        name: Name in policies, e.g. `brier_score`.
        value: `"package.module:function"` that takes `Predictions` and the `Evaluation` and returns
            a number of every sample (N,), nan where a sample has none.
        column: Column of the manifest or the predictions file that holds the numbers, instead of
            `value`.
        bounds: The smallest and the largest number that is possible.
        higher_is_better: Which end "best group" means; None where neither is.
        short: Name in messages; by default, the name in words.
        columns: Columns of numbers that the function reads beside what predictions always have.

    Raises:
        ValueError: Both or neither of `value` and `column` are given, or the bounds are none.

    Example:
        >>> SampleMean("mean_iou", column="iou", bounds=(0, 1), higher_is_better=True).observed.short
        'mean iou'
    """

    name: str
    value: str = ""
    column: str = ""
    bounds: tuple[float, float] = (0.0, 1.0)
    higher_is_better: bool | None = None
    short: str = ""
    columns: tuple[str, ...] = ()

    door: ClassVar[Literal["metrics"]] = "metrics"

    def __post_init__(self) -> None:
        low, high = self.bounds
        if bool(self.value) == bool(self.column):
            problem = 'give one of value = "package.module:function" and column = "NAME"'
        elif not (math.isfinite(low) and math.isfinite(high) and low < high):
            problem = f"bounds = ({low:g}, {high:g}) must be two finite numbers, the smaller first"
        else:
            return
        msg = f"mean {self.name!r}: {problem}"
        raise ValueError(msg)

    @property
    def observed(self) -> ObservedDefinition:
        """The same as a number that is observed of every sample."""
        low, high = self.bounds
        return ObservedDefinition(
            self.name,
            self.short or self.name.replace("_", " "),
            floor=float(low),
            ceiling=float(high),
            higher_is_better=self.higher_is_better,
            column=self.column or None,
            value=self.value,
            columns=self.columns,
        )


Measure: TypeAlias = RateDefinition | CompositeDefinition | ObservedDefinition


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
    def rate(self) -> RateDefinition:
        """The rate of a metric that is one.

        Raises:
            TypeError: The metric is no single rate.
        """
        if not isinstance(self.measure, RateDefinition):
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
            >>> fpr = RateDefinition(
            ...     "false_positive_rate", "FPR", "called positive", "negatives", False)
            >>> Metric("false_positive_rate_difference", fpr, "difference").allowed_range
            (-1.0, 1.0)
        """
        low, high = 0.0, 1.0
        if self.observed is not None:
            low, high = self.observed.floor, self.observed.ceiling
        if self.comparison == "none":
            return low, high
        return (low - high, high - low) if self.comparison == "difference" else (0.0, math.inf)

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
