"""Which modules of a network are its layers."""

from collections.abc import Iterator, Sequence

from torch import nn

from pytest_fairness.errors import ModelError

__all__ = ["choose_layers", "named_layers"]

_LISTS = (nn.Sequential, nn.ModuleList)
_WEIGHTED = (nn.modules.conv._ConvNd, nn.Linear, nn.Embedding)  # noqa: SLF001  (torch's own base)


def choose_layers(module: nn.Module, most: int = 12) -> list[str]:
    """Name a network's blocks in the order in which they are declared.

    Wrappers with one child are entered, and so are parts that hold a stack of blocks. A `Sequential` of blocks gives its blocks; one of single
    operations gives the last operation before each next convolution or linear layer. What has no
    weights (a pooling, a dropout) is no layer of its own.

    Args:
        module: The network.
        most: How many at most; of more, evenly spaced ones with the first and the last.

    Raises:
        ModelError: The module has no part with weights, or `most` is below 1.

    Example:
        >>> choose_layers(nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8, 2)))
        ['2', '3']
    """
    if most < 1:
        msg = f"at least one layer must be asked for, got most={most}"
        raise ModelError(msg)
    name, inner = "", module
    while len(children := _weighted_children(name, inner)) == 1:
        name, inner = children[0]
    found = list(_blocks(name, inner, top=True))
    if not any(True for _ in module.parameters()) or not found:
        msg = "the module has no layers with weights; name the layers to read"
        raise ModelError(msg)
    if len(found) <= most:
        return found
    last = max(most - 1, 1)
    return [found[round(i * (len(found) - 1) / last)] for i in range(most)]


def named_layers(module: nn.Module, names: Sequence[str]) -> dict[str, nn.Module]:
    """Look up modules by name.

    Raises:
        ModelError: A name is unknown or repeated, or none is given.
    """
    known = dict(module.named_modules())
    unknown = [name for name in names if not name or name not in known]
    if unknown or not names or len(set(names)) < len(names):
        some = ", ".join(repr(name) for name in list(known)[1:13])
        msg = (
            f"layers must be different names of submodules, got {list(names)}; "
            f"unknown are {unknown}; the module has {some}{' …' if len(known) > 13 else ''}"
        )
        raise ModelError(msg)
    return {name: known[name] for name in names}


def _weighted_children(name: str, module: nn.Module) -> list[tuple[str, nn.Module]]:
    return [
        (f"{name}.{child}" if name else child, part)
        for child, part in module.named_children()
        if any(True for _ in part.parameters())
    ]


def _blocks(name: str, module: nn.Module, *, top: bool = False) -> Iterator[str]:
    children = _weighted_children(name, module)
    compound = [part for _, part in children if _weighted_children("", part)]
    if not children:
        yield name
    elif (top or _has_stack(module)) and not isinstance(module, _LISTS):
        for child, part in children:
            yield from _blocks(child, part)
    elif not isinstance(module, _LISTS):
        yield name
    elif compound:
        for child, part in children:
            yield from _blocks(child, part)
    elif sum(isinstance(part, _WEIGHTED) for _, part in children) > 1:
        yield from _ends(name, module)
    else:
        yield name


def _has_stack(module: nn.Module) -> bool:
    """Whether blocks of one kind are stacked within, as in a backbone or an encoder."""
    for part in module.modules():
        blocks = [child for child in part.children() if not isinstance(child, nn.Sequential)]
        kinds = {type(block) for block in blocks}
        if isinstance(part, _LISTS) and len(blocks) > 1 and len(kinds) == 1:
            leaves = [leaf for leaf in blocks[0].modules() if not list(leaf.children())]
            # A convolution and its norm are an operation, not a block.
            if sum(any(True for _ in leaf.parameters()) for leaf in leaves) > 2:
                return True
    return False


def _ends(name: str, module: nn.Module) -> Iterator[str]:
    """Last operation before each further weighted one, and the last of all."""
    previous = None
    seen = False
    for child, part in module.named_children():
        if isinstance(part, _WEIGHTED):
            if seen and previous is not None:
                yield previous
            seen = True
        previous = f"{name}.{child}" if name else child
    if previous is not None:
        yield previous
