"""One forward pass that hands out the feature map of a layer, differentiable from there on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import nn

from pytest_fairness.analyses.attention.layers import tokens_grid
from pytest_fairness.errors import ModelError

__all__ = ["Pass", "View", "run_pass", "to_map"]

_FLIPS = ((), (3,), (2,), (2, 3))


class View(NamedTuple):
    """A call of the layer: its output, and how its image was turned.

    Args:
        features: (N, C, h, w), or (N, tokens, C).
        flip: Axes of the image that were reversed.
        heads: Input of each linear layer that ran after it.
    """

    features: torch.Tensor
    flip: tuple[int, ...]
    heads: tuple[torch.Tensor, ...]


class Pass(NamedTuple):
    """Scores (N, K) of a batch, and the views of it that the layer saw."""

    scores: torch.Tensor
    views: tuple[View, ...]


@dataclass(slots=True)
class _Seen:
    """What the hooks collect."""

    features: list[torch.Tensor] = field(default_factory=list)
    heads: list[list[torch.Tensor]] = field(default_factory=list)
    inputs: dict[str, list[torch.Tensor]] = field(default_factory=dict)


def run_pass(
    module: nn.Module,
    layer: str,
    images: torch.Tensor,
    *,
    heads: tuple[nn.Linear, ...] = (),
    gradients: bool,
    model: str,
) -> Pass:
    """Run a batch through a module without gradients up to a layer, with them after it if asked.

    Args:
        module: The model; its hooks and its weights' `requires_grad` are left as found.
        layer: Name of the layer.
        images: (N, C, H, W) on the module's device.
        heads: Linear layers after the layer whose inputs are wanted.
        gradients: Whether the scores must be differentiable by the features.
        model: Name for errors.

    Raises:
        ModelError: The layer runs several times, and not on mirror images of the input.
    """
    seen = _Seen()
    with ExitStack() as stack:
        stack.enter_context(_hooks(module, layer, seen, heads=heads, gradients=gradients))
        if gradients:
            stack.enter_context(_frozen(module))
        stack.enter_context(torch.no_grad())  # left at its end, whatever the hooks switched on
        scores = module(images)
    flips = _flips(seen, images, layer=layer, model=model)
    views = zip(seen.features, flips, seen.heads, strict=True)
    return Pass(scores, tuple(View(one, flip, tuple(linear)) for one, flip, linear in views))


def to_map(features: torch.Tensor, image: tuple[int, int]) -> torch.Tensor:
    """Return features as (N, C, h, w) float32: tokens on their grid, without a class token."""
    if features.ndim == 4:
        return features.float()
    grid = tokens_grid(features.shape[1], image)
    if grid is None:
        msg = f"{features.shape[1]} tokens fill no grid of an image of {image[0]} x {image[1]}"
        raise ModelError(msg)
    patches = features[:, features.shape[1] - grid[0] * grid[1] :]
    return patches.transpose(1, 2).reshape(len(patches), -1, *grid).float()


@contextmanager
def _hooks(
    module: nn.Module,
    layer: str,
    seen: _Seen,
    *,
    heads: tuple[nn.Linear, ...],
    gradients: bool,
) -> Iterator[None]:
    parts = layer.split(".")
    above = ["", *(".".join(parts[: i + 1]) for i in range(len(parts)))]
    with ExitStack() as hooks:
        for name in above:
            entered = module.get_submodule(name).register_forward_pre_hook(_enter(name, seen))
            hooks.callback(entered.remove)
        left = module.get_submodule(layer).register_forward_hook(_leave(seen, gradients=gradients))
        hooks.callback(left.remove)
        for head in heads:
            hooks.callback(head.register_forward_pre_hook(_into_head(seen)).remove)
        yield


def _enter(name: str, seen: _Seen) -> Callable[[nn.Module, tuple[object, ...]], None]:
    """Note what goes into a part above the layer; what it computes first needs no gradients."""

    def hook(_: nn.Module, inputs: tuple[object, ...]) -> None:
        torch.set_grad_enabled(False)
        if inputs and isinstance(inputs[0], torch.Tensor):
            seen.inputs.setdefault(name, []).append(inputs[0])

    return hook


def _leave(
    seen: _Seen, *, gradients: bool
) -> Callable[[nn.Module, tuple[object, ...], torch.Tensor], torch.Tensor]:
    """Keep the layer's output; make what follows differentiable by it."""

    def hook(_: nn.Module, __: tuple[object, ...], output: torch.Tensor) -> torch.Tensor:
        seen.heads.append([])
        leaf = output.detach().requires_grad_(gradients)
        seen.features.append(leaf)
        torch.set_grad_enabled(gradients)
        return leaf.clone()  # the next layer may write into its input

    return hook


def _into_head(seen: _Seen) -> Callable[[nn.Module, tuple[torch.Tensor, ...]], None]:
    def hook(_: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if seen.heads:
            seen.heads[-1].append(inputs[0])

    return hook


@contextmanager
def _frozen(module: nn.Module) -> Iterator[None]:
    """Spare autograd what only the gradients of weights would need."""
    free = [weight for weight in module.parameters() if weight.requires_grad]
    try:
        for weight in free:
            weight.requires_grad_(False)  # noqa: FBT003
        yield
    finally:
        for weight in free:
            weight.requires_grad_()


def _flips(seen: _Seen, images: torch.Tensor, *, layer: str, model: str) -> list[tuple[int, ...]]:
    """Return, for each call of the layer, the axes along which its image was reversed."""
    calls = len(seen.features)
    if calls == 1:
        return [()]
    for inputs in seen.inputs.values():  # the outermost part first
        if len(inputs) == calls:
            found = [_flip(images, view) for view in inputs]
            if calls and None not in found:
                return [flip for flip in found if flip is not None]
            break
    msg = (
        f"model {model!r}: layer {layer!r} ran {calls} times in one forward pass, and not on the "
        "image and its mirror images, so its maps cannot be put together; give the network inside"
    )
    raise ModelError(msg)


def _flip(images: torch.Tensor, view: torch.Tensor) -> tuple[int, ...] | None:
    if view.shape != images.shape:
        return None
    return next((axes for axes in _FLIPS if torch.equal(images.flip(axes), view)), None)
