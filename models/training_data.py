"""The emoji people as tensors: pixels, labels, and the same drawing in other skin tones."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image

from models.preprocessing import PREPROCESSING

__all__ = ["DATA", "People", "load_people", "vocabulary"]

DATA = Path(__file__).parents[1] / "fixtures" / "emoji_people"
SIZE = PREPROCESSING.size

# Labels that name a colour would teach the model to look at skin and hair colour; mirroring, which
# the training does, changes the direction that a person faces.
_LEFT_OUT = {"blond", "blonde", "facing", "green", "red", "right", "skin", "white"}
_GENDER_WORDS = ("man", "woman", "boy", "girl")
_MIN_IMAGES = 24  # one emoji in two styles, two genders and six tones


@dataclass(frozen=True, slots=True)
class People:
    """Images of people with their manifest, row by row.

    Args:
        frame: The manifest without the images.
        pixels: (N, 3, SIZE, SIZE) uint8.
        tones: (N, T) indices of the same person, by the same artist, in every skin tone.
    """

    frame: pd.DataFrame
    pixels: torch.Tensor
    tones: torch.Tensor

    @property
    def is_man(self) -> torch.Tensor:
        """(N,) int64: 1 for a man, 0 for a woman."""
        return torch.from_numpy((self.frame["gender"] == "man").to_numpy(dtype=np.int64))

    def targets(self, labels: Sequence[str]) -> torch.Tensor:
        """(N, K) bool: which of the K labels are keywords of each image."""
        found = [[label in words for label in labels] for words in map(set, self.frame["keywords"])]
        return torch.tensor(found)


def load_people(
    path: Path,
    *,
    vendors: Sequence[str] = (),
    skin_tones: Mapping[str, Sequence[str]] | None = None,
) -> People:
    """Decode the images of a Parquet manifest once, keeping those of some styles or tones.

    Args:
        path: Parquet file with the columns of `fixtures/emoji_people/README.md`.
        vendors: Styles to keep; all when empty.
        skin_tones: Gender -> tones to keep; all when None.
    """
    frame = pd.read_parquet(path)
    if vendors:
        frame = frame[frame["vendor"].isin(list(vendors))]
    if skin_tones is not None:
        kept = [
            tone in skin_tones[gender]
            for gender, tone in zip(frame["gender"], frame["skin_tone"], strict=True)
        ]
        frame = frame[kept]
    frame = frame.reset_index(drop=True)
    pixels = torch.stack([_decode(image) for image in frame["image"]])
    return People(frame.drop(columns="image"), pixels, _same_person(frame))


def vocabulary(frame: pd.DataFrame) -> tuple[str, ...]:
    """Return the keywords worth learning: frequent, no colours, one of a set of synonyms.

    Synonyms are keywords of exactly the same images; the one that the activity's name uses stays.
    """
    keywords = frame["keywords"].explode()
    images = keywords.index.to_series().groupby(keywords.to_numpy()).agg(tuple)
    chosen: dict[tuple[int, ...], str] = {}
    for word in sorted(
        images.index, key=lambda word: (not _names(frame, images[word], word), word)
    ):
        common = len(images[word]) >= _MIN_IMAGES and _LEFT_OUT.isdisjoint(re.findall(r"\w+", word))
        if common or word in _GENDER_WORDS:
            chosen.setdefault(images[word], word)
    return tuple(sorted(chosen.values()))


def _names(frame: pd.DataFrame, images: tuple[int, ...], word: str) -> bool:
    return word in frame["activity"].iloc[images[0]].split()


def _decode(image: bytes) -> torch.Tensor:
    picture = Image.open(BytesIO(image)).convert("RGB")
    if picture.size != (SIZE, SIZE):
        picture = picture.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def _same_person(frame: pd.DataFrame) -> torch.Tensor:
    person = frame.groupby(["vendor", "gender", "age", "activity"]).indices.values()
    width = max(map(len, person))
    tones = np.empty((len(frame), width), dtype=np.int64)
    for rows in person:
        tones[rows] = np.resize(rows, width)  # repeats where a tone is missing
    return torch.from_numpy(tones)
