"""The estimate behind a question: a value with its interval and what it was counted from."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import (
    ChangeRecord,
    MatchedRecord,
    ObservedRecord,
    PartRecord,
)
from pytest_fairness.statistics.looks import ONE_LOOK, Look

__all__ = ["Bounds", "Counted", "Details", "Estimate", "reference_of"]

# A confidence level, and a size or 0 -> ends of the interval.
Bounds: TypeAlias = Callable[[float, float], tuple[float, float]]


class Counted(NamedTuple):
    """Samples of a group: `n`, e.g. its negatives for an FPR, of which `successes` were counted."""

    successes: int
    n: int


class Details(NamedTuple):
    """Facts that a verdict records beside its number.

    Args:
        parts: For a value that is made of several rates, what was counted of each.
        change: For a rule against the baseline, what was counted now and then.
        matched: For a counterfactual metric, the matched images.
        observed: For a metric of an analysis, what it measured.
    """

    parts: tuple[PartRecord, ...] = ()
    change: ChangeRecord | None = None
    matched: MatchedRecord | None = None
    observed: ObservedRecord | None = None


_NO_DETAILS = Details()


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval and all that it was computed from, or None where undefined.

    Args:
        group: Attribute -> level of the group that the value is about.
        reference: The group it was compared with; None where nothing was compared.
        value: Rate, difference or ratio.
        low: Lower end of the interval.
        high: Upper end of the interval.
        counted: Counts of the group.
        reference_counted: Counts of the reference group; None where the value has none.
        effective_n: What n is worth after the design effect of clusters; n without clusters.
        dominant: Share of a group's samples in its largest cluster, where that decides how wide
            the interval is, else nan: one for each column of clusters, but one alone where two
            columns hold the same things.
        reason: Why the value is undefined or incomplete; None when it is neither.
        bounds: Interval at another level and, where a size is given, if every group had at
            least so many samples like those seen.
        scarcest_n: Samples of the smallest part of the groups, where a value is made of several
            rates; None where the counts tell.
        details: What the verdict records beside the number.
        unasked: Whether what the question needs was not given, so that it was never asked.
        too_small: Why a group is too small a share of the samples to be judged; None if it is not.
        look: The look at the set, which says at which level its bounds are computed.
    """

    group: dict[str, str]
    reference: dict[str, str] | None
    value: float | None
    low: float | None
    high: float | None
    counted: Counted
    reference_counted: Counted | None
    effective_n: float
    reason: str | None
    bounds: Bounds
    scarcest_n: int | None = None
    dominant: tuple[float, ...] = ()
    details: Details = _NO_DETAILS
    unasked: bool = False
    too_small: str | None = None
    look: Look = ONE_LOOK

    @classmethod
    def at(
        cls,
        confidence: float,
        bounds: Bounds,
        value: float | None,
        *,
        group: dict[str, str],
        reference: dict[str, str] | None,
        counted: Counted,
        reference_counted: Counted | None = None,
        **others: Any,
    ) -> "Estimate":
        """Return the estimate with its interval at a confidence level.

        Args:
            confidence: Confidence level of the interval, 0 to 1.
            bounds: Interval at any level; asked only where there is a value.
            value: Rate, difference or ratio; None or nan where it is undefined.
            group: Attribute -> level of the group that the value is about.
            reference: The group it was compared with; None where nothing was compared.
            counted: Counts of the group.
            reference_counted: Counts of the reference group; None where the value has none.
            others: Other fields; `effective_n` is n where it is left out.
        """
        value = None if value is None else _defined(value)
        low, high = (None, None) if value is None else map(_defined, bounds(confidence, 0.0))
        fields = {"effective_n": float(counted.n), "reason": None, **others, "bounds": bounds}
        return cls(group, reference, value, low, high, counted, reference_counted, **fields)

    @classmethod
    def undefined(cls, question: Question, reason: str) -> "Estimate":
        """Return the estimate of a question that could not be asked.

        Args:
            question: The question.
            reason: What it needs and was not given.
        """
        reference = reference_of(question)
        return cls.at(
            0.0,
            lambda _confidence, _size: (-math.inf, math.inf),
            None,
            group=dict(question.group),
            reference=reference,
            counted=Counted(0, 0),
            reference_counted=None if reference is None else Counted(0, 0),
            reason=reason,
            unasked=True,
        )

    @property
    def sizes(self) -> tuple[int, ...]:
        """The n of the group and, where there is one, of its reference."""
        both = (self.counted, self.reference_counted)
        return tuple(counted.n for counted in both if counted is not None)

    def as_recorded(self) -> dict[str, Any]:
        """Return the fields of a verdict that are the estimate's."""
        names = ("group", "reference", "value", "low", "high")
        successes, n = self.reference_counted or (None, None)
        return {
            **{name: getattr(self, name) for name in names},
            **self.counted._asdict(),
            "reference_successes": successes,
            "reference_n": n,
            **self.details._asdict(),
        }


def reference_of(question: Question) -> dict[str, str] | None:
    """Return the reference group that the policy names, or None where the data choose it."""
    return dict(question.reference) if isinstance(question.reference, Mapping) else None


def _defined(value: float) -> float | None:
    """None for undefined; an infinite ratio stays a value."""
    return None if math.isnan(value) else float(value)
