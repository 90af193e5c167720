"""Numbers that every image has: what an analysis observes, or a column or function tells."""

import math
from dataclasses import dataclass
from typing import ClassVar, Literal

__all__ = ["ObservedDefinition", "OfKind", "SampleMean", "check_name"]

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


def check_name(name: str) -> None:
    """Refuse a name that a policy cannot ask for.

    Raises:
        ValueError: It is no plain word, or one that a difference or a ratio would have.

    Example:
        >>> check_name("false_discovery_rate")
    """
    if not name.isidentifier():
        msg = f"metric {name!r}: a name has letters, digits and _, and starts with a letter"
        raise ValueError(msg)
    for ending in ("_difference", "_ratio"):
        if name.endswith(ending):
            msg = (
                f"metric {name!r}: the difference and the ratio of groups come with the metric: "
                f"declare {name.removesuffix(ending)!r}"
            )
            raise ValueError(msg)


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
        """The columns of numbers that samples and predictions must have."""
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
        ValueError: The name cannot be asked for, both or neither of `value` and `column` are given,
            or the bounds are none.

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
        check_name(self.name)
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
