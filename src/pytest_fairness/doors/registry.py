"""Declarations by name: those of this package, of installed packages and of a `conftest.py`.

A declaration names its code as `"package.module:function"`. The code is imported when it is used,
so looking a name up loads nothing heavy.
"""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Any, ClassVar, Literal, Protocol, TypeAlias

from pytest_fairness.errors import DeclarationError
from pytest_fairness.wording import allowed_names

__all__ = [
    "DOORS",
    "Declaration",
    "Door",
    "built_in_names",
    "declarations",
    "declared",
    "kept_apart",
    "load_object",
    "register",
]

Door: TypeAlias = Literal["metrics", "readers", "models", "analyses", "reports"]
OWN = "pytest-fairness"

# Door -> the module whose `DECLARATIONS` are those of this package, imported at the first look-up.
DOORS: dict[Door, str] = {
    "metrics": "pytest_fairness.statistics.metrics.names",
    "readers": "pytest_fairness.doors.built_in",
    "models": "pytest_fairness.doors.built_in",
    "analyses": "pytest_fairness.doors.built_in",
    "reports": "pytest_fairness.doors.built_in",
}


class Declaration(Protocol):
    """What a package declares: a frozen value with a name."""

    door: ClassVar[Door]

    @property
    def name(self) -> str:
        """Name by which a policy or a command line asks for it."""


@dataclass(slots=True)
class _Shelf:
    """The declarations of one door, each with the package that made it."""

    door: Door
    found: dict[str, Any] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, EntryPoint] | None = None
    """Entry points that are not loaded yet; None before they were listed."""

    def add(self, declaration: Any, source: str) -> None:
        name = declaration.name
        if self.found.get(name) == declaration and self.source[name] == source:
            return
        self.refuse_twin(name, source)
        self.found[name], self.source[name] = declaration, source

    def refuse_twin(self, name: str, source: str) -> None:
        if name in self.source:
            msg = (
                f"{source} and {self.source[name]} both declare {name!r} ({self.door}); rename one "
                "of the two, or uninstall a package"
            )
            raise DeclarationError(msg)

    def list_entry_points(self) -> dict[str, EntryPoint]:
        """Return the entry points of installed packages; none of them is imported."""
        if self.waiting is None:
            waiting: dict[str, EntryPoint] = {}
            for one in entry_points(group=f"pytest_fairness.{self.door}"):
                if one.name in waiting and waiting[one.name] != one:
                    self.source[one.name] = _package(waiting[one.name])
                self.refuse_twin(one.name, _package(one))
                waiting[one.name] = one
            self.waiting = waiting
        return self.waiting

    def load(self, name: str) -> None:
        """Import the declaration of an entry point, which must have the name of the entry point."""
        point = self.list_entry_points()[name]
        try:
            declaration = point.load()
        except Exception as error:
            msg = f"{_package(point)}: cannot load {point.value} ({type(error).__name__}: {error})"
            raise DeclarationError(msg) from error
        if getattr(declaration, "door", None) != self.door or declaration.name != name:
            got = f"{type(declaration).__name__} {getattr(declaration, 'name', '')!r}"
            msg = (
                f"{_package(point)}: the entry point {name!r} of group pytest_fairness.{self.door} "
                f"must be a declaration of that door with the name {name!r}, got {got}"
            )
            raise DeclarationError(msg)
        del self.list_entry_points()[name]
        self.add(declaration, _package(point))


_SHELVES: dict[Door, _Shelf] = {}


def register(declaration: Declaration, *, source: str | None = None) -> None:
    """Declare a metric, a reader, a kind of model, an analysis or a report.

    Args:
        declaration: What is declared.
        source: Who declares it, for messages; the calling module when absent.

    Raises:
        DeclarationError: It is no declaration, or another package has declared the name.

    Example:
        >>> from pytest_fairness.doors.declarations import Report
        >>> with kept_apart():
        ...     register(Report("lines", "my_package.lines:render", ".txt"))
        ...     declared("reports", "lines").render
        'my_package.lines:render'
    """
    door = getattr(declaration, "door", None)
    if door not in DOORS:
        msg = (
            f"register() takes a declaration (Rate, SampleMean, Reader, ModelKind, Analysis, "
            f"Report), got {type(declaration).__name__}"
        )
        raise DeclarationError(msg)
    caller = source or sys._getframe(1).f_globals.get("__name__", "?")  # noqa: SLF001
    _shelf(door).add(declaration, caller)


def declared(door: Door, name: str) -> Any:
    """Return the declaration of a name.

    Raises:
        KeyError: Nobody declares the name; the message lists what is declared.
        DeclarationError: Two packages declare it, or the package that does cannot be loaded.
    """
    shelf = _shelf(door)
    points = shelf.list_entry_points()
    if name not in shelf.found and name in points:
        shelf.load(name)
    if name not in shelf.found:
        raise KeyError(f"{name!r}{allowed_names(name, names(door))}")  # noqa: EM102
    return shelf.found[name]


def names(door: Door) -> tuple[str, ...]:
    """Return the names of all declarations of a door; packages are listed, not imported."""
    shelf = _shelf(door)
    return tuple(dict.fromkeys([*shelf.found, *shelf.list_entry_points()]))


def declarations(door: Door) -> tuple[Any, ...]:
    """Return all declarations of a door; those of installed packages are imported."""
    return tuple(declared(door, name) for name in names(door))


@cache
def built_in_names(door: Door) -> tuple[str, ...]:
    """Return the names that this package declares itself."""
    return tuple(one.name for one in _built_in(door))


def _built_in(door: Door) -> Iterable[Any]:
    return [one for one in import_module(DOORS[door]).DECLARATIONS if one.door == door]


def _shelf(door: Door) -> _Shelf:
    if door not in _SHELVES:
        shelf = _Shelf(door)
        for declaration in _built_in(door):
            shelf.add(declaration, OWN)
        _SHELVES[door] = shelf
    return _SHELVES[door]


@contextmanager
def kept_apart() -> Iterator[None]:
    """Forget at the end what is registered within: a session leaves nothing to the next one."""
    before = {
        door: _Shelf(door, dict(shelf.found), dict(shelf.source), shelf.waiting)
        for door, shelf in _SHELVES.items()
    }
    try:
        yield
    finally:
        _SHELVES.clear()
        _SHELVES.update(before)


def load_object(reference: str) -> Any:
    """Return what a reference such as `"package.module:function"` names.

    Raises:
        DeclarationError: The module cannot be imported, or has no such name.

    Example:
        >>> load_object("math:sqrt")(9.0)
        3.0
    """
    module, _, name = reference.partition(":")
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        msg = f"{reference}: cannot be imported ({error}); write it as package.module:name"
        raise DeclarationError(msg) from error
    return found


def _package(point: EntryPoint) -> str:
    return point.value.partition(":")[0] if point.dist is None else point.dist.name
