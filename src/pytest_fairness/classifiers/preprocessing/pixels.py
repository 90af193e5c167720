"""From an image to a tensor, as a policy says it: resize, crop, order and scale of the channels."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from pytest_fairness.classifiers.classifier import Preprocessing

if TYPE_CHECKING:
    from collections.abc import Callable

    import torch
    from PIL.Image import Image

    from pytest_fairness.policy.model_specs import PixelSpec

__all__ = ["Crops", "Pixels", "Square", "preprocessing_of"]

_FILTERS = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC"}


@dataclass(frozen=True, slots=True)
class Pixels:
    """From RGB pixels to the numbers that a model takes.

    Args:
        mean: Mean of each channel, on the scale of `white`.
        std: Standard deviation of each channel, on the scale of `white`.
        channels: Order of the channels; `grey` is one channel (ITU-R 601 luma), of the first mean
            and std.
        white: Value of a white pixel before `mean` and `std`, 1 or 255.
    """

    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    channels: Literal["rgb", "bgr", "grey"] = "rgb"
    white: Literal[1, 255] = 1

    def __call__(self, image: "Image") -> "torch.Tensor":
        """Return an RGB image as (C, H, W) float32."""
        import numpy as np  # noqa: PLC0415  (a policy can be read without numpy and torch)
        import torch  # noqa: PLC0415

        if self.channels == "grey":
            pixels = np.asarray(image.convert("L"), dtype=np.float32)[..., None]
        else:
            pixels = np.asarray(image, dtype=np.float32)
        if self.channels == "bgr":
            pixels = pixels[..., ::-1]
        number = pixels.shape[-1]
        mean, std = (np.asarray(part[:number], np.float32) for part in (self.mean, self.std))
        pixels = (pixels * np.float32(self.white / 255) - mean) / std
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


@dataclass(frozen=True, slots=True)
class Crops:
    """Preprocessing that resizes the shorter side and cuts the centre out, or ten crops.

    Ten crops are the four corners and the centre, and those of the mirror image.

    Args:
        resize: Shorter side in pixels after resizing.
        crop: Side of the square that is cut out, at most `resize`.
        pixels: From pixels to numbers.
        interpolation: How pixels are resized.
        ten: Whether to give ten crops, stacked as (10, C, H, W).

    Example:
        >>> from PIL import Image
        >>> Crops(resize=10, crop=8, ten=True)(Image.new("RGB", (30, 20))).shape
        torch.Size([10, 3, 8, 8])
    """

    resize: int
    crop: int
    pixels: Pixels = Pixels()
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    ten: bool = False

    def __call__(self, image: "Image") -> "torch.Tensor":
        """Return the crop (C, crop, crop), or the ten (10, C, crop, crop), float32."""
        import torch  # noqa: PLC0415  (a policy can be read without torch)
        from torchvision.transforms import functional  # noqa: PLC0415

        how = functional.InterpolationMode(self.interpolation)
        image = functional.resize(image, [self.resize], how)
        if not self.ten:
            return self.pixels(functional.center_crop(image, [self.crop]))
        crops = functional.ten_crop(image, [self.crop])
        return torch.stack([self.pixels(part) for part in crops])


@dataclass(frozen=True, slots=True)
class Square:
    """Resize to a square, without keeping the aspect."""

    size: int
    pixels: Pixels
    interpolation: Literal["nearest", "bilinear", "bicubic"]

    def __call__(self, image: "Image") -> "torch.Tensor":
        """Return the square (C, size, size) float32."""
        from PIL.Image import Resampling  # noqa: PLC0415

        if image.size != (self.size, self.size):
            how = Resampling[_FILTERS[self.interpolation]]
            image = image.resize((self.size, self.size), how)
        return self.pixels(image)


def preprocessing_of(spec: "PixelSpec", *, ten: bool = False) -> "Callable[[Image], torch.Tensor]":
    """Return the preprocessing that a policy's table describes.

    Args:
        spec: The table.
        ten: Whether to give the ten crops instead of the centre.
    """
    plain = (spec.interpolation, spec.channels, spec.white) == ("bilinear", "rgb", 1)
    if spec.size is not None and plain:
        return Preprocessing(size=spec.size, mean=spec.mean, std=spec.std)
    pixels = Pixels(spec.mean, spec.std, spec.channels, spec.white)
    if spec.size is not None:
        return Square(spec.size, pixels, spec.interpolation)
    return Crops(spec.resize or 1, spec.crop or 1, pixels, spec.interpolation, ten=ten)
