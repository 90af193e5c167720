"""Tiny models, and a pickle that leaves a file behind when it runs."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from typing_extensions import override

PIXELS = {"size": 8, "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}
READING = {"labels": ["no", "yes"], "score": "logit", "preprocessing": PIXELS}


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    @override
    def __reduce__(self):
        return os.system, (f"touch {self.mark}",)


@pytest.fixture
def mark(tmp_path: Path) -> Path:
    """The file that must never be there."""
    return tmp_path / "it-ran"


@pytest.fixture
def evil(mark: Path) -> Evil:
    return Evil(mark)


@pytest.fixture
def net() -> nn.Module:
    """A network with batch norm and dropout, in evaluation mode: (N, 3, 8, 8) -> (N, 2)."""
    torch.manual_seed(0)
    return small_net().eval()


def small_net() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Dropout(0.5), nn.Linear(144, 2)
    )


@pytest.fixture
def image() -> Image.Image:
    """A picture whose left and right, and whose channels, differ."""
    colours = torch.arange(12 * 10 * 3).reshape(10, 12, 3).numpy() % 251
    return Image.fromarray(colours.astype("uint8"))


@pytest.fixture
def scores(image: Image.Image) -> Callable[..., torch.Tensor]:
    """Scores of a classifier for the picture, as inference gets them."""

    def run(classifier, number: int = 3) -> torch.Tensor:
        batch = torch.stack([classifier.preprocess(image)] * number)
        with torch.inference_mode():
            return classifier.module(batch)

    return run
