"""A change of an image that a camera, a network or a hand may make; 0 is no change."""

import io
import math
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

import numpy as np
from PIL import Image, ImageEnhance, ImageFilter
from torchvision.transforms.v2.functional import adjust_hue

from pytest_fairness.errors import PolicyError

__all__ = ["Perturbation"]

# Name -> smallest and largest value.
_RANGES = {
    "brightness": (-0.95, 2.0),
    "contrast": (-0.95, 2.0),
    "hue": (-180.0, 180.0),
    "blur": (0.0, 0.2),
    "jpeg_loss": (0.0, 99.0),
    "rotation": (-180.0, 180.0),
    "crop": (0.0, 0.45),
    "occlusion": (0.0, 0.9),
    "occlusion_x": (0.0, 1.0),
    "occlusion_y": (0.0, 1.0),
}


@dataclass(frozen=True, slots=True, repr=False)
class Perturbation:
    """A change of an RGB image, made in the order of the fields. All zeros leave it as it is.

    Args:
        brightness: -0.4 is 40 % darker, 0.4 is 40 % brighter.
        contrast: -0.4 moves all pixels 40 % of their way to the mean grey.
        hue: Turn of the hues in degrees.
        blur: Standard deviation of a Gaussian blur as a share of the shorter side.
        jpeg_loss: 100 minus the quality that the image is encoded with once.
        rotation: Degrees, counter-clockwise; corners take the mean colour of the border.
        crop: Share that is cut off on each side; the rest is enlarged to the old size.
        occlusion: Side of a grey square as a share of the shorter side.
        occlusion_x: Where its centre is, 0 (left) to 1.
        occlusion_y: Where its centre is, 0 (top) to 1.

    Raises:
        PolicyError: A value is out of range.

    Example:
        >>> image = Image.new("RGB", (8, 8), (100, 100, 100))
        >>> Perturbation(brightness=-0.5)(image).getpixel((0, 0))
        (50, 50, 50)
        >>> Perturbation.parse("brightness=-0.5,blur=0.02")
        Perturbation(brightness=-0.5, blur=0.02)
    """

    brightness: float = 0.0
    contrast: float = 0.0
    hue: float = 0.0
    blur: float = 0.0
    jpeg_loss: float = 0.0
    rotation: float = 0.0
    crop: float = 0.0
    occlusion: float = 0.0
    occlusion_x: float = 0.5
    occlusion_y: float = 0.5

    def __post_init__(self) -> None:
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if not (math.isfinite(value) and low <= value <= high):
                msg = f"perturbation {name} = {value:g} must be in [{low:g}, {high:g}]"
                raise PolicyError(msg)

    def __repr__(self) -> str:  # type: ignore[explicit-override]
        return f"Perturbation({self.text.replace(',', ', ')})"

    def _repr_pretty_(self, printer: Any, _cycle: bool) -> None:  # noqa: FBT001  (IPython's protocol)
        """What Hypothesis shows of it when a search fails."""
        printer.text(repr(self))

    @property
    def text(self) -> str:
        """The text of the change in a policy: `brightness=-0.5,blur=0.02`."""
        return ",".join(
            f"{field.name}={getattr(self, field.name):g}"
            for field in fields(self)
            if getattr(self, field.name) != field.default
        )

    @classmethod
    def parse(cls, text: str) -> "Perturbation":
        """Read what a policy writes: `brightness=-0.5,blur=0.02`.

        Raises:
            PolicyError: A name is unknown, or a value no number or out of range.
        """
        values: dict[str, float] = {}
        for part in text.split(","):
            name, _, number = (piece.strip() for piece in part.partition("="))
            if name not in _RANGES:
                close = get_close_matches(name, _RANGES, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                msg = f"perturbation {text!r}: unknown {name!r}{hint} Allowed: {', '.join(_RANGES)}"
                raise PolicyError(msg)
            try:
                values[name] = float(number)
            except ValueError as error:
                msg = f"perturbation {text!r}: {name} = {number!r} is no number; write {name}=0.1"
                raise PolicyError(msg) from error
        return cls(**values)

    def __call__(self, image: Image.Image) -> Image.Image:
        """Return a changed copy of an RGB image, of the same size."""
        if self.brightness:
            image = ImageEnhance.Brightness(image).enhance(1 + self.brightness)
        if self.contrast:
            image = ImageEnhance.Contrast(image).enhance(1 + self.contrast)
        if self.hue:
            image = adjust_hue(image, self.hue / 360)
        shorter = min(image.size)
        if self.blur:
            image = image.filter(ImageFilter.GaussianBlur(self.blur * shorter))
        if self.jpeg_loss:
            image = _as_jpeg(image, quality=round(100 - self.jpeg_loss))
        if self.rotation:
            image = image.rotate(
                self.rotation, Image.Resampling.BILINEAR, fillcolor=_border_colour(image)
            )
        if self.crop:
            image = self._cropped(image)
        if self.occlusion:
            image = self._occluded(image)
        return image

    def _cropped(self, image: Image.Image) -> Image.Image:
        width, height = image.size
        box = (
            self.crop * width,
            self.crop * height,
            (1 - self.crop) * width,
            (1 - self.crop) * height,
        )
        return image.resize(image.size, Image.Resampling.BILINEAR, box=box)

    def _occluded(self, image: Image.Image) -> Image.Image:
        width, height = image.size
        side = max(round(self.occlusion * min(image.size)), 1)
        left = round(self.occlusion_x * width - side / 2)
        top = round(self.occlusion_y * height - side / 2)
        image = image.copy()
        image.paste((128, 128, 128), (left, top, left + side, top + side))
        return image


def _as_jpeg(image: Image.Image, *, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file).convert("RGB")


def _border_colour(image: Image.Image) -> tuple[int, int, int]:
    pixels = np.asarray(image, dtype=np.float64)
    border = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    red, green, blue = border.mean(axis=0).round().astype(int).tolist()
    return red, green, blue
