"""How exactly a model computes: precisions that would have no effect are refused."""

from typing import TYPE_CHECKING

import torch
from torch import nn

from pytest_fairness.errors import ModelError
from pytest_fairness.inference.as_found import PRECISIONS

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["check_precision"]


def check_precision(
    precision: str, module: "Callable[[torch.Tensor], object]", device: torch.device, *, model: str
) -> None:
    """Refuse a precision that would have no effect.

    Args:
        precision: One of `PRECISIONS`.
        module: What computes the scores.
        device: Where it does.
        model: Name of the model.

    Raises:
        ModelError: The name means nothing, the module is no network of torch, or TF32 is asked
            of another device than a CUDA card.

    Example:
        >>> check_precision("strict", torch.relu, torch.device("cpu"), model="m")
    """
    if precision not in PRECISIONS:
        msg = f"precision {precision!r} is not known; allowed are {', '.join(PRECISIONS)}"
        raise ModelError(msg)
    if precision == "strict":
        return
    if not isinstance(module, nn.Module):
        msg = (
            f"model {model!r}: precision {precision} has no effect on it, because it is no network of "
            "torch; leave out --fairness-precision"
        )
        raise ModelError(msg)
    if precision == "tf32" and device.type != "cuda":
        msg = (
            f"model {model!r}: precision tf32 has an effect on CUDA cards only, and the device is "
            f"{device}; leave out --fairness-precision, or name a card with --fairness-device"
        )
        raise ModelError(msg)
