"""Grad-CAM beside captum and grad-cam: `python -m benchmarks.attention_speed`.

Each way runs in a process of its own for its peak memory (resident set over that after a bare
forward pass), and in turn with the others in one process for its CPU time, so that ratios hold on a
busy machine. Weights are random; ResNet-18, ResNet-50 with the paper's two-layer head.
"""

import argparse
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Final

import torch
from torch import nn
from torchvision import models

from pytest_fairness.analyses import attention_maps

Way = Callable[[nn.Module, nn.Module, torch.Tensor], object]
WAYS: Final = ("forward", "ours", "ours, backward", "captum", "grad-cam")
ATTRIBUTES: Final = 40


def resnet18() -> tuple[nn.Module, nn.Module]:
    """Return the network and the layer that is read."""
    network = models.resnet18().eval()
    return network, network.layer4


def celeba() -> tuple[nn.Module, nn.Module]:
    """Return the paper's network for 40 attributes and the layer that is read."""
    network = models.resnet50()
    network.fc = nn.Sequential(
        nn.Linear(2048, 2048), nn.ReLU(), nn.Dropout(0.5), nn.Linear(2048, ATTRIBUTES)
    )
    return network.eval(), network.layer4


def way_of(name: str, *, targets: int) -> Way:
    """Return a function that makes the maps of a batch; peers make one target at a time."""
    if name == "forward":
        return _forward
    if name.startswith("ours"):
        wanted = list(range(targets)) if targets > 1 else 0
        return lambda network, _, images: attention_maps(
            network, images, target=wanted, layer="layer4", closed_form=name == "ours"
        )
    one = _captum if name == "captum" else _grad_cam
    return lambda network, layer, images: [one(network, layer, images, t) for t in range(targets)]


def _forward(network: nn.Module, _: nn.Module, images: torch.Tensor) -> object:
    with torch.inference_mode():
        return network(images)


def _captum(network: nn.Module, layer: nn.Module, images: torch.Tensor, target: int) -> object:
    captum = import_module("captum.attr")
    return captum.LayerGradCam(network, layer).attribute(
        images, target=target, relu_attributions=True
    )


def _grad_cam(network: nn.Module, layer: nn.Module, images: torch.Tensor, target: int) -> object:
    package = import_module("pytorch_grad_cam")
    kinds = import_module("pytorch_grad_cam.utils.model_targets")
    with package.GradCAM(model=network, target_layers=[layer]) as cam:
        return cam(images, [kinds.ClassifierOutputTarget(target)] * len(images))


def memory(name: str, *, batch: int) -> float:
    """Return the peak memory of a way over a bare forward pass's rest, in MB, in this process."""
    network, layer = resnet18()
    images = torch.randn(batch, 3, 224, 224)
    _forward(network, layer, images[:1])
    way = way_of(name, targets=1)
    way(network, layer, images[:1])  # imports and first allocations
    before = _peak()
    way(network, layer, images)
    return _peak() - before


def _peak() -> float:
    """Return this program's largest resident set in MB (Linux; `getrusage` inherits a parent's)."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def times(
    build: Callable[[], tuple[nn.Module, nn.Module]],
    names: tuple[str, ...],
    *,
    batch: int,
    rounds: int,
    targets: int,
) -> dict[str, float]:
    """Return way -> median CPU time over that of a forward pass in the same round."""
    network, layer = build()
    images = torch.randn(batch, 3, 224, 224)
    ratios: dict[str, list[float]] = {name: [] for name in names}
    for name in names:
        way_of(name, targets=1)(network, layer, images[:1])
    for _ in range(rounds):
        spent = {}
        for name in names:
            started = time.process_time()
            way_of(name, targets=targets)(network, layer, images)
            spent[name] = time.process_time() - started
        for name in names:
            ratios[name].append(spent[name] / spent["forward"])
    return {name: statistics.median(found) for name, found in ratios.items()}


def main() -> None:
    """Print the tables of docs/attention.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--targets", type=int, default=ATTRIBUTES)
    parser.add_argument("--memory", choices=WAYS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # the peers' own
    if options.memory:
        print(memory(options.memory, batch=options.batch))
        return
    ratios = times(resnet18, WAYS, batch=options.batch, rounds=options.rounds, targets=1)
    print("| ResNet-18, one target | x forward | extra peak MB |\n|---|---|---|")
    for name in WAYS:
        command = [sys.executable, "-m", "benchmarks.attention_speed", "--memory", name]
        peak = subprocess.run(  # noqa: S603  (this program)
            [*command, "--batch", str(options.batch)], capture_output=True, text=True, check=True
        )
        print(f"| {name} | {ratios[name]:.2f} | {float(peak.stdout):.0f} |", flush=True)
    names = ("forward", "ours", "ours, backward", "captum")
    many = times(celeba, names, batch=16, rounds=1, targets=options.targets)
    print(f"\n| ResNet-50, {options.targets} targets | x forward |\n|---|---|")
    for name in names:
        print(f"| {name} | {many[name]:.2f} |")


if __name__ == "__main__":
    main()
