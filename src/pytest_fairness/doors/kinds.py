"""Kinds of models: their names in a policy, and the endings of files that tell them."""

from pytest_fairness.doors.declarations import ModelKind
from pytest_fairness.doors.registry import built_in, declarations, declared, names, unknown_name
from pytest_fairness.errors import DeclarationError

__all__ = ["kind_named", "kind_names", "kind_of_ending"]


def kind_names(*, built_in_only: bool = False) -> tuple[str, ...]:
    """Return the kinds that a policy can name. Packages are listed, not imported."""
    own = {kind.name: kind for kind in built_in("models")}
    listed = own if built_in_only else names("models")
    return tuple(name for name in listed if name not in own or not own[name].by_ending_only)


def kind_named(name: str) -> ModelKind:
    """Return the kind that a policy names.

    Raises:
        UnknownNameError: There is none; the message lists the kinds.
        DeclarationError: The package that declares it cannot be loaded.
    """
    allowed = kind_names()
    if name not in allowed:
        raise unknown_name("models", name, allowed)  # noqa: EM101  (a door, no message)
    kind: ModelKind = declared("models", name)
    return kind


def kind_of_ending(ending: str) -> ModelKind | None:
    """Return the kind that owns an ending such as `.onnx`, or None where no kind does.

    Kinds of packages that cannot be imported own none.

    Raises:
        DeclarationError: Two kinds own it.

    Example:
        >>> kind_of_ending(".onnx").name
        'onnx'
    """
    owners = [kind for kind in declarations("models") if ending.lower() in kind.endings]
    if len(owners) > 1:
        both = " and ".join(repr(kind.name) for kind in owners)
        msg = f"the kinds {both} both own the ending {ending!r}; write kind = one of them"
        raise DeclarationError(msg)
    return next(iter(owners), None)
