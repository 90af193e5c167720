"""Rows per class, and how the classes spread over the levels of each attribute."""

import numpy as np
from numpy.typing import NDArray
from scipy.stats.contingency import association

from pytest_fairness.data.profile.record import AttributeBalance, ClassBalance
from pytest_fairness.data.profile.source import Coded, Table

__all__ = ["balance_classes"]


def balance_classes(table: Table) -> ClassBalance | None:
    """Return the class balance, or None without a target column."""
    target = table.target
    if target is None:
        return None
    others = [one for one in table.attributes if one.name != target.name]
    return ClassBalance(
        target=target.name,
        counts=dict(zip(target.levels, target.counts().tolist(), strict=True)),
        by=tuple(_balance(one, target) for one in others),
    )


def _balance(attribute: Coded, target: Coded) -> AttributeBalance:
    size = len(attribute.levels), len(target.levels)
    flat = attribute.codes * size[1] + target.codes
    counts = np.bincount(flat, minlength=size[0] * size[1]).reshape(size).astype(np.int64)
    return AttributeBalance(
        attribute=attribute.name,
        counts={
            level: dict(zip(target.levels, row.tolist(), strict=True))
            for level, row in zip(attribute.levels, counts, strict=True)
        },
        cramers_v=_cramers_v(counts),
    )


def _cramers_v(counts: NDArray[np.int64]) -> float | None:
    """Cramér's V of the levels and classes that occur; None where one of them is constant.

    Source: Cramér (1946), Mathematical Methods of Statistics, ch. 21.
    """
    seen = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(seen.shape) < 2:
        return None
    return float(association(seen, method="cramer"))
