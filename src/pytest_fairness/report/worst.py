"""The samples behind a failure that are the most worth looking at."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.inference.predictions import SCORE_PREFIX
from pytest_fairness.statistics.estimators.events import events
from pytest_fairness.statistics.metrics.definitions import Rate

if TYPE_CHECKING:
    from pytest_fairness.inference import Predictions

__all__ = ["worst_samples"]


def worst_samples(
    verdict: Verdict, predictions: "Predictions", *, most: int, positive: str | None
) -> list[str]:
    """Return ids of samples of the failing group that count against it, the surest errors first.

    A rule on false positives looks at these, a rule on accuracy at all errors; a rule against the
    baseline at samples that were right then, a counterfactual one at pairs that differ.

    Args:
        verdict: A verdict on these predictions.
        predictions: Predictions with the columns of its group.
        most: Largest number of ids.
        positive: The positive class; None where there is none.
    """
    if verdict.change is not None and verdict.change.worst:
        return list(verdict.change.worst[:most])
    if verdict.matched is not None:
        return [sample for pair in verdict.matched.worst for sample in pair][:most]
    frame = predictions.table.to_pandas()
    inside = pd.Series(data=True, index=frame.index)
    for attribute, level in verdict.group.items():
        inside &= frame[attribute] == level
    wrong = inside & (frame["prediction"] != frame["target"])
    chosen = wrong & _counted(verdict, frame, verdict.positive or positive)
    found = frame[chosen if chosen.any() else wrong].copy()
    found["sureness"] = _sureness(found)
    ordered = found.sort_values(["sureness", "id"], ascending=[False, True])
    return [str(sample) for sample in ordered["id"].head(most)]


def _counted(verdict: Verdict, frame: pd.DataFrame, positive: str | None) -> "pd.Series[bool]":
    """Which samples a rate is counted among; all where it is no single rate."""
    measure = metric_named(verdict.metric).measure
    everything = pd.Series(data=True, index=frame.index)
    if not isinstance(measure, Rate) or positive is None:
        return everything
    target, prediction = (frame[column].to_numpy() for column in ("target", "prediction"))
    among = events(measure, target, prediction, positive=positive).among
    return pd.Series(among, index=frame.index)


def _sureness(frame: pd.DataFrame) -> "pd.Series[float]":
    """How far the score of the predicted class lies above that of the true one; 0 without scores."""
    names = [name for name in frame.columns if name.startswith(SCORE_PREFIX)]
    place = {name.removeprefix(SCORE_PREFIX): i for i, name in enumerate(names)}
    if not len(frame) or not set(frame["target"]) | set(frame["prediction"]) <= set(place):
        return pd.Series(0.0, index=frame.index)
    scores = frame[names].to_numpy(dtype=np.float64)
    rows = np.arange(len(frame))
    called, true = (frame[column].map(place).to_numpy() for column in ("prediction", "target"))
    return pd.Series(scores[rows, called] - scores[rows, true], index=frame.index)
