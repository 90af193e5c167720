"""Which layer's feature map is read: found by watching one forward pass, or named."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import nn

from pytest_fairness.errors import ModelError

__all__ = ["Trace", "find_layer", "named_layer", "tokens_grid", "traced"]

_POOLS = (nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d, nn.Dropout, nn.Identity)
_SHOWN = 12
Shape: TypeAlias = tuple[int, ...]


@dataclass(slots=True)
class Trace:
    """The record of one forward pass: its calls, in order.

    Args:
        image: (H, W) of the images.
        finished: Name, module and output shape of each call of a module, as they ended.
        attention_began: For each call of an attention module, how many calls had ended before.
    """

    image: tuple[int, int]
    finished: list[tuple[str, nn.Module, Shape]] = field(default_factory=list)
    attention_began: list[int] = field(default_factory=list)

    def maps(self) -> dict[str, Shape]:
        """Return name -> output shape of the modules that give a map of more than one cell."""
        return {name: shape for name, _, shape in self.finished if self.is_map(shape)}

    def is_map(self, shape: Shape) -> bool:
        """Return whether an output is a feature map (N, C, h, w) of several cells, or tokens."""
        if len(shape) == 4:
            return shape[2] * shape[3] > 1 and max(shape[2:]) <= max(self.image)
        return len(shape) == 3 and tokens_grid(shape[1], self.image) is not None


@contextmanager
def traced(module: nn.Module, image: tuple[int, int]) -> Iterator[Trace]:
    """Watch the forward passes of a module, and remove the hooks afterwards."""
    trace = Trace(image)

    def ended(name: str) -> object:
        def hook(part: nn.Module, _: object, output: object) -> None:
            if isinstance(output, torch.Tensor):
                trace.finished.append((name, part, tuple(output.shape)))

        return hook

    def began(*_: object) -> None:
        trace.attention_began.append(len(trace.finished))

    with ExitStack() as hooks:
        for name, part in module.named_modules():
            if name:
                hooks.callback(part.register_forward_hook(ended(name)).remove)
            if "attention" in type(part).__name__.lower():
                hooks.callback(part.register_forward_pre_hook(began).remove)
        yield trace


def find_layer(trace: Trace, *, model: str) -> str:
    """Return the name of the last layer that still knows where things are.

    In a convolutional network that is the last feature map (N, C, h, w) before the pooling. In a
    transformer it is the last layer norm over tokens before the last attention, after which the
    class token no longer reads the others.

    Raises:
        ModelError: No layer has a feature map of more than one cell.
    """
    convolutional = [
        place
        for place, (_, part, shape) in enumerate(trace.finished)
        if len(shape) == 4 and trace.is_map(shape) and not isinstance(part, _POOLS)
    ]
    last_attention = trace.attention_began[-1] if trace.attention_began else 0
    if not convolutional or convolutional[-1] < last_attention:
        norms = [
            name
            for name, part, shape in trace.finished[:last_attention]
            if len(shape) == 3 and trace.is_map(shape) and "norm" in type(part).__name__.lower()
        ]
        if norms:
            return norms[-1]
    if convolutional:
        return trace.finished[convolutional[-1]][0]
    maps = trace.maps()
    remedy = (
        f"name a layer of {_listed(maps)}"
        if maps
        else "give larger images, or the nn.Module itself, since an exported model has no layers"
    )
    msg = (
        f"model {model!r}: no layer gives a feature map of more than one cell for images of "
        f"{trace.image[0]} x {trace.image[1]}; {remedy}"
    )
    raise ModelError(msg)


def named_layer(module: nn.Module, layer: str, trace: Trace, *, model: str) -> str:
    """Return the name of a layer that was asked for, checked.

    Raises:
        ModelError: There is no such layer, it did not run, or it gives no map.
    """
    maps = trace.maps()
    if layer in maps:
        return layer
    ran = {name: shape for name, _, shape in trace.finished}
    if layer not in dict(module.named_modules()):
        problem = f"the model has no layer {layer!r}"
    elif layer not in ran:
        problem = f"layer {layer!r} gives no tensor in a forward pass"
    else:
        problem = f"layer {layer!r} gives no feature map but a tensor of shape {ran[layer]}"
    msg = f"model {model!r}: {problem}; layers with one are {_listed(maps)}"
    raise ModelError(msg)


def tokens_grid(tokens: int, image: tuple[int, int]) -> tuple[int, int] | None:
    """Return the grid (h, w) of patch tokens of an image, or None when there is none.

    One token may stand before them (the class token); the grid has the proportions of the image.

    Example:
        >>> tokens_grid(50, (224, 224)), tokens_grid(8, (32, 64)), tokens_grid(7, (64, 64))
        ((7, 7), (2, 4), None)
    """
    height, width = image
    for patches in (tokens, tokens - 1):
        side = round((patches * height / width) ** 0.5) if patches > 1 else 0
        if side and patches % side == 0 and side * width == (patches // side) * height:
            return side, patches // side
    return None


def _listed(maps: dict[str, Shape]) -> str:
    """Name layers with their maps, the last ones, without those that only hand on a map."""
    if not maps:
        return "none"
    names = [
        name
        for (name, shape), (inner, same) in pairwise(maps.items())
        if not _hands_on(name, shape, inner, same)
    ] + [list(maps)[-1]]
    shown = [f"{name!r} {_sides(maps[name])}" for name in names[-_SHOWN:]]
    more = f"… ({len(names)} in all) …, " if len(names) > _SHOWN else ""
    return more + ", ".join(shown)


def _hands_on(name: str, shape: Shape, later: str, same: Shape) -> bool:
    return name.startswith(f"{later}.") and shape == same


def _sides(shape: Shape) -> str:
    return f"({' x '.join(str(side) for side in shape[1:])})"
