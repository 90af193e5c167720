"""LIME for images: which parts of an image speak for a class, by switching them off at random."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier

__all__ = ["LimeExplanation", "lime_explain", "quickshift_segments"]

Pixels: TypeAlias = NDArray[np.uint8]
# Images (B, H, W, 3) in the caller's own scale -> probabilities (B, K).
Predict: TypeAlias = Callable[[NDArray[np.generic]], NDArray[np.floating]]

_RIDGE = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class LimeExplanation:
    """The local linear model of one image.

    Args:
        segments: (H, W) number of the segment of each pixel, 0 … S - 1.
        weights: Class -> weight of each segment, (S,): positive ones speak for the class.
        intercepts: Class -> intercept of its model.
        fits: Class -> weighted R² of its model: how far it may be trusted.
        local: Class -> what its model says of the whole image.
        probabilities: (K,) what the classifier says of it.
    """

    segments: Integers
    weights: Mapping[int, Floats]
    intercepts: Mapping[int, float]
    fits: Mapping[int, float]
    local: Mapping[int, float]
    probabilities: Floats

    def top(self, label: int, *, positive: bool = True, most: int = 5) -> list[int]:
        """Return the segments that speak most for a class, or against it, the strongest first."""
        weights = self.weights[label] if positive else -self.weights[label]
        order = np.argsort(-weights, kind="stable")
        return [int(i) for i in order[:most] if weights[i] > 0]

    def mask(self, label: int, *, positive: bool = True, most: int = 5) -> NDArray[np.bool_]:
        """Return whether each pixel (H, W) is in one of these segments."""
        return np.isin(self.segments, self.top(label, positive=positive, most=most))


def lime_explain(
    model: "Classifier | Predict",
    image: NDArray[np.generic],
    *,
    labels: Sequence[int] | None = None,
    top_labels: int = 5,
    samples: int = 1000,
    batch_size: int = 64,
    kernel_width: float = 0.25,
    hide_colour: float | None = None,
    segments: Integers | None = None,
    rows: NDArray[np.integer] | None = None,
    rng: np.random.Generator | None = None,
    device: str = "auto",
) -> LimeExplanation:
    """Explain a prediction with the defaults of the `lime` package, in batches.

    Args:
        model: A `Classifier`, or a function of images (B, H, W, 3) that returns (B, K)
            probabilities.
        image: (H, W, 3), or grey (H, W) or (H, W, 1); uint8 for a `Classifier`. A grey image gets three
            equal channels.
        labels: Classes to explain; the `top_labels` most probable ones when absent.
        top_labels: How many of them.
        samples: Rows of switched segments; the first has all of them on.
        batch_size: Images predicted at a time: the memory needed does not grow with `samples`.
        kernel_width: How fast rows lose weight with their distance from the whole image.
        hide_colour: Value of a segment that is off; its own mean colour when absent.
        segments: (H, W) numbers of segments; quickshift's when absent.
        rows: (samples, S) of 0 and 1 instead of drawn ones.
        rng: Source of the rows and of quickshift's seed; a fixed seed when absent.
        device: Where a `Classifier` runs, as for `predict`.

    Raises:
        ValueError: Shapes do not fit, or a class does not exist.

    Source: Ribeiro, Singh and Guestrin (2016), Why Should I Trust You?, KDD; ridge regression with
    weights exp(-d² / 2 w²), d the cosine distance, as in the package `lime`.

    Example:
        >>> image = np.zeros((4, 4, 3), dtype=np.uint8)
        >>> image[:, :2] = 200
        >>> halves = np.repeat([[0, 0, 1, 1]], 4, axis=0)
        >>> def left_is_bright(images):
        ...     bright = images[:, :, :2].mean((1, 2, 3)) / 255
        ...     return np.stack([1 - bright, bright], axis=1)
        >>> found = lime_explain(left_is_bright, image, segments=halves, hide_colour=0, samples=64)
        >>> found.top(1)
        [0]
    """
    rng = np.random.default_rng(0) if rng is None else rng
    image = _three_channels(image)
    if segments is None:
        segments = quickshift_segments(image, rng=rng)
    segments = _numbered(segments, image.shape[:2])
    count = int(segments.max()) + 1
    rows = _rows(rows, samples, count, rng)
    with _predicting(model, device) as predict:
        probabilities = np.concatenate(
            [
                np.asarray(predict(batch), dtype=np.float64)
                for batch in _switched(image, segments, rows, hide_colour, batch_size)
            ]
        )
    chosen = _labels(labels, top_labels, probabilities[0])
    weights = np.exp(-(_distances(rows) ** 2) / (2 * kernel_width**2))
    slopes, intercepts, fits = _ridge(rows.astype(np.float64), probabilities[:, chosen], weights)
    whole = slopes.sum(axis=0) + intercepts
    return LimeExplanation(
        segments=segments,
        weights={label: slopes[:, i] for i, label in enumerate(chosen)},
        intercepts={label: float(intercepts[i]) for i, label in enumerate(chosen)},
        fits={label: float(fits[i]) for i, label in enumerate(chosen)},
        local={label: float(whole[i]) for i, label in enumerate(chosen)},
        probabilities=probabilities[0],
    )


def _three_channels(image: NDArray[np.generic]) -> NDArray[np.generic]:
    """Return an image as (H, W, 3)."""
    pixels = np.asarray(image)
    if pixels.ndim == 2:
        pixels = pixels[..., None]
    if pixels.ndim != 3 or pixels.shape[2] not in (1, 3) or pixels.dtype.kind not in "uif":
        got = f"{pixels.shape} of {pixels.dtype}"
        msg = f"an image must be (height, width, 3), or grey (height, width), of numbers, got {got}"
        raise ValueError(msg)
    return np.repeat(pixels, 3, axis=2) if pixels.shape[2] == 1 else pixels


def quickshift_segments(image: NDArray[np.generic], *, rng: np.random.Generator) -> Integers:
    """Return (H, W) numbers of superpixels, with the parameters of the `lime` package.

    Raises:
        ModuleNotFoundError: scikit-image is not installed.

    Source: Vedaldi and Soatto (2008), Quick Shift and Kernel Methods for Mode Seeking, ECCV.
    """
    try:
        from skimage.segmentation import quickshift  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = 'superpixels need scikit-image: pip install "pytest-fairness[analyses]", or give segments'
        raise ModuleNotFoundError(msg) from error
    seed = int(rng.integers(0, 1000))
    found = quickshift(image, kernel_size=4, max_dist=200, ratio=0.2, rng=seed)
    return np.asarray(found, dtype=np.int64)


def _numbered(segments: NDArray[np.integer], shape: tuple[int, ...]) -> Integers:
    """Segments numbered without gaps."""
    if segments.shape != shape:
        msg = f"segments must be one number a pixel, {shape}, got {segments.shape}"
        raise ValueError(msg)
    numbers = np.unique(segments, return_inverse=True)[1].reshape(shape)
    return np.asarray(numbers, dtype=np.int64)


def _rows(
    rows: NDArray[np.integer] | None, samples: int, count: int, rng: np.random.Generator
) -> Integers:
    if rows is None:
        found = rng.integers(0, 2, size=(samples, count))
        found[0] = 1
        return found
    found = np.asarray(rows, dtype=np.int64)
    if found.ndim != 2 or found.shape[1] != count or not np.isin(found, (0, 1)).all():
        msg = f"rows must be 0 or 1, (rows, {count} segments), got {found.shape}"
        raise ValueError(msg)
    if not (found[0] == 1).all():
        msg = "the first row must have all segments on: it is the image that is explained"
        raise ValueError(msg)
    return found


def _switched(
    image: NDArray[np.generic],
    segments: Integers,
    rows: Integers,
    hide_colour: float | None,
    batch_size: int,
) -> Iterator[NDArray[np.generic]]:
    """Images (B, H, W, 3) whose segments are off where a row says so."""
    hidden = np.full_like(image, hide_colour) if hide_colour is not None else image.copy()
    if hide_colour is None:
        flat, sizes = segments.ravel(), np.bincount(segments.ravel())
        for channel in range(3):
            sums = np.bincount(flat, weights=image[..., channel].ravel().astype(np.float64))
            hidden[..., channel] = (sums / sizes)[segments].astype(image.dtype)
    for first in range(0, len(rows), batch_size):
        on = rows[first : first + batch_size][:, segments].astype(bool)
        yield np.where(on[..., None], image, hidden)


def _distances(rows: Integers) -> Floats:
    """Cosine distance (N,) of each row from the first, which is all ones."""
    on = rows.sum(axis=1)
    return np.asarray(1 - np.sqrt(on / rows.shape[1]))


def _ridge(rows: Floats, answers: Floats, weights: Floats) -> tuple[Floats, Floats, Floats]:
    """Weights (S, L), intercepts (L,) and weighted R² (L,) of ridge regressions on the same rows."""
    total = weights.sum()
    centre, level = (weights @ rows) / total, (weights @ answers) / total
    x, y = rows - centre, answers - level
    weighted = x * weights[:, None]
    slopes = np.linalg.solve(weighted.T @ x + _RIDGE * np.eye(rows.shape[1]), weighted.T @ y)
    left = (weights @ (y - x @ slopes) ** 2, weights @ y**2)
    with np.errstate(divide="ignore", invalid="ignore"):
        fits = 1 - left[0] / left[1]
    return slopes, level - centre @ slopes, fits


def _labels(labels: Sequence[int] | None, top_labels: int, probabilities: Floats) -> list[int]:
    if labels is None:
        order = np.argsort(-probabilities, kind="stable")[:top_labels]
        return [int(i) for i in order]
    wrong = [label for label in labels if not 0 <= label < len(probabilities)]
    if wrong or not labels:
        msg = f"class {wrong or labels} does not exist; allowed: 0 … {len(probabilities) - 1}"
        raise ValueError(msg)
    return list(dict.fromkeys(labels))


@contextmanager
def _predicting(model: "Classifier | Predict", device: str) -> Iterator[Predict]:
    """The model as a function of pixels; a classifier is left as it was found."""
    from pytest_fairness.classifiers import Classifier  # noqa: PLC0415  (loads torch)

    if not isinstance(model, Classifier):
        yield model
        return
    from pytest_fairness.analyses.pixels import pixels_to_probabilities  # noqa: PLC0415

    with pixels_to_probabilities(model, device=device) as predict:
        yield predict
