"""What the questions of a policy need labels for: rates of groups, and which questions have none."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.questions import Question
from pytest_fairness.labelling.pool import Pool
from pytest_fairness.statistics.groups import groups_of
from pytest_fairness.statistics.labelled.outcomes import Outcomes
from pytest_fairness.statistics.metrics.definitions import Rate

__all__ = ["Aim", "aims_of", "positive_of", "why_not"]


@dataclass(frozen=True, eq=False)
class Aim:
    """A rate of a group that is to be known.

    Args:
        key: Its name in the record.
        positive: The positive class; None where the rate needs none.
        members: Images of the group that the rate may be counted among, (N,).
        outcomes: What the labels of all N images may turn out to be.
    """

    key: str
    positive: str | None
    members: NDArray[np.bool_]
    outcomes: Outcomes


def why_not(question: Question, pool: Pool, positive: str | None) -> str:
    """Return why a question cannot be answered in rounds, or nothing where it can.

    Args:
        question: The question.
        pool: The images.
        positive: The positive class of the evaluation.
    """
    rule = question.rule
    if rule.against is not None:
        return "compares with a baseline, which label does not do"
    if not isinstance(rule.metric.measure, Rate):
        return f"{rule.metric.name} is no single rate, and label judges rates only"
    if rule.decide == "estimate":
        return 'decide = "estimate" has no interval that could say when labels are enough'
    rate = rule.metric.measure
    if not pool.outcomes(rate, positive_of(question, positive)).needs_labels:
        return f"{rate.name} does not depend on labels: judge the predictions as they are"
    return ""


def positive_of(question: Question, positive: str | None) -> str | None:
    """Return the class that a question asks of, or None where its rate needs none."""
    rate = question.rule.metric.rate
    return (question.positive or positive) if rate.needs_positive else None


def aims_of(rate: Rate, positive: str | None, by: tuple[str, ...], pool: Pool) -> list[Aim]:
    """Return the aims of a rate in each group of `by`, in their order."""
    outcomes, codes = pool.outcomes(rate, positive), pool.codes(by)
    concerned = outcomes.concerned
    return [
        Aim(
            _key(rate, positive, group),
            positive,
            np.asarray((codes == position) & concerned),
            outcomes,
        )
        for position, group in enumerate(groups_of(pool.counts.levels, by))
    ]


def _key(rate: Rate, positive: str | None, group: Mapping[str, str]) -> str:
    of = "" if positive is None else f" of {positive}"
    return f"{rate.name}{of}: {', '.join(f'{k} {v}' for k, v in group.items()) or 'overall'}"


def concerned_groups(question: Question, groups: Sequence[Mapping[str, str]]) -> list[int]:
    """Return the positions of the groups whose rates a question needs."""
    if isinstance(question.reference, str):
        return list(range(len(groups)))
    wanted = [dict(question.group)]
    if question.reference is not None:
        wanted.append(dict(question.reference))
    return [position for position, group in enumerate(groups) if dict(group) in wanted]
