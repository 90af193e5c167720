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

from pytest_fairness.errors import DeclarationError, UnknownNameError
from pytest_fairness.wording import allowed_names

__all__ = [
    "DOORS",
    "Declaration",
    "Door",
    "at_hand",
    "broken",
    "built_in",
    "built_in_names",
    "declarations",
    "declared",
    "kept_apart",
    "load_object",
    "names",
    "register",
    "source_of",
    "state",
    "touch",
    "unknown_name",
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


_WORDS: dict[Door, str] = {
    "metrics": "metric",
    "readers": "reader",
    "models": "kind of model",
    "analyses": "analysis",
    "reports": "report",
}


class Declaration(Protocol):
    """A declaration of a package: a frozen value with a name."""

    door: ClassVar[Door]

    @property
    def name(self) -> str:
        """The name of the declaration in a policy or on a command line."""


@dataclass(slots=True)
class _Shelf:
    """The declarations of one door, each with the package that made it."""

    door: Door
    by_name: dict[str, Any] = field(default_factory=dict)
    source: dict[str, str] = field(default_factory=dict)
    points: dict[str, EntryPoint] | None = None
    """Entry points of installed packages, imported or not; None before they were listed."""

    def add(self, declaration: Any, source: str) -> None:
        name = declaration.name
        if self.by_name.get(name) == declaration and self.source[name] == source:
            return
        other = self.source.get(name)
        if other is None and name in (self.points or {}):
            other = _package((self.points or {})[name])
        if other is not None:
            raise self.clash(name, other, source)
        self.by_name[name], self.source[name] = declaration, source
        touch()

    def entry_points(self) -> dict[str, EntryPoint]:
        """Return the entry points of installed packages; none of them is imported."""
        if self.points is None:
            points: dict[str, EntryPoint] = {}
            for point in entry_points(group=f"pytest_fairness.{self.door}"):
                name, package = point.name, _package(point)
                other = _package(points[name]) if name in points else self.source.get(name)
                if other is not None and other != package:
                    raise self.clash(name, other, package)
                points[name] = point
            self.points = points
        return self.points

    def clash(self, name: str, first: str, second: str) -> DeclarationError:
        msg = (
            f"{' and '.join(sorted((first, second)))} both declare {name!r} "
            f"(pytest_fairness.{self.door}); rename one of the two, or uninstall a package"
            if first != second
            else f"{first} declares {name!r} twice (pytest_fairness.{self.door}); rename one"
        )
        return DeclarationError(msg)

    def get(self, name: str) -> Any:
        """Return the declaration of a name, imported now where an entry point names it."""
        points = self.entry_points()
        if name not in self.by_name and name in points:
            self.by_name[name] = self.load(points[name])
            self.source[name] = _package(points[name])
        return self.by_name[name]

    def load(self, point: EntryPoint) -> Any:
        """Import the declaration of an entry point, which must have the name of the entry point."""
        where = f"{_package(point)}: the entry point {point.name!r} of pytest_fairness.{self.door}"
        try:
            declaration = point.load()
        except Exception as error:
            msg = f"{where} cannot load {point.value} ({type(error).__name__}: {error})"
            raise DeclarationError(msg) from error
        if _door_of(declaration) != self.door or declaration.name != point.name:
            name = getattr(declaration, "name", None)
            named = f" with the name {name!r}" if isinstance(name, str) else ""
            msg = (
                f"{where} must be a declaration of this door with the name {point.name!r}, got "
                f"{type(declaration).__name__}{named} ({point.value})"
            )
            raise DeclarationError(msg)
        return declaration


_SHELVES: dict[Door, _Shelf] = {}
_STATE = [0]


def state() -> int:
    """Return a number that changes when something is registered or forgotten."""
    return _STATE[0]


def touch() -> None:
    """Mark everything that was made of the declarations so far as out of date."""
    _STATE[0] += 1


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
    door = _door_of(declaration)
    if door is None:
        msg = (
            "register() takes a declaration (Rate, SampleMean, Reader, ModelKind, Analysis, "
            f"Report), got {getattr(declaration, '__name__', type(declaration).__name__)}"
        )
        raise DeclarationError(msg)
    caller = source or sys._getframe(1).f_globals.get("__name__", "?")  # noqa: SLF001
    _shelf(door).add(declaration, caller)


def declared(door: Door, name: str) -> Any:
    """Return the declaration of a name.

    Raises:
        UnknownNameError: Nobody declares the name; the message lists what is declared.
        DeclarationError: Two packages declare it, or the package that does cannot be loaded.
    """
    if name not in names(door):
        raise unknown_name(door, name, names(door))
    return _shelf(door).get(name)


def unknown_name(door: Door, name: str, allowed: Iterable[str]) -> UnknownNameError:
    """Return the error about a name that nobody declares: the nearest spelling, and all names."""
    return UnknownNameError(f"unknown {_WORDS[door]} {name!r}{allowed_names(name, allowed)}")


def source_of(door: Door, name: str) -> str:
    """Return the package that declares a name, imported or not."""
    if name not in names(door):
        raise unknown_name(door, name, names(door))
    shelf = _shelf(door)
    return shelf.source.get(name) or _package(shelf.entry_points()[name])


def names(door: Door) -> tuple[str, ...]:
    """Return the names of all declarations of a door. Packages are listed, not imported.

    Raises:
        DeclarationError: Two packages declare the same name.
    """
    shelf = _shelf(door)
    return tuple(dict.fromkeys([*shelf.by_name, *shelf.entry_points()]))


def at_hand(door: Door) -> tuple[Any, ...]:
    """Return the declarations of a door that need no import: built in, registered or imported."""
    return tuple(_shelf(door).by_name.values())


def declarations(door: Door) -> tuple[Any, ...]:
    """Return all declarations of a door that can be imported. `broken` says what cannot.

    Raises:
        DeclarationError: Two packages declare the same name.
    """
    return _imported(door)[0]


def broken(door: Door) -> tuple[str, ...]:
    """Return why declarations of installed packages cannot be imported, one sentence each."""
    return _imported(door)[1]


def _imported(door: Door) -> tuple[tuple[Any, ...], tuple[str, ...]]:
    whole, problems = [], []
    for name in names(door):
        try:
            whole.append(declared(door, name))
        except DeclarationError as error:
            problems.append(str(error))
    return tuple(whole), tuple(problems)


@cache
def built_in(door: Door) -> tuple[Any, ...]:
    """Return the declarations of this package itself."""
    everything = import_module(DOORS[door]).DECLARATIONS
    return tuple(declaration for declaration in everything if declaration.door == door)


def built_in_names(door: Door) -> tuple[str, ...]:
    """Return the names that this package declares itself."""
    return tuple(declaration.name for declaration in built_in(door))


def _shelf(door: Door) -> _Shelf:
    if door not in _SHELVES:
        shelf = _Shelf(door)
        for declaration in built_in(door):
            shelf.add(declaration, OWN)
        _SHELVES[door] = shelf
    return _SHELVES[door]


@contextmanager
def kept_apart() -> Iterator[None]:
    """Forget at the end what is registered within: a session leaves nothing to the next one."""
    before = {
        door: _Shelf(door, dict(shelf.by_name), dict(shelf.source), shelf.points)
        for door, shelf in _SHELVES.items()
    }
    try:
        yield
    finally:
        _SHELVES.clear()
        _SHELVES.update(before)
        touch()


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
        target: Any = import_module(module)
        for part in name.split("."):
            target = getattr(target, part)
    except (ImportError, AttributeError, ValueError) as error:
        msg = f"{reference}: cannot be imported ({error}); write it as package.module:name"
        raise DeclarationError(msg) from error
    return target


def _door_of(declaration: Any) -> Door | None:
    """Return the door that a declaration goes through; None for everything else."""
    door = None if isinstance(declaration, type) else getattr(declaration, "door", None)
    named = isinstance(getattr(declaration, "name", None), str)
    return door if named and isinstance(door, str) and door in DOORS else None


def _package(point: EntryPoint) -> str:
    return point.value.partition(":")[0] if point.dist is None else point.dist.name
