"""Images as the input of a file takes them: its type is known, and a cast must not change a pixel."""

from typing import TYPE_CHECKING

import torch

from pytest_fairness.classifiers.preprocessing.casts import exact_cast
from pytest_fairness.errors import ModelError
from pytest_fairness.policy.model_specs import PixelSpec

if TYPE_CHECKING:
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["as_input", "check_pixels"]


def as_input(images: torch.Tensor, dtype: torch.dtype, spec: "ModelSpec") -> torch.Tensor:
    """Return images in the type of a model's input.

    Raises:
        ModelError: The cast would change a pixel.
    """
    return exact_cast(images, dtype, title=f"model {spec.name!r}: the pixels of its input")


def check_pixels(spec: "ModelSpec", dtype: torch.dtype) -> None:
    """Refuse a preprocessing whose pixels a whole number cannot hold.

    Black and white images alone would pass the check of each pixel.

    Raises:
        ModelError: White is 1 or less, and the input holds whole numbers.
    """
    pixels = spec.preprocessing
    if dtype.is_floating_point or not isinstance(pixels, PixelSpec):
        return
    if pixels.white <= min(abs(deviation) for deviation in pixels.std):
        msg = (
            f"{spec.title}: its input holds whole numbers ({str(dtype).removeprefix('torch.')}), and "
            "preprocessing gives pixels from 0 to 1, which a cast would make 0; write white = 255 in "
            "preprocessing"
        )
        raise ModelError(msg)
