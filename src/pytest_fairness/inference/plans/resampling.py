"""Pillow's resize of 8-bit images, bit for bit, on tensors of any device."""

import math
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Literal, NamedTuple

import numpy as np
import torch

__all__ = ["Filter", "coefficients", "resampled"]

Filter = Literal["nearest", "bilinear", "bicubic", "lanczos"]
_BITS = 22
"""Fractional bits of a coefficient (Pillow: `PRECISION_BITS`, 32 - 8 - 2)."""


def _bilinear(x: float) -> float:
    return max(0.0, 1.0 - abs(x))


def _bicubic(x: float) -> float:
    x, a = abs(x), -0.5
    if x < 1.0:
        return ((a + 2.0) * x - (a + 3.0)) * x * x + 1
    return (((x - 5) * x + 8) * x - 4) * a if x < 2.0 else 0.0


def _sinc(x: float) -> float:
    return 1.0 if x == 0.0 else math.sin(x * math.pi) / (x * math.pi)


def _lanczos(x: float) -> float:
    return _sinc(x) * _sinc(x / 3) if -3.0 <= x < 3.0 else 0.0


_KERNELS: dict[str, tuple[Callable[[float], float], float]] = {
    "bilinear": (_bilinear, 1.0),
    "bicubic": (_bicubic, 2.0),
    "lanczos": (_lanczos, 3.0),
}


class Coefficients(NamedTuple):
    """The weights by which one axis is resized.

    Args:
        first: First input pixel of each output pixel.
        weights: Weights of the pixels from there, as integers with 22 fractional bits.
    """

    first: list[int]
    weights: list[list[int]]


def coefficients(before: int, after: int, kind: Filter) -> Coefficients:
    """Return the integer weights by which Pillow resizes one axis.

    Args:
        before: Pixels of the axis.
        after: Pixels afterwards.
        kind: The filter; `nearest` has none.

    Source: Pillow, `src/libImaging/Resample.c`, `precompute_coeffs` and `normalize_coeffs_8bpc`.

    Example:
        >>> coefficients(4, 2, "bilinear").first
        [0, 1]
    """
    kernel, support = _KERNELS[kind]
    scale = before / after
    wide = max(scale, 1.0)
    reach, narrow = support * wide, 1.0 / wide
    starts, rows = [], []
    for place in range(after):
        center = (place + 0.5) * scale
        low = max(int(center - reach + 0.5), 0)
        high = min(int(center + reach + 0.5), before)
        weights = [kernel((x + low - center + 0.5) * narrow) for x in range(high - low)]
        total = 0.0
        for weight in weights:  # in this order: a sum of floats depends on it
            total += weight
        if total != 0.0:
            weights = [weight / total for weight in weights]
        rows.append([int(math.copysign(0.5, w) + w * (1 << _BITS)) for w in weights])
        starts.append(low)
    return Coefficients(starts, rows)


@lru_cache(maxsize=256)  # of 224 x 480 weights each: at most some 200 MB
def _matrix(
    before: int, after: int, kept: tuple[int, int], kind: Filter, device: torch.device
) -> torch.Tensor:
    """Return the weights (stop - start, before) of the outputs from `start` to `stop`, float64."""
    first, weights = coefficients(before, after, kind)
    start, stop = kept
    matrix = np.zeros((stop - start, before))
    for row, place in enumerate(range(start, stop)):
        matrix[row, first[place] : first[place] + len(weights[place])] = weights[place]
    return torch.from_numpy(matrix).to(device)


@lru_cache(maxsize=1024)
def _nearest(before: int, after: int) -> torch.Tensor:
    """Return which input pixel each output pixel takes.

    Source: Pillow, `src/libImaging/Geometry.c`, `ImagingScaleAffine`, which adds the step up.
    """
    step = before / after
    steps = np.full(after, step)
    steps[0] = step * 0.5
    return torch.from_numpy(np.minimum(np.add.accumulate(steps).astype(np.int64), before - 1))


def _rounded(sums: torch.Tensor) -> torch.Tensor:
    """Shift fixed-point sums right and clip them. Float64 holds these integers exactly."""
    return torch.floor((sums + (1 << (_BITS - 1))) / (1 << _BITS)).clamp_(0, 255)


@cache
def _rows_first_when_tall() -> bool:
    """Whether this Pillow takes the vertical pass first where the height shrinks most."""
    from PIL import Image  # noqa: PLC0415

    pixels = np.random.default_rng(0).integers(0, 256, (64, 9), dtype=np.uint8)
    seen = np.asarray(Image.fromarray(pixels).resize((8, 8), Image.Resampling.BILINEAR))
    sums = torch.from_numpy(pixels).double()
    return bool(
        (_passes(sums, (8, 8), "bilinear", (0, 0, 8, 8), rows_first=True).numpy() == seen).all()
    )


def resampled(
    images: torch.Tensor,
    size: tuple[int, int],
    kind: Filter,
    box: tuple[int, int, int, int] | None = None,
) -> torch.Tensor:
    """Return 8-bit images resized as Pillow does, or a part of the result.

    Args:
        images: (..., H, W) uint8.
        size: Width and height afterwards.
        kind: The filter.
        box: Left, top, right and bottom of the part, within `size`; only it is computed.

    Returns:
        (..., bottom - top, right - left) uint8, equal to `PIL.Image.resize` and a crop.

    Source: Pillow, `src/libImaging/Resample.c`: a pass along each axis, each rounded to 8 bits.

    Example:
        >>> resampled(torch.tensor([[0, 255]], dtype=torch.uint8), (4, 1), "bilinear").tolist()
        [[0, 64, 191, 255]]
    """
    width, height = size
    left, top, right, bottom = box or (0, 0, width, height)
    if images.shape[-2:] == (height, width):
        return images[..., top:bottom, left:right]
    if kind == "nearest":
        rows = _nearest(images.shape[-2], height)[top:bottom].to(images.device)
        columns = _nearest(images.shape[-1], width)[left:right].to(images.device)
        return images.index_select(-2, rows).index_select(-1, columns)
    lost_rows, lost_columns = images.shape[-2] - height, images.shape[-1] - width
    tall = lost_rows > 0 and lost_rows > 2 * lost_columns and _rows_first_when_tall()
    parts = (left, top, right, bottom)
    return _passes(images.double(), size, kind, parts, rows_first=tall).to(torch.uint8)


def _passes(
    pixels: torch.Tensor,
    size: tuple[int, int],
    kind: Filter,
    box: tuple[int, int, int, int],
    *,
    rows_first: bool,
) -> torch.Tensor:
    width, height = size
    left, top, right, bottom = box
    before_rows, before_columns = pixels.shape[-2:]

    def across(x: torch.Tensor) -> torch.Tensor:
        if before_columns == width:
            return x[..., left:right]
        weights = _matrix(before_columns, width, (left, right), kind, x.device)
        return _rounded(x @ weights.mT)

    def down(x: torch.Tensor) -> torch.Tensor:
        if before_rows == height:
            return x[..., top:bottom, :]
        return _rounded(_matrix(before_rows, height, (top, bottom), kind, x.device) @ x)

    return across(down(pixels)) if rows_first else down(across(pixels))
