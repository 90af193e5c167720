"""What somebody asks of a profile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pytest_fairness.errors import FairnessError
from pytest_fairness.policy.records import Evaluation

__all__ = ["AuditRequest", "ProfileRequest", "ProfileUsageError"]


class ProfileUsageError(FairnessError):
    """The request cannot be profiled: an unknown column, an empty reference, no matched sets."""


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """Compare the named order of an attribute's levels with a quantity measured in the images.

    Args:
        attribute: Column whose levels are audited.
        proxy: Name of what is measured, a key of `PROXIES`.
        rising: Whether it rises along the levels; False: it falls, as luminance from light to dark.
        by: Column to audit separately by, such as the vendor; None for all sets together.
    """

    attribute: str
    proxy: str
    rising: bool = False
    by: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class ProfileRequest:
    """A request: what to profile, and how.

    Args:
        evaluation: Names the table and its columns. An attribute with no levels is profiled by
            the values found.
        from_policy: Whether a policy declares the evaluation; its columns must then be there.
        required: Columns of a table without a policy that somebody named: they must be there.
        by: Attributes and intersections; each attribute and each pair when empty.
        numeric: Numeric columns; those that hold numbers only when None.
        levels: Column -> its levels in their order, for columns that `evaluation` does not declare.
        match: Columns that name a set of matched images; those of the evaluation when empty.
        against: Another table that must share no image with this one, such as the training list.
        references: Column -> file with the shares of its levels in a population.
        tolerance: Difference of shares, 0 to 1, beyond which a reference is not met.
        audits: Labels to compare with measurements.
        read_images: Whether to read the images at all.
        workers: Threads that read images; some more than there are processors when None.
        confidence: Confidence level of the intervals, 0 to 1.
    """

    evaluation: Evaluation
    from_policy: bool = False
    required: tuple[str, ...] = ()
    by: tuple[tuple[str, ...], ...] = ()
    numeric: tuple[str, ...] | None = None
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    match: tuple[str, ...] = ()
    against: Path | None = None
    references: Mapping[str, Path] = field(default_factory=dict)
    tolerance: float = 0.05
    audits: tuple[AuditRequest, ...] = ()
    read_images: bool = True
    workers: int | None = None
    confidence: float = 0.95
