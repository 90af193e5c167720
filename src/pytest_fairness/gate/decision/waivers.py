"""Waivers: failures that somebody answers for until a day; afterwards the rule bites again."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.policy_records import WaiverRecord
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.policy import Policy, Waiver
from pytest_fairness.wording import counted

__all__ = ["apply_waivers", "ending_waivers", "today_utc", "waiver_problems"]

_DAYS_OF_WARNING = 30


class _Asked(Protocol):
    """What a waiver is compared with: a question, before or after it was judged."""

    @property
    def model(self) -> str: ...
    @property
    def evaluation(self) -> str: ...


def today_utc() -> dt.date:
    """Return the day in UTC, which is the same everywhere on Earth."""
    return dt.datetime.now(dt.UTC).date()


def apply_waivers(policy: Policy, verdicts: Iterable[Verdict], *, today: dt.date) -> list[Verdict]:
    """Mark the verdicts that would stop the release and that a waiver covers.

    A waived verdict keeps its outcome and its numbers.

    Args:
        policy: Its waivers, and what it does with inconclusive questions.
        verdicts: As judged.
        today: Day in UTC; a waiver holds up to and including its last day.
    """
    active = [waiver for waiver in policy.waivers if today <= waiver.until]
    return [_waived(verdict, active, policy.decision.inconclusive) for verdict in verdicts]


def _waived(verdict: Verdict, active: Sequence[Waiver], inconclusive: str) -> Verdict:
    if not verdict.blocks(inconclusive):
        return verdict
    covering = (waiver for waiver in active if _covers(waiver, verdict))
    if (waiver := next(covering, None)) is None:
        return verdict
    note = WaiverRecord(
        reason=waiver.reason,
        approved_by=waiver.approved_by,
        until=waiver.until,
        ticket=waiver.ticket,
        where=waiver.where,
    )
    return verdict.model_copy(update={"waiver": note})


def waiver_problems(
    policy: Policy, questions: Sequence[Question], verdicts: Sequence[Verdict], *, today: dt.date
) -> list[str]:
    """Return the waivers of a full run that must be removed or repaired, one message each.

    A waiver that has ended, that covers no question, or whose questions did not fail is an error:
    nobody may lean on it unseen.

    Args:
        policy: Its waivers.
        questions: All that the policy asks of the models under test.
        verdicts: Every verdict of the run, those on undeclared levels included.
        today: Day in UTC.
    """
    found = (_problem(policy, waiver, questions, verdicts, today) for waiver in policy.waivers)
    return [message for message in found if message]


def ending_waivers(policy: Policy, *, today: dt.date) -> list[str]:
    """Return one warning for each waiver that ends within 30 days."""
    return [
        f"{waiver.where}: the waiver of rule {waiver.rule!r} ends in {counted(left, 'day')}, after "
        f"{waiver.until}; it was approved by {waiver.approved_by}"
        for waiver in policy.waivers
        if 0 <= (left := (waiver.until - today).days) <= _DAYS_OF_WARNING
    ]


def _problem(
    policy: Policy,
    waiver: Waiver,
    questions: Sequence[Question],
    verdicts: Sequence[Verdict],
    today: dt.date,
) -> str:
    judged = {verdict.question: verdict for verdict in verdicts if _covers(waiver, verdict)}
    asked = {question.key for question in questions if _covers_question(waiver, question)}
    what = f"{waiver.where}: the waiver of rule {waiver.rule!r}"
    if not asked | set(judged):
        return f"{what} covers no question of this run; {_hint(policy, waiver, questions)}"
    needed = [
        v
        for v in judged.values()
        if v.model_copy(update={"waiver": None}).blocks(policy.decision.inconclusive)
    ]
    if today > waiver.until:
        state = "what it covered still fails: repair it, or have the waiver renewed by"
        if not needed:
            state = "what it covered no longer fails: remove it; it was approved by"
        return f"{what} ended after {waiver.until}; {state} {waiver.approved_by}"
    if not needed and asked <= set(judged):
        return f"{what} is not used: what it covers did not fail; remove it"
    return ""


def _covers(waiver: Waiver, verdict: Verdict) -> bool:
    group = {} if verdict.comparison == "all" else verdict.group
    return verdict.rule == waiver.rule and _fits(waiver, verdict, group)


def _covers_question(waiver: Waiver, question: Question) -> bool:
    return question.rule.id == waiver.rule and _fits(waiver, question, question.group)


def _fits(waiver: Waiver, asked: _Asked, group: Mapping[str, str]) -> bool:
    return (
        waiver.model in (None, asked.model)
        and waiver.evaluation in (None, asked.evaluation)
        and waiver.group in (None, dict(group))
    )


def _hint(policy: Policy, waiver: Waiver, questions: Sequence[Question]) -> str:
    if waiver.rule not in {rule.id for rule in policy.rules}:
        return f"allowed rules: {', '.join(rule.id for rule in policy.rules)}"
    for key, asked in (
        ("model", {question.model for question in questions}),
        ("evaluation", {question.evaluation for question in questions}),
    ):
        if getattr(waiver, key) not in (None, *asked):
            return f"{key} = {getattr(waiver, key)!r} is not one of {', '.join(sorted(asked))}"
    groups = [dict(question.group) for question in questions if question.rule.id == waiver.rule]
    if {} in groups:
        return "a question that compares all groups has no group of its own: leave group out"
    shown = ", ".join(str(group) for group in groups[:3])
    return f"group must be exactly that of a question, such as {shown}"
