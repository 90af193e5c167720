"""How often a model is right, group by group: the figures of the model cards."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

__all__ = ["group_accuracies", "summary"]


def group_accuracies(frame: pd.DataFrame, called_man: npt.NDArray[np.bool_]) -> pd.Series[float]:
    """Return accuracy overall, by tone, by age and by tone and gender, indexed by group.

    Args:
        frame: Columns `gender` (woman, man), `skin_tone` and `age`; N rows.
        called_man: (N,), whether the model calls the person a man.
    """
    right = pd.Series(called_man == (frame["gender"] == "man").to_numpy(), index=frame.index)
    both = frame["skin_tone"] + " " + frame["gender"]
    parts = [
        right.groupby(key.to_numpy()).mean() for key in (frame["skin_tone"], frame["age"], both)
    ]
    accuracies: pd.Series[float] = pd.concat([pd.Series({"overall": right.mean()}), *parts])
    return accuracies


def summary(frame: pd.DataFrame, called_man: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Return the figures that recipes are chosen by; gaps run over the five tones and yellow.

    `worst` is the lowest accuracy of a tone and gender; the gaps are largest minus smallest.
    """
    tones = list(frame["skin_tone"].unique())
    of = group_accuracies(frame, called_man)
    women = np.array([of[f"{tone} woman"] for tone in tones])
    men = np.array([of[f"{tone} man"] for tone in tones])
    selected = pd.Series(called_man).groupby(frame["skin_tone"].to_numpy()).mean()
    return {
        "accuracy": float(of["overall"]),
        "women": float(women.mean()),
        "men": float(men.mean()),
        "worst": float(min(women.min(), men.min())),
        "fpr_gap": float(np.ptp(women)),
        "tpr_gap": float(np.ptp(men)),
        "ratio": float(selected.min() / selected.max()),
    }
