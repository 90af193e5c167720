"""Keys of a policy whose value is a name that a package declares."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from pytest_fairness.doors.kinds import kind_named, kind_names
from pytest_fairness.doors.registry import built_in_names, declared

__all__ = ["KIND", "READER", "UNDECLARED"]

UNDECLARED = "undeclared"
"""Type of the problem that pydantic reports for a name that nobody declares."""


def _declared_name(
    what: str, find: Callable[[str], object], built_in: Iterable[str]
) -> tuple[Any, ...]:
    """Return the metadata of `Annotated[str, *...]` for a name that must be declared.

    Editors complete the names of this package, and accept those of other packages.
    """

    def check(name: str) -> str:
        try:
            find(name)
        except KeyError as error:
            text = {"what": what, "name": error.args[0]}
            raise PydanticCustomError(UNDECLARED, "unknown {what} {name}", text) from error
        return name

    suggested = {"anyOf": [{"enum": list(built_in)}, {"type": "string"}]}
    return AfterValidator(check), WithJsonSchema(suggested)


READER = _declared_name("reader", partial(declared, "readers"), built_in_names("readers"))
KIND = _declared_name("kind of model", kind_named, kind_names(built_in_only=True))
