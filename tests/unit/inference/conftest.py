"""An evaluation set in memory, and a model whose answer is the red of an image."""

import io
from collections.abc import Callable
from dataclasses import replace

import pandas as pd
import pytest
import torch
from PIL import Image
from typing_extensions import override

from pytest_fairness.caching.cache import Cache
from pytest_fairness.caching.store import Store
from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.data import EvaluationSet
from pytest_fairness.data.images import Images
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError


def png(red: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8), (red, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


class Red(torch.nn.Module):
    """Scores `man` by the mean red of an image, `woman` by what is left to 1."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = torch.nn.Parameter(torch.ones(()))
        self.dropout = torch.nn.Dropout(0.5)

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        red = self.dropout(images[:, 0].mean(dim=(1, 2))) * self.scale
        return torch.stack([red, 1 - red], dim=1)


@pytest.fixture
def evaluation_set() -> Callable[[int], EvaluationSet]:
    """Make n samples that get redder one by one; the redder half are men."""

    def make(n: int) -> EvaluationSet:
        ids = [f"person-{i}" for i in range(n)]
        samples = pd.DataFrame(
            {
                "id": ids,
                "target": ["man" if i >= n / 2 else "woman" for i in range(n)],
                "skin_tone": ["light" if i % 2 else "dark" for i in range(n)],
            }
        )
        entries = [png(round(255 * i / max(1, n - 1))) for i in range(n)]
        return EvaluationSet(
            name="faces",
            source="faces.parquet",
            samples=samples,
            levels={"skin_tone": ("light", "medium", "dark")},
            classes=("woman", "man"),
            images=Images(entries, ids, Rows(samples, "faces.parquet", "faces", DataError)),
            left_out=5,
            where={"vendor": ("one",)},
            sha256="0" * 64,
        )

    return make


@pytest.fixture
def red() -> Classifier:
    return Classifier("red", Red(), ("man", "woman"), Preprocessing(size=4), score="probability")


def with_hashes(made: EvaluationSet) -> EvaluationSet:
    """Return a set that knows the hashes of its images, as one that a policy names does."""
    digests, stamps = [], []
    for position in range(len(made.images)):
        digest, stamp = made.images.hashed(position)
        digests.append(digest)
        stamps.append(stamp)
    return replace(made, images=replace(made.images, digests=digests, stamps=stamps))


@pytest.fixture
def images_of(evaluation_set):
    """Make a set of n images that knows their hashes, as one that a policy names does."""

    def make(n, **changes):
        made = evaluation_set(n)
        return with_hashes(replace(made, **changes))

    return make


@pytest.fixture
def cache(tmp_path):
    made = Cache(Store(tmp_path / "cache" / "scores.sqlite", 10**8))
    yield made
    made.store.close()


@pytest.fixture
def model():
    torch.manual_seed(3)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 8, 3),
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        torch.nn.Linear(8, 2),
    )
    return Classifier("small", module, ("woman", "man"), Preprocessing(size=8))
