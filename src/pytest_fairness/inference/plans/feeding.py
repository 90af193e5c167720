"""Batches of a plan: images decoded ahead by threads, resized on the card where there is one."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import torch

from pytest_fairness.classifiers.preprocessing.batches import check_one_shape
from pytest_fairness.errors import DataError
from pytest_fairness.inference.plans.decoding import decoded
from pytest_fairness.inference.prefetch import in_order

if TYPE_CHECKING:
    from pytest_fairness.data.images import Images
    from pytest_fairness.inference.plans.checks import Checks
    from pytest_fairness.inference.plans.plan import Plan, Size

__all__ = ["planned_batches"]

_BATCHES_AHEAD = 2
_LARGE = 1 << 20
"""Pixels of an image above which it waits for its batch in its final size, to save memory."""
_RESIZED_AT_ONCE = 32


class _Prepared(NamedTuple):
    """An image that waits for its batch.

    Args:
        place: Its position.
        size: Width and height as decoded.
        pixels: (H, W, C) of the plan; or (3, H, W) as decoded, where `decoded` says so.
        decoded: Whether resizes and crops are still to be done.
    """

    place: int
    size: "Size"
    pixels: torch.Tensor
    decoded: bool


def planned_batches(
    images: "Images",
    plan: "Plan",
    checks: "Checks",
    *,
    size: int,
    device: torch.device,
    broken: dict[int, DataError] | None,
    resize_there: bool | None = None,
) -> Iterator[torch.Tensor]:
    """Yield what the model takes, (n, C, H, W) or (n, V, C, H, W), batch by batch, on its device.

    Args:
        images: The images.
        plan: What is done with them.
        checks: Compares some of them with what the preprocessing itself gives.
        size: Images in a batch.
        device: Where the batch is made.
        broken: Takes the position of each image that cannot be read; None raises instead.
        resize_there: Whether the device resizes; None: a CUDA card does, where the pixels stay
            the same.

    Raises:
        DataError: An image cannot be decoded.
        ModelError: Two images have different shapes after all resizes and crops.
        PlanDiffersError: The plan is not what the preprocessing does.
    """
    on_cuda = device.type == "cuda"
    there = on_cuda if resize_there is None else resize_there
    feeder = _Feeder(images, plan, checks.model, device, broken, there=there and plan.on_card)
    with closing(in_order(feeder.prepare, len(images), ahead=(1 + _BATCHES_AHEAD) * size)) as found:
        readable = (prepared for prepared in found if prepared is not None)
        batches = feeder.batches(readable, size)
        for batch, prepared in _one_ahead(batches, device) if on_cuda else batches:
            for row, item in enumerate(prepared):
                if checks.wants(item.size):
                    name = images.ids[item.place]
                    checks.compare(images.read(item.place), batch[row], sample=name)
            yield batch


_Batch = tuple[torch.Tensor, list[_Prepared]]


@dataclass(frozen=True, slots=True)
class _Feeder:
    """What the threads and the device do."""

    images: "Images"
    plan: "Plan"
    model: str
    device: torch.device
    broken: dict[int, DataError] | None
    there: bool

    def prepare(self, place: int) -> _Prepared | None:
        """Return an image decoded, and resized unless the device does that; None if broken."""
        try:
            if self.there:
                pixels = decoded(self.images.content(place), name=self.images.name(place))
                height, width = pixels.shape[1:]
                if height * width <= _LARGE:
                    return _Prepared(place, (width, height), pixels, decoded=True)
                pixels = self.plan.pixels_on(pixels[None])[0].contiguous()
                return _Prepared(place, (width, height), pixels, decoded=False)
            image = self.images.read(place)
        except DataError as problem:
            if self.broken is None:
                raise
            self.broken[place] = problem
            return None
        return _Prepared(place, image.size, self.plan.pixels(image), decoded=False)

    def batches(self, readable: Iterator[_Prepared], size: int) -> Iterator[_Batch]:
        """Yield what the model takes, each batch with its images."""
        while prepared := list(islice(readable, size)):
            yield self.plan.finish(self._pixels(prepared)), prepared

    def _pixels(self, prepared: Sequence[_Prepared]) -> torch.Tensor:
        """Return (N, H, W, C) uint8 on the device, in the order of the images."""
        groups: dict[tuple[bool, torch.Size], list[int]] = {}
        for row, item in enumerate(prepared):
            groups.setdefault((item.decoded, item.pixels.shape), []).append(row)
        if len(groups) == 1 and not prepared[0].decoded:
            return self._upload(torch.stack([item.pixels for item in prepared]))
        rows = [item.pixels for item in prepared]
        for (waiting, _), members in groups.items():
            step = _RESIZED_AT_ONCE if waiting else len(members)
            for first in range(0, len(members), step):
                part = members[first : first + step]
                stacked = self._upload(torch.stack([prepared[row].pixels for row in part]))
                done = self.plan.pixels_on(stacked) if waiting else stacked
                for row, pixels in zip(part, done, strict=True):
                    rows[row] = pixels
        ids = [self.images.ids[item.place] for item in prepared]
        check_one_shape([row.movedim(-1, -3) for row in rows], ids, model=self.model)
        return torch.stack(rows)

    def _upload(self, pixels: torch.Tensor) -> torch.Tensor:
        if self.device.type != "cuda":
            return pixels.to(self.device)
        return pixels.pin_memory().to(self.device, non_blocking=True)


def _one_ahead(batches: Iterator[_Batch], device: torch.device) -> Iterator[_Batch]:
    """Make the next batch on a stream of its own while the model computes."""
    stream = torch.cuda.Stream(device)  # type: ignore[no-untyped-call]

    def make() -> tuple[_Batch, torch.cuda.Event] | None:
        with torch.cuda.stream(stream):
            batch = next(batches, None)
            return None if batch is None else (batch, stream.record_event())

    with ThreadPoolExecutor(1) as pool:
        coming = pool.submit(make)
        while (made := coming.result()) is not None:
            coming = pool.submit(make)
            batch, ready = made
            computing = torch.cuda.current_stream(device)
            computing.wait_event(ready)
            batch[0].record_stream(computing)
            yield batch
