"""One difference between two policies, and whether it tightens or loosens the gate."""

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from pytest_fairness.policy.tables.tables import DecisionTable, RuleTable, defaults_of
from pytest_fairness.policy.text.document import Document, KeyPath
from pytest_fairness.policy.text.toml_text import toml_value

__all__ = ["DEFAULTS", "Change", "Kind", "Pair", "direction", "written"]

Kind: TypeAlias = Literal["tightened", "loosened", "changed", "added", "removed"]

DEFAULTS: dict[str, Any] = defaults_of(DecisionTable) | defaults_of(RuleTable)
"""Values of the keys of `[decision]` and `[[rule]]` that are not written."""
# From loose to tight.
_WORDS = {
    "inconclusive": ("warn", "fail"),
    "decide": ("estimate", "interval"),
    "cache": ("allow", "refuse"),
}
# All but pass_level also turn failures into open questions: `alone` keeps those.
_LARGER_IS_TIGHTER = ("level", "min_samples", "min_share", "looks", "pass_level")


@dataclass(frozen=True, slots=True)
class Change:
    """A difference in words, with the line on either side.

    Args:
        kind: `changed` where it is neither tighter nor looser for sure.
        subject: What it is about: `rule 'fpr-gap'`.
        before: Key and value; empty where there was none.
        after: The same on the other side.
        where_before: File and line.
        where_after: File and line.
        why: What makes it so, where the values alone do not show it.
    """

    kind: Kind
    subject: str
    before: str
    after: str
    where_before: str
    where_after: str
    why: str = ""

    @property
    def text(self) -> str:
        """The change on one line: `tightened  rule 'gap': max = 0.2 -> max = 0.1 (...)`."""
        values = " -> ".join(text for text in (self.before, self.after) if text)
        places = " -> ".join(text for text in (self.where_before, self.where_after) if text)
        what = f"{self.subject}: {values}" if values else self.subject
        why = f"; {self.why}" if self.why else ""
        return f"{self.kind:<9}  {what} ({places}){why}"


@dataclass(frozen=True, slots=True)
class Pair:
    """Two policies that are compared."""

    before: Document
    after: Document

    def changed_key(
        self,
        subject: str,
        paths: tuple[KeyPath, KeyPath],
        was: Any,
        now: Any,
        *,
        default: Any = None,
    ) -> Change | None:
        """Return the change of a key, or None where its value is the same."""
        key = str(paths[1][-1])
        old, new = (default if value is None else value for value in (was, now))
        if old == new:
            return None
        kind = direction(key, old, new)
        texts = [written(key, value, default=default) for value in (was, now)]
        return self.change(kind, subject, paths, (texts[0], texts[1]))

    def change(
        self,
        kind: Kind,
        subject: str,
        paths: tuple[KeyPath, KeyPath],
        texts: tuple[str, str] = ("", ""),
        why: str = "",
    ) -> Change:
        """Return a change with the lines of its keys.

        A side that `added` or `removed` lacks has none.
        """
        before = "" if kind == "added" else self.before.place(paths[0])
        after = "" if kind == "removed" else self.after.place(paths[1])
        return Change(kind, subject, *texts, before, after, why)


def direction(key: str, was: Any, now: Any) -> Kind:
    """Return whether a new value of a key is tighter.

    Args:
        key: Key of `[decision]` or `[[rule]]`.
        was: Its value; None where there was none.
        now: Its new value; None where there is none.

    Example:
        >>> direction("level", 0.95, 0.9)
        'loosened'
    """
    ordered = key in (*_WORDS, *_LARGER_IS_TIGHTER)
    if was is None or now is None or not ordered:
        return "changed" if not ordered else "added" if was is None else "removed"
    rank = _WORDS[key].index if key in _WORDS else _number
    return "tightened" if rank(now) > rank(was) else "loosened"


def _number(value: Any) -> float:
    """Any number of looks is more than each number of them."""
    return math.inf if value == "any" else float(value)


def written(key: str, value: Any, *, default: Any) -> str:
    """Return `max = 0.1`, `level = 0.95 (default)`, or nothing."""
    if value is not None:
        return f"{key} = {toml_value(value)}"
    return "" if default is None else f"{key} = {toml_value(default)} (default)"
