"""Whether a model is wrong more often than chance would be, as with labels in the wrong order."""

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.wording import counted

__all__ = ["below_chance"]

# Small, since every run is looked at; swapped labels are far beyond it.
_ERROR = 1e-4


def below_chance(counts: "GroupCounts") -> dict[str, str]:
    """Return what the record says where accuracy over all images is significantly below chance.

    Chance is the accuracy of answers with the same shares that know nothing of the image: the sum over
    classes of share of targets times share of answers. A model that always answers one class has exactly
    that accuracy, however rare the class is.

    Source: Cohen (1960), A Coefficient of Agreement for Nominal Scales, for this chance; the test is the
    exact one-sided binomial test.
    """
    table = counts.confusion(())[0]
    n = int(table.sum())
    right = int(np.trace(table))
    chance = float(table.sum(axis=0) @ table.sum(axis=1)) / n**2 if n else 0.0
    if not n or special.bdtr(right, n, chance) >= _ERROR:
        return {}
    return {
        "below_chance": f"accuracy {right / n:.3f} over {counted(n, 'image')}, chance {chance:.3f}"
    }
