"""Tune a ResNet-18 on the gender labels of CelebA: `python -m models.train_celeba FOLDER`.

FOLDER holds `img_align_celeba/`, `list_attr_celeba.txt` and `list_eval_partition.txt`, as they are
published. `--imagenet FILE` starts from ImageNet weights on this machine (`.safetensors`, or the `.pth` of
torchvision); without it, from random ones. Nothing is downloaded.
"""

# ruff: noqa: T201  (a program that prints its results)

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import save_file
from torch import nn
from torch.utils.data import DataLoader, Dataset, RandomSampler
from typing_extensions import override

from models.resnet18_celeba import IMAGENET, LABELS, WEIGHTS, resnet18
from pytest_fairness import EvaluationSet, load_evaluation_set, load_weights
from pytest_fairness.classifiers import Crops
from pytest_fairness.inference import choose_device
from pytest_fairness.policy import Evaluation

if TYPE_CHECKING:
    from typing import TypeAlias

    Batch: TypeAlias = tuple[torch.Tensor, torch.Tensor]

__all__ = ["Recipe", "accuracy", "faces", "start", "tune"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How to train; the paper names none, and this one is ordinary.

    Args:
        epochs: Times that each training image is seen.
        batch: Images in a batch.
        learning_rate: At the start; it falls to 0 along a cosine.
        momentum: Of Nesterov's accelerated descent.
        weight_decay: Of all weights.
        resize: Shorter side of the images in pixels.
        crop: Side of the square that is cut out at random, at most `resize`; mirrored half of the
            time.
    """

    epochs: int = 3
    batch: int = 64
    learning_rate: float = 0.01
    momentum: float = 0.9
    weight_decay: float = 1e-4
    resize: int = 256
    crop: int = 224


class Faces(Dataset["Batch"]):
    """Images of an evaluation set with 0 for a woman and 1 for a man."""

    def __init__(self, samples: EvaluationSet, preprocess: Crops) -> None:
        self.images = samples.images
        self.preprocess = preprocess
        self.is_man = torch.tensor((samples.samples["target"] == "yes").tolist()).long()

    def __len__(self) -> int:
        return len(self.is_man)

    @override
    def __getitem__(self, position: int) -> "Batch":
        """Return one image (3, H, W) and its label."""
        return self.preprocess(self.images.read(position)), self.is_man[position]


def faces(folder: str | Path, split: str) -> EvaluationSet:
    """Read one part of CelebA: `train`, `valid` or `test`.

    Raises:
        DataError: A file is missing or malformed, or the counts disagree.
    """
    answers = ("no", "yes")
    celeba = Evaluation(
        "celeba",
        reader="celeba",
        root=Path(folder),
        split=(split,),
        target="Male",
        classes=answers,
        attributes={"Male": answers},
    )
    return load_evaluation_set(celeba)


def start(imagenet: str | Path | None) -> nn.Module:
    """Return a ResNet-18 for two classes: as trained on ImageNet but for its last layer, or new.

    Args:
        imagenet: Weights of torchvision's ResNet-18 for 1,000 classes; None for random ones.

    Raises:
        ModelError: The weights are missing or do not fit.
    """
    if imagenet is None:
        return resnet18(len(LABELS))
    network = load_weights(resnet18(1000), imagenet)
    network.fc = nn.Linear(512, len(LABELS))
    return network


def tune(
    network: nn.Module,
    samples: EvaluationSet,
    recipe: Recipe,
    *,
    generator: torch.Generator,
    workers: int = 0,
) -> Iterator[float]:
    """Train `network`, and yield the mean loss of each epoch.

    Args:
        network: On the device that it is to be trained on.
        samples: Training images.
        recipe: How.
        generator: Decides the order, the crops and the mirroring.
        workers: Processes that decode images; 0 decodes in this one.
    """
    device = next(network.parameters()).device
    whole = Crops(resize=recipe.resize, crop=recipe.resize, pixels=IMAGENET)
    dataset = Faces(samples, whole)
    batches = DataLoader(
        dataset,
        recipe.batch,
        sampler=RandomSampler(dataset, generator=generator),
        num_workers=workers,
        drop_last=len(dataset) > recipe.batch,  # a last batch of one image has no variance
    )
    optimiser = torch.optim.SGD(
        network.parameters(),
        recipe.learning_rate,
        momentum=recipe.momentum,
        weight_decay=recipe.weight_decay,
        nesterov=True,
    )
    steps = recipe.epochs * len(batches)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    for _ in range(recipe.epochs):
        network.train()
        losses = []
        for images, is_man in batches:
            seen = _moved(images, recipe.crop, generator).to(device)
            loss = nn.functional.cross_entropy(network(seen), is_man.to(device))
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
            losses.append(loss.detach())
        yield torch.stack(losses).mean().item()
    network.eval()


def _moved(images: torch.Tensor, crop: int, generator: torch.Generator) -> torch.Tensor:
    """Cut a square out of each image (B, 3, H, W) at random, and mirror half of them."""
    room = images.shape[2] - crop + 1
    corners = torch.randint(room, (len(images), 2), generator=generator).tolist()
    mirrored = torch.rand(len(images), generator=generator) < 0.5
    cut = torch.stack(
        [
            image[:, top : top + crop, left : left + crop]
            for image, (top, left) in zip(images, corners, strict=True)
        ]
    )
    return torch.where(mirrored[:, None, None, None], cut.flip(3), cut)


@torch.inference_mode()
def accuracy(
    network: nn.Module, samples: EvaluationSet, recipe: Recipe, *, workers: int = 0
) -> float:
    """Return the share of images whose centre is given the right class."""
    device = next(network.parameters()).device
    network.eval()
    dataset = Faces(samples, Crops(resize=recipe.resize, crop=recipe.crop, pixels=IMAGENET))
    right = 0
    for images, is_man in DataLoader(dataset, recipe.batch, num_workers=workers):
        right += int((network(images.to(device)).argmax(1).cpu() == is_man).sum())
    return right / len(dataset)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, train, print the accuracies and write the weights."""
    recipe = Recipe()
    parser = argparse.ArgumentParser(prog="python -m models.train_celeba", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--imagenet", type=Path, metavar="FILE")
    parser.add_argument("--to", type=Path, default=WEIGHTS, metavar="FILE")
    parser.add_argument("--epochs", type=int, default=recipe.epochs)
    parser.add_argument("--batch", type=int, default=recipe.batch)
    parser.add_argument("--learning-rate", type=float, default=recipe.learning_rate)
    parser.add_argument("--resize", type=int, default=recipe.resize)
    parser.add_argument("--crop", type=int, default=recipe.crop)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--workers", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args(arguments)
    recipe = Recipe(
        epochs=given.epochs,
        batch=given.batch,
        learning_rate=given.learning_rate,
        resize=given.resize,
        crop=given.crop,
    )
    torch.manual_seed(given.seed)
    network = start(given.imagenet).to(choose_device(given.device))
    train, valid, test = (faces(given.folder, split) for split in ("train", "valid", "test"))
    generator = torch.Generator().manual_seed(given.seed)
    losses = tune(network, train, recipe, generator=generator, workers=given.workers)
    for epoch, loss in enumerate(losses, start=1):
        share = accuracy(network, valid, recipe, workers=given.workers)
        print(f"epoch {epoch}: loss {loss:.4f}, accuracy {share:.4f} on valid", flush=True)
    share = accuracy(network, test, recipe, workers=given.workers)
    weights = {name: value.cpu().contiguous() for name, value in network.state_dict().items()}
    # The fixture resizes and crops as the training did.
    save_file(weights, given.to, {"resize": str(recipe.resize), "crop": str(recipe.crop)})
    print(f"accuracy {share:.4f} on test; wrote {given.to}")


if __name__ == "__main__":
    main()
