"""Hooks that this plugin calls: a conftest or another plugin implements them."""

from typing import TYPE_CHECKING, Protocol

import pytest

if TYPE_CHECKING:
    from pytest_fairness.doors.registry import Declaration

__all__ = ["Register", "pytest_fairness_declare"]


class Register(Protocol):
    """Declares what it is called with, until the session ends."""

    def __call__(self, declaration: "Declaration") -> None:
        """Declare a metric, a reader, a kind of model, an analysis or a report."""


@pytest.hookspec
def pytest_fairness_declare(register: Register) -> None:
    """Declare metrics, readers, kinds of models, analyses and reports of a project.

    Called once when a session starts, before the policy is checked, and on the workers of xdist
    too. What is declared is forgotten when the session ends. Implement it in the `conftest.py` of
    the root folder or in a plugin: pytest reads the conftest files of subfolders later.

    Args:
        register: Call it with each declaration.
    """
