"""Answers that another precision than strict changes. Needs no torch."""

import json
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.intervals.rates import clopper_pearson

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_fairness.inference.answers.remembered import Scorer
    from pytest_fairness.inference.answers.repeated import Asked

__all__ = ["flips"]

MOST = 500
"""Images that are run in strict precision too, at most."""
_SHOWN = 20


def flips(scorer: "Scorer", asked: "Asked") -> dict[str, str]:
    """Run up to 500 images in strict precision too, and count the answers that differ.

    Call it while the model is where it was run.

    Args:
        scorer: How the model was run. The strict scores come from the cache where all of them are there.
        asked: The images and the first answers.

    Returns:
        What the record says: `precision_compared`, `precision_flips`, `precision_flips_low` and
        `precision_flips_high` (95 %, Clopper and Pearson 1934) and `precision_flipped` (JSON: the
        first ids); nothing where the precision was strict.
    """
    if scorer.precision == "strict":
        return {}
    places = _spread(len(asked.images))
    some = asked.images.at(places.tolist())
    scores = np.concatenate(list(scorer.strictly().scores(some, purpose="strictly")))
    before = _answers(asked, asked.scores[places])
    flipped = np.flatnonzero(before != _answers(asked, scores))
    low, high = clopper_pearson(len(flipped), len(places))
    return {
        "precision_compared": str(len(places)),
        "precision_flips": str(len(flipped)),
        "precision_flips_low": f"{float(low):.6g}",
        "precision_flips_high": f"{float(high):.6g}",
        "precision_flipped": json.dumps(
            [some.ids[place] for place in flipped[:_SHOWN]], ensure_ascii=False
        ),
    }


def _spread(n: int) -> NDArray[np.intp]:
    """Return up to 500 places among n, spread evenly."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST)).round().astype(np.intp))


def _answers(asked: "Asked", scores: NDArray[np.floating]) -> NDArray[np.str_]:
    found: Sequence[str] = asked.answer(scores)
    return np.array(found)
