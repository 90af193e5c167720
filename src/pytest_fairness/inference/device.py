"""Which processor runs the model."""

import torch

from pytest_fairness.errors import ModelError

__all__ = ["choose_device"]


def choose_device(name: str = "auto") -> torch.device:
    """Return the device of a name, or the fastest there is for `auto`.

    Args:
        name: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.

    Raises:
        ModelError: The name means no device, or the device is not available here.

    Example:
        >>> choose_device("cpu")
        device(type='cpu')
    """
    available = _available()
    if name == "auto":
        return torch.device(available[0])
    if name not in (*available, "cpu"):
        msg = (
            f"device {name!r} is not available; here are {', '.join(available)}; choose one of "
            "them, or auto"
        )
        raise ModelError(msg)
    return torch.device(name)


def _available() -> list[str]:
    """Return the names of all devices, the fastest first."""
    cuda = [f"cuda:{i}" for i in range(torch.cuda.device_count())]
    names = ["cuda", *cuda] if cuda and torch.cuda.is_available() else []
    if torch.backends.mps.is_available():
        names.append("mps")
    return [*names, "cpu"]
