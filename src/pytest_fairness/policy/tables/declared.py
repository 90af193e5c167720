"""Keys of a policy whose value is a name that a package declares."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from pytest_fairness.doors.kinds import kind_named, kind_names
from pytest_fairness.doors.metrics import built_in_metric_names, metric_named
from pytest_fairness.doors.registry import built_in_names, declared
from pytest_fairness.errors import UnknownNameError

__all__ = ["KIND", "METRIC", "READER", "UNDECLARED"]

UNDECLARED = "undeclared"
"""Type of the problem that pydantic reports for a name that nobody declares."""


def _declared_name(find: Callable[[str], object], built_in: Iterable[str]) -> tuple[Any, ...]:
    """Return the metadata of `Annotated[str, *...]` for a name that must be declared.

    Editors complete the names of this package, and accept those of other packages.
    """

    def check(name: str) -> str:
        try:
            find(name)
        except UnknownNameError as error:
            raise PydanticCustomError(UNDECLARED, "{text}", {"text": str(error)}) from error
        return name

    suggested = {"anyOf": [{"enum": list(built_in)}, {"type": "string"}]}
    return AfterValidator(check), WithJsonSchema(suggested)


READER = _declared_name(partial(declared, "readers"), built_in_names("readers"))
METRIC = _declared_name(metric_named, built_in_metric_names())
KIND = _declared_name(kind_named, kind_names(built_in_only=True))
