"""Batches through the model: from decoded images to scores, with the outputs checked."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import nn

from pytest_fairness.classifiers.found import pick_output
from pytest_fairness.classifiers.preprocessing.batches import check_one_shape
from pytest_fairness.classifiers.preprocessing.casts import as_pixels
from pytest_fairness.classifiers.scores import score_columns
from pytest_fairness.errors import DataError, ModelError
from pytest_fairness.inference.as_found import Precision, strict_precision
from pytest_fairness.inference.plans.checks import Checks
from pytest_fairness.inference.plans.feeding import planned_batches
from pytest_fairness.inference.prefetch import in_order

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data.images import Images
    from pytest_fairness.inference.plans.plan import Plan

__all__ = ["Forward"]

_BATCHES_AHEAD = 2
_HALF: dict[str, torch.dtype] = {"bf16": torch.bfloat16, "fp16": torch.float16}


class _Prepared(NamedTuple):
    id: str
    image: torch.Tensor


class Forward:
    """A run of a classifier over images. The batch is halved whenever memory runs out.

    Args:
        classifier: The model under test.
        device: Where its module is.
        batch_size: Images in a batch, at least 1; afterwards the size that fitted.
        precision: How exactly it computes; `bf16` and `fp16` where torch thinks it safe.
        plan: How a recognised preprocessing is run; None runs it as it is.
    """

    def __init__(
        self,
        classifier: "Classifier",
        *,
        device: torch.device,
        batch_size: int,
        precision: Precision = "strict",
        plan: "Plan | None" = None,
    ) -> None:
        if batch_size < 1:
            msg = f"batch_size must be at least 1, got {batch_size}"
            raise ModelError(msg)
        self.classifier = classifier
        self.device = device
        self.batch_size = batch_size
        self.precision = precision
        self.plan = plan
        self.checks = Checks(classifier.preprocess, model=classifier.name)
        """What was compared with the preprocessing itself, where a plan runs."""
        self.channels_last = plan is not None and _convolves(classifier.module)
        """Whether images are given with the channels last in memory, which convolutions like."""
        self.half = precision in _HALF
        """Whether scores were computed in half precision, as far as their type tells."""
        self.single = False
        """Whether the model gave one score an image, that of its second label."""

    def scores(
        self, images: "Images", *, broken: dict[int, DataError] | None = None
    ) -> Iterator[torch.Tensor]:
        """Yield the scores (n, K) of one batch after the other, on the CPU: float32, or the model's float64.

        Args:
            images: What the model looks at.
            broken: Takes the position of each image that cannot be read, which then has no
                scores; None raises instead.

        Raises:
            DataError: An image cannot be decoded.
            ModelError: The preprocessing or the module gives something of the wrong shape.
        """
        for batch in self._batches(images, broken):
            yield from self._in_parts(batch)

    def _batches(
        self, images: "Images", broken: dict[int, DataError] | None
    ) -> Iterator[torch.Tensor]:
        """Yield what the model takes, batch by batch."""
        size = self.batch_size
        if self.plan is not None:
            yield from planned_batches(
                images, self.plan, self.checks, size=size, device=self.device, broken=broken
            )
            return

        def prepare(position: int) -> _Prepared | None:
            try:
                image = images.read(position)
            except DataError as problem:
                if broken is None:
                    raise
                broken[position] = problem
                return None
            name = images.ids[position]
            prepared = self.classifier.preprocess(image)
            return _Prepared(name, as_pixels(prepared, model=self.classifier.name, sample=name))

        found = in_order(prepare, len(images), ahead=(1 + _BATCHES_AHEAD) * size)
        with closing(found):
            readable = (one for one in found if one is not None)
            while batch := list(islice(readable, size)):
                yield self._stack([one.image for one in batch], [one.id for one in batch])

    def _stack(self, batch: list[torch.Tensor], ids: Sequence[str]) -> torch.Tensor:
        check_one_shape(batch, ids, model=self.classifier.name)
        stacked = torch.stack(batch)
        return stacked.pin_memory() if self.device.type == "cuda" else stacked

    def _in_parts(self, batch: torch.Tensor) -> Iterator[torch.Tensor]:
        """Yield the scores of a batch, in halves of halves where the whole does not fit."""
        first = 0
        while first < len(batch):
            part = batch[first : first + self.batch_size]
            scores = self._run(part)
            if scores is None:
                self._halve()
                continue
            yield scores
            first += len(part)

    def _run(self, part: torch.Tensor) -> torch.Tensor | None:
        """Return the scores of some images; None when the memory does not suffice."""
        on_cuda = self.device.type == "cuda"
        there = self._in_memory_order(part.to(self.device, non_blocking=on_cuda))
        try:
            outputs = self._outputs(there)
        except torch.OutOfMemoryError:
            return None
        except (RuntimeError, ValueError, TypeError, AssertionError) as error:
            msg = (
                f"model {self.classifier.name!r} fails on a batch of shape {tuple(part.shape)}, "
                f"{str(part.dtype).removeprefix('torch.')}: {type(error).__name__}: {error}; does its preprocessing give what it takes?"
            )
            raise ModelError(msg) from error
        picked = pick_output(outputs, None, name=self.classifier.name)
        self.half |= getattr(picked, "dtype", None) in (torch.float16, torch.bfloat16)
        single = getattr(picked, "shape", (0, 0))[1:] in ((), (1,))
        self.single |= single and len(self.classifier.labels) == 2
        return score_columns(self.classifier, picked, n=len(part)).cpu()

    def _in_memory_order(self, part: torch.Tensor) -> torch.Tensor:
        return part if self.channels_last else part.contiguous()

    def _outputs(self, part: torch.Tensor) -> Any:
        """Return what the module gives; with the channels first where it cannot take them last."""
        kind = _HALF.get(self.precision)
        with (
            strict_precision(tf32=self.precision == "tf32"),
            torch.autocast(self.device.type, dtype=kind, enabled=kind is not None),
        ):
            try:
                return self.classifier.module(part)
            except torch.OutOfMemoryError:
                raise
            except RuntimeError:
                if part.is_contiguous():
                    raise
                self.channels_last = False
            return self.classifier.module(part.contiguous())

    def _halve(self) -> None:
        if self.batch_size == 1:
            msg = (
                f"model {self.classifier.name!r}: one image does not fit into the memory of "
                f"{self.device}; choose another device, e.g. --fairness-device cpu"
            )
            raise ModelError(msg)
        self.batch_size //= 2
        torch.cuda.empty_cache()  # does nothing where CUDA was never used


def _convolves(module: object) -> bool:
    """Return whether a network has several convolutions, which channels last makes faster."""
    if not isinstance(module, nn.Module):
        return False
    convolutions = [part for part in module.modules() if isinstance(part, nn.Conv2d)]
    return len(convolutions) > 1  # one alone cuts the patches of a transformer
