"""A model is borrowed, and given back as it was."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import nn

__all__ = ["left_as_found"]


@contextmanager
def left_as_found(
    module: Callable[[torch.Tensor], torch.Tensor], device: torch.device
) -> Iterator[None]:
    """Put a module on a device in evaluation mode without gradients, and undo it all afterwards.

    Each submodule gets its own training flag back, also after an error. A callable that is no
    `nn.Module` is only run without gradients.

    Example:
        >>> module = nn.Dropout()
        >>> with left_as_found(module, torch.device("cpu")):
        ...     module.training, torch.is_grad_enabled()
        (False, False)
        >>> module.training, torch.is_grad_enabled()
        (True, True)
    """
    if not isinstance(module, nn.Module):
        with torch.inference_mode():
            yield
        return
    training = [(part, part.training) for part in module.modules()]
    tensors = (*module.parameters(), *module.buffers())
    home = tensors[0].device if tensors else device
    try:
        module.eval()
        # Outside inference mode: weights moved inside could never be trained again.
        module.to(device)
        with torch.inference_mode():
            yield
    finally:
        module.to(home)
        for part, flag in training:
            part.training = flag
