"""What a policy raised over those that it extends must not hide: a failure stays a failure.

A higher `level`, `min_samples` or `min_share`, and `interval` instead of `estimate`, leave more
questions open. Where an open question only warns, that would let a failure through. So the values
that were inherited are kept beside the raised ones, and what fails by them still fails.
"""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from typing import Any

from pytest_fairness.policy.text.document import Document, KeyPath
from pytest_fairness.policy.tightening.change import DEFAULTS, OPENS_QUESTIONS, direction, written

__all__ = ["floor_of"]


def floor_of(layers: Sequence[Document]) -> tuple[Document, dict[str, str]] | None:
    """Return a policy with the inherited values, and what was raised, or None where nothing was.

    Args:
        layers: The effective policy of each file, the one that extends nothing first; the last one
            is the policy that was asked for.

    Returns:
        The document, and rule id -> the inherited values in words, for the inherited rules alone.
    """
    *parents, asked = layers
    if asked.table("decision").get("inconclusive") != "warn":
        return None
    floor = Document(asked.name, deepcopy(asked.raw), dict(asked.origins), inherits=asked.inherits)
    shared = list(_lower(floor.raw.get("decision", {}), _decisions(parents)))
    raised: dict[str, str] = {}
    for rule in floor.tables("rule"):
        inherited = _rules(parents, str(rule.get("id")))
        own = [*shared, *_lower(rule, inherited)] if inherited else []
        if own:
            raised[str(rule["id"])] = ", ".join(own)
    return (floor, raised) if raised else None


_Table = tuple[Document, KeyPath, dict[str, Any]]


def _decisions(parents: Sequence[Document]) -> list[_Table]:
    return [(parent, ("decision",), parent.table("decision")) for parent in parents]


def _rules(parents: Sequence[Document], name: str) -> list[_Table]:
    return [
        (parent, ("rule", number), rule)
        for parent in parents
        for number, rule in enumerate(parent.tables("rule"))
        if rule.get("id") == name
    ]


def _lower(table: dict[str, Any], inherited: Sequence[_Table]) -> Iterator[str]:
    """Put the lowest inherited value in place of each that was raised, and say so."""
    for key in OPENS_QUESTIONS:
        for document, path, values in inherited:
            was, place = values.get(key), (*path, key)
            if key == "decide" and path[0] == "rule":
                if key not in table:
                    continue  # that of [decision], which is lowered too
                if was is None:
                    was, place = document.table("decision").get(key), ("decision", key)
            default = DEFAULTS[key]
            lower = default if was is None else was
            if direction(key, lower, table.get(key, default)) == "tightened":
                table[key] = lower
                yield f"{written(key, was, default=default)} of {document.place(place)}"
