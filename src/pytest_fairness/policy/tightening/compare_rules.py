"""What one policy changes in the rules of another."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from operator import itemgetter
from typing import Any

from pytest_fairness.policy.records import Limit
from pytest_fairness.policy.rules.means import COLUMN_KEYS
from pytest_fairness.policy.rules.resolve import RuleProblem, limit_of
from pytest_fairness.policy.tables.tables import RuleTable
from pytest_fairness.policy.text.document import LIMIT_KEYS, Document, KeyPath
from pytest_fairness.policy.text.toml_text import toml_value
from pytest_fairness.policy.tightening.change import DEFAULTS, Change, Kind, Pair

__all__ = ["compare_rules", "has_limit"]

_Values = dict[str, Any]
# 0.8 * 1.25 is 1, whatever the last digit of their product.
_ROUNDING = 1e-9
# Compared by what they mean, not by how they are written.
_BY_MEANING = {*LIMIT_KEYS, "by", "evaluations", "reference", "decide", "of"}


def compare_rules(pair: Pair) -> Iterator[Change]:
    """Return the rules that were added, removed or changed, matched by id."""
    before, after = _numbered(pair.before), _numbered(pair.after)
    for name, (index, rule) in before.items():
        if name in after:
            yield from _Rule(pair, name, (index, rule), after[name]).changes()
        else:
            yield pair.change("removed", f"rule {name!r}", (("rule", index), ()))
    for name, (index, rule) in after.items():
        if name not in before:
            yield pair.change("added", f"rule {name!r}", ((), ("rule", index)))
            yield from _too_heavy(pair, list(before.values()), name, (index, rule))


def _numbered(document: Document) -> dict[str, tuple[int, _Values]]:
    return {str(rule.get("id")): (i, rule) for i, rule in enumerate(document.tables("rule"))}


def _too_heavy(
    pair: Pair, before: list[tuple[int, _Values]], name: str, added: tuple[int, _Values]
) -> Iterator[Change]:
    """A new rule may cost the others what any more question does, and no more."""
    index, weight = added[0], _weight(added[1])
    place, lightest = min(
        ((i, _weight(rule)) for i, rule in before), key=itemgetter(1), default=(0, weight)
    )
    if weight > lightest:
        texts = f"weight = {lightest:g}", f"weight = {weight:g}"
        why = "a heavier question would take the error from those that are inherited"
        paths = ("rule", place, "weight"), ("rule", index, "weight")
        yield pair.change("loosened", f"rule {name!r}", paths, texts, why)


def _weight(rule: Mapping[str, Any]) -> float:
    return float(rule.get("weight", DEFAULTS["weight"]))


class _Rule:
    """One rule before and after."""

    def __init__(
        self, pair: Pair, name: str, before: tuple[int, _Values], after: tuple[int, _Values]
    ) -> None:
        self.pair = pair
        self.subject = f"rule {name!r}"
        (self.old_index, self.old), (self.new_index, self.new) = before, after

    def changes(self) -> Iterator[Change]:
        found = [self.key(key) for key in sorted({*self.old, *self.new} - _BY_MEANING)]
        if self.old.get("metric") == self.new.get("metric"):
            found.append(self.limit())
        found += [self.decide(), self.reference(), self.by(), self.of(), self.evaluations()]
        yield from (change for change in found if change is not None)

    def paths(self, key: str, old_key: str | None = None) -> tuple[KeyPath, KeyPath]:
        return ("rule", self.old_index, old_key or key), ("rule", self.new_index, key)

    def key(self, key: str) -> Change | None:
        default = DEFAULTS.get(key)
        was, now = self.old.get(key), self.new.get(key)
        change = self.pair.changed_key(self.subject, self.paths(key), was, now, default=default)
        if change is None or key != "min_share" or self.old.get("reference") != "best":
            return change
        why = "groups below min_share are never the best, so another group could become the best"
        return replace(change, kind="changed", why=why)

    def decide(self) -> Change | None:
        was, now = (
            rule.get("decide", document.table("decision").get("decide"))
            for rule, document in ((self.old, self.pair.before), (self.new, self.pair.after))
        )
        if "decide" not in self.old and "decide" not in self.new:
            return None  # told once, of [decision]
        return self.pair.changed_key(
            self.subject, self.paths("decide"), was, now, default=DEFAULTS["decide"]
        )

    def limit(self) -> Change | None:
        (old_key, was), (new_key, now) = _limit(self.old), _limit(self.new)
        if was == now:
            return None
        kind: Kind = "added" if was is None else "removed"
        if was is not None and now is not None:
            kept = now.low >= was.low and now.high <= was.high
            kind = "tightened" if kept else "loosened"
        texts = _text(self.old, old_key), _text(self.new, new_key)
        return self.pair.change(kind, self.subject, self.paths(new_key, old_key), texts)

    def reference(self) -> Change | None:
        was, now = (_as_text(rule.get("reference")) for rule in (self.old, self.new))
        if was == now:
            return None
        texts = tuple(
            f"reference = {toml_value(value)}"
            if value is not None
            else "the evaluation's reference"
            for value in (was, now)
        )
        kind: Kind = "tightened" if now == "all" and self.covers_all() else "changed"
        return self.pair.change(kind, self.subject, self.paths("reference"), (texts[0], texts[1]))

    def covers_all(self) -> bool:
        """Whether the limit of the extreme groups holds the limit between any two of them.

        A gap between all groups has no sign, and their ratio is that of the smallest to the largest.
        """
        (_, was), (_, now) = _limit(self.old), _limit(self.new)
        if was is None or now is None:
            return False
        if not str(self.new.get("metric")).endswith("_ratio"):
            return -now.high >= was.low and now.high <= was.high
        return now.low >= was.low and now.low * was.high >= 1 - _ROUNDING

    def by(self) -> Change | None:
        was = self.groupings(self.old, self.pair.before)
        now = self.groupings(self.new, self.pair.after)
        gate = next((one for one in now if one not in was and self.is_gate(one, was)), None)
        if gate is None:
            return self.sets("by", was, now)
        texts = f"by = {toml_value(was)}", f"by = {toml_value(now)}"
        why = f'with correction = "gatekeeping", {gate!r} would stand before what is inherited'
        return self.pair.change("loosened", self.subject, self.paths("by"), texts, why)

    def is_gate(self, by: str, inherited: list[str]) -> bool:
        """Whether inherited intersections could fail only after a question about `by` does."""
        correction = self.pair.after.table("decision").get("correction")
        part = set(by.split("*"))
        return correction == "gatekeeping" and any(part < set(one.split("*")) for one in inherited)

    def of(self) -> Change | None:
        """What an analysis measures; one name may be written without brackets."""
        was, now = (_listed(rule.get("of", [])) for rule in (self.old, self.new))
        change = self.sets("of", was, now)
        # Without names, the rule asks one question about the whole, which names would replace.
        return replace(change, kind="changed") if change is not None and not was else change

    def groupings(self, rule: _Values, document: Document) -> list[str]:
        """What a rule asks by; without `by`, every attribute of its evaluations."""
        if "by" in rule:
            return ["*".join(sorted(map(str.strip, text.split("*")))) for text in rule["by"]]
        names = self.asked_of(rule, document)
        evaluations = document.table("evaluation") or self.pair.after.table("evaluation")
        attributes = [
            name for key in names for name in evaluations.get(key, {}).get("attributes", {})
        ]
        return list(dict.fromkeys(attributes))

    def evaluations(self) -> Change | None:
        was = self.asked_of(self.old, self.pair.before)
        now = self.asked_of(self.new, self.pair.after)
        if "evaluations" not in self.old and "evaluations" not in self.new:
            return None  # told once, of [evaluation]
        return self.sets("evaluations", was, now)

    def asked_of(self, rule: _Values, document: Document) -> list[str]:
        known = document.table("evaluation") or self.pair.after.table("evaluation")
        return list(rule.get("evaluations", known))

    def sets(self, key: str, was: list[str], now: list[str]) -> Change | None:
        if set(was) == set(now) or (key not in self.old and key not in self.new):
            return None
        kind: Kind = "tightened" if set(was) <= set(now) else "loosened"
        texts = f"{key} = {toml_value(was)}", f"{key} = {toml_value(now)}"
        return self.pair.change(kind, self.subject, self.paths(key), texts)


def _limit(rule: Mapping[str, Any]) -> tuple[str, Limit | None]:
    """The key of a limit and what it means; None where it is absent or not valid."""
    key = next((name for name in LIMIT_KEYS if name in rule), "metric")
    keys = ("metric", "against", *COLUMN_KEYS, *LIMIT_KEYS)
    known = {name: rule[name] for name in keys if name in rule}
    try:
        return key, limit_of(RuleTable.model_validate(known))
    except RuleProblem:
        return key, None


def has_limit(rule: Mapping[str, Any]) -> bool:
    """Return whether a rule has a valid limit, so that it can be judged as it stands."""
    return _limit(rule)[1] is not None


def _text(rule: Mapping[str, Any], key: str) -> str:
    return f"{key} = {toml_value(rule[key])}" if key in LIMIT_KEYS else ""


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _as_text(reference: Any) -> Any:
    """Levels by their text: TOML's `1` and `"1"` are the same level."""
    if isinstance(reference, Mapping):
        return {name: str(level) for name, level in reference.items()}
    return reference
