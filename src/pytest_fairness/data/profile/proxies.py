"""What can be measured in pixels beside a label, and which pixels of matched images to measure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.data.derived import ita_degrees
from pytest_fairness.statistics.arrays import Floats

__all__ = ["PROXIES", "Proxy", "individual_typology_angle", "luminance", "shared_skin"]


# Largest change of a channel, of 255, that repeated compression of the same pixels may cause.
_NOISE = 12
# Hues of skin, in degrees, whatever its brightness; and the least chroma at which a hue is seen.
_SKIN_HUES = (-15.0, 45.0)
_LEAST_CHROMA = 8


@dataclass(frozen=True, slots=True)
class Proxy:
    """A quantity measured in pixels.

    Args:
        name: Its name on the command line.
        measure: Takes (P, 3) RGB values, 0 to 255, and returns one number.
        unit: Unit of the number.
        tie: Difference below which two images are not told apart.
    """

    name: str
    measure: Callable[[Floats], float]
    unit: str
    tie: float


def luminance(pixels: Floats) -> float:
    """Return the median luminance of RGB values (P, 3), 0 to 255, without undoing their gamma.

    Source: weights of ITU-R BT.709.

    Example:
        >>> luminance(np.array([[0.0, 0, 0], [255, 255, 255], [100, 100, 100]]))
        100.0
    """
    return round(float(np.median(pixels @ np.array([0.2126, 0.7152, 0.0722]))), 6)


def individual_typology_angle(pixels: Floats) -> float:
    """Return the median individual typology angle of sRGB values (P, 3), 0 to 255, in degrees.

    Source: Chardon, Cretois and Hourseau (1991), Int. J. Cosmetic Science 13, 191; CIELAB of
    IEC 61966-2-1 under D65.

    Example:
        >>> round(individual_typology_angle(np.array([[224.0, 172, 105]])), 1)
        29.8
    """
    lightness, _, yellow = _lab(pixels).T
    return float(np.median(ita_degrees(lightness, yellow)))


def shared_skin(stack: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return the pixels (H, W) that are skin in each of M images of the same design (M, H, W, 3).

    Such a pixel differs between any two of the images by more than compression would, and has the
    hue of skin in all of them. Hair and clothes that change with the tone drop out: they are grey
    somewhere, or the same in two of the images. No limit is set on brightness, since that would
    measure dark skin on fewer pixels.
    """
    values = stack.astype(np.int16)
    changed = np.ones(values.shape[1:3], dtype=bool)
    for second in range(len(values)):
        for first in range(second):
            changed &= np.abs(values[first] - values[second]).max(axis=-1) > _NOISE
    if not changed.any():
        return changed
    return changed & _has_skin_hue(values).all(axis=0)


def _has_skin_hue(values: NDArray[np.int16]) -> NDArray[np.bool_]:
    red, green, blue = (values[..., channel].astype(np.float64) for channel in range(3))
    chroma = values.max(axis=-1) - values.min(axis=-1)
    # Red is the largest channel at these hues, where the hue is 60 (G - B) / chroma.
    hue = 60 * (green - blue) / np.maximum(chroma, 1)
    low, high = _SKIN_HUES
    reddest = (red >= green) & (red >= blue)
    found: NDArray[np.bool_] = reddest & (chroma >= _LEAST_CHROMA) & (hue >= low) & (hue <= high)
    return found


def _lab(pixels: Floats) -> Floats:
    """CIELAB (P, 3) of sRGB values, 0 to 255."""
    encoded = pixels / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    to_xyz = np.array(
        [
            [0.4124564, 0.3575761, 0.1804375],
            [0.2126729, 0.7151522, 0.0721750],
            [0.0193339, 0.1191920, 0.9503041],
        ]
    )
    ratio = linear @ to_xyz.T / to_xyz.sum(axis=1)  # the sum of a row is the white point
    root = np.where(ratio > 216 / 24389, np.cbrt(ratio), (24389 / 27 * ratio + 16) / 116)
    x, y, z = root.T
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)


PROXIES: Final[Mapping[str, Proxy]] = MappingProxyType(
    {
        "luminance": Proxy("luminance", luminance, "of 255", tie=1.0),
        "ita": Proxy("ita", individual_typology_angle, "degrees", tie=1.0),
    }
)
"""Name -> what an audit can measure; both fall from light to dark skin."""
