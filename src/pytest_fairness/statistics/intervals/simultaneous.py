"""Levels of intervals that hold together: one correction for all that takes several claims."""

__all__ = ["bonferroni"]


def bonferroni(confidence: float, claims: int) -> float:
    """Return the confidence level of each of several intervals that all hold together.

    Each interval has an equal part of the error, so that all of them hold with probability
    `confidence` or more, however they depend on each other.

    Args:
        confidence: Confidence level that holds for all of them together, 0 to 1.
        claims: Number of intervals; none is corrected as one.

    Source: Dunn (1961), Multiple comparisons among means, J. Am. Stat. Assoc. 56, 52-64.

    Example:
        >>> bonferroni(0.95, 5)
        0.99
    """
    return 1 - (1 - confidence) / max(claims, 1)
