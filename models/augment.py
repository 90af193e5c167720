"""Random changes to batches of images, vectorised: pose, palette, sharpness, hidden parts."""

import math
from dataclasses import dataclass

import torch

__all__ = ["Augmentation", "augment"]

# NTSC luma and chroma: hue turns and saturation scales in the plane of the last two.
_YIQ = torch.tensor([[0.299, 0.587, 0.114], [0.596, -0.274, -0.322], [0.211, -0.523, 0.312]])
_RGB = torch.linalg.inv(_YIQ)


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How far each random change may go; 0 leaves it out.

    Args:
        rotation: Largest rotation in degrees.
        scale: Largest change of scale: 0.2 is 0.8 to 1.25 times.
        shift: Largest shift as a part of the side.
        hue: Largest turn of the hues in degrees.
        saturation: Largest change of the saturation.
        brightness: Largest change of contrast and of brightness.
        grey: Probability that an image turns grey.
        repaint: Probability that the axes of the RGB cube are turned and mirrored at random.
        background: Probability that white turns into another light colour.
        sharpness: Largest blur (towards 1) or sharpening.
        cutout: Probability that a rectangle is hidden.
        tone_mix: Probability that the image is mixed with the same person in another skin tone.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    hue: float = 0.0
    saturation: float = 0.0
    brightness: float = 0.0
    grey: float = 0.0
    repaint: float = 0.0
    background: float = 0.0
    sharpness: float = 0.0
    cutout: float = 0.0
    tone_mix: float = 0.0


def augment(
    images: torch.Tensor,
    other_tone: torch.Tensor,
    how: Augmentation,
    *,
    generator: torch.Generator,
) -> torch.Tensor:
    """Return a randomly changed copy of `images`, mirrored half of the time.

    Args:
        images: (B, 3, H, W) float32 in [0, 1] on a white background.
        other_tone: (B, 3, H, W), the same people in other skin tones.
        how: Which changes, and how far.
        generator: Source of the randomness.
    """
    chance = _Chance(len(images), generator)
    part = chance.uniform(0.0, 1.3) * chance.happens(how.tone_mix)
    images = torch.lerp(images, other_tone, part).clamp(0, 1)
    images = _move(images, how, chance)
    ground = 1 - chance.uniform(0.0, 0.7, 3) * chance.happens(how.background)
    images = images * ground
    images = _recolour(images, how, chance)
    images = _sharpen(images, how.sharpness, chance)
    return _hide(images, how.cutout, chance)


@dataclass(frozen=True, slots=True)
class _Chance:
    """Random columns, one row per image."""

    count: int
    generator: torch.Generator

    def uniform(self, low: float, high: float, width: int = 1) -> torch.Tensor:
        draws = torch.rand(self.count, width, 1, 1, generator=self.generator)
        return low + (high - low) * draws

    def happens(self, probability: float) -> torch.Tensor:
        return (self.uniform(0.0, 1.0) < probability).float()


def _move(images: torch.Tensor, how: Augmentation, chance: _Chance) -> torch.Tensor:
    angle = chance.uniform(-how.rotation, how.rotation).ravel() * math.pi / 180
    scale = (1 + how.scale) ** chance.uniform(-1.0, 1.0).ravel()
    mirror = 1 - 2 * chance.happens(0.5).ravel()
    shift = chance.uniform(-2 * how.shift, 2 * how.shift, 2).reshape(-1, 2)
    cos, sin = angle.cos() * scale, angle.sin() * scale
    matrix = torch.stack(
        [
            torch.stack([cos * mirror, -sin, shift[:, 0]], dim=1),
            torch.stack([sin * mirror, cos, shift[:, 1]], dim=1),
        ],
        dim=1,
    )
    grid = torch.nn.functional.affine_grid(matrix, list(images.shape), align_corners=False)
    # Padding is zero, so white must be.
    return 1 - torch.nn.functional.grid_sample(1 - images, grid, align_corners=False)


def _recolour(images: torch.Tensor, how: Augmentation, chance: _Chance) -> torch.Tensor:
    angle = chance.uniform(-how.hue, how.hue).ravel() * math.pi / 180
    saturation = (1 + how.saturation) ** chance.uniform(-1.0, 1.0) * (1 - chance.happens(how.grey))
    turn = torch.eye(3).repeat(len(images), 1, 1)
    turn[:, 1, 1] = turn[:, 2, 2] = angle.cos()
    turn[:, 1, 2], turn[:, 2, 1] = -angle.sin(), angle.sin()
    turn[:, 1:] *= saturation.reshape(-1, 1, 1)
    matrix = _RGB @ turn @ _YIQ
    repainted = chance.happens(how.repaint).reshape(-1, 1, 1)
    if how.repaint:
        axes = torch.linalg.qr(torch.randn(len(images), 3, 3, generator=chance.generator)).Q
        matrix = torch.lerp(matrix, axes, repainted)
    contrast = (1 + how.brightness) ** chance.uniform(-1.0, 1.0)
    offset = chance.uniform(-how.brightness, how.brightness) / 2
    centred = torch.einsum("bij,bjhw->bihw", matrix, images - 0.5)
    return (centred * contrast + offset + 0.5).clamp(0, 1)


def _sharpen(images: torch.Tensor, strength: float, chance: _Chance) -> torch.Tensor:
    blurred = torch.nn.functional.avg_pool2d(
        images, 3, stride=1, padding=1, count_include_pad=False
    )
    return torch.lerp(images, blurred, chance.uniform(-strength, strength)).clamp(0, 1)


def _hide(images: torch.Tensor, probability: float, chance: _Chance) -> torch.Tensor:
    """Paint over a rectangle of up to half of the height and width in one colour."""
    rows = torch.linspace(0, 1, images.shape[2]).reshape(1, 1, -1, 1)
    columns = torch.linspace(0, 1, images.shape[3]).reshape(1, 1, 1, -1)
    inside_rows = (rows - chance.uniform(0.0, 1.0)).abs() < chance.uniform(0.05, 0.25)
    inside_columns = (columns - chance.uniform(0.0, 1.0)).abs() < chance.uniform(0.05, 0.25)
    hidden = inside_rows & inside_columns & (chance.happens(probability) > 0)
    return torch.where(hidden, chance.uniform(0.0, 1.0, 3), images)
