"""What was counted of a value that is made of several rates, in words."""

from pytest_fairness.gate.record.details import PartRecord
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.statistics.clusters.columns import cluster_text

__all__ = ["independent_text", "largest_text", "parts_text", "rate_text"]

# More parts than this, as of many classes, are told by the worst of them.
_MOST_PARTS, _WORST = 4, 3


def parts_text(verdict: Verdict) -> str:
    """Return the parts, `TPR 0.80 (40 of 50) vs 0.90 (45 of 50), FPR ...`, or nothing for a single rate.

    Of many parts, those are told in which the group is worst, or is farthest from the reference.
    """
    parts = list(verdict.parts)
    if len(parts) <= _MOST_PARTS:
        return ", ".join(map(_part, parts))
    worst = sorted(parts, key=_rank)[:_WORST]
    return f"{', '.join(map(_part, worst))}, and {len(parts) - _WORST} more"


def rate_text(successes: int, n: int) -> str:
    """Return a rate with its counts: `0.80 (40 of 50)`."""
    return f"{successes / n:.2f} ({successes} of {n})" if n else "undefined (0 of 0)"


def independent_text(effective_n: float, noun: str = "images") -> str:
    """Return how many independent images, or pairs, clustered ones count for.

    Example:
        >>> independent_text(88.2)
        'the same as 88 independent images'
    """
    return f"the same as {effective_n:.0f} independent {noun}"


def largest_text(verdict: Verdict, noun: str = "images") -> str:
    """Return the cluster that decides how wide the interval is: `one person holds 60 % of the images`."""
    if verdict.cluster is None or verdict.largest_cluster is None:
        return ""
    column = verdict.largest_cluster_of or cluster_text(verdict.cluster)
    return f"one {column} holds {verdict.largest_cluster * 100:.0f} % of the {noun}"


def _part(part: PartRecord) -> str:
    own = f"{part.name} {rate_text(part.successes, part.n)}"
    if part.reference_n is None or part.reference_successes is None:
        return own
    return f"{own} vs {rate_text(part.reference_successes, part.reference_n)}"


def _rank(part: PartRecord) -> float:
    """Undefined parts first, then the worst."""
    if part.n == 0 or part.reference_n == 0:
        return -2.0
    rate = part.successes / part.n
    if part.reference_n is None or part.reference_successes is None:
        return rate
    return -abs(rate - part.reference_successes / part.reference_n)
