"""What `[waivers]` and `[precision]` cap: how a failure may be waived, how exactly a model computes."""

import datetime as dt
from collections.abc import Iterator

from pytest_fairness.policy.text.document import Document, KeyPath
from pytest_fairness.policy.text.toml_text import toml_value
from pytest_fairness.policy.tightening.change import Change, Kind, Pair, written
from pytest_fairness.wording import allowed_names

__all__ = ["beyond_the_caps", "compare_caps"]

_LISTS = ("allowed_rules", "approvers", "allowed")
_CAPS = {
    "waivers": ("longest_days", "allowed_rules", "approvers"),
    "precision": ("allowed", "max_flips"),
}


def compare_caps(pair: Pair) -> Iterator[Change]:
    """Return what one policy changes in the caps of another: less is tighter."""
    for table in _CAPS:
        yield from _compare(pair, table)


def _compare(pair: Pair, table: str) -> Iterator[Change]:
    old, new = pair.before.table(table), pair.after.table(table)
    for key in _CAPS[table]:
        was, now = old.get(key), new.get(key)
        if was == now or (key in _LISTS and was and now and set(was) == set(now)):
            continue
        looser = now is None or (
            was is not None and (not set(now) <= set(was) if key in _LISTS else now > was)
        )
        texts = written(key, was, default=None) or f"no {key}", written(key, now, default=None)
        path: KeyPath = (table, key)
        kind: Kind = "removed" if now is None else "loosened" if looser else "tightened"
        yield pair.change(kind, f"[{table}]", (path, path), texts)


def beyond_the_caps(document: Document, *, today: dt.date) -> list[str]:
    """Return the waivers that `[waivers]` does not allow, one message each, with both lines.

    Args:
        document: The effective policy, validated.
        today: Day in UTC from which `longest_days` counts.
    """
    caps = document.table("waivers")
    problems = []
    for number, waiver in enumerate(document.tables("waiver")):
        for key, cap in caps.items():
            if problem := _beyond(key, cap, waiver, today):
                name, text = problem
                place = document.place(("waiver", number, name))
                problems.append(
                    f"{place}: waiver of rule {waiver['rule']!r}: {text}: [waivers] {key} = "
                    f"{toml_value(cap)} of {document.place(('waivers', key))}"
                )
    return problems


def _beyond(
    key: str, cap: object, waiver: dict[str, object], today: dt.date
) -> tuple[str, str] | None:
    """The key of a waiver that breaks a cap, and what is wrong with it."""
    if isinstance(cap, int):
        until = waiver["until"]
        day = until if isinstance(until, dt.date) else dt.date.fromisoformat(str(until))
        last = today + dt.timedelta(days=cap)
        return ("until", f"until = {day} is later than {last}") if day > last else None
    name = "rule" if key == "allowed_rules" else "approved_by"
    value = str(waiver[name]).strip()
    allowed = [str(one).strip() for one in cap] if isinstance(cap, list) else []
    if value in allowed:
        return None
    if name == "rule":
        return name, f"rule = {value!r} cannot be waived{allowed_names(value, allowed)}"
    return name, f"approved_by = {value!r} may not approve a waiver{allowed_names(value, allowed)}"
