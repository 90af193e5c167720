"""The plan of an evaluation as a table of at most 100 columns."""

from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from textwrap import wrap
from typing import NamedTuple

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.planning.plan import Plan, PlannedQuestion
from pytest_fairness.planning.planned import Effort
from pytest_fairness.report.messages import limit_text
from pytest_fairness.report.needed import (
    cannot_be_answered,
    chance_text,
    missing_text,
    more_text,
    others_text,
)
from pytest_fairness.statistics.clusters.columns import cluster_text
from pytest_fairness.statistics.metrics.names import CompositeDefinition
from pytest_fairness.statistics.power.power import cost_of_looks
from pytest_fairness.wording import counted, printable

__all__ = ["plan_lines"]

_WIDTH = 100


def _legend(power: float) -> Iterator[str]:
    chance = f"with {power * 100:g} % chance"
    yield f"passes at: a model this good passes {chance}."
    yield f'fails at: a model this bad fails {chance}. "-": no value does.'
    yield "to pass, to fail: images that each group needs if the value in the heading is the true one:"
    yield "half-way from perfect fairness to the limit, and 50 % beyond the limit."
    yield "independent: the images of the group count for this many independent ones."


def plan_lines(plan: Plan) -> list[str]:
    """Return the lines of a plan."""
    source = plan.source or "no data"
    title = f"plan of {plan.evaluation} ({source}) by {plan.policy}"
    lines = [title, *_assumed(plan), *_legend(plan.power), *_costs(plan), *_looks(plan)]
    for _, some in groupby(plan.questions, key=lambda one: (one.rule, one.by, one.positive)):
        lines += ["", *_section(list(some), plan.power)]
    return [printable(line) for line in [*lines, "", *_total(plan)]]


def _assumed(plan: Plan) -> Iterator[str]:
    """What the numbers rest on."""
    if plan.cluster and not plan.answered:
        yield (
            f"clustered by {cluster_text(plan.cluster)}: before a model was seen, samples count as one a cluster."
        )


def _costs(plan: Plan) -> Iterator[str]:
    """What the correction for many questions costs, the cheapest questions first."""
    if plan.correction == "none":
        return
    costs = Counter(round(question.correction_cost, 2) for question in plan.questions)
    told = [f"{cost:.2f} ({counted(n, 'question')})" for cost, n in sorted(costs.items())]
    yield f"correction {plan.correction}: a failure needs as many times the images of a single question:"
    yield from _wrapped("  ", told)


def _looks(plan: Plan) -> Iterator[str]:
    """What it costs to judge the set again while it grows."""
    looks = "any" if plan.looks == 1 else plan.looks
    few, many = (
        f"{cost_of_looks(plan.level, looks, n=n, power=plan.power):.2g}" for n in (100, 10_000)
    )
    cost = few if few == many else f"{few} to {many}"
    if plan.looks == 1:
        yield 'one look: to judge the set again while it grows, set looks in [decision]; "any" needs'
        yield f"{cost} times the images. It pays if you collect until it is decided (docs/looks.md)."
        return
    number = "any number of looks" if plan.looks == "any" else f"{counted(plan.looks, 'look')}"
    yield f"{number}: {cost} times the images of one look, which the numbers include."
    if plan.looks == "any":
        yield "If you stop as soon as it is decided, 1.2 to 1.5 times on average (docs/looks.md)."


def _section(questions: list[PlannedQuestion], power: float) -> Iterator[str]:
    first = questions[0]
    asked = "" if first.positive is None else f" of class {first.positive}"
    what = f"{_title(first)}{asked} by {'*'.join(first.by)}"
    yield f"{what}, limit {limit_text(first)} (rule {first.rule})"
    yield _how(first, power)
    rows = [_heading(first), *(_row(question) for question in questions)]
    if not any(question.effective_n != question.n for question in questions):
        rows = [row._replace(independent="") for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = min(widths[0], _WIDTH - sum(width + 2 for width in widths[1:] if width) - 2)
    for row, question in zip(rows, [None, *questions], strict=True):
        group, *numbers = row
        if len(group) > left:
            yield f"  {group}"
            group = ""
        cells = [f"  {cell:>{width}}" for cell, width in zip(numbers, widths[1:], strict=True)]
        yield f"  {group:<{left}}{''.join(cell for cell in cells if cell.strip())}"
        if question is not None:
            for note in _notes(question):
                yield from wrap(note, _WIDTH, initial_indent=" " * 6, subsequent_indent=" " * 8)


def _title(question: PlannedQuestion) -> str:
    title = metric_named(question.metric).title
    return {
        "max_drop": f"drop of {title} since the baseline",
        "max_widening": f"widening of {title} since the baseline",
    }.get(question.bound, title)


def _how(question: PlannedQuestion, power: float) -> str:
    text = f"  n counts {question.counted}; {power * 100:g} % chance to pass at "
    text += f"{question.kept_level * 100:.4g} %"
    if question.broken_level != question.kept_level:
        text += f" or to fail at {question.broken_level * 100:.4g} %"
    if question.decide == "estimate":
        text += " (decided on the measured value; planned for its interval)"
    if question.assumed_rate is not None:
        short = metric_named(question.metric).measure.short
        text += f"; reference {short} {question.assumed_rate:.3g}"
    return text


class _Row(NamedTuple):
    """The cells of a line; an empty column is left out."""

    group: str
    n: str
    independent: str
    passes_at: str
    fails_at: str
    to_pass: str
    to_fail: str


def _heading(question: PlannedQuestion) -> _Row:
    to_pass, to_fail = _aim("to pass", question.to_pass), _aim("to fail", question.to_fail)
    return _Row("", "n", "independent", "passes at", "fails at", to_pass, to_fail)


def _aim(words: str, effort: Effort | None) -> str:
    return words if effort is None else f"{words} {effort.value:.3g}"


def _row(question: PlannedQuestion) -> _Row:
    return _Row(
        _group(question),
        _n(question),
        "-" if question.effective_n is None else f"{question.effective_n:,}",
        _value(question.passes_at),
        _value(question.fails_at),
        _needed(question.to_pass),
        _needed(question.to_fail),
    )


def _group(question: PlannedQuestion) -> str:
    own = ", ".join(question.group.values()) or "largest gap"
    if question.comparison == "best":
        return f"{own} vs best"
    return f"{own} vs {', '.join(question.reference.values())}" if question.reference else own


def _n(question: PlannedQuestion) -> str:
    if question.n is None:
        return "-"
    return f"{question.n:,}" + (f" vs {question.reference_n:,}" if question.reference_n else "")


def _value(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _needed(effort: Effort | None) -> str:
    if effort is None:
        return "-"
    return "> 1,000,000" if effort.n is None else f"{effort.n:,}"


def _notes(question: PlannedQuestion) -> Iterator[str]:
    if question.to_pass is None:
        yield _not_planned(question)
    if question.unanswerable is not None:
        yield f"no model can pass: {_never(question)}"
    if question.never_fails and question.n:
        yield "can never fail: even the worst result gives an interval that reaches the limit"
    if question.needed is not None and question.needed.more is None:
        yield f"inconclusive; {others_text(question.needed)}"
    elif question.needed is not None:
        needed = more_text(question.needed, question.group, question.reference)
        yield f"inconclusive; about {needed} would be enough {chance_text(question.needed)}"


def _never(question: PlannedQuestion) -> str:
    """Why no model passes, and what is missing."""
    if question.unanswerable is None:
        return ""
    missing = missing_text(question.unanswerable, question.group, question.reference)
    return "; ".join(filter(None, (question.unanswerable.reason, missing)))


def _not_planned(question: PlannedQuestion) -> str:
    if question.bound == "max_widening":
        return "not planned: it depends on the gaps of both releases"
    metric = metric_named(question.metric)
    if metric.observed is not None:
        return "not planned: how much what is observed varies is not known before it is seen"
    if isinstance(metric.measure, CompositeDefinition):
        return "not planned: it is made of several rates"
    return "always passes: no value breaks the limit"


def _total(plan: Plan) -> Iterator[str]:
    never = [question for question in plan.questions if question.never_passes]
    if not never:
        known = any(question.n is not None for question in plan.questions)
        yield "every question can be decided with these samples" if known else "no samples given"
        return
    yield f"{cannot_be_answered(len(never), len(plan.questions))}:"
    for rule, some in groupby(never, key=lambda one: one.rule):
        yield from _wrapped(f"  {rule}: ", [_group(question) for question in some])


def _wrapped(start: str, words: list[str]) -> Iterator[str]:
    line = start
    for word in words:
        if len(line) + len(word) > _WIDTH and line.strip() != start.strip():
            yield line.rstrip(", ")
            line = " " * len(start)
        line += f"{word}, "
    yield line.rstrip(", ")
