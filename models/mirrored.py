"""Scores averaged over an image and its mirror image."""

import torch
from torch import nn
from typing_extensions import override

__all__ = ["Mirrored"]


class Mirrored(nn.Module):
    """Average the scores of an image and of its mirror image: two of the paper's ten crops.

    Args:
        network: Maps images (N, 3, H, W) to scores (N, K).
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return mean logits (N, K) of images (N, 3, H, W)."""
        scores: torch.Tensor = self.network(images) + self.network(images.flip(3))
        return scores / 2
