"""What `pytest-fairness init` cannot know or do, with the option that says it."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar

from pytest_fairness.errors import FairnessError

__all__ = ["InitError", "Problems"]

_Given = ParamSpec("_Given")
_Result = TypeVar("_Result")


class InitError(FairnessError):
    """An option is missing, or a file exists already.

    Args:
        *texts: What is missing; several are told as a numbered list.
    """

    def __init__(self, *texts: str) -> None:
        self.texts = texts
        message = texts[0]
        if len(texts) > 1:
            lines = (f"{number}. {text}" for number, text in enumerate(texts, 1))
            head = f"{len(texts)} things are missing or wrong; nothing was written:"
            message = "\n".join((head, *lines))
        super().__init__(message)


class Problems:
    """The problems of several steps, collected so that all of them are told in one message."""

    def __init__(self) -> None:
        self._texts: list[str] = []

    def of(
        self, step: Callable[_Given, _Result], /, *args: _Given.args, **keys: _Given.kwargs
    ) -> _Result | None:
        """Return what a step gives, or None where it has a problem.

        Args:
            step: A function that may raise `InitError`.
            *args: What it is called with.
            **keys: Further arguments.
        """
        try:
            return step(*args, **keys)
        except InitError as error:
            self._texts += error.texts
            return None

    def check(self) -> None:
        """Raise all problems as one, if there are any.

        Raises:
            InitError: There is a problem.
        """
        if self._texts:
            raise InitError(*dict.fromkeys(self._texts))
