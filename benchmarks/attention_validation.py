"""Do the attention scores follow a planted bias? `python -m benchmarks.attention_validation`.

Two experiments of the paper (Serianni et al., CVPR 2025) in small. First, figures are pasted on land
or water that agrees with their class in 50 to 100 % of the training pictures; the test pictures
are balanced. Second, a network reads both attributes, and its training groups are shrunk to a
target correlation of the two. A core needs some minutes.
"""

import argparse
import time
from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from scipy.stats import kendalltau

from benchmarks.planted import SIZE, draw, group_sizes, mcc_of, small_network, train
from pytest_fairness.analyses import attention_maps, heatmap_score, mask_score

BIASES: Final = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)
CORRELATIONS: Final = (0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.97)
# Waterbirds, ResNet-18, 20 models: mask score of the bird and of the background, worst group.
PAPER: Final = {
    "figure": (0.830, 0.828, 0.822, 0.821, 0.750, 0.656, 0.532),
    "background": (0.507, 0.524, 0.531, 0.597, 0.624, 0.703, 0.823),
    "worst group": (0.807, 0.822, 0.843, 0.653, 0.561, 0.452, 0.205),
}


class Biased(NamedTuple):
    """What one model shows on the balanced test pictures."""

    figure: float
    background: float
    worst_group: float
    uniform_figure: float
    uniform_background: float
    zero_maps: int


def biased_model(bias: float, *, seed: int, pictures: int, epochs: int) -> Biased:
    """Train one model with a background that agrees with the class in a share of pictures."""
    rng = np.random.default_rng([seed, round(100 * bias)])
    agreeing = round(pictures / 2 * bias)
    rest = pictures // 2 - agreeing
    learned = draw(np.array([[agreeing, rest], [rest, agreeing]]), rng)
    torch.manual_seed(seed)
    network = small_network(2)
    generator = torch.Generator().manual_seed(seed)
    train(network, learned.images, learned.figure, epochs=epochs, generator=generator)
    test = draw(np.full((2, 2), 100), np.random.default_rng([seed, 1_000]))
    found = attention_maps(network, test.images)
    figure = mask_score(found.maps[:, 0], test.masks)
    ground = mask_score(found.maps[:, 0], ~test.masks)
    right = (found.scores.argmax(dim=1) == test.figure).float()
    return Biased(
        figure=figure.values.mean().item(),
        background=ground.values.mean().item(),
        worst_group=min(right[test.group == group].mean().item() for group in range(4)),
        uniform_figure=figure.uniform.mean().item(),
        uniform_background=ground.uniform.mean().item(),
        zero_maps=figure.zero_maps,
    )


def correlated_model(
    correlation: float, *, seed: int, pictures: int, epochs: int
) -> tuple[float, float]:
    """Return |MCC| of the predictions, and the mean heatmap score of figure and background."""
    rng = np.random.default_rng([seed, round(1_000 * correlation)])
    available = np.full((2, 2), pictures)
    learned = draw(group_sizes(available, correlation, pictures), rng)
    torch.manual_seed(seed)
    network = small_network(2)
    targets = torch.stack([learned.figure, learned.ground], dim=1).float()
    generator = torch.Generator().manual_seed(seed)
    train(network, learned.images, targets, epochs=epochs, generator=generator)
    test = draw(np.full((2, 2), 100), np.random.default_rng([seed, 1_000]))
    found = attention_maps(network, test.images, target=[0, 1], sign="absolute")
    score = heatmap_score(found.maps, size=SIZE).mean[0, 1].item()
    yes = (found.scores > 0).int()
    table = np.bincount((2 * yes[:, 0] + yes[:, 1]).numpy(), minlength=4).reshape(2, 2)
    return abs(mcc_of(table.astype(float))), score


def _spread(values: Sequence[float]) -> str:
    return f"{np.mean(values):.3f} ± {np.std(values):.3f}"


def _print_biases(results: dict[float, list[Biased]]) -> None:
    print("| agreement | figure | background | worst group | paper: bird / background / worst |")
    print("|---|---|---|---|---|")
    for place, (bias, models) in enumerate(results.items()):
        ours = [
            _spread([getattr(model, name) for model in models])
            for name in ("figure", "background", "worst_group")
        ]
        paper = " / ".join(f"{values[place]:.3f}" for values in PAPER.values())
        print(f"| {bias:.0%} | {' | '.join(ours)} | {paper} |")
    names = ("figure", "background", "worst_group")
    means = [
        [float(np.mean([getattr(one, name) for one in models])) for models in results.values()]
        for name in names
    ]
    taus = [f"{kendalltau(list(results), values).statistic:+.2f}" for values in means]
    theirs = [f"{kendalltau(BIASES, values).statistic:+.2f}" for values in PAPER.values()]
    print(f"| Kendall tau | {' | '.join(taus)} | {' / '.join(theirs)} |")
    everyone = [model for models in results.values() for model in models]
    figure = np.mean([model.uniform_figure for model in everyone])
    ground = np.mean([model.uniform_background for model in everyone])
    zero = sum(model.zero_maps for model in everyone)
    print(f"\nuniform attention: figure {figure:.3f}, background {ground:.3f}; zero maps: {zero}\n")


def main() -> None:
    """Print the tables of docs/attention.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--pictures", type=int, default=1_500)
    parser.add_argument("--epochs", type=int, default=8)
    options = parser.parse_args()
    torch.set_num_threads(1)
    how = {"pictures": options.pictures, "epochs": options.epochs}
    started = time.process_time()
    seeds = range(options.seeds)
    _print_biases({b: [biased_model(b, seed=s, **how) for s in seeds] for b in BIASES})
    print("| target MCC | MCC of predictions | heatmap score |\n|---|---|---|")
    scores = []
    for correlation in CORRELATIONS:
        models = [correlated_model(correlation, seed=s, **how) for s in seeds]
        scores.append(float(np.mean([score for _, score in models])))
        predicted = _spread([found for found, _ in models])
        print(f"| {correlation:.2f} | {predicted} | {_spread([s for _, s in models])} |")
    tau = kendalltau(CORRELATIONS, scores).statistic
    print(f"\nKendall tau {tau:+.2f}; {time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
