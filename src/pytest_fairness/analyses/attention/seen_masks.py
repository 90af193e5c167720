"""Masks as the model sees them: resized and cropped with the image."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pytest_fairness.errors import DataError
from pytest_fairness.wording import listed, suggest

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.data.masks import Masks

__all__ = ["MaskReader"]

_SIZES_KEPT = 64


class MaskReader:
    """Reads the masks of parts through the preprocessing of a classifier.

    Preprocessing that resizes, crops and normalises is affine in the pixels: a mask painted white
    on black, compared with an image all black and one all white, comes out as the share of each
    pixel that the part covers.

    Args:
        classifier: Its preprocessing is used.
        masks: The masks of the samples.
        parts: Names of the parts that are wanted.
    """

    def __init__(self, classifier: "Classifier", masks: "Masks", parts: Sequence[str]) -> None:
        self._preprocess = classifier.preprocess
        self._masks = masks
        self._parts = tuple(parts)
        self._ends: dict[tuple[int, int], tuple[torch.Tensor, torch.Tensor]] = {}

    @classmethod
    def of(
        cls, classifier: "Classifier", evaluation_set: "EvaluationSet", parts: Sequence[str]
    ) -> "MaskReader":
        """Return a reader of an evaluation set's masks.

        Raises:
            DataError: The set has no masks, or no such part.
        """
        masks = evaluation_set.masks
        if masks is None:
            msg = (
                f"evaluation {evaluation_set.name!r} has no masks, which scores of the parts "
                f"{listed(parts)} need; give the file as `masks`"
            )
            raise DataError(msg)
        for part in parts:
            if part not in masks.parts:
                msg = (
                    f"evaluation {evaluation_set.name!r} has no masks of a part {part!r}"
                    f"{suggest(part, masks.parts)}; its parts are {listed(masks.parts)}"
                )
                raise DataError(msg)
        return cls(classifier, masks, parts)

    def read(self, place: int, *, size: tuple[int, int]) -> torch.Tensor:
        """Return the masks (parts, H, W) of a sample at the model's size, 0 to 1.

        Args:
            place: Position of the sample.
            size: (width, height) of its image before preprocessing.
        """
        found = self._masks.read(place)
        return torch.stack([self._seen(found[part], size) for part in self._parts])

    def _seen(self, mask: NDArray[np.bool_], size: tuple[int, int]) -> torch.Tensor:
        black, white = self._black_and_white(size)
        picture = Image.fromarray(mask.astype(np.uint8) * 255)
        if picture.size != size:
            picture = picture.resize(size, Image.Resampling.NEAREST)
        span = white - black
        share = (self._preprocess(picture.convert("RGB")) - black) / torch.where(
            span == 0, torch.inf, span
        )
        return share.mean(dim=0).clamp(0, 1)

    def _black_and_white(self, size: tuple[int, int]) -> tuple[torch.Tensor, torch.Tensor]:
        ends = self._ends.get(size)
        if ends is None:
            black, white = (self._preprocess(Image.new("RGB", size, c)) for c in ("black", "white"))
            ends = black, white
            if len(self._ends) < _SIZES_KEPT:  # photographs come in many sizes
                self._ends[size] = ends
        return ends
