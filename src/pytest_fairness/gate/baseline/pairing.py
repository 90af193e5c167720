"""Now and then, image by image where the images are the same."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.gate.baseline.read import Baseline
from pytest_fairness.inference import Predictions
from pytest_fairness.inference.predictions import SCORE_PREFIX
from pytest_fairness.statistics.clusters.columns import Cluster, columns_of
from pytest_fairness.statistics.clusters.counts import SampleClusters, clusters_of
from pytest_fairness.wording import counted

__all__ = ["PairedSamples", "Pairing", "pair"]

Texts: TypeAlias = NDArray[Any]
# Below this share of the larger set, the images in common say less than both sets as a whole.
_MOST_IN_COMMON = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class PairedSamples:
    """The N images that both releases answered.

    Args:
        ids: (N,) ids.
        target: (N,) true classes.
        now: (N,) classes predicted now.
        then: (N,) classes predicted by the baseline.
        fall: (N,) score of the true class then minus now; nan where it is not known.
        codes: Attribute -> (N,) position of the sample's level.
        levels: Attribute -> its levels.
        clusters: What dependent samples share; None where samples are independent.
    """

    ids: Texts
    target: Texts
    now: Texts
    then: Texts
    fall: NDArray[np.float64]
    codes: Mapping[str, NDArray[np.int64]]
    levels: Mapping[str, tuple[str, ...]]
    clusters: SampleClusters | None = None

    def groups(self, by: tuple[str, ...]) -> tuple[NDArray[np.int64], int]:
        """Return the position (N,) of each sample's group in `by`, and the number of groups."""
        shape = tuple(len(self.levels[name]) for name in by)
        if not by:
            return np.zeros(len(self.ids), dtype=np.int64), 1
        flat = np.ravel_multi_index([self.codes[name] for name in by], shape)
        return np.asarray(flat, dtype=np.int64), int(np.prod(shape))

    def worst(self, chosen: NDArray[np.bool_], *, most: int = 10) -> tuple[str, ...]:
        """Return the ids of chosen samples: the largest fall first, then by id."""
        frame = pd.DataFrame({"id": self.ids[chosen], "fall": self.fall[chosen]})
        ordered = frame.sort_values(["fall", "id"], ascending=[False, True], na_position="last")
        return tuple(ordered["id"].head(most))


@dataclass(frozen=True, slots=True, eq=False)
class Pairing:
    """The way in which the current and the previous release are compared.

    Args:
        compared: In words.
        samples: The images in common; None where the comparison is not image by image.
    """

    compared: str
    samples: PairedSamples | None = None


def pair(
    predictions: Predictions, baseline: Baseline, *, cluster: Cluster | None = None
) -> Pairing:
    """Match the images by id, whose targets must be the same.

    The images in common are paired when they are at least half of the larger set, else the sets
    are taken for different ones. Row numbers are no ids, unless both were predicted from the same
    data.

    Args:
        predictions: What the model answered now.
        baseline: What it is compared with.
        cluster: Column or columns of what dependent samples share; None without one.
    """
    if baseline.predictions is None:
        return Pairing(f"unpaired: {baseline.lacking}")
    now, then = _frame(predictions), _frame(baseline.predictions)
    named = not (_are_row_numbers(now.index) or _are_row_numbers(then.index))
    if not named and not _same_data(predictions, baseline.predictions):
        return Pairing("unpaired: the images have no ids, only row numbers")
    common = now.index.intersection(then.index, sort=False)
    larger = max(len(now), len(then))
    if len(common) < _MOST_IN_COMMON * larger or not len(common):
        return Pairing(f"unpaired: {len(common):,} of {counted(larger, 'image')} are the same")
    first, second = now.loc[common], then.loc[common]
    columns = columns_of(cluster)
    moved = first["target"].to_numpy() != second["target"].to_numpy()
    if moved.any():
        number = f"{int(moved.sum()):,} of {counted(len(common), 'image')} now"
        has = "has" if moved.sum() == 1 else "have"
        example = common[moved.argmax()]
        return Pairing(f"unpaired: {number} {has} another target, e.g. {example}")
    return Pairing(
        _in_words(len(common), len(now), len(then)),
        PairedSamples(
            ids=common.to_numpy(dtype=object),
            target=first["target"].to_numpy(dtype=object),
            now=first["prediction"].to_numpy(dtype=object),
            then=second["prediction"].to_numpy(dtype=object),
            fall=_fall(first, second, predictions, baseline.predictions),
            codes=_codes(first, predictions.levels),
            levels=predictions.levels,
            clusters=clusters_of([first[name] for name in columns]) if columns else None,
        ),
    )


def _frame(predictions: Predictions) -> pd.DataFrame:
    frame: pd.DataFrame = predictions.table.to_pandas().set_index("id")
    return frame


def _are_row_numbers(ids: pd.Index) -> bool:
    return bool(ids.str.fullmatch(r"row-\d+").all())


def _same_data(one: Predictions, other: Predictions) -> bool:
    digest = one.metadata.get("data_sha256")
    return digest is not None and digest == other.metadata.get("data_sha256")


def _in_words(common: int, now: int, then: int) -> str:
    text = f"paired on {counted(common, 'image')}"
    new, gone = now - common, then - common
    more = [f"{new:,} are new"] * bool(new) + [f"{gone:,} of the baseline are gone"] * bool(gone)
    return f"{text} ({', '.join(more)})" if more else text


def _codes(
    frame: pd.DataFrame, levels: Mapping[str, tuple[str, ...]]
) -> dict[str, NDArray[np.int64]]:
    return {
        name: pd.Categorical(frame[name], categories=list(values)).codes.astype(np.int64)
        for name, values in levels.items()
    }


def _fall(
    now: pd.DataFrame, then: pd.DataFrame, predictions: Predictions, baseline: Predictions
) -> NDArray[np.float64]:
    """Return how far the score of the true class fell; nan where scores are not comparable."""
    if predictions.metadata.get("score") != baseline.metadata.get("score"):
        return np.full(len(now), np.nan)
    scored = [
        name for name in predictions.classes if _column(name) in now and _column(name) in then
    ]
    falls = {name: _difference(then, now, name) for name in scored}
    if len(scored) == 1 and len(predictions.classes) == 2:  # what one class loses the other gains
        (other,) = set(predictions.classes) - set(scored)
        falls[other] = -falls[scored[0]]
    target = now["target"].to_numpy(dtype=object)
    fall: NDArray[np.float64] = np.full(len(now), np.nan)
    for name, values in falls.items():
        fall = np.where(target == name, values, fall)
    return fall


def _column(name: str) -> str:
    return f"{SCORE_PREFIX}{name}"


def _difference(one: pd.DataFrame, other: pd.DataFrame, name: str) -> NDArray[np.float64]:
    column = _column(name)
    values = one[column].to_numpy(dtype=np.float64) - other[column].to_numpy(dtype=np.float64)
    return np.asarray(values, dtype=np.float64)
