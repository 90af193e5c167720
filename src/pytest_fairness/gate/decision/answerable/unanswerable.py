"""Which questions no model can pass on an evaluation set: known before any model runs.

The true classes, groups and clusters of an evaluation set say which counts a model can have. The
gate's own answers are computed for models at the corners of that space: always right, always
wrong, all of one class, and one group against the others. Where the interval reaches over one end of a limit at one corner,
and over the other end at the next, the models between the two are searched as well.

For independent images the narrowest intervals are among these: any rate is 0 or 1 at a corner. For
clustered images others can be narrower, so `shown` has to confirm that no model passes.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.decision.answerable.shown import is_shown
from pytest_fairness.gate.decision.answering import answer_batch
from pytest_fairness.gate.decision.sides import Answer, decide
from pytest_fairness.gate.decision.verdict import not_judged, outcome_of
from pytest_fairness.gate.estimates.possible import Between, Calls, Targets, extreme_calls
from pytest_fairness.gate.evidence import Evidence, answered_as
from pytest_fairness.gate.questions import Question
from pytest_fairness.policy import Decision
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics.definitions import CompositeDefinition

__all__ = ["Impossible", "impossible"]


@dataclass(frozen=True, slots=True)
class Impossible:
    """A question that no model passes on an evaluation set.

    Args:
        best: The answer to the model that comes nearest to a pass.
        reason: Why it does not pass.
        can_fail: Whether a model fails it.
    """

    best: Answer
    reason: str
    can_fail: bool


class _Corner(NamedTuple):
    """A model that answers the samples of a group one way, and all others another way.

    Args:
        group: Position of the group; -1 for all groups but the reference.
        own: What it answers in the group.
        others: What it answers elsewhere.
    """

    group: int
    own: Calls
    others: Calls


class _Ends(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


_Answers: TypeAlias = list[Answer]


def impossible(
    asked: Sequence[Question],
    positions: Sequence[int],
    evidence: Evidence,
    decision: Decision,
    *,
    to_fail: Sequence[float],
) -> dict[int, Impossible]:
    """Return, of some questions, those that no model passes.

    Some are not known beforehand, and are left out: how much a drop since the baseline or a number
    that an analysis observes can vary. Of these, only those without samples are returned.

    Args:
        asked: All questions of a batch, as `answer_batch` takes them.
        positions: Positions of those that are looked at.
        evidence: The evaluation set. Of the predictions, only what no model changes is used.
        decision: The levels of the gate.
        to_fail: Level at which each of the questions is shown to break its limit.
    """
    questions = list(asked)
    if not questions[0].rule.from_counts:
        tried = _without_counts(questions, positions, evidence, decision)
        return {
            i: _result(answers, can_fail=any(_fails(one, to_fail[i]) for one in answers))
            for i, answers in tried.items()
        }
    search = _Search.of(questions, evidence, decision)
    never = [i for i in positions if not search.passes(i)]
    return {i: _result(search.answers_to(i), can_fail=search.fails(i, to_fail[i])) for i in never}


def _result(answers: list[Answer], *, can_fail: bool) -> Impossible:
    """What is told of a question that no model passes, from the answers to all that were tried."""
    judged = [one for one in answers if _is_judged(one)]
    best = min(judged or answers[:1], key=_distance)
    reason = outcome_of(best, None, family=0)[1]
    if judged:
        low, high = _ends(best)
        reason = f"the best possible answers give an interval of {low:.3f} … {high:.3f}"
    return Impossible(best, reason, can_fail)


def _without_counts(
    asked: list[Question], positions: Sequence[int], evidence: Evidence, decision: Decision
) -> dict[int, list[Answer]]:
    """Answers to questions about matched images, a baseline or an analysis that no model passes."""
    tried: dict[int, list[Answer]] = {position: [] for position in positions}
    known = False
    for model in _models_of(asked[0], evidence):
        known = True
        answers = answer_batch(asked, model, decision)
        for position in list(tried):
            tried[position].append(answers[position])
            if _passes(answers[position]):
                del tried[position]
        if not tried:
            return {}
    if not known:
        try:
            answers = answer_batch(asked, evidence, decision)
        except FairnessError:  # it needs what a model gives, such as its scores
            return {}
        tried = {i: [answers[i]] for i in positions if not_judged(answers[i])}
    elif evidence.evaluation.cluster is not None and not _is_flips(asked[0]):
        # The narrowest interval of clustered pairs is not known, and is wider than without clusters.
        evaluation = replace(evidence.evaluation, cluster=None)
        alone = _without_counts(
            asked, list(tried), replace(evidence, evaluation=evaluation), decision
        )
        tried = {i: one for i, one in tried.items() if i in alone}
    return {i: one for i, one in tried.items() if not one[0].estimate.unasked}


def _is_flips(question: Question) -> bool:
    """Whether pairs that differ are counted: it is known that fewer are never worse."""
    return question.rule.metric.matched and question.rule.metric.comparison == "none"


def _models_of(question: Question, evidence: Evidence) -> Iterator[Evidence]:
    """The models among which is one that passes, if any does; none where that is not known."""
    rule, predictions = question.rule, evidence.predictions
    if predictions is None:
        return
    right = predictions.table.column("target").to_pylist()
    if rule.limit.kind == "max_drop" and rule.metric.rate.worse != "either":
        yield answered_as(evidence, right)
    if rule.metric.matched and rule.limit.kind == "max":
        yield answered_as(evidence, right)
        for name in predictions.classes:  # no pair flips
            yield answered_as(evidence, [name] * len(right))


@dataclass(slots=True)
class _Search:
    """The questions of a batch, and the answers to the models that were tried.

    Args:
        asked: The questions.
        evaluation: The evidence, whose counts are replaced.
        decision: The levels of the gate.
        targets: The true classes.
        calls: The ways to answer.
        reference: Position of the reference; -1 where the policy names none.
        seen: Corner -> the answers to the questions.
    """

    asked: list[Question]
    evidence: Evidence
    decision: Decision
    targets: Targets
    calls: list[Calls]
    reference: int
    seen: dict[_Corner, _Answers] = field(default_factory=dict)

    @classmethod
    def of(cls, asked: list[Question], evidence: Evidence, decision: Decision) -> "_Search":
        first, counts, evaluation = asked[0], evidence.counts, evidence.evaluation
        positive = first.positive or evaluation.positive
        index = None if positive is None else counts.classes.index(positive)
        calls = extreme_calls(first.rule.metric.measure, len(counts.classes), index)
        targets = Targets.of(counts, first.by, tuple(evaluation.attributes))
        reference = -1
        if isinstance(first.reference, Mapping):
            reference = counts.groups(first.by).index(dict(first.reference))
        return cls(asked, Evidence(counts, evaluation), decision, targets, calls, reference)

    def passes(self, position: int) -> bool:
        """Whether a model passes a question, or may."""
        alike = [_Corner(-1, way, way) for way in self.calls]
        if any(self._passes_at(corner, position) for corner in alike):
            return True
        if self._is_not_known(position):
            return True
        if not any(_is_judged(self.seen[corner][position]) for corner in alike):
            return False
        question, evaluation = self.asked[position], self.evidence.evaluation
        if question.rule.decide == "estimate":
            return True
        if evaluation.cluster is None:
            return self._passes_somewhere(position)
        right = self.targets.answered(self.calls[0])
        is_known = is_shown(question, right, evaluation, self.decision)
        return self._independent.passes(position) if is_known is None else not is_known

    def _passes_somewhere(self, position: int) -> bool:
        """Whether a model passes that treats one group otherwise, or that lies between two corners."""
        alike = [_Corner(-1, way, way) for way in self.calls]
        apart = [
            _Corner(group, own, others)
            for group in self._groups(position)
            for own, others in permutations(self.calls, 2)
        ]
        if any(self._passes_at(corner, position) for corner in apart):
            return True
        return any(
            self._passes_between(start, end, position)
            for start, end in permutations([*alike, *apart], 2)
            if self._is_path(start, end)
        )

    def fails(self, position: int, to_fail: float) -> bool:
        """Whether an extreme model fails a question, corrected for the number of questions.

        Groups differ most between the first two ways to answer, or between all and none.
        """
        groups = self._groups(position)
        if len(groups) > 1:  # the surest one stands for all
            n = [int((self.targets.n * self.targets.group(one)).sum()) for one in groups]
            groups = [groups[int(np.argmax(n))]]
        corners = [_Corner(-1, way, way) for way in self.calls]
        for pair in (self.calls[:2], self.calls[2:]):
            corners += [_Corner(one, *ways) for one in groups for ways in permutations(pair, 2)]
        return any(_fails(self._at(corner)[position], to_fail) for corner in corners)

    @property
    def _independent(self) -> "_Search":
        """The search if no images were dependent: intervals of the same answers are narrower."""
        evaluation = replace(self.evidence.evaluation, cluster=None)
        return replace(self, evidence=Evidence(self.evidence.counts, evaluation), seen={})

    def _is_not_known(self, position: int) -> bool:
        """Whether the corners do not tell what a model can do.

        A measure of every class that counts what is called so has no value where a class is missing
        and a model calls nothing so, and has one where it does.
        """
        rule = self.asked[position].rule
        measure = rule.metric.measure
        if not isinstance(measure, CompositeDefinition) or not measure.each_class:
            return False
        if all(part.among_true_classes for part in measure.parts):
            return False
        right = self.seen[_Corner(-1, self.calls[0], self.calls[0])][position]
        too_few = min(right.estimate.sizes) < max(rule.min_samples, 1)
        if right.estimate.too_small is not None or too_few:
            return False
        return not _is_judged(right) or (rule.limit.kind == "between")

    def answers_to(self, position: int) -> list[Answer]:
        """Return the answers of all corners that were tried."""
        return [answers[position] for answers in self.seen.values()]

    def _is_path(self, start: _Corner, end: _Corner) -> bool:
        """Whether corners differ in one group only, about the positive class or about all others."""
        if self.asked[0].reference is None:
            changed = start.own, end.own
        elif (start.own == end.own) == (start.others == end.others):
            return False
        else:
            changed = (start.own, end.own) if start.own != end.own else (start.others, end.others)
        if -1 not in (start.group, end.group) and start.group != end.group:
            return False
        differ = int(np.not_equal(*changed).sum())
        return differ in (1, len(changed[0]) - 1) or len(self.calls) == 2  # right and wrong

    def _groups(self, position: int) -> list[int]:
        """Positions of the groups that a model may treat in a way of their own."""
        question = self.asked[position]
        groups = self.evidence.counts.groups(question.by)
        match question.reference:
            case None:
                return []
            case "best":
                return [groups.index(dict(question.group))]
            case "all":
                return list(range(len(groups)))
            case _:
                return [-1]

    def _mask(self, group: int) -> NDArray[np.bool_]:
        if group >= 0:
            return self.targets.group(group)
        if self.reference < 0:
            return self.targets.everything
        return ~self.targets.group(self.reference)

    def _at(self, corner: _Corner) -> _Answers:
        group, own, others = corner
        if corner not in self.seen:
            counts = self.targets.answered(own, elsewhere=others, group=self._mask(group))
            self.seen[corner] = self._answers(counts)
        return self.seen[corner]

    def _passes_at(self, corner: _Corner, position: int) -> bool:
        return _passes(self._at(corner)[position])

    def _passes_between(self, start: _Corner, end: _Corner, position: int) -> bool:
        """Whether a model passes that answers as one corner for some samples, as another for the rest.

        Both ends of the interval move the same way as samples go over from the first corner to the
        second. So the first number of them that brings one end within the limit decides.
        """
        limit = self.asked[position].rule.limit
        first, last = (_ends(self.seen[corner][position]) for corner in (start, end))
        rising = first.low < limit.low <= last.low and first.high <= limit.high < last.high
        falling = last.low < limit.low <= first.low and last.high <= limit.high < first.high
        if not (rising or falling):
            return False
        path = _path(start, end, self.targets, self._mask(max(start.group, end.group)))
        fewest, most = 0, path.samples
        while most - fewest > 1:
            middle = (fewest + most) // 2
            answer = self._answers(path.counts(middle))[position]
            if _passes(answer):
                return True
            low, high = _ends(answer)
            inside = low >= limit.low if rising else high <= limit.high
            fewest, most = (fewest, middle) if inside else (middle, most)
        return False

    def _answers(self, counts: GroupCounts) -> _Answers:
        evidence = Evidence(counts, self.evidence.evaluation)
        return answer_batch(self.asked, evidence, self.decision)


def _path(start: _Corner, end: _Corner, targets: Targets, group: NDArray[np.bool_]) -> Between:
    """The models between two corners that differ in one way to answer."""
    if start.own != end.own:
        return Between(targets, group, start.own, end.own, start.others)
    return Between(targets, ~group, start.others, end.others, start.own)


def _is_judged(answer: Answer) -> bool:
    """Whether an answer is put beside its limit as a whole."""
    return not not_judged(answer) and answer.estimate.reason is None


def _passes(answer: Answer) -> bool:
    return outcome_of(answer, None, family=0)[0] == "pass"


def _fails(answer: Answer, broken: float) -> bool:
    """Whether a question fails by this answer, corrected for the number of questions."""
    if outcome_of(answer, None, family=0)[0] != "fail":
        return False
    rule, bounds = answer.question.rule, answer.estimate.bounds
    return rule.decide == "estimate" or decide(*bounds(broken, 0.0), rule.limit) == "broken"


def _distance(answer: Answer) -> float:
    """How far the interval of an answer reaches over its limit."""
    limit, (low, high) = answer.question.rule.limit, _ends(answer)
    return math.inf if math.isnan(low) else max(limit.low - low, high - limit.high)


def _ends(answer: Answer) -> _Ends:
    """The interval that must keep the limit for a pass; nan where the value is undefined."""
    to_pass, estimate = answer.to_pass, answer.estimate
    low, high = (to_pass.low, to_pass.high) if to_pass else (estimate.low, estimate.high)
    return _Ends(*(math.nan if end is None else end for end in (low, high)))
