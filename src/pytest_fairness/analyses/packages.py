"""Packages that come with the extra `analyses` only."""

import warnings
from importlib import import_module
from typing import Any

from pytest_fairness.errors import FairnessError

__all__ = ["from_extra"]


def from_extra(module: str, package: str, *, purpose: str) -> Any:
    """Import a module of an optional package.

    Args:
        module: Name to import.
        package: Name on the package index.
        purpose: What needs it, for the error.

    Raises:
        FairnessError: The package is not installed; the message says how to get it.
    """
    try:
        with warnings.catch_warnings():
            # umap warns at import that it cannot find TensorFlow, which nothing here uses.
            warnings.simplefilter("ignore", ImportWarning)
            return import_module(module)
    except ModuleNotFoundError as problem:
        msg = (
            f"{purpose} needs the package {package} ({problem}); install it with "
            "pip install 'pytest-fairness[analyses]'"
        )
        raise FairnessError(msg) from problem
