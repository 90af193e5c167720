"""Classes are not equal, and whom better training helps: `python -m benchmarks.class_equality`.

Two balanced many-class tasks: what the emoji people do (trained on three artists, judged on a
fourth), and handwritten digits. Each is learnt plainly, with augmentation, and with augmentation
by a wider network, by several seeds. The thirds (hard, medium, easy classes) are those of one more
plain network, which is not judged: thirds of the judged ones would show gains that are regression
to the mean.
"""

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import pandas as pd
import torch
from torch import nn
from typing_extensions import override

from models.augment import Augmentation, augment
from models.training_data import DATA, load_people
from pytest_fairness.analyses import class_disparity, compare_heads, prediction_bias, thirds_of
from pytest_fairness.statistics.arrays import Floats

Change: TypeAlias = Callable[[torch.Tensor, torch.Generator], torch.Tensor]
TRAINED_ON = ("noto", "twemoji", "fluent-flat")
JUDGED_ON = "fluent3d"
SIZE = 32
# No change of colour: the colour of the hair is what tells some activities apart.
POSE = Augmentation(rotation=10, scale=0.15, shift=0.06)


@dataclass(frozen=True, slots=True)
class Task:
    """A balanced task of K classes.

    Args:
        name: What is told apart.
        train: Images (N, 3, H, W) in [0, 1] and classes (N,).
        test: The same of the images that are judged.
        classes: Names.
        change: Makes random changes to a batch of training images.
        epochs: Passes over the training images.
    """

    name: str
    train: tuple[torch.Tensor, torch.Tensor]
    test: tuple[torch.Tensor, torch.Tensor]
    classes: tuple[str, ...]
    change: "Change"
    epochs: int


def posed(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images (B, 3, H, W) of people turned, moved and scaled, some mirrored."""
    return augment(images, images, POSE, generator=generator)


def turned_and_moved(images: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Images (B, 3, H, W) of digits, turned by up to 10 degrees and moved; never mirrored."""
    draws = 2 * torch.rand(3, len(images), generator=generator) - 1
    angle = draws[0] * torch.pi / 18
    rows = [
        torch.stack([angle.cos(), -angle.sin(), 0.12 * draws[1]], dim=1),
        torch.stack([angle.sin(), angle.cos(), 0.12 * draws[2]], dim=1),
    ]
    grid = nn.functional.affine_grid(
        torch.stack(rows, dim=1), list(images.shape), align_corners=False
    )
    return nn.functional.grid_sample(images, grid, align_corners=False)


def emoji_task(epochs: int) -> Task:
    """What the people do: activities that every artist drew twelve times."""
    found = {}
    for file in ("train", "evaluation"):
        people = load_people(DATA / f"{file}.parquet")
        for vendor in people.frame["vendor"].unique():
            chosen = (people.frame["vendor"] == vendor).to_numpy()
            pixels = people.pixels[torch.from_numpy(chosen.copy())].float() / 255
            small = nn.functional.interpolate(pixels, SIZE, mode="area")
            found[vendor] = (people.frame[chosen].reset_index(drop=True), small)
    counts = pd.DataFrame(
        {name: frame["activity"].value_counts() for name, (frame, _) in found.items()}
    )
    classes = tuple(sorted(counts.index[(counts == 12).all(axis=1)]))
    parts = {}
    for vendor, (frame, pixels) in found.items():
        place = frame["activity"].map({name: i for i, name in enumerate(classes)})
        kept = torch.from_numpy(place.notna().to_numpy().copy())
        target = torch.from_numpy(place.dropna().to_numpy(dtype=np.int64))
        parts[vendor] = pixels[kept], target
    train = [torch.cat(some) for some in zip(*(parts[name] for name in TRAINED_ON), strict=True)]
    return Task("activities", (train[0], train[1]), parts[JUDGED_ON], classes, posed, epochs)


def digits_task(epochs: int) -> Task:
    """Handwritten digits, a third of them for training."""
    from sklearn.datasets import load_digits  # noqa: PLC0415  (bundled with scikit-learn)

    data = load_digits()
    pixels = torch.from_numpy(data.images / 16).float()[:, None].repeat(1, 3, 1, 1)
    pixels = nn.functional.interpolate(pixels, 16, mode="bilinear")
    target = torch.from_numpy(data.target.astype(np.int64))
    first = torch.arange(len(target)) < 600
    classes = tuple(map(str, range(10)))
    return Task(
        "digits",
        (pixels[first], target[first]),
        (pixels[~first], target[~first]),
        classes,
        turned_and_moved,
        epochs,
    )


class Net(nn.Module):
    """Three blocks of convolutions, the mean of the last map, one linear layer."""

    def __init__(self, classes: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 3
        for planes in (width, 2 * width, 4 * width):
            layers += [
                nn.Conv2d(before, planes, 3, padding=1, bias=False),
                nn.BatchNorm2d(planes),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
            before = planes
        self.trunk = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        self.head = nn.Linear(before, classes)

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Logits (N, K) of images (N, 3, H, W)."""
        found: torch.Tensor = self.head(self.trunk(images))
        return found


def learn(task: Task, *, width: int, change: "Change | None", seed: int) -> Net:
    """Train a network from scratch."""
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    net = Net(len(task.classes), width).train()
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.05)
    images, classes = task.train
    batches = max(len(images) // 64, 1)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 6e-3, task.epochs * batches)
    for _ in range(task.epochs * batches):
        chosen = torch.randint(len(images), (64,), generator=generator)
        batch = images[chosen]
        if change is not None:
            batch = change(batch, generator)
        optimiser.zero_grad()
        torch.autograd.backward(nn.functional.cross_entropy(net(batch), classes[chosen]))
        optimiser.step()
        schedule.step()
    return net.eval()


@torch.inference_mode()
def scores_of(net: Net, images: torch.Tensor) -> tuple[Floats, Floats]:
    """Features (N, D) and logits (N, K)."""
    features = torch.cat([net.trunk(part) for part in torch.split(images, 256)])
    return features.double().numpy(), net.head(features).double().numpy()


def softmax(logits: Floats) -> Floats:
    """Probabilities (N, K)."""
    found = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True))


def judge(task: Task, seeds: int, width: int) -> None:
    """Print what each way of training does for hard, medium and easy classes."""
    truth = task.test[1].numpy()
    ways: dict[str, Callable[[int], Net]] = {
        "plain": lambda seed: learn(task, width=width, change=None, seed=seed),
        "augmented": lambda seed: learn(task, width=width, change=task.change, seed=seed),
        "augmented, wider": lambda seed: learn(
            task, width=2 * width, change=task.change, seed=seed
        ),
    }
    reference = ways["plain"](1000)
    _, logits = scores_of(reference, task.test[0])
    thirds = thirds_of(class_disparity(truth, logits.argmax(axis=1), task.classes).accuracy)
    print(f"\n{task.name}: {len(task.classes)} classes, {len(truth)} images judged, {seeds} seeds")
    print(
        "| training | accuracy | hard | medium | easy | easy - hard | worst tenth | K x bias of hard | of easy |"
    )
    print("|---|---|---|---|---|---|---|---|---|")
    for name, way in ways.items():
        rows, texts = [], []
        start = time.perf_counter()
        for seed in range(seeds):
            net = way(seed)
            features, logits = scores_of(net, task.test[0])
            found = class_disparity(truth, logits.argmax(axis=1), task.classes)
            bias = prediction_bias(softmax(logits), truth, features=features)
            means = thirds.means(found.accuracy)
            pushed = thirds.means(bias.from_others * len(task.classes))
            rows.append(
                [
                    float(found.accuracy.mean()),
                    *(means[third] for third in ("hard", "medium", "easy")),
                    means["easy"] - means["hard"],
                    found.worst_tenth,
                    pushed["hard"],
                    pushed["easy"],
                ]
            )
            if seed == 0:
                train_features, _ = scores_of(net, task.train[0])
                heads = compare_heads(
                    (train_features, task.train[1].numpy()),
                    (features, truth),
                    weight=net.head.weight.detach().numpy(),
                    bias=net.head.bias.detach().numpy(),
                    thirds=thirds,
                )
                texts = [found.text, heads.text]
        mean, spread = np.mean(rows, axis=0), np.std(rows, axis=0)
        cells = " | ".join(f"{m:.2f} ± {s:.2f}" for m, s in zip(mean, spread, strict=True))
        print(f"| {name} | {cells} |", flush=True)
        for text in texts:
            print(f"<!-- {name}: {text}; {(time.perf_counter() - start) / 60:.1f} minutes -->")


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="digits only, few passes")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    judge(digits_task(6 if arguments.quick else 30), arguments.seeds, 8)
    if not arguments.quick:
        judge(emoji_task(30), arguments.seeds, 12)


if __name__ == "__main__":
    main()
