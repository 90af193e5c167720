"""How smooth maps are: what is lost when they are coarsened."""

from typing import Literal, NamedTuple, get_args

import numpy as np
from PIL import Image
from scipy.ndimage import gaussian_filter

from pytest_fairness.errors import DataError
from pytest_fairness.statistics.arrays import Floats

__all__ = ["LayoutQuality", "layout_quality"]

How = Literal["resample", "blur"]
_LEVELS = 10


class LayoutQuality(NamedTuple):
    """Mean squared errors on the 0 to 255 scale. Lower is smoother.

    Args:
        errors: Error at each of ten degrees of coarsening, mean over groups, (10,).
        area: Area under them, by trapezoids.
    """

    errors: Floats
    area: float


def layout_quality(maps: Floats, *, how: How = "resample") -> LayoutQuality:
    """Coarsen maps in ten degrees and compare each with what it was, in floating point.

    Degree k = 0..9 shrinks to 55 - 5k pixels and back (bilinear), or blurs with radius 2 (k + 1).
    What lies outside the hull is white, the colour of 0.

    Args:
        maps: (G, H, W), nan outside.
        how: `resample` or `blur`.

    Raises:
        DataError: Maps have another shape, or `how` is unknown.

    Source: Krug and Stober (2023), arXiv 2204.03528; their code squares 8-bit differences, which
    wrap at 256, so its numbers differ.
    """
    if maps.ndim != 3 or how not in get_args(How):
        msg = f"maps must be (G, H, W) and how one of {get_args(How)}, got {maps.shape}, {how!r}"
        raise DataError(msg)
    filled = np.where(np.isnan(maps), 0.0, maps)
    limit = float(np.abs(filled).max()) or 1.0
    pixels = (filled / limit + 1) * 127.5
    coarsened = _resampled if how == "resample" else _blurred
    errors = np.array(
        [
            np.mean([((coarsened(one, k) - one) ** 2).mean() for one in pixels])
            for k in range(_LEVELS)
        ]
    )
    return LayoutQuality(errors, float(np.trapezoid(errors)))


def _resampled(pixels: Floats, degree: int) -> Floats:
    side = 55 - 5 * degree
    image = Image.fromarray(pixels.astype(np.float32))
    small = image.resize((side, side), Image.Resampling.BILINEAR)
    return np.asarray(small.resize(image.size, Image.Resampling.BILINEAR), dtype=np.float64)


def _blurred(pixels: Floats, degree: int) -> Floats:
    return np.asarray(gaussian_filter(pixels, 2.0 * (degree + 1)), dtype=np.float64)
