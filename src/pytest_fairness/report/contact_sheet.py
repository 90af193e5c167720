"""A contact sheet: rows of panels with their captions, as one PNG."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from pytest_fairness.wording import printable

__all__ = ["Panel", "SheetRow", "write_sheet"]

_SIDE = 176
_GAP = 12
_TEXT = 230
_LINE = 17
_SIZE = 13
_INK = (30, 30, 30)
# Colour-blind safe: blue speaks for a class, orange against it.
_FOR, _AGAINST = (0, 114, 178), (230, 120, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture of a row.

    Args:
        caption: What it shows.
        pixels: (H, W, 3) uint8.
        heat: (H, W) 0 to 1, laid over the picture.
        for_: (H, W), where something speaks for a class.
        against: (H, W), where something speaks against it.
        grey: Whether the picture is faded: there was nothing to show.
    """

    caption: str
    pixels: NDArray[np.uint8]
    heat: NDArray[np.floating] | None = None
    for_: NDArray[np.bool_] | None = None
    against: NDArray[np.bool_] | None = None
    grey: bool = False

    def picture(self) -> Image.Image:
        """Return the picture with what lies over it, as a square."""
        found = self.pixels.astype(np.float64)
        if self.grey:
            found = 0.3 * found + 0.7 * 235
        if self.heat is not None:
            heat = self.heat[..., None].astype(np.float64)
            found = found * (1 - 0.65 * heat) + 0.65 * heat * np.array([215.0, 25.0, 28.0])
        for mask, colour in ((self.for_, _FOR), (self.against, _AGAINST)):
            if mask is not None:
                found[mask] = 0.45 * found[mask] + 0.55 * np.array(colour, dtype=np.float64)
        image = Image.fromarray(found.round().clip(0, 255).astype(np.uint8))
        scale = _SIDE / max(image.size)
        size = (max(round(image.width * scale), 1), max(round(image.height * scale), 1))
        how = Image.Resampling.NEAREST if scale > 1 else Image.Resampling.BILINEAR
        return image.resize(size, how)


@dataclass(frozen=True, slots=True, eq=False)
class SheetRow:
    """The pictures of one sample.

    Args:
        text: What is told of it, line by line.
        panels: Its pictures.
    """

    text: str
    panels: tuple[Panel, ...]


def write_sheet(path: Path, *, title: str, rows: Sequence[SheetRow]) -> None:
    """Write rows of panels below a title.

    Args:
        path: PNG file.
        title: Wrapped to the width of the sheet.
        rows: The samples.
    """
    font = ImageFont.load_default(_SIZE)
    columns = max(len(row.panels) for row in rows)
    width = _GAP + _TEXT + columns * (_SIDE + _GAP)
    head = textwrap.wrap(title, max(int(width / (_SIZE * 0.56)), 20))
    top = _GAP + len(head) * _LINE + 2 * _LINE
    height = top + len(rows) * (_SIDE + 3 * _LINE + _GAP)
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    draw.text((_GAP, _GAP), "\n".join(head), fill=_INK, font=font, spacing=4)
    _legend(draw, (_GAP, top - int(1.6 * _LINE)), font)
    for i, row in enumerate(rows):
        _draw_row(sheet, draw, row, top + i * (_SIDE + 3 * _LINE + _GAP), font)
    sheet.save(path)


def _legend(
    draw: ImageDraw.ImageDraw,
    place: tuple[int, int],
    font: "ImageFont.ImageFont | ImageFont.FreeTypeFont",
) -> None:
    x, y = place
    for colour, text in (
        ((215, 25, 28), "Grad-CAM: where the model looks"),
        (_FOR, "LIME: speaks for the class"),
        (_AGAINST, "LIME: speaks against it"),
    ):
        draw.rectangle((x, y + 3, x + 11, y + 14), fill=colour)
        draw.text((x + 16, y), text, fill=_INK, font=font)
        x += 16 + int(draw.textlength(text, font=font)) + 2 * _GAP


def _draw_row(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    row: SheetRow,
    top: int,
    font: "ImageFont.ImageFont | ImageFont.FreeTypeFont",
) -> None:
    lines = [
        part for line in row.text.split("\n") for part in textwrap.wrap(printable(line), 30) or [""]
    ]
    draw.text((_GAP, top), "\n".join(lines), fill=_INK, font=font, spacing=4)
    for column, panel in enumerate(row.panels):
        left = _GAP + _TEXT + column * (_SIDE + _GAP)
        sheet.paste(panel.picture(), (left, top))
        caption = textwrap.wrap(printable(panel.caption), 25)[:3]
        draw.text((left, top + _SIDE + 2), "\n".join(caption), fill=_INK, font=font, spacing=2)
