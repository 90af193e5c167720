"""From the `[[rule]]` tables to rules that can be judged: defaults, limits, references."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NoReturn

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.policy.records import OVERALL, Decide, Evaluation, Limit, Rule
from pytest_fairness.policy.rules.counterfactual import check_counterfactual_rule
from pytest_fairness.policy.rules.means import check_columns, metric_of_column
from pytest_fairness.policy.rules.observed import check_observed_rule
from pytest_fairness.policy.rules.positive import check_positive
from pytest_fairness.policy.rules.regression import baseline_limit, check_baseline_rule
from pytest_fairness.policy.rules.undefined import check_defined
from pytest_fairness.policy.tables.tables import RuleTable
from pytest_fairness.policy.text.toml_text import toml_header
from pytest_fairness.wording import allowed_names

__all__ = ["RuleProblem", "limit_of", "resolve_rules"]

Path = tuple[str | int, ...]


class RuleProblem(Exception):  # noqa: N818  (becomes a PolicyError once its line is known)
    """A rule that cannot be judged, and the key to blame."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path
        self.message = message


def resolve_rules(
    tables: Sequence[RuleTable],
    evaluations: Mapping[str, Evaluation],
    *,
    decide: Decide,
    where: Callable[[Path], str],
) -> tuple[Rule, ...]:
    """Return the rules of a policy in their order.

    Raises:
        RuleProblem: A rule has no limit or two, a limit outside its range, or an unknown
            attribute, evaluation or reference.
    """
    return tuple(
        _Resolver(index, table, evaluations).rule(decide, where)
        for index, table in enumerate(tables)
    )


def limit_of(table: RuleTable) -> Limit:
    """Return the limit of a rule, whatever it is asked of.

    Raises:
        RuleProblem: It has no metric, no limit or two, or a limit outside its range.
    """
    return _Resolver(0, table, {}).limit()


class _Resolver:
    """One rule being resolved, with its position for messages."""

    def __init__(self, index: int, table: RuleTable, evaluations: Mapping[str, Evaluation]) -> None:
        if table.metric is None:
            raise RuleProblem(("rule", index), "[[rule]] needs the key 'metric' (or a preset)")
        self.path: Path = ("rule", index)
        self.table = table
        self.id = table.id or table.metric
        self.metric = metric_of_column(table, metric_named(table.metric), fail=self._fail)
        self.evaluations = self._evaluations(evaluations)

    def rule(self, decide: Decide, where: Callable[[Path], str]) -> Rule:
        by = self._by()
        self._check_reference(by)
        check_positive(self.table, self.metric, self.evaluations, fail=self._fail)
        rule = Rule(
            id=self.id,
            metric=self.metric,
            by=by,
            limit=self.limit(),
            decide=self.table.decide or decide,
            against=self.table.against,
            min_samples=self.table.min_samples,
            min_share=self.table.min_share,
            reference=self.table.reference,
            evaluations=tuple(self.evaluations),
            positive=self.table.positive,
            of=(self.table.column,) if self.table.column else self.table.of,
            where=where(self.path),
            weight=self.table.weight,
        )
        self._check_share(rule)
        check_baseline_rule(rule, self.evaluations, fail=self._fail)
        check_counterfactual_rule(rule, self.evaluations, fail=self._fail)
        check_observed_rule(rule, self.evaluations, fail=self._fail)
        check_columns(rule, self.evaluations, fail=self._fail)
        check_defined(rule, self.evaluations, fail=self._fail)
        return rule

    def _fail(self, key: str, message: str) -> NoReturn:
        raise RuleProblem((*self.path, key), f"rule {self.id!r}: {message}")

    def _evaluations(self, evaluations: Mapping[str, Evaluation]) -> Mapping[str, Evaluation]:
        names = self.table.evaluations or list(evaluations)
        for name in names:
            if name not in evaluations:
                missing = f"no {toml_header('evaluation', name)}"
                self._fail("evaluations", missing + allowed_names(name, evaluations))
        return {name: evaluations[name] for name in names}

    def _by(self) -> tuple[tuple[str, ...], ...]:
        if self.table.by is None:
            by: list[tuple[str, ...]] = [(attribute,) for attribute in self._shared_attributes()]
        else:
            by = [_crossed(text) for text in self.table.by]
        for attributes in by:
            self._check_attributes(attributes)
            if not attributes and self.metric.compares:
                self._fail(
                    "by",
                    f"{self.metric.name!r} compares groups, and {OVERALL!r} is all samples "
                    "together; name attributes",
                )
        if len({frozenset(attributes) for attributes in by}) != len(by):
            self._fail("by", f"by = {self.table.by} lists the same groups twice")
        return tuple(by)

    def _shared_attributes(self) -> list[str]:
        """Every attribute, where all evaluations have the same ones: none may go unasked unseen."""
        first, *others = self.evaluations.values()
        for other in others:
            if set(other.attributes) != set(first.attributes):
                self._fail(
                    "metric",
                    f"without by it asks every attribute, but {first.table} has "
                    f"{', '.join(first.attributes)} and {other.table} has "
                    f"{', '.join(other.attributes)}; write by = [...] with attributes of both, or one "
                    "rule for each, with evaluations = [...]",
                )
        return list(first.attributes)

    def _check_attributes(self, attributes: tuple[str, ...]) -> None:
        for evaluation in self.evaluations.values():
            for attribute in attributes:
                if attribute not in evaluation.attributes:
                    allowed = ", ".join(evaluation.attributes)
                    self._fail(
                        "by",
                        f"by names attribute {attribute!r}, which {evaluation.table} "
                        f"does not declare; allowed: {allowed}, and intersections such as 'a*b'",
                    )
        if len(set(attributes)) != len(attributes):
            self._fail("by", f"{'*'.join(attributes)!r} crosses an attribute with itself")

    def _check_reference(self, by: tuple[tuple[str, ...], ...]) -> None:
        reference = self.table.reference
        if reference is None:
            return
        if not self.metric.compares:
            self._fail(
                "reference", f"metric {self.metric.name!r} compares no groups; drop reference"
            )
        if reference == "best" and self.metric.measure.higher_is_better is None:
            self._fail(
                "reference",
                f"no group is the best in {self.metric.measure.short}; name a reference group, or "
                f'write reference = "all"{self._which_end()}',
            )
        if isinstance(reference, str):
            return
        asked = {attribute for attributes in by for attribute in attributes}
        if missing := sorted(asked - set(reference)):
            self._fail(
                "reference",
                f"reference gives no level for {', '.join(missing)}; add it, or split the rule",
            )
        for attribute, level in reference.items():
            for evaluation in self.evaluations.values():
                levels = evaluation.attributes.get(attribute, ())
                if level not in levels:
                    self._fail(
                        "reference",
                        f"reference {attribute} = {level!r} is not declared in "
                        f"{evaluation.table}; allowed: {', '.join(levels) or 'none'}",
                    )

    def _check_share(self, rule: Rule) -> None:
        if not rule.min_share:
            return
        for evaluation in self.evaluations.values():
            for by in rule.by:
                if rule.metric.comparison != "none" and rule.reference_for(by, evaluation) == "all":
                    self._fail(
                        "min_share",
                        "min_share leaves single groups undecided, but all groups are one "
                        'question; write reference = "best" or levels',
                    )

    def limit(self) -> Limit:
        if limit := baseline_limit(self.table, self.metric, fail=self._fail):
            return limit
        low, high = self.metric.allowed_range
        given = {
            key: value
            for key in ("min", "max", "between")
            if (value := getattr(self.table, key)) is not None
        }
        if len(given) != 1:
            got = ", ".join(f"{key} = {value}" for key, value in given.items()) or "none"
            self._fail(
                next(iter(given), "metric"),
                f"one limit is needed, got {got}; write min, max or between = [low, high]",
            )
        ((key, value),) = given.items()
        return self._checked(key, value, low, high)

    def _checked(
        self, key: str, value: float | tuple[float, float], low: float, high: float
    ) -> Limit:
        if key == "max" and self.metric.comparison == "difference":
            low = 0.0
        bounds = value if isinstance(value, tuple) else (value,)
        if not all(low <= bound <= high for bound in bounds) or bounds[0] > bounds[-1]:
            shown = list(value) if isinstance(value, tuple) else value
            order = ", the smaller first" if isinstance(value, tuple) else ""
            self._fail(
                key,
                f"{key} = {shown} must be in [{low:g}, {high:g}]{order}{self._unit()}",
            )
        if isinstance(value, tuple):
            return Limit("between", *value)
        if key == "min":
            return self._minimum(value, high)
        return Limit("max", -value if self.metric.comparison == "difference" else low, value)

    def _which_end(self) -> str:
        if self.table.column is None:
            return ""
        return f", or say which end of {self.table.column!r} is better: higher_is_better = true"

    def _unit(self) -> str:
        """What a limit is measured in, for messages."""
        if self.table.column is not None:
            return f"; it is in the unit of column {self.table.column!r}"
        if math.isinf(self.metric.allowed_range[1]):
            return ""
        return "; rates and differences are shares, so write 0.05 for 5 points"

    def _minimum(self, value: float, high: float) -> Limit:
        if self.metric.comparison == "difference":
            self._fail(
                "min",
                "a difference has a sign, so min alone is ambiguous; write max = X to bound its "
                "absolute value, or between = [low, high] to bound it with its sign",
            )
        return Limit("min", value, high)


def _crossed(text: str) -> tuple[str, ...]:
    """Attributes that a text crosses: `sex*race`; none for `overall`."""
    return () if text.strip() == OVERALL else tuple(part.strip() for part in text.split("*"))
