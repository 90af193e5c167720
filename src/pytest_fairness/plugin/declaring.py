"""What packages and conftest files declare, as pytest needs it: the hook and the markers."""

from contextlib import ExitStack

import pytest

from pytest_fairness.errors import DeclarationError

__all__ = ["add_markers", "let_declare", "markers_for_help"]


def let_declare(config: pytest.Config) -> None:
    """Call `pytest_fairness_declare`; what is declared is forgotten when pytest unconfigures.

    Raises:
        DeclarationError: A name is taken, or what is declared is no declaration.
    """
    hook = config.hook.pytest_fairness_declare
    if not hook.get_hookimpls():
        return
    from pytest_fairness.doors.registry import kept_apart, register

    stack = ExitStack()
    stack.enter_context(kept_apart())
    config.add_cleanup(stack.close)
    hook(register=register)


def add_markers(config: pytest.Config) -> None:
    """Register a marker for each analysis; those of installed packages are not imported.

    Raises:
        DeclarationError: Two packages declare the same analysis.
    """
    from pytest_fairness.doors.registry import built_in, names

    about = {analysis.name: analysis.about for analysis in built_in("analyses")}
    for name in names("analyses"):
        what = about.get(name, "what an installed package measures")
        config.addinivalue_line("markers", f"{name}: questions about {what}.")


def markers_for_help(config: pytest.Config) -> None:
    """Register the markers for `pytest --markers`, which starts no session."""
    if getattr(config.option, "markers", False):
        try:
            add_markers(config)
        except DeclarationError as error:
            raise pytest.UsageError(str(error)) from error
