"""What do the emoji models' layers hold of tone, gender and age? `python -m benchmarks.representation_demo FOLDER`.

Prints, layer by layer, how well a linear probe reads each attribute off images of designs that it
never saw, what it reads of permuted labels, and how alike the group maps of the tones are; writes
the maps of all tone x gender groups as one figure a layer. Needs the extra `analyses`.
"""

import argparse
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from models.ads import load_ads
from models.baseline import load_baseline
from pytest_fairness.analyses.probes import (
    Activations,
    ConvexProbe,
    LinearProbes,
    PaperProbe,
    Probe,
    capture_activations,
    linear_probes,
)
from pytest_fairness.analyses.topography import (
    layout_quality,
    observe_topography,
    save_maps,
    topographic_maps,
)
from pytest_fairness.data import load_evaluation_set
from pytest_fairness.policy import load_policy

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

POLICY = Path(__file__).parents[1] / "fixtures" / "policies" / "default.toml"
ATTRIBUTES = ("skin_tone", "gender", "age")
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
CONVEX = ConvexProbe(tolerance=1e-3, max_steps=30)
SEED = 0


def probed(
    held: Activations,
    images: "EvaluationSet",
    *,
    attributes: tuple[str, ...] = ATTRIBUTES,
    permutations: int = 0,
    probe: Probe = CONVEX,
    pool: int = 1,
) -> LinearProbes:
    """Probe attributes and, without permutations, their intersection."""
    samples = images.samples
    return linear_probes(
        held.layers,
        {name: samples[name].to_numpy(dtype=str) for name in attributes},
        rng=np.random.default_rng(SEED),
        cluster=samples["design"].to_numpy(dtype=str),
        probe=probe,
        pool=pool,
        permutations=permutations,
        intersection=not permutations,
        control=bool(permutations),
    )


def print_probes(found: LinearProbes, layers: list[str]) -> None:
    """One line a layer: accuracy, interval, null, selectivity."""
    for attribute in ATTRIBUTES:
        first = found.of(layers[0], attribute)
        print(
            f"\n{attribute}: chance {first.chance:.3f}, majority {first.majority:.3f}, "
            f"{first.unseen} samples of a level that training lacks\n"
            f"{'layer':24} {'accuracy':>8} {'95 % interval':>17} {'null mean':>9} {'null 95 %':>9} "
            f"{'p':>5} {'selectivity':>11}"
        )
        for layer in layers:
            result = found.of(layer, attribute)
            value, low, high, _ = result.accuracy
            if result.null is None or result.control is None:
                continue
            print(
                f"{layer:24} {value:8.3f} {low:8.3f} {high:8.3f} {result.null.mean:9.3f} "
                f"{result.null.quantiles[0.95]:9.3f} {result.null.p_value:5.2f} "
                f"{result.control.selectivity:11.3f}"
            )


def print_intersection(found: LinearProbes, layers: list[str], name: str) -> None:
    """Accuracy and marginals of the full intersection, and the confusions of the best layer."""
    target = "*".join(ATTRIBUTES)
    print(f"\n{target}, {name} ({len(found.of(layers[0], target).levels)} levels occur)")
    print(f"{'layer':24} {'accuracy':>8}" + "".join(f"{part:>12}" for part in ATTRIBUTES))
    for layer in layers:
        result = found.of(layer, target)
        marginals = "".join(f"{result.marginals[part].value:12.3f}" for part in ATTRIBUTES)
        print(f"{layer:24} {result.accuracy.value:8.3f}{marginals}")
    best = max(layers, key=lambda layer: found.of(layer, target).accuracy.value)
    print(f"most frequent confusions in {best}:")
    for true, predicted, count, share in found.of(best, target).confusions(5):
        print(f"  {true} taken for {predicted}: {count} ({share:.0%} of them)")


def print_similarities(
    classifier: "Classifier", images: "EvaluationSet", held: Activations
) -> None:
    """The least similar pair of tones of every layer."""
    found = observe_topography(
        classifier, images, "skin_tone", seed=SEED, cluster="design", activations=held
    )
    print("\nsimilarity of the tones' maps of women and men: the least alike pair")
    for layer, similarities in found.items():
        pair = similarities.lowest
        print(
            f"{layer:24} {pair.value:6.3f} [{pair.low:6.3f}, {pair.high:6.3f}] "
            f"{pair.first} v {pair.second}{pair.reason and ': ' + pair.reason}"
        )


def draw(held: Activations, images: "EvaluationSet", folder: Path, layout: str) -> None:
    """Write the maps of all tone x gender groups, one figure a layer."""
    samples = images.samples
    groups = (samples["skin_tone"] + "*" + samples["gender"]).to_numpy(dtype=str)
    found = topographic_maps(held.layers, groups, seed=SEED, layout=layout, steps=200)
    for reason in found.skipped.items():
        print("no map of", *reason)
    order = [f"{tone}*{gender}" for gender in ("woman", "man") for tone in TONES]
    for layer, maps in found.layers.items():
        path = save_maps(maps, folder / f"{held.model}-{layer}.png", order=order)
        area = layout_quality(maps.maps).area
        print(f"{path.name}: roughness {area:.0f}, order of groups {', '.join(maps.groups)}")


def main() -> None:
    """Probe and draw both models."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="where figures are written")
    parser.add_argument("--permutations", type=int, default=99)
    parser.add_argument("--layout", default="umap_pso")
    parser.add_argument("--paper", action="store_true", help="the paper's probe on 8 x 8 maps too")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    judged = load_policy(POLICY).evaluations["emoji_people"]
    # The two Fluent finishes only, as when docs/representation.md was measured.
    images = load_evaluation_set(replace(judged, options={}))
    for classifier in (load_ads(), load_baseline()):
        started = time.process_time()
        print(f"\n# {classifier.name}")
        held = capture_activations(classifier, images, pool=1, device="cpu")
        layers = list(held.layers)
        print_probes(probed(held, images, permutations=options.permutations), layers)
        print_intersection(probed(held, images), layers, "convex probe of channel means")
        if options.paper:
            maps = capture_activations(classifier, images, pool=8, device="cpu")
            print_intersection(
                probed(maps, images, probe=PaperProbe(), pool=8), layers, "the paper's probe, 8 x 8"
            )
        print_similarities(classifier, images, held)
        draw(held, images, options.folder, options.layout)
        print(f"{time.process_time() - started:.0f} s of one core")


if __name__ == "__main__":
    main()
