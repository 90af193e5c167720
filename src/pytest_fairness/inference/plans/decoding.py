"""Encoded images -> pixels, outside of the interpreter's lock where the pixels are Pillow's."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
import torch

from pytest_fairness.data.images import decode, opened

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["decoded"]

_ORIENTATION = 0x0112
_RGB = 3
_SAME = {"JPEG", "WEBP"}
"""Formats of which torchvision gives Pillow's pixels and refuses what Pillow refuses.

PNG is not among them: torchvision 0.29 ends the process on some damaged files.
"""


def decoded(content: bytes, *, name: str) -> torch.Tensor:
    """Return the pixels that `pytest_fairness.data.images.decode` gives.

    Args:
        content: The encoded file.
        name: What to call the image in an error.

    Returns:
        (3, H, W) uint8.

    Raises:
        DataError: The image is empty, truncated, corrupt, or too large.
    """
    with opened(content, name=name) as image:
        plain = _plain(image)
    if plain:
        found = _by_torchvision(content)
        if found is not None:
            return found
    return torch.from_numpy(np.array(decode(content, name=name))).permute(2, 0, 1)


def _plain(image: "Image") -> bool:
    """Return whether a file needs no more than decoding: it is upright, opaque RGB or grey."""
    if image.format not in _SAME or image.mode not in {"RGB", "L"} or image.has_transparency_data:
        return False
    return bool(image.getexif().get(_ORIENTATION, 1) == 1)


def _by_torchvision(content: bytes) -> torch.Tensor | None:
    """Return the pixels, or None where Pillow shall say what is wrong with them."""
    decoder = _torchvision_decoder()
    if decoder is None:
        return None
    encoded = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    try:
        return decoder(encoded, _RGB, False)  # noqa: FBT003  (an operator takes no names)
    except RuntimeError:
        return None


@cache
def _torchvision_decoder() -> Callable[[torch.Tensor, int, bool], torch.Tensor] | None:
    """Return torchvision's operator, or None where this torchvision has none any more.

    Its Python function only warns, since torchvision 0.29, that it will move to TorchCodec.
    """
    import torchvision.io  # noqa: F401, PLC0415  (registers the operator)

    return getattr(torch.ops.image, "decode_image", None)
