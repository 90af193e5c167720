"""A plan is never trusted: images are compared with what the preprocessing itself gives."""

from typing import TYPE_CHECKING, Any

import torch

from pytest_fairness.classifiers.preprocessing.casts import as_pixels

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from pytest_fairness.inference.plans.plan import Size

__all__ = ["Checks", "PlanDiffersError"]

_SIZES = 64
_EVERY = 50


class PlanDiffersError(Exception):
    """Another number of a plan than the preprocessing gives."""


class Checks:
    """The images of a run that are compared with the preprocessing itself.

    The first image of each of the first 64 sizes is compared, and each fiftieth image.

    Args:
        preprocess: The preprocessing itself.
        model: Name of the model.
    """

    def __init__(self, preprocess: "Callable[[Image], Any]", *, model: str) -> None:
        self.preprocess = preprocess
        self.model = model
        self.compared = 0
        """The number of images that were compared."""
        self._seen = 0
        self._sizes: set[Size] = set()

    def wants(self, size: "Size") -> bool:
        """Return whether the next image, which has a size, is to be compared."""
        new = size not in self._sizes and len(self._sizes) < _SIZES
        if new:
            self._sizes.add(size)
        self._seen += 1
        return new or self._seen % _EVERY == 0

    def skip_to(self, number: int) -> None:
        """Count images that the cache has, so that each fiftieth is the same image with and without it."""
        self._seen = number

    def compare(self, image: "Image", planned: torch.Tensor, *, sample: str) -> None:
        """Compare what a plan gives for an image.

        Args:
            image: The image, RGB.
            planned: (C, H, W) what the plan gives.
            sample: Id of the sample.

        Raises:
            PlanDiffersError: The preprocessing gives another shape, type or number.
        """
        self.compared += 1
        wanted = as_pixels(self.preprocess(image), model=self.model, sample=sample).cpu()
        got = planned.cpu()
        if wanted.shape != got.shape or wanted.dtype != got.dtype:
            msg = f"{_kind(got)} instead of {_kind(wanted)} for sample {sample!r}"
            raise PlanDiffersError(msg)
        others = int((wanted != got).sum())
        if others:
            msg = f"{others:,} of {wanted.numel():,} numbers differ for sample {sample!r}"
            raise PlanDiffersError(msg)


def _kind(numbers: torch.Tensor) -> str:
    return f"{tuple(numbers.shape)} {str(numbers.dtype).removeprefix('torch.')}"
