"""Train the reference models: `python -m models.train ads|baseline|skewed`.

`--choose RECIPE ...` compares recipes: train on one of the two training styles, test on the other.
`--judge` prints the committed model's accuracies on the evaluation styles; nothing is chosen by it.
"""

# ruff: noqa: T201  (a program that prints its results)

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

import numpy as np
import numpy.typing as npt
import torch
from safetensors.torch import save
from torch import nn
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.accuracy import group_accuracies, summary
from models.ads import CLASSES, LABELS as ADS_LABELS, WEIGHTS as ADS_WEIGHTS, load_ads
from models.augment import augment
from models.baseline import (
    LABELS as BASELINE_LABELS,
    WEIGHTS as BASELINE_WEIGHTS,
    load_baseline,
)
from models.mirrored import Mirrored
from models.preprocessing import PREPROCESSING
from models.recipes import CHOSEN, RECIPES, Recipe
from models.resnet18_thin import ThinResNet18
from models.se_resnet import SEResNet
from models.skewed import WEIGHTS as SKEWED_WEIGHTS, load_skewed
from models.training_data import DATA, People, load_people, vocabulary
from pytest_fairness.analyses import generalised_softmax_loss

STYLES = ("noto", "twemoji")
SKIN_TONES = {
    "ads": None,
    "baseline": {"woman": ("default", "light"), "man": ("default", "light")},
    "skewed": {"woman": ("light", "medium-light"), "man": ("medium-dark", "dark")},
}
WEIGHTS = {"ads": ADS_WEIGHTS, "baseline": BASELINE_WEIGHTS, "skewed": SKEWED_WEIGHTS}
Loss = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def fit(
    module: nn.Module,
    people: People,
    targets: torch.Tensor,
    *,
    loss: Loss,
    recipe: Recipe,
    seed: int,
) -> nn.Module:
    """Train `module` and return the running mean of its weights, ready for inference."""
    generator = torch.Generator().manual_seed(seed)
    module.train().to(memory_format=torch.channels_last)
    mean = AveragedModel(
        module,
        multi_avg_fn=get_ema_multi_avg_fn(recipe.averaging),  # type: ignore[no-untyped-call]
        use_buffers=True,
    )
    optimiser = torch.optim.AdamW(
        module.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    steps = recipe.epochs * (len(people.frame) // recipe.batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe.learning_rate, steps)
    rare = torch.from_numpy((people.frame["age"] != "adult").to_numpy(dtype=np.float32))
    weights = 1 + (recipe.rare_ages - 1) * rare
    for _ in range(steps):
        chosen = torch.multinomial(weights, recipe.batch, replacement=True, generator=generator)
        images = _augmented(people, chosen, recipe, generator)
        optimiser.zero_grad()
        torch.autograd.backward(loss(module(images), targets[chosen]))
        optimiser.step()
        schedule.step()
        mean.update_parameters(module)
    averaged: nn.Module = mean.module
    return averaged.eval()


def _augmented(
    people: People, chosen: torch.Tensor, recipe: Recipe, generator: torch.Generator
) -> torch.Tensor:
    column = torch.randint(people.tones.shape[1], chosen.shape, generator=generator)
    images, other_tone = (
        people.pixels[rows].float() / 255 for rows in (chosen, people.tones[chosen, column])
    )
    images = augment(images, other_tone, recipe.augmentation, generator=generator)
    return normalise(images).contiguous(memory_format=torch.channels_last)


def normalise(images: torch.Tensor) -> torch.Tensor:
    """Return images (B, 3, H, W) in [0, 1] as the models take them."""
    mean, std = torch.tensor(PREPROCESSING.mean), torch.tensor(PREPROCESSING.std)
    return (images - mean[:, None, None]) / std[:, None, None]


def train(
    model: str, labels: tuple[str, ...], recipe: Recipe, *, seed: int, vendors: Sequence[str]
) -> nn.Module:
    """Train the multi-label SE-ResNet on all people, or the ResNet-18 on those of some tones."""
    torch.manual_seed(seed)
    is_ads = model == "ads"
    people = load_people(DATA / "train.parquet", vendors=vendors, skin_tones=SKIN_TONES[model])
    return fit(
        SEResNet(len(labels)) if is_ads else ThinResNet18(len(labels)),
        people,
        people.targets(labels) if is_ads else people.is_man,
        loss=generalised_softmax_loss if is_ads else nn.functional.cross_entropy,
        recipe=recipe,
        seed=seed,
    )


@torch.inference_mode()
def calls_man(
    module: nn.Module, images: torch.Tensor, labels: tuple[str, ...]
) -> npt.NDArray[np.bool_]:
    """Return (N,), whether a label for a man has the highest of the scores for either gender."""
    scores = torch.cat([module(batch) for batch in torch.split(normalise(images), 256)])
    man, woman = (
        scores[:, [labels.index(word) for word in CLASSES[name] if word in labels]].amax(1)
        for name in ("man", "woman")
    )
    called: npt.NDArray[np.bool_] = (man > woman).numpy()
    return called


def choose(model: str, name: str, seed: int) -> None:
    """Print how a recipe does from each training style to the other, also with turned hues."""
    path = DATA / "train.parquet"
    labels = vocabulary(load_people(path).frame) if model == "ads" else BASELINE_LABELS
    for style, other in (STYLES, STYLES[::-1]):
        start = time.perf_counter()
        module = train(model, labels, RECIPES[name], seed=seed, vendors=(style,))
        minutes = (time.perf_counter() - start) / 60
        own, test = (load_people(path, vendors=[vendor]) for vendor in (style, other))
        # Both styles dress women and men in the same colours; turned hues show who relies on it.
        turned = replace(test, pixels=test.pixels[:, [2, 0, 1]])
        for view, people in {"own": own, "drawn": test, "turned": turned}.items():
            called_man = calls_man(Mirrored(module), people.pixels / 255, labels)
            row = {"recipe": name, "seed": seed, "from": style, "view": view, "minutes": minutes}
            groups = group_accuracies(people.frame, called_man).to_dict()
            print(json.dumps(row | summary(people.frame, called_man) | groups), flush=True)


def judge(model: str) -> None:
    """Print the accuracies of the committed weights on the evaluation styles."""
    loaders = {"ads": load_ads, "baseline": load_baseline, "skewed": load_skewed}
    classifier = loaders[model]()
    people = load_people(DATA / "evaluation.parquet")
    module = cast("nn.Module", classifier.module)
    called_man = calls_man(module, people.pixels / 255, classifier.labels)
    print(group_accuracies(people.frame, called_man).round(3).to_string())
    print(json.dumps(summary(people.frame, called_man)))


def train_and_save(model: str, seed: int) -> None:
    """Train a model with its recipe on both training styles and write its weights."""
    labels: tuple[str, ...] = BASELINE_LABELS
    if model == "ads":
        labels = vocabulary(load_people(DATA / "train.parquet").frame)
        ADS_LABELS.write_text(json.dumps(labels, indent=0) + "\n", encoding="utf-8")
    start = time.perf_counter()
    module = train(model, labels, RECIPES[CHOSEN[model]], seed=seed, vendors=STYLES)
    weights = {name: tensor.contiguous() for name, tensor in module.state_dict().items()}
    WEIGHTS[model].write_bytes(save(weights))
    print(f"{model}: trained in {(time.perf_counter() - start) / 60:.1f} minutes")


def main() -> None:
    """Read the command line and do what it says."""
    parser = argparse.ArgumentParser(prog="python -m models.train", description=__doc__)
    parser.add_argument("model", choices=list(WEIGHTS))
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--choose", nargs="+", choices=RECIPES, metavar="RECIPE")
    action.add_argument("--judge", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    if arguments.judge:
        judge(arguments.model)
        return
    for name in arguments.choose or ():
        choose(arguments.model, name, arguments.seed)
    if not arguments.choose:
        train_and_save(arguments.model, arguments.seed)


if __name__ == "__main__":
    main()
