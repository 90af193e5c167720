"""How an evaluation set is read: its reader, its derived columns, its broken images."""

from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pytest_fairness.policy.derive import Derivation, problem_with

if TYPE_CHECKING:
    from pytest_fairness.policy.tables.tables import EvaluationTable

__all__ = ["ReadingProblem", "problem_with_reading", "reading_of"]


# What the data call the level of missing values.
_MISSING = "(missing)"


class ReadingProblem(NamedTuple):
    """A problem with the keys that say how an evaluation is read."""

    path: tuple[str, ...]
    message: str


def problem_with_reading(table: "EvaluationTable") -> ReadingProblem | None:
    """Return the first problem of an evaluation table, or None when it can be read."""
    for column, derived in table.derive.items():
        if message := problem_with(derived.model_dump()):
            return ReadingProblem(("derive", column), f"derive.{column}: {message}")
        levels = Derivation.of(column, derived.model_dump()).levels
        for level in table.attributes.get(column, ()):
            if level not in (*levels, _MISSING):
                message = (
                    f"attributes.{column} declares {level!r}, which derive.{column} never gives; "
                    f"it gives {', '.join(map(repr, levels))}"
                )
                return ReadingProblem(("attributes", column), message)
    return _problem_with_source(table) or _problem_with_errors(table)


def _problem_with_source(table: "EvaluationTable") -> ReadingProblem | None:
    if table.reader == "manifest":
        for key in ("root", "split"):
            if getattr(table, key):
                return ReadingProblem(
                    (key,),
                    f'{key} is for a reader of data sets; write reader = "...", or keep the rows '
                    "of the manifest that `where` names",
                )
        return None
    if table.manifest is not None:
        return ReadingProblem(
            ("reader",), f"reader {table.reader!r} reads root, not a manifest: keep one of the two"
        )
    if table.root is None:
        return ReadingProblem(("reader",), f"reader {table.reader!r} needs root, its folder")
    return None


def _problem_with_errors(table: "EvaluationTable") -> ReadingProblem | None:
    if table.on_error == "count" and table.max_errors is None:
        return ReadingProblem(
            ("on_error",),
            'on_error = "count" needs max_errors, the share of images that may be unreadable, '
            "such as 0.01",
        )
    if table.on_error == "fail" and table.max_errors is not None:
        return ReadingProblem(("max_errors",), 'max_errors needs on_error = "count"')
    return None


def reading_of(table: "EvaluationTable") -> dict[str, Any]:
    """Return the fields of an `Evaluation` that say how it is read."""
    return {
        "manifest": Path(table.manifest) if table.manifest else None,
        "root": Path(table.root) if table.root else None,
        "derive": {
            column: Derivation.of(column, derived.model_dump())
            for column, derived in table.derive.items()
        },
        "max_errors": table.max_errors or 0.0,
        "max_unpredicted": table.max_unpredicted or 0.0,
    }
