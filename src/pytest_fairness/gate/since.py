"""All that changed since the baseline, whatever the rules ask: no group gets worse unseen."""

from collections.abc import Iterator

from pytest_fairness.data import MISSING
from pytest_fairness.gate.baseline.comparison import ReleaseComparison
from pytest_fairness.gate.estimates.counted import named
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import rules_by
from pytest_fairness.gate.record.details import BaselineRecord, FlipRow
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.policy import Evaluation, Policy
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics.names import metric_named
from pytest_fairness.wording import counted

__all__ = ["describe_baseline", "rules_gone"]

_ACCURACY = metric_named("accuracy").rate


def describe_baseline(policy: Policy, evidence: Evidence) -> BaselineRecord | None:
    """Return what the record of a run says of its baseline, or None without a baseline.

    Args:
        policy: The policy of the run.
        evidence: The run beside its baseline.
    """
    baseline, comparison, evaluation = evidence.baseline, evidence.comparison, evidence.evaluation
    if baseline is None:
        return None
    by = _all_by(policy, evaluation)
    gone = [] if baseline.record is None else rules_gone(policy, baseline.record)
    if baseline.counts is not None:
        gone += _levels_gone(evaluation, baseline.counts)
    if comparison is not None:
        gone += _emptied(comparison, by, evaluation)
    return BaselineRecord(
        source=baseline.source,
        sha256=baseline.sha256,
        model=baseline.model,
        paired=comparison is not None and comparison.pairing.samples is not None,
        compared=baseline.lacking if comparison is None else comparison.pairing.compared,
        flips=[] if comparison is None else [row for one in by for row in _rows(comparison, one)],
        vanished=gone,
    )


def _all_by(policy: Policy, evaluation: Evaluation) -> list[tuple[str, ...]]:
    """All samples together, then each `by` that a rule asks of the evaluation."""
    once: dict[frozenset[str], tuple[str, ...]] = {frozenset(): ()}
    for _, by in rules_by(policy, evaluation):
        once.setdefault(frozenset(by), by)
    return list(once.values())


def _rows(comparison: ReleaseComparison, by: tuple[str, ...]) -> Iterator[FlipRow]:
    """The accuracy of each group now and then, and what flipped."""
    flips = comparison.flips(_ACCURACY, by)
    moved, whole = comparison.movement(_ACCURACY, by), comparison.apart(_ACCURACY, by)
    for row, group in enumerate(comparison.counts.groups(by)):
        if not whole.now.n[row] and not whole.then.n[row]:
            continue
        yield FlipRow(
            by=by,
            group=group,
            right=int(moved.now.successes[row]),
            n=int(moved.now.n[row]),
            baseline_right=int(moved.then.successes[row]),
            baseline_n=int(moved.then.n[row]),
            right_to_wrong=None if flips is None else int(flips.tables.then_only[row]),
            wrong_to_right=None if flips is None else int(flips.tables.now_only[row]),
            worst=() if flips is None else flips.worst(row),
        )


def _emptied(
    comparison: ReleaseComparison, all_by: list[tuple[str, ...]], evaluation: Evaluation
) -> list[str]:
    found = []
    for by in all_by:
        movement = comparison.apart(_ACCURACY, by)
        for row, group in enumerate(comparison.counts.groups(by)):
            before = int(movement.then.n[row])
            if before and not movement.now.n[row]:
                what = f"{named(group)} of {evaluation.name}"
                found.append(f"group {what}: {counted(before, 'sample')} in the baseline, none now")
    return found


def _levels_gone(evaluation: Evaluation, then: GroupCounts) -> list[str]:
    return [
        f"level {attribute} {level} of {evaluation.name}: the policy no longer declares it"
        for attribute, declared in evaluation.attributes.items()
        for level in then.levels.get(attribute, ())
        if level not in declared and level != MISSING
    ]


def rules_gone(policy: Policy, before: RunRecord) -> list[str]:
    """Return the evaluations, rules and `by` that a record was judged by and a policy lacks.

    Args:
        policy: The policy of now.
        before: The record of then.
    """
    rules = {rule.id: rule for rule in policy.rules}
    found: list[str] = []
    for verdict in before.verdicts:
        rule = rules.get(verdict.rule)
        if verdict.evaluation not in policy.evaluations:
            found.append(f"evaluation {verdict.evaluation}: the policy no longer has it")
        elif rule is None:
            found.append(f"rule {verdict.rule}: the policy no longer has it")
        elif rule.metric.name != verdict.metric:
            found.append(
                f"rule {verdict.rule}: it asked {verdict.metric} and now asks {rule.metric.name}"
            )
        elif verdict.evaluation not in rule.evaluations:
            found.append(f"rule {verdict.rule}: no longer asked of {verdict.evaluation}")
        elif frozenset(verdict.by) not in map(frozenset, rule.by):
            found.append(f"rule {verdict.rule}: no longer asked by {'*'.join(verdict.by)}")
    return list(dict.fromkeys(found))
