"""What an inconclusive question needs, in words: how many more images or people, and how sure that is."""

import math
from collections.abc import Mapping, Sequence
from itertools import groupby
from textwrap import wrap

from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import NeededRecord, UnanswerableRecord
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.wording import counted, plural, singular

__all__ = [
    "cannot_be_answered",
    "chance_text",
    "missing_text",
    "more_text",
    "needed_text",
    "others_text",
    "rounded",
    "unanswerable_lines",
    "unanswerable_text",
]


# Lines of what is missing at the start of a run.
_MOST_LINES = 8


def needed_text(verdict: Verdict) -> str:
    """Return what would be enough, `about 94 more designs would be enough`, or nothing where it is not known."""
    if verdict.needed is None:
        return ""
    if verdict.needed.more is None:
        return others_text(verdict.needed)
    more = more_text(verdict.needed, verdict.group, verdict.reference)
    return f"about {more} would be enough" if more else ""


def others_text(needed: NeededRecord) -> str:
    """Return what is needed where one cluster has most of the images.

    Example:
        >>> others_text(NeededRecord(more=None, reference_more=None, of="person", chance=0.8))
        'more people are needed, and no more images of the largest one'
    """
    return f"more {plural(needed.of)} are needed, and no more images of the largest one"


def chance_text(needed: NeededRecord) -> str:
    """Return how sure the number is: `in 4 of 5 cases, if the rates stay as seen`."""
    return f"in {round(needed.chance * 5)} of 5 cases, if the rates stay as seen"


def missing_text(
    record: UnanswerableRecord,
    group: Mapping[str, str],
    reference: Mapping[str, str] | None,
) -> str:
    """Return what is missing: `a pass needs about 35 more designs`, or nothing where it is not known.

    Args:
        record: Why no model passes.
        group: The group that is asked about.
        reference: What it is compared with; None where nothing is compared.
    """
    more = more_text(record, group, reference)
    return f"a pass needs about {more}" if more else ""


def unanswerable_text(verdict: Verdict) -> str:
    """Return why no model passes and what is missing, or nothing where one may pass."""
    record = verdict.unanswerable
    if record is None:
        return ""
    missing = missing_text(record, verdict.group, verdict.reference)
    return "; ".join(filter(None, (record.reason, missing)))


def cannot_be_answered(count: int, asked: int) -> str:
    """Return how many questions no model can pass, in a sentence.

    Example:
        >>> cannot_be_answered(1, 34)
        '1 of 34 questions cannot be answered by this evaluation set, whatever the model does'
    """
    return f"{count} of {counted(asked, 'question')} cannot be answered by this evaluation set, whatever the model does"


def unanswerable_lines(
    never: Sequence[tuple[Question, UnanswerableRecord]], *, asked: int
) -> list[str]:
    """Return how many questions no model can pass, and what is missing, one line a rule.

    Args:
        never: These questions.
        asked: The number of all questions.
    """
    if not never:
        return []
    lines = [cannot_be_answered(len(never), asked)]
    for rule, some in groupby(never, key=lambda one: one[0].rule.id):
        texts = dict.fromkeys(_missing(*one) for one in some)
        lines += wrap(
            f"{rule}: {'; '.join(texts)}", 100, initial_indent="  ", subsequent_indent="    "
        )
    if len(lines) > _MOST_LINES:
        more = f"  and {len(lines) - _MOST_LINES} more lines: see `pytest-fairness plan`"
        lines = [*lines[:_MOST_LINES], more]
    return lines


def _missing(question: Question, record: UnanswerableRecord) -> str:
    """The groups of a question, and how many more it needs or why it has no answer."""
    reference = question.reference if isinstance(question.reference, Mapping) else None
    own = ", ".join(question.group.values()) or "all"
    against = f" vs {', '.join(reference.values())}" if reference else ""
    more = more_text(record, question.group, reference)
    return f"{own}{against} ({f'needs about {more}' if more else record.reason})"


def more_text(
    record: NeededRecord | UnanswerableRecord,
    group: Mapping[str, str],
    reference: Mapping[str, str] | None,
) -> str:
    """Return how many more of what, and in which group, or nothing: `94 more designs in each group`.

    The arguments are those of `missing_text`.
    """
    what, single = plural(record.of), singular(record.of)
    own, other = (rounded(more or 0) for more in (record.more, record.reference_more))
    if record.reference_more is None:
        return "" if own == "0" else f"{own} more {single if own == '1' else what}"
    if own == other:
        return "" if own == "0" else f"{own} more {single if own == '1' else what} in each group"
    of_groups = ((own, group), (other, reference or {}))
    counts = [(n, ", ".join(levels.values())) for n, levels in of_groups if n != "0"]
    (first, where), *rest = counts
    return " and ".join(
        [
            f"{first} more {single if first == '1' else what} in {where}",
            *(f"{n} in {name}" for n, name in rest),
        ]
    )


def rounded(n: int) -> str:
    """Return a number with two significant digits, rounded up: it is a guide, not a promise."""
    step = 10 ** max(len(str(n)) - 2, 0)
    return f"{math.ceil(n / step) * step:,}"
