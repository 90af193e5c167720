"""A preprocessing taken apart: the pixels of an image, then a table from pixels to numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import torch

from pytest_fairness.inference.plans.resampling import Filter, resampled

if TYPE_CHECKING:
    from PIL.Image import Image

    from pytest_fairness.inference.plans.tables import Table

__all__ = ["CentreCrop", "Plan", "Resize", "Size", "TensorResize"]

Size: TypeAlias = tuple[int, int]
"""Width and height."""


@dataclass(frozen=True, slots=True)
class Resize:
    """Pillow's resize.

    Args:
        text: What it does, in words.
        rule: From the size of an image to that afterwards.
        kind: The filter.
    """

    text: str
    rule: Callable[[Size], Size]
    kind: Filter

    def on_image(self, image: "Image") -> "Image":
        """Return the image resized by Pillow."""
        from PIL.Image import Resampling  # noqa: PLC0415

        size = self.rule(image.size)
        return image if size == image.size else image.resize(size, Resampling[self.kind.upper()])


@dataclass(frozen=True, slots=True)
class CentreCrop:
    """A cut from the centre, with one colour where it lies outside of the image.

    Args:
        size: Width and height of the cut.
        halves: Which side gets the odd pixel: as Python rounds halves (`round`), or always the
            far side (`down`).
        fill: The colour of what lies outside.
    """

    size: Size
    halves: Literal["round", "down"] = "round"
    fill: tuple[int, int, int] = (0, 0, 0)

    @property
    def text(self) -> str:
        """The cut in words."""
        return f"centre crop {self.size[0]} x {self.size[1]}"

    def box(self, size: Size) -> tuple[int, int, int, int]:
        """Return left, top, right and bottom in an image of a size, negative outside of it.

        Source: torchvision, `functional.center_crop`, which pads small images first.
        """
        starts = [self._start(have, want) for have, want in zip(size, self.size, strict=True)]
        return starts[0], starts[1], starts[0] + self.size[0], starts[1] + self.size[1]

    def _start(self, have: int, want: int) -> int:
        if want > have:
            return -((want - have) // 2)
        spare = have - want
        return spare // 2 if self.halves == "down" else round(spare / 2)

    def on_image(self, image: "Image") -> "Image":
        """Return the cut of an RGB image."""
        from PIL import Image as Pillow  # noqa: PLC0415

        box = self.box(image.size)
        if min(box) >= 0:
            return image.crop(box)
        whole = Pillow.new("RGB", self.size, self.fill)
        whole.paste(image, (-box[0], -box[1]))
        return whole

    def on_tensor(self, images: torch.Tensor) -> torch.Tensor:
        """Return the cut of images (N, 3, H, W) uint8."""
        height, width = images.shape[-2:]
        left, top, right, bottom = self.box((width, height))
        inside = images[..., max(top, 0) : bottom, max(left, 0) : right]
        if min(left, top) >= 0:
            return inside
        fill = torch.tensor(self.fill, dtype=torch.uint8, device=images.device)
        whole = fill[:, None, None].expand(len(images), 3, *self.size[::-1]).clone()
        rows, columns = inside.shape[-2:]
        top, left = max(-top, 0), max(-left, 0)
        whole[..., top : top + rows, left : left + columns] = inside
        return whole


@dataclass(frozen=True, slots=True)
class TensorResize:
    """Torchvision's resize of an 8-bit tensor, whose pixels are not Pillow's.

    Args:
        text: What it does, in words.
        rule: From the size of an image to that afterwards.
        kind: The filter.
    """

    text: str
    rule: Callable[[Size], Size]
    kind: Filter

    def on_image(self, image: "Image") -> "Image":
        """Return the image resized by torchvision."""
        from PIL.Image import fromarray  # noqa: PLC0415
        from torchvision.transforms.v2 import functional  # noqa: PLC0415

        width, height = self.rule(image.size)
        if (width, height) == image.size:
            return image
        pixels = functional.pil_to_tensor(image)
        how = functional.InterpolationMode(self.kind)
        resized = functional.resize(pixels, [height, width], how, antialias=True)
        return fromarray(np.ascontiguousarray(resized.permute(1, 2, 0).numpy()))


Step: TypeAlias = Resize | CentreCrop | TensorResize


@dataclass(frozen=True, slots=True)
class Plan:
    """A recognised preprocessing, taken apart into pixels and numbers.

    Args:
        steps: Resizes and crops, in their order.
        table: From 8-bit pixels to what the model takes.
        grey: Whether colours become grey (ITU-R 601 luma) before the table.
        mirrored: Whether the mirror image follows the image, as two views.
        ten: Side of ten crops: the four corners and the centre, and those of the mirror image.
    """

    steps: tuple[Step, ...]
    table: "Table"
    grey: bool = False
    mirrored: bool = False
    ten: int | None = None

    @property
    def text(self) -> str:
        """The plan in words, for the record."""
        parts = [step.text for step in self.steps]
        parts += [f"ten crops of {self.ten}"] if self.ten else []
        parts += ["grey"] if self.grey else []
        parts.append(self.table.text)
        return ", ".join([*parts, *(["mirror image"] if self.mirrored else [])])

    @property
    def on_card(self) -> bool:
        """Whether a card can resize and crop with the same pixels."""
        kinds = (Resize, CentreCrop)
        return not self.ten and all(isinstance(step, kinds) for step in self.steps)

    def pixels(self, image: "Image") -> torch.Tensor:
        """Return the pixels of an RGB image after resizes and crops, made by Pillow.

        Returns:
            (H, W, C) uint8, or (10, H, W, C) of ten crops.
        """
        for step in self.steps:
            image = step.on_image(image)
        if self.grey:
            image = image.convert("L")
        array = np.array(image)  # a copy: torch wants pixels that could be written to
        found = torch.from_numpy(array[..., None] if self.grey else array)
        return _ten_crops(found, self.ten) if self.ten else found

    def pixels_on(self, images: torch.Tensor) -> torch.Tensor:
        """Return the same pixels of decoded images of one size, made on their device.

        Args:
            images: (N, 3, H, W) uint8.

        Returns:
            (N, H, W, C) uint8.

        Raises:
            ValueError: A step has other pixels there, see `on_card`.
        """
        if not self.on_card:
            msg = f"the pixels of this plan are made by its images one by one: {self.text}"
            raise ValueError(msg)
        steps = list(self.steps)
        while steps:
            step = steps.pop(0)
            if isinstance(step, Resize):
                size = step.rule((images.shape[-1], images.shape[-2]))
                after = steps[0] if steps else None
                box = after.box(size) if isinstance(after, CentreCrop) else None
                if box and min(box) >= 0:  # only what the crop keeps is computed
                    steps.pop(0)
                    images = resampled(images, size, step.kind, box)
                else:
                    images = resampled(images, size, step.kind)
            elif isinstance(step, CentreCrop):
                images = step.on_tensor(images)
        found = images.permute(0, 2, 3, 1)
        return _luma(found) if self.grey else found

    def finish(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return pixels as what the model takes, on their device.

        Args:
            pixels: (N, H, W, C) uint8, or (N, 10, H, W, C).

        Returns:
            (N, C, H, W), with the channels last in memory; (N, V, C, H, W) of V views.
        """
        numbers = self.table.numbers(pixels).movedim(-1, -3)
        return torch.stack([numbers, numbers.flip(-1)], 1) if self.mirrored else numbers


def _luma(pixels: torch.Tensor) -> torch.Tensor:
    """Return grey pixels (..., 1) of colours (..., 3).

    Source: Pillow, `src/libImaging/Convert.c`, `L24`.
    """
    red, green, blue = pixels.int().unbind(-1)
    grey = (red * 19595 + green * 38470 + blue * 7471 + 0x8000) >> 16
    return grey.to(torch.uint8)[..., None]


def _ten_crops(pixels: torch.Tensor, side: int) -> torch.Tensor:
    """Return (10, side, side, C) from (H, W, C), in the order of torchvision's `ten_crop`."""
    centre = CentreCrop((side, side)).box((pixels.shape[1], pixels.shape[0]))
    views = []
    for upright in (pixels, pixels.flip(1)):
        views += [upright[:side, :side], upright[:side, -side:]]
        views += [upright[-side:, :side], upright[-side:, -side:]]
        views.append(upright[centre[1] : centre[3], centre[0] : centre[2]])
    return torch.stack(views)
