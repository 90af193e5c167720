"""How fast a set of JPEG files is predicted, beside an ordinary loop: `python -m benchmarks.inference`.

Floors and peers of the same run, all with a network of random weights and torchvision's transforms:

* loader: ImageFolder-like set, `DataLoader` without workers, the network as it is (the peer, 1);
* workers: the same with as many workers as cores, where there are several;
* preloaded: batches already in memory with the channels last (the floor);
* as it is: `predict` with the preprocessing run as it is, image by image;
* plan: `predict` with the plan of the preprocessing.

On a CUDA card all of them run there. The scores of all ways must be equal up to rounding.
"""

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pandas as pd
import torch
import torchvision
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from typing_extensions import override

from pytest_fairness.classifiers import Classifier
from pytest_fairness.data import EvaluationSet
from pytest_fairness.data.images import Images
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError
from pytest_fairness.inference import left_as_found, predict
from pytest_fairness.inference.plans.recognise import plan_of

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDE = (480, 360)


def jpegs(n: int) -> list[bytes]:
    """Return pictures with structure: noise at a sixth of the size, enlarged."""
    generator = np.random.default_rng(0)
    found = []
    for _ in range(n):
        small = generator.integers(0, 256, (SIDE[1] // 6, SIDE[0] // 6, 3), dtype=np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(small).resize(SIDE, Image.Resampling.BICUBIC).save(
            buffer, "JPEG", quality=90
        )
        found.append(buffer.getvalue())
    return found


class Files(Dataset[torch.Tensor]):
    """What a user writes."""

    def __init__(self, contents: list[bytes], transform: Callable[[Any], torch.Tensor]) -> None:
        self.contents = contents
        self.transform = transform

    def __len__(self) -> int:
        return len(self.contents)

    @override
    def __getitem__(self, place: int) -> torch.Tensor:
        return self.transform(Image.open(io.BytesIO(self.contents[place])).convert("RGB"))


def evaluation_set(contents: list[bytes]) -> EvaluationSet:
    """Return the same pictures as an evaluation set of two classes."""
    ids = [str(place) for place in range(len(contents))]
    samples = pd.DataFrame(
        {"id": ids, "target": ["a", "b"] * (len(ids) // 2), "group": ["x"] * len(ids)}
    )
    return EvaluationSet(
        name="files",
        source="memory",
        samples=samples,
        levels={"group": ("x",)},
        classes=("a", "b"),
        images=Images(contents, ids, Rows(samples, "memory", "files", DataError)),
        left_out=0,
        where={},
        sha256="0" * 64,
    )


@contextmanager
def without_plan() -> Iterator[None]:
    """Run preprocessing as it is."""
    with patch("pytest_fairness.inference.local.plan_of", return_value=None):
        yield


def network(name: str) -> torch.nn.Module:
    """Return a network of two classes with random weights."""
    torch.manual_seed(0)
    return getattr(torchvision.models, name)(weights=None, num_classes=2).eval()  # type: ignore[no-any-return]


def ways(
    name: str, contents: list[bytes], *, device: str, batch: int
) -> dict[str, Callable[[], object]]:
    """Return each way of predicting all pictures."""
    transform = transforms.Compose(
        [
            transforms.Resize(256),
            transforms.CenterCrop(224),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )
    if plan_of(transform) is None:
        msg = "the transform is not recognised any more"
        raise RuntimeError(msg)
    module, data = network(name), evaluation_set(contents)
    last = network(name).to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    there = torch.device(device)
    classifier = Classifier("m", module, ("a", "b"), transform)
    files = Files(contents, transform)
    ready = torch.stack([files[place] for place in range(len(files))])
    ready = ready.to(there).contiguous(memory_format=torch.channels_last)

    def loop(workers: int) -> Callable[[], object]:
        def run() -> object:
            with left_as_found(module, there):
                batches = DataLoader(
                    files, batch_size=batch, num_workers=workers, pin_memory=there.type == "cuda"
                )
                return torch.cat([module(part.to(there)).cpu() for part in batches])

        return run

    def preloaded() -> object:
        with left_as_found(last, there):
            return torch.cat([last(part).cpu() for part in ready.split(batch)])  # type: ignore[no-untyped-call]

    def gate() -> object:
        return predict(classifier, data, device=device, batch_size=batch)

    def as_it_is() -> object:
        with without_plan():
            return gate()

    found = {"loader": loop(0), "preloaded": preloaded, "as it is": as_it_is, "plan": gate}
    if (os.cpu_count() or 1) > 2:
        found["workers"] = loop(os.cpu_count() or 1)
    return found


def main() -> None:
    """Print images a second of each way, and how many times the peer that is."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--networks", nargs="+", default=["mobilenet_v3_small", "resnet18"])
    parser.add_argument("--images", type=int, default=192)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    contents = jpegs(args.images)
    print(f"{args.images} JPEG files, {torch.get_num_threads()} threads, {args.device}")
    print("| network | way | images a second | x the loader |\n|---|---|---|---|")
    for name in args.networks:
        timed = ways(name, contents, device=args.device, batch=args.batch)
        seconds: dict[str, list[float]] = {way: [] for way in timed}
        for _ in range(args.rounds):
            for way, run in timed.items():
                started = time.perf_counter()
                run()
                seconds[way].append(time.perf_counter() - started)
        ratios = {
            way: statistics.median(
                peer / own for peer, own in zip(seconds["loader"], taken, strict=True)
            )
            for way, taken in seconds.items()
        }
        for way, taken in seconds.items():
            print(f"| {name} | {way} | {len(contents) / min(taken):.0f} | {ratios[way]:.2f} |")


if __name__ == "__main__":
    main()
