"""Representation or classifier: does the gap between classes stay when the head is replaced?"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pytest_fairness.analyses.classes.accuracy import Thirds, thirds_of
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.wording import counted

__all__ = ["HeadComparison", "Separability", "compare_heads"]


@dataclass(frozen=True, slots=True, eq=False)
class Separability:
    """Scatter of each class in the representation, and its distance to the next class.

    Args:
        scatter: Root mean squared distance of a class's samples to their mean, (K,).
        nearest: Distance of its mean to the nearest other mean, (K,).
    """

    scatter: Floats
    nearest: Floats

    @property
    def ratio(self) -> Floats:
        """The distance divided by the scatter, (K,): the smaller, the harder to tell apart."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.nearest / self.scatter)


@dataclass(frozen=True, slots=True, eq=False)
class HeadComparison:
    """Class accuracies under the model's own head and under others on the same features.

    Args:
        accuracies: Head -> accuracy of each class, (K,).
        thirds: Hard, medium and easy classes of the model's own head.
        norm_correlations: Pearson and Spearman correlation of |w_i| with class accuracy; nan where
            either does not vary.
        separability: Of the features that are judged.
        ratio_correlation: Spearman correlation of the separability ratio with class accuracy.
    """

    accuracies: Mapping[str, Floats]
    thirds: Thirds
    norm_correlations: tuple[float, float]
    separability: Separability
    ratio_correlation: float

    @property
    def gaps(self) -> dict[str, float]:
        """The mean accuracy of the easy classes minus that of the hard ones, for each head."""
        found = {}
        for name, accuracy in self.accuracies.items():
            means = self.thirds.means(accuracy)
            found[name] = means["easy"] - means["hard"]
        return found

    @property
    def kept(self) -> float:
        """The share of the own head's gap that is left under the replaced head that closes it most."""
        gaps = self.gaps
        own = gaps.pop("own")
        return min(gaps.values()) / own if own > 0 else float("nan")

    @property
    def text(self) -> str:
        """The sentence that says whether the classifier causes the gap."""
        gaps = self.gaps
        own = gaps.pop("own")
        if not own > 0:
            return "there is no gap between easy and hard classes"
        closest = min(gaps, key=lambda name: gaps[name])
        stays = "stays" if self.kept > 0.5 else "mostly closes"
        blame = "the representation" if self.kept > 0.5 else "the classifier"
        return (
            f"the gap {stays} when the classifier is replaced: {own:.2f} with its own head, at least "
            f"{gaps[closest]:.2f} ({closest}) with {len(gaps)} others; {blame} is where to look"
        )


def compare_heads(
    train: tuple[ArrayLike, ArrayLike],
    test: tuple[ArrayLike, ArrayLike],
    *,
    weight: ArrayLike,
    bias: ArrayLike | None = None,
    thirds: Thirds | None = None,
    taus: tuple[float, ...] = (0.5, 1.0),
) -> HeadComparison:
    """Compare a linear head with others on the same frozen features.

    Args:
        train: Features (N, D) and classes (N,), 0 … K - 1, that means and heads are fitted on.
        test: Features (M, D) and classes (M,) that are judged.
        weight: (K, D) weights of the model's own head.
        bias: (K,) its bias; zeros when absent.
        thirds: Fixed thirds; those of the own head on the test samples when absent.
        taus: Exponents of the normalised weights w / |w|^tau.

    Raises:
        ValueError: Shapes do not fit, or a class has no training or test sample.

    Source: Cui et al. (2024), Classes Are Not Equal, CVPR (the gap lies in the representation);
    Kang et al. (2020), Decoupling Representation and Classifier, ICLR (tau-normalisation, nearest
    class mean, re-trained head).
    """
    w = np.asarray(weight, dtype=np.float64)
    k = len(w)
    b = np.zeros(k) if bias is None else np.asarray(bias, dtype=np.float64)
    (features, classes), (seen, truth) = (_checked(some, w.shape) for some in (train, test))
    means = np.stack([features[classes == i].mean(axis=0) for i in range(k)])
    norms = np.linalg.norm(w, axis=1)
    scores = {
        "own": seen @ w.T + b,
        "nearest class mean": -_distances(seen, means),
        "nearest class mean (cosine)": _unit(seen) @ _unit(means).T,
        "cosine classifier": _unit(seen) @ _unit(w).T,
        **{f"tau = {tau:g}": seen @ (w / norms[:, None] ** tau).T for tau in taus},
        "re-fitted": _refitted(features, classes, seen),
    }
    accuracies = {name: _accuracy(found, truth, k) for name, found in scores.items()}
    own = accuracies["own"]
    separability = _separability(seen, truth, k)
    return HeadComparison(
        accuracies=accuracies,
        thirds=thirds or thirds_of(own),
        norm_correlations=_correlations(norms, own),
        separability=separability,
        ratio_correlation=float(stats.spearmanr(separability.ratio, own).statistic),
    )


def _checked(
    samples: tuple[ArrayLike, ArrayLike], shape: tuple[int, ...]
) -> tuple[Floats, Integers]:
    features, classes = np.asarray(samples[0], dtype=np.float64), np.asarray(samples[1])
    if features.ndim != 2 or features.shape[1] != shape[1] or len(features) != len(classes):
        msg = (
            f"features must be (samples, {shape[1]}) with one class each, got {features.shape} and "
            f"{classes.shape}"
        )
        raise ValueError(msg)
    sizes = np.bincount(classes, minlength=shape[0])
    if len(sizes) > shape[0] or (sizes == 0).any():
        msg = (
            f"each of the {counted(shape[0], 'class', 'classes')} needs a sample, got {sizes.tolist()[:20]}; leave "
            "classes without samples out of the head too"
        )
        raise ValueError(msg)
    return features, classes.astype(np.int64)


def _refitted(features: Floats, classes: Integers, seen: Floats) -> Floats:
    try:
        from sklearn.linear_model import LogisticRegression  # noqa: PLC0415  (an extra)
        from sklearn.preprocessing import StandardScaler  # noqa: PLC0415
    except ImportError as error:
        msg = 're-fitting a head needs scikit-learn: pip install "pytest-fairness[analyses]"'
        raise ModuleNotFoundError(msg) from error
    scaler = StandardScaler().fit(features)
    head = LogisticRegression(max_iter=2_000).fit(scaler.transform(features), classes)
    found = np.asarray(head.decision_function(scaler.transform(seen)), dtype=np.float64)
    return found if found.ndim == 2 else np.stack([-found, found], axis=1)


def _accuracy(scores: Floats, truth: Integers, k: int) -> Floats:
    right = scores.argmax(axis=1) == truth
    return np.asarray(
        np.bincount(truth, weights=right, minlength=k) / np.bincount(truth, minlength=k)
    )


def _correlations(norms: Floats, accuracy: Floats) -> tuple[float, float]:
    if np.ptp(norms) == 0 or np.ptp(accuracy) == 0:
        return float("nan"), float("nan")
    pearson = stats.pearsonr(norms, accuracy).statistic
    return float(pearson), float(stats.spearmanr(norms, accuracy).statistic)


def _separability(features: Floats, classes: Integers, k: int) -> Separability:
    means = np.stack([features[classes == i].mean(axis=0) for i in range(k)])
    apart = ((features - means[classes]) ** 2).sum(axis=1)
    scatter = np.sqrt(np.bincount(classes, weights=apart, minlength=k) / np.bincount(classes))
    distances = _distances(means, means)
    np.fill_diagonal(distances, np.inf)
    return Separability(scatter, distances.min(axis=1))


def _distances(points: Floats, means: Floats) -> Floats:
    squares = (points**2).sum(axis=1)[:, None] + (means**2).sum(axis=1) - 2 * points @ means.T
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)))


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1.0))
