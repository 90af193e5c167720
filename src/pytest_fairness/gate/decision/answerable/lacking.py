"""What an inconclusive question lacks: how many more images or people, or any answer that passes."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from pytest_fairness.gate.decision.answerable.settling import CHANCE, settling_sizes
from pytest_fairness.gate.decision.answerable.unanswerable import Impossible, impossible
from pytest_fairness.gate.decision.answering import answer_batch
from pytest_fairness.gate.decision.sides import Answer, decide
from pytest_fairness.gate.decision.verdict import Lacking, largest_cluster
from pytest_fairness.gate.estimates.possible import Targets, extreme_calls
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import NeededRecord, UnanswerableRecord
from pytest_fairness.policy import Decision
from pytest_fairness.statistics.arrays import ROUNDING, Integers
from pytest_fairness.statistics.clusters.columns import cluster_text
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.metrics.cells import Cells
from pytest_fairness.statistics.metrics.definitions import Rate
from pytest_fairness.wording import plural

__all__ = ["unanswerable_questions", "what_is_lacking"]


def what_is_lacking(
    answers: Sequence[Answer],
    positions: Sequence[int],
    evidence: Evidence,
    decision: Decision,
    *,
    to_fail: Sequence[float],
) -> dict[int, Lacking]:
    """Return what each inconclusive question lacks, by its position.

    Args:
        answers: Answers to all questions about a model, those of a batch beside each other.
        positions: Positions of the inconclusive ones.
        evidence: What they were answered from.
        decision: The levels of the gate.
        to_fail: Level at which each of the answers is shown to break its limit.
    """
    asked = [one.question for one in answers]
    never = unanswerable_questions(asked, evidence, decision, to_fail=to_fail, positions=positions)
    found = {i: Lacking(unanswerable=record) for i, record in never.items()}
    unsettled = [
        i
        for i in positions
        if i not in never
        and answers[i].side is not None
        and answers[i].estimate.too_small is None
        and answers[i].estimate.reason is None
    ]
    sizes = settling_sizes(
        [answers[i] for i in unsettled],
        to_pass=decision.confidence_to_pass,
        to_fail=[to_fail[i] for i in unsettled],
    )
    found |= {
        i: _needed(answers[i], size, evidence)
        for i, size in zip(unsettled, sizes, strict=True)
        if size is not None or _needs_others(answers[i])
    }
    return found


def _needs_others(answer: Answer) -> bool:
    """Whether one cluster has most images, and the value does not lie on its limit."""
    limit, value = answer.question.rule.limit, answer.estimate.value
    if value is None or not _is_one_sided(answer):
        return False
    return min(abs(value - end) for end in (limit.low, limit.high)) > ROUNDING


def _is_one_sided(answer: Answer) -> bool:
    """Whether one cluster, of one of the columns, decides how wide the interval is."""
    return any(not math.isnan(share) for share in answer.estimate.dominant)


def _needed(answer: Answer, size: int | None, evidence: Evidence) -> Lacking:
    """What an answer needs whose groups would need so many images each, like those seen."""
    own, other, n = None, None, None
    if size is not None and not _is_one_sided(answer):
        n, (own, other) = size, _more(answer, size, evidence)
    unit = _unit(answer.question, evidence)
    return Lacking(n, NeededRecord(more=own, reference_more=other, of=unit, chance=CHANCE))


def unanswerable_questions(
    asked: Sequence[Question],
    evidence: Evidence,
    decision: Decision,
    *,
    to_fail: Sequence[float],
    positions: Sequence[int] | None = None,
) -> dict[int, UnanswerableRecord]:
    """Return, by position, the questions that no model passes on this evaluation set.

    Args:
        asked: All questions about a model, those of a batch beside each other.
        evidence: The evaluation set. Of the predictions, only what no model changes is used.
        decision: The levels of the gate.
        to_fail: Level at which each of the questions is shown to break its limit.
        positions: Positions of those that are looked at; all when absent.
    """
    wanted = set(range(len(asked)) if positions is None else positions)
    batches: dict[object, list[int]] = {}
    for i, question in enumerate(asked):
        batches.setdefault(question.batch, []).append(i)
    found: dict[int, Impossible] = {}
    for members in batches.values():
        some = [place for place, i in enumerate(members) if i in wanted]
        if not some:
            continue
        levels = [to_fail[i] for i in members]
        never = impossible([asked[i] for i in members], some, evidence, decision, to_fail=levels)
        found |= {members[place]: one for place, one in never.items()}
    sizes = _sizes_to_keep(found, decision, to_fail)
    from_nothing = _sizes_from_nothing(found, evidence, decision, to_fail)
    return {
        i: _record(one, evidence, size=sizes.get(i), from_nothing=from_nothing.get(i))
        for i, one in found.items()
    }


def _sizes_to_keep(
    found: Mapping[int, Impossible], decision: Decision, to_fail: Sequence[float]
) -> dict[int, int | None]:
    """Images that each group needs so that the interval of the best answers keeps the limit.

    Only of questions whose best answers have a value that keeps it.
    """
    best = {i: one.best for i, one in found.items() if _is_kept_by_value(one.best)}
    return _sizes(best, decision, to_fail)


def _sizes(
    answers: Mapping[int, Answer], decision: Decision, to_fail: Sequence[float]
) -> dict[int, int | None]:
    """Images that each group needs so that the intervals of these answers keep the limit."""
    sizes = settling_sizes(
        list(answers.values()),
        to_pass=decision.confidence_to_pass,
        to_fail=[to_fail[i] for i in answers],
        chance=None,
    )
    return dict(zip(answers, sizes, strict=True))


def _is_kept_by_value(answer: Answer) -> bool:
    estimate = answer.estimate
    if estimate.too_small is not None or estimate.reason is not None or estimate.value is None:
        return False
    return decide(estimate.value, estimate.value, answer.question.rule.limit) == "kept"


def _record(
    found: Impossible, evidence: Evidence, *, size: int | None, from_nothing: int | None
) -> UnanswerableRecord:
    """What is told of a question that no model passes."""
    question, estimate = found.best.question, found.best.estimate
    own: int | None = None
    other: int | None = None
    unit = _unit(question, evidence)
    if estimate.too_small is not None:
        own, other, unit = *_share_lacking(found.best, evidence), "samples"
    elif estimate.value is None or estimate.reason is not None:
        own = from_nothing
    elif size is not None:
        own, other = _more(found.best, size, evidence)
    reason = found.reason
    if own is None and estimate.low is not None:
        reason = _of_largest(found.best, evidence) or reason
    return UnanswerableRecord(
        reason=reason, more=own, reference_more=other, of=unit, can_fail=found.can_fail
    )


def _of_largest(answer: Answer, evidence: Evidence) -> str:
    """Why no answers pass where one cluster has most images, or nothing where none has."""
    cluster = evidence.evaluation.cluster
    largest = largest_cluster(answer.estimate.dominant, cluster)
    if cluster is None or not largest:
        return ""
    column = largest["largest_cluster_of"] or cluster_text(cluster)
    of_what = answer.question.rule.metric.measure.counted_among
    share = f"{largest['largest_cluster'] * 100:.0f} %"
    more = f"more {plural(column)} are needed, and no more images of the largest one"
    return f"one {column} holds {share} of the {of_what}: {more}"


def _sizes_from_nothing(
    found: Mapping[int, Impossible],
    evidence: Evidence,
    decision: Decision,
    to_fail: Sequence[float],
) -> dict[int, int]:
    """Images that groups need which have no image of some class, if all their images are independent."""
    batches: dict[object, list[int]] = {}
    for i, one in found.items():
        estimate, rule = one.best.estimate, one.best.question.rule
        nothing = estimate.value is None or estimate.reason is not None
        if nothing and estimate.too_small is None and rule.from_counts:
            batches.setdefault(one.best.question.batch, []).append(i)
    sizes: dict[int, int] = {}
    for members in batches.values():
        asked = [found[i].best.question for i in members]
        for answers in _of_extreme_models(asked, evidence, decision):
            kept = {
                i: one for i, one in zip(members, answers, strict=True) if _is_kept_in_any_case(one)
            }
            for i, size in _sizes(kept, decision, to_fail).items():
                if size is not None:
                    sizes[i] = min(size, sizes.get(i, size))
    return sizes


def _of_extreme_models(
    asked: Sequence[Question], evidence: Evidence, decision: Decision
) -> Iterator[list[Answer]]:
    """The answers of the extreme models if each group had an image of each class, none of them dependent."""
    counts, evaluation = evidence.counts, replace(evidence.evaluation, cluster=None)
    first = asked[0]
    rule = replace(first.rule, min_share=0.0)
    targets = Targets.of(counts, first.by, tuple(counts.levels))
    targets = replace(targets, n=np.maximum(targets.n, 1))
    positive = first.positive or evaluation.positive
    index = None if positive is None else counts.classes.index(positive)
    for calls in extreme_calls(rule.metric.measure, len(counts.classes), index):
        other = Evidence(targets.answered(calls), evaluation)
        questions = [replace(question, rule=rule) for question in asked]
        yield answer_batch(questions, other, decision, effective=False)


def _is_kept_in_any_case(answer: Answer) -> bool:
    value = answer.estimate.value
    return value is not None and decide(value, value, answer.question.rule.limit) == "kept"


def _share_lacking(answer: Answer, evidence: Evidence) -> tuple[int, int | None]:
    """Images that the group, and the reference, need to be judged: `min_share` of all."""
    question, estimate = answer.question, answer.estimate
    least, total = question.rule.min_share, evidence.counts.n
    groups = evidence.counts.groups(question.by)
    shares = evidence.counts.shares(question.by)

    def lacking(group: Mapping[str, str]) -> int:
        n = float(shares[groups.index(dict(group))]) * total
        return max(math.ceil((least * total - n) / (1 - least) - 1e-9), 0)

    other = estimate.reference
    return lacking(estimate.group), None if other is None else lacking(other)


def _more(answer: Answer, size: int, evidence: Evidence) -> tuple[int | None, int | None]:
    """How many more images, or clusters, the group and the reference need to have so many images.

    Clusters are counted as if more came that are like those seen. That is not so of the largest of
    several where it has most images: then no number is known.
    """
    estimate, question = answer.estimate, answer.question
    both = [estimate.group] if len(estimate.sizes) == 1 else [estimate.group, estimate.reference]
    if not isinstance(evidence.evaluation.cluster, str):  # of two columns, images are counted
        more = [max(size - n, 0) for n in estimate.sizes]
        return more[0], more[1] if len(more) == 2 else None
    sizes = [_cluster_sizes(question, group or {}, evidence) for group in both]
    if any(_is_dominated(one) for one in sizes):
        return None, None
    more = [
        math.ceil(len(one) * max(size / max(n, 1) - 1, 0))
        for one, n in zip(sizes, estimate.sizes, strict=True)
    ]
    return more[0], more[1] if len(more) == 2 else None


def _is_dominated(sizes: Integers) -> bool:
    """Whether one of several clusters decides how wide the interval is."""
    clusters = ClusterCounts(sizes[None, :], sizes[None, :])
    return len(sizes) > 1 and not math.isnan(clusters.dominant[0, 0])


def _cluster_sizes(question: Question, group: Mapping[str, str], evidence: Evidence) -> Integers:
    """The images of each cluster of a group that a rate is counted among, where there are any."""
    counts, evaluation = evidence.counts, evidence.evaluation
    names = tuple(name for name in counts.levels if name not in evaluation.attributes)
    groups = counts.groups(question.by)
    k = len(counts.classes)
    apart = counts.confusion((*question.by, *names)).reshape(len(groups), -1, k, k)
    n = (apart[[groups.index(dict(group))]] if group else apart).sum(axis=-1)
    measure, positive = question.rule.metric.measure, question.positive or evaluation.positive
    if isinstance(measure, Rate) and measure.among in (Cells.POSITIVES, Cells.NEGATIVES):
        own = np.array(counts.classes) == positive
        n = n * (own if measure.among == Cells.POSITIVES else ~own)
    chosen = n.sum(axis=(0, 2))
    return np.asarray(chosen[chosen > 0])


def _unit(question: Question, evidence: Evidence) -> str:
    """What has to be collected: the column of the clusters, or what the rate is counted among."""
    cluster = evidence.evaluation.cluster
    return cluster if isinstance(cluster, str) else question.rule.metric.measure.counted_among
