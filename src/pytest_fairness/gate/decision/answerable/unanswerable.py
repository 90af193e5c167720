"""Which questions no model can pass on an evaluation set: known before any model runs.

The true classes, groups and clusters of an evaluation set say which counts a model can have. The
gate's own answers are computed for models at the corners of that space: always right, always
wrong, all of one class, and one group against the others. Where the interval reaches over one end of a limit at one corner,
and over the other end at the next, the models between the two are searched as well.

For independent images the narrowest intervals are among these: any rate is 0 or 1 at a corner. For
clustered images others can be narrower, so `shown` has to confirm that no model passes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.decision.answerable.edges import Edges, PairLimit
from pytest_fairness.gate.decision.answerable.passing import (
    distance,
    ends_of,
    fails,
    is_judged,
    passes,
)
from pytest_fairness.gate.decision.answerable.shown import Shown
from pytest_fairness.gate.decision.answerable.without_counts import without_counts
from pytest_fairness.gate.decision.answering import answer_batch
from pytest_fairness.gate.decision.sides import Answer
from pytest_fairness.gate.decision.verdict import outcome_of
from pytest_fairness.gate.estimates.possible import Between, Calls, Targets, extreme_calls
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import Question
from pytest_fairness.policy import Decision
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics.definitions import CompositeDefinition, Rate

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
        tried = without_counts(questions, positions, evidence, decision)
        return {
            i: _result(answers, can_fail=any(fails(one, to_fail[i]) for one in answers))
            for i, answers in tried.items()
        }
    search = _Search.of([questions[i] for i in positions], evidence, decision)
    never = search.never()
    return {
        positions[i]: _result(
            search.answers_to(i), can_fail=search.fails(i, to_fail[positions[i]], never)
        )
        for i in never
    }


def _result(answers: list[Answer], *, can_fail: bool) -> Impossible:
    """What is told of a question that no model passes, from the answers to all that were tried."""
    judged = [one for one in answers if is_judged(one)]
    best = min(judged or answers[:1], key=distance)
    reason = outcome_of(best, None, family=0)[1]
    if judged:
        low, high = ends_of(best)
        reason = f"the best possible answers give an interval of {low:.3f} … {high:.3f}"
    return Impossible(best, reason, can_fail)


@dataclass(slots=True)
class _Search:
    """The questions of a batch, and the answers to the models that were tried.

    Args:
        asked: The questions that are looked at.
        evaluation: The evidence, whose counts are replaced.
        decision: The levels of the gate.
        targets: The true classes.
        calls: The ways to answer.
        reference: Position of the reference; -1 where the policy names none.
        seen: Corner -> position -> the answer.
    """

    asked: list[Question]
    evidence: Evidence
    decision: Decision
    targets: Targets
    calls: list[Calls]
    reference: int
    seen: dict[_Corner, dict[int, Answer]] = field(default_factory=dict)

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

    def never(self) -> list[int]:
        """Return the positions of the questions that no model passes."""
        if not self.asked:
            return []
        left = list(range(len(self.asked)))
        for corner in self._alike:
            answers = self._at(corner, left)
            left = [i for i in left if not passes(answers[i])]
        shown = self._shown() if left else None
        known = {i: self._is_known(i, shown) for i in left}
        unsure = [i for i in left if known[i] is None]
        if self.evidence.evaluation.cluster is not None:
            never = [unsure[i] for i in self._independent(unsure).never()]
        elif self._asks_of_pairs:
            never = sorted({*unsure} - self._edges_that_pass(unsure))
        else:
            never = [i for i in unsure if not self._passes_somewhere(i, unsure)]
        return sorted([*never, *(i for i in left if known[i])])

    def _shown(self) -> Shown | None:
        """What is known of the intervals of all answers of clustered images; None without clusters."""
        if self.evidence.evaluation.cluster is None:
            return None
        right = self.targets.answered(self.calls[0])
        return Shown.of(self.asked[0], right, self.evidence.evaluation, self.decision)

    def _is_known(self, position: int, shown: Shown | None) -> bool | None:
        """Return whether no model passes a question that those alike everywhere do not; None if unsure."""
        if self._is_not_known(position):
            return False
        if not any(is_judged(self.seen[corner][position]) for corner in self._alike):
            return True
        question = self.asked[position]
        if question.rule.decide == "estimate":
            return False
        return None if shown is None else shown.of_question(question)

    @property
    def _alike(self) -> list[_Corner]:
        """The models that answer all groups the same way."""
        return [_Corner(-1, way, way) for way in self.calls]

    def _edges_that_pass(self, positions: Sequence[int]) -> set[int]:
        """Return the questions about rates of two groups that some rates on their edges pass."""
        parts = [self._edges(i) for i in positions]
        if not parts:
            return set()
        rule, decision = self.asked[0].rule, self.decision
        limit = PairLimit(
            rule.limit,
            "ratio" if rule.metric.comparison == "ratio" else "difference",
            decision.confidence_to_pass,
            decision.looks,
            rule.metric.allowed_range,
        )
        kept = limit.may_pass(Edges.together(parts))
        of = np.repeat(positions, [len(one.span) for one in parts])
        return set(of[kept].tolist())

    def _edges(self, position: int) -> Edges:
        seen = [self.seen[corner][position].estimate for corner in self._alike]
        both = [(one.counted, one.reference_counted or one.counted) for one in seen]
        (_, n1), (_, n2) = both[0]
        return Edges.between([own.successes for own, _ in both], n1, [x for _, (x, _) in both], n2)

    @property
    def _asks_of_pairs(self) -> bool:
        """Whether the questions are about a rate, among known samples, of a group and its reference."""
        first = self.asked[0]
        measure = first.rule.metric.measure
        is_rate = isinstance(measure, Rate) and measure.among_true_classes
        return is_rate and isinstance(first.reference, Mapping)

    def _passes_somewhere(self, position: int, among: Sequence[int]) -> bool:
        """Whether a model passes that treats one group otherwise, or that lies between two corners."""
        apart = [
            _Corner(group, own, others)
            for group in self._groups(position)
            for own, others in permutations(self.calls, 2)
        ]
        if any(passes(self._answer(corner, position, among)) for corner in apart):
            return True
        return any(
            self._passes_between(start, end, position)
            for start, end in permutations([*self._alike, *apart], 2)
            if self._is_path(start, end)
        )

    def fails(self, position: int, to_fail: float, among: Sequence[int]) -> bool:
        """Whether an extreme model fails a question, corrected for the number of questions.

        Groups differ most between the first two ways to answer, or between all and none.
        """
        groups = self._groups(position)
        if len(groups) > 1:  # the surest one stands for all
            n = [int((self.targets.n * self.targets.group(one)).sum()) for one in groups]
            groups = [groups[int(np.argmax(n))]]
        corners = [
            _Corner(one, *ways)
            for pair in (self.calls[:2], self.calls[2:])
            for one in groups
            for ways in permutations(pair, 2)
        ]
        return any(
            fails(self._answer(corner, position, among), to_fail)
            for corner in (*corners, *self._alike)
        )

    def _independent(self, positions: Sequence[int]) -> "_Search":
        """The search for some questions if no images were dependent: intervals are narrower then."""
        evaluation = replace(self.evidence.evaluation, cluster=None)
        asked = [self.asked[i] for i in positions]
        evidence = Evidence(self.evidence.counts, evaluation)
        return replace(self, asked=asked, evidence=evidence, seen={})

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
        return not is_judged(right) or (rule.limit.kind == "between")

    def answers_to(self, position: int) -> list[Answer]:
        """Return the answers of all corners that were tried."""
        return [answers[position] for answers in self.seen.values() if position in answers]

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

    def _at(self, corner: _Corner, positions: Sequence[int]) -> dict[int, Answer]:
        """The answers at a corner, of some positions at least; each is computed once."""
        group, own, others = corner
        answers = self.seen.setdefault(corner, {})
        new = [i for i in positions if i not in answers]
        if new:
            counts = self.targets.answered(own, elsewhere=others, group=self._mask(group))
            answers |= zip(new, self._answers(counts, [self.asked[i] for i in new]), strict=True)
        return answers

    def _answer(self, corner: _Corner, position: int, among: Sequence[int]) -> Answer:
        """The answer at a corner, computed for all questions that need the same one."""
        return self._at(corner, among if corner.group < 0 else [position])[position]

    def _passes_between(self, start: _Corner, end: _Corner, position: int) -> bool:
        """Whether a model passes that answers as one corner for some samples, as another for the rest.

        Both ends of the interval move the same way as samples go over from the first corner to the
        second. So the first number of them that brings one end within the limit decides.
        """
        limit = self.asked[position].rule.limit
        first, last = (ends_of(self.seen[corner][position]) for corner in (start, end))
        rising = first.low < limit.low <= last.low and first.high <= limit.high < last.high
        falling = last.low < limit.low <= first.low and last.high <= limit.high < first.high
        if not (rising or falling):
            return False
        path = _path(start, end, self.targets, self._mask(max(start.group, end.group)))
        fewest, most = 0, path.samples
        while most - fewest > 1:
            middle = (fewest + most) // 2
            (answer,) = self._answers(path.counts(middle), [self.asked[position]])
            if passes(answer):
                return True
            low, high = ends_of(answer)
            inside = low >= limit.low if rising else high <= limit.high
            fewest, most = (fewest, middle) if inside else (middle, most)
        return False

    def _answers(self, counts: GroupCounts, asked: Sequence[Question]) -> list[Answer]:
        evidence = Evidence(counts, self.evidence.evaluation)
        return answer_batch(asked, evidence, self.decision, effective=False)


def _path(start: _Corner, end: _Corner, targets: Targets, group: NDArray[np.bool_]) -> Between:
    """The models between two corners that differ in one way to answer."""
    if start.own != end.own:
        return Between(targets, group, start.own, end.own, start.others)
    return Between(targets, ~group, start.others, end.others, start.own)
