"""Training recipes: those that were tried, and the one that each model was trained with."""

from dataclasses import dataclass, replace

from models.augment import Augmentation

__all__ = ["CHOSEN", "RECIPES", "Recipe"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a model is trained.

    Args:
        augmentation: Random changes of the images.
        epochs: Number of passes over as many images as there are.
        learning_rate: Peak of the one-cycle schedule of AdamW.
        weight_decay: AdamW's.
        batch: Images per step.
        averaging: Decay per step of the running mean of the weights that is kept.
        rare_ages: How many times more often children and older people are drawn.
    """

    augmentation: Augmentation
    epochs: int = 40
    learning_rate: float = 3e-3
    weight_decay: float = 0.05
    batch: int = 64
    averaging: float = 0.99
    rare_ages: float = 1.0


_POSE = Augmentation(rotation=12, scale=0.15, shift=0.06)
_COLOUR = replace(
    _POSE,
    rotation=15,
    scale=0.25,
    hue=60,
    saturation=0.5,
    brightness=0.3,
    grey=0.15,
    sharpness=0.8,
    cutout=0.3,
)
_TONES = replace(_COLOUR, tone_mix=0.5)
_HUES = replace(_POSE, hue=180, saturation=0.5, brightness=0.2, grey=0.2, tone_mix=0.5)
_PALETTE = replace(_TONES, hue=180, grey=0.3, background=0.3, repaint=0.3)
_SOFTER = replace(_PALETTE, repaint=0.15, grey=0.2, cutout=0.15, sharpness=0.5, background=0.2)
_STRONG = replace(
    _PALETTE, rotation=20, scale=0.35, background=0.5, repaint=0.5, cutout=0.5, tone_mix=0.8
)

RECIPES = {
    "mild": Recipe(replace(_POSE, brightness=0.1, saturation=0.1)),
    "tones": Recipe(_TONES, rare_ages=3),
    "hues": Recipe(_HUES, rare_ages=3),
    "palette": Recipe(_PALETTE, rare_ages=3),
    "strong": Recipe(_STRONG, rare_ages=3),
    "palette-long": Recipe(_PALETTE, epochs=120, rare_ages=3),
    "strong-long": Recipe(_STRONG, epochs=120, rare_ages=3),
    "softer-long": Recipe(_SOFTER, epochs=120, rare_ages=3),
}
CHOSEN = {"ads": "tones", "baseline": "mild", "skewed": "mild"}
