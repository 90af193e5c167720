"""From 8-bit pixels to numbers, by asking the preprocessing for each of the 256 values."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import torch

from pytest_fairness.classifiers.preprocessing.casts import as_tensor

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["Table", "table_of"]

_TRIED = np.random.default_rng(0).integers(16, 240, (16, 16, 3), dtype=np.uint8)
"""Pixels of which a table must give what the preprocessing gives; neither black nor white is one."""


Numbers = Sequence[float] | None


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """The number that each value of each channel becomes.

    Args:
        values: (256, C) numbers.
        order: Which channel of the image each channel of the model reads.
        formula: Arithmetic on (..., C) uint8 that gives the same numbers on a CPU, where it is
            faster than looking them up. None where there is none.
    """

    values: torch.Tensor
    order: tuple[int, ...]
    formula: Callable[[torch.Tensor], torch.Tensor] | None = None

    @property
    def text(self) -> str:
        """The numbers in words: what black and white become."""
        ends = [
            "/".join(f"{value:.4g}" for value in self.values[place].tolist()) for place in (0, -1)
        ]
        order = "" if self.order == tuple(sorted(self.order)) else ", blue first"
        return f"0 to 255 become {ends[0]} to {ends[1]}{order}"

    def numbers(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return (..., C) numbers of pixels (..., C) uint8, on the device of the pixels."""
        if self.order != tuple(range(len(self.order))):
            pixels = pixels[..., list(self.order)]
        if self.formula is not None and pixels.device.type == "cpu":
            return self.formula(pixels)
        values = self.values.to(pixels.device)
        found = torch.empty(pixels.shape, dtype=values.dtype, device=pixels.device)
        for channel in range(values.shape[1]):
            places = pixels[..., channel].reshape(-1).int()
            column = values[:, channel].contiguous().index_select(0, places)
            found[..., channel] = column.view(found.shape[:-1])
        return found


def _formula(
    values: torch.Tensor, mean: Numbers, std: Numbers
) -> Callable[[torch.Tensor], torch.Tensor] | None:
    """Return arithmetic that gives the same values bit for bit, if one that is tried does."""
    if values.dtype != torch.float32:
        return None
    channels = values.shape[1]
    centre = torch.tensor(list(mean or [0.0] * channels)[:channels], dtype=torch.float32)
    spread = torch.tensor(list(std or [1.0] * channels)[:channels], dtype=torch.float32)
    every = torch.arange(256, dtype=torch.uint8)[:, None].expand(256, channels)
    for scale in ("divide", "multiply", "none"):
        for by in (1.0, 255.0):
            formula = partial(_affine, scale=scale, mean=centre * by, std=spread * by)
            if torch.equal(formula(every), values):
                return formula
    return None


def _affine(
    pixels: torch.Tensor, *, scale: str, mean: torch.Tensor, std: torch.Tensor
) -> torch.Tensor:
    numbers = pixels.float()
    if scale == "divide":
        numbers.div_(255)
    elif scale == "multiply":
        numbers.mul_(float(np.float32(1 / 255)))
    return numbers.sub_(mean).div_(std)


def table_of(
    tail: "Callable[[Image], object]",
    *,
    grey: bool = False,
    mean: Numbers = None,
    std: Numbers = None,
) -> Table | None:
    """Return the table of the part of a preprocessing that takes each pixel by itself.

    Args:
        tail: From an RGB image to (C, H, W) numbers.
        grey: Whether it makes the image grey first.
        mean: The means that it subtracts, where known: they only tell which arithmetic to try.
        std: The deviations that it divides by, where known.

    Returns:
        None where a channel is no function of the pixel's channel alone.

    Example:
        >>> import numpy as np
        >>> halves = table_of(lambda image: np.asarray(image).transpose(2, 0, 1) // 2)
        >>> halves.values[255].tolist()
        [127, 127, 127]
    """
    from PIL.Image import fromarray  # noqa: PLC0415

    ramp = np.repeat(np.arange(256, dtype=np.uint8).reshape(16, 16, 1), 3, axis=2)
    numbers = as_tensor(tail(fromarray(ramp)), title="what preprocessing gives")
    if numbers.dtype == torch.float64 or numbers.ndim != 3 or numbers.shape[1:] != (16, 16):
        return None
    values = numbers.reshape(len(numbers), 256).T.contiguous()
    image = fromarray(_TRIED)  # square, and 16 pixels wide, as the ramp
    wanted = as_tensor(tail(image), title="what preprocessing gives")
    pixels = np.array(image.convert("L"))[..., None] if grey else _TRIED
    orders = ((0,),) if values.shape[1] == 1 else ((0, 1, 2), (2, 1, 0))
    for order in orders:
        table = Table(values, order, _formula(values, mean, std))
        if torch.equal(table.numbers(torch.from_numpy(pixels)).movedim(-1, 0), wanted):
            return table
    return None
