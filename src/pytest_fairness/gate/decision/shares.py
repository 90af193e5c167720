"""Groups that are too small a share of the samples for a rule: visible, but not judged."""

from collections.abc import Sequence
from dataclasses import replace

from pytest_fairness.gate.estimates.estimate import Estimate
from pytest_fairness.gate.estimates.parts import named
from pytest_fairness.policy import Rule
from pytest_fairness.statistics.counts import GroupCounts

__all__ = ["mark_small"]


def mark_small(
    estimates: Sequence[Estimate], counts: GroupCounts, by: tuple[str, ...], rule: Rule
) -> list[Estimate]:
    """Mark the estimates whose group, or reference, is too small a share of all samples.

    Args:
        estimates: Answers to the questions of one rule and `by`.
        counts: Counts of all samples.
        by: The attributes that are crossed.
        rule: Its `min_share` is a share of all samples, 0 to 1.
    """
    if not rule.min_share:
        return list(estimates)
    shares = dict(zip(map(named, counts.groups(by)), counts.shares(by).tolist(), strict=True))
    return [replace(one, too_small=_too_small(one, shares, rule.min_share)) for one in estimates]


def _too_small(estimate: Estimate, shares: dict[str, float], least: float) -> str | None:
    for group in (estimate.group, estimate.reference):
        if group is not None and 0 < shares[named(group)] < least:  # without samples: undefined
            share = shares[named(group)] * 100
            return (
                f"excluded: {named(group)} is {share:.2g} % of the samples, below min_share = "
                f"{least * 100:g} %"
            )
    return None
