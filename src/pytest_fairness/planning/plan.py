"""Before any model runs: which questions of a policy an evaluation set can settle, and how well."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.decision.answerable.lacking import unanswerable_questions
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.decision.levels import confidence_for
from pytest_fairness.gate.decision.multiplicity import Family
from pytest_fairness.gate.estimates.counted import named
from pytest_fairness.gate.questions import Question, asked_of
from pytest_fairness.gate.record.details import FrozenRecord, NeededRecord, UnanswerableRecord
from pytest_fairness.gate.record.run_record import Outcome, Verdict
from pytest_fairness.planning.answerable import unanswerable_of
from pytest_fairness.planning.at_hand import AtHand, Given, Sizes
from pytest_fairness.planning.designs import Levels, design_of, target_of
from pytest_fairness.planning.planned import HALF_AGAIN, HALF_WAY, Effort, Planned
from pytest_fairness.policy import Policy
from pytest_fairness.policy.records import LimitKind
from pytest_fairness.policy.tables.tables import CorrectionMethod
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.groups import groups_of
from pytest_fairness.statistics.looks import Looks
from pytest_fairness.statistics.metrics.definitions import FlipRate, Rate
from pytest_fairness.statistics.power.power import cost_of_confidence
from pytest_fairness.wording import listed

__all__ = ["Plan", "PlannedQuestion", "plan"]

_MODEL = "planned"
# At this rate a difference needs the most samples.
_USUAL_RATE = 0.5


class PlannedQuestion(FrozenRecord):
    """The plan of one question: the values that an evaluation set can tell from the limit."""

    rule: str
    metric: str
    evaluation: str
    by: tuple[str, ...]
    group: dict[str, str]
    """Attribute -> level; empty where all groups are compared."""
    reference: dict[str, str] | None
    positive: str | None
    """The class that is asked of; None where it is the evaluation's."""
    comparison: Literal["best", "all"] | None
    """How the data choose the reference; None where the policy names it."""
    limit: float | tuple[float, float]
    bound: LimitKind
    decide: Literal["interval", "estimate"]
    counted: str
    """What the rate is counted among, e.g. negatives."""
    n: int | None
    """Samples at hand, where all groups are compared of the smallest; None if nothing is known."""
    effective_n: int | None
    """What they are worth after the design effect of clusters."""
    reference_n: int | None
    """Of the reference, or of the smallest other group where the data choose it."""
    assumed_rate: float | None
    """Rate of the reference that differences and ratios are planned from."""
    kept_level: float
    """Level at which the limit is shown to be kept, 0 to 1."""
    broken_level: float
    """Level at which the first of all questions is shown to break its limit."""
    correction_cost: float
    """How many times the samples a failure needs because of the correction for many questions."""
    passes_at: float | None
    """The true value nearest the limit that passes with the planned power; None if none does."""
    fails_at: float | None
    """The same for failing."""
    to_pass: Effort | None
    """What a pass needs, half-way from perfect fairness to the limit."""
    to_fail: Effort | None
    """What a failure needs, half as far again beyond the limit."""
    never_passes: str
    """Why no model passes on these samples; empty where one may."""
    unanswerable: UnanswerableRecord | None
    """The same, with how many more are needed."""
    never_fails: bool
    """Whether no result of these samples fails."""
    outcome: Outcome | None
    """The verdict on the predictions that were given."""
    n_to_settle: int | None
    """Images in each group that would decide an inconclusive verdict, as the verdict says."""
    needed: NeededRecord | None
    """How many more these are."""
    where: str
    """File and line of the rule."""


class Plan(FrozenRecord):
    """The plan of all questions of a policy on one evaluation set."""

    policy: str
    policy_sha256: str
    evaluation: str
    source: str
    """File of the samples; empty where none was read."""
    cluster: str | tuple[str, str] | None
    """Column of the clusters that samples are worth less for, or two columns."""
    answered: bool
    """Whether a model was seen, so that rates and design effects are its own."""
    power: float
    """Chance of being settled that is planned for, 0 to 1."""
    correction: CorrectionMethod
    """How failures are corrected for the number of questions."""
    level: float
    """Level of the intervals, 0 to 1."""
    looks: Looks
    """How often the set may be judged while it grows."""
    questions: list[PlannedQuestion]


def plan(
    policy: Policy,
    at_hand: AtHand,
    *,
    rates: Mapping[str, float] | None = None,
    power: float = 0.8,
) -> Plan:
    """Return, for every question, what the samples can decide and how many would be enough.

    Args:
        policy: The policy.
        at_hand: What is known of the evaluation set.
        rates: Assumed rate of the reference, by name of the rate (`accuracy`); the one seen where
            predictions are given, else 0.5, at which differences need the most samples.
        power: Chance of being settled that is planned for, 0 to 1.

    Raises:
        PolicyError: Samples are given for a group that no question is about, or that may be one
            of several.
    """
    evaluation = at_hand.evaluation
    asked = asked_of(policy, evaluation, model=_MODEL, levels=at_hand.levels)
    for given in at_hand.given:
        _check_given(given, asked, at_hand.levels)
    errors: dict[str, float] = {}
    if asked:
        first = Family.of(policy, asked).shares(policy, asked).first.tolist()
        errors = {one.key: error for one, error in zip(asked, first, strict=True)}
    planner = _Planner(policy, at_hand, at_hand.counts(), rates or {}, power, errors)
    return Plan(
        policy=policy.source,
        policy_sha256=policy.sha256,
        evaluation=evaluation.name,
        source=at_hand.source,
        cluster=evaluation.cluster,
        answered=at_hand.answered,
        power=power,
        correction=policy.decision.correction,
        level=policy.decision.confidence,
        looks=policy.decision.looks,
        questions=planner.questions(asked),
    )


@dataclass(frozen=True, slots=True)
class _Planner:
    """A policy and an evaluation set, on their way to a plan."""

    policy: Policy
    at_hand: AtHand
    counts: GroupCounts | None
    rates: Mapping[str, float]
    power: float
    errors: Mapping[str, float]

    def verdicts(self) -> dict[str, Verdict]:
        """Question -> verdict on the predictions that were given."""
        if self.counts is None or not self.at_hand.answered:
            return {}
        evaluation = self.at_hand.evaluation
        found = judge_counts(self.policy, self.counts, evaluation=evaluation, model=_MODEL)
        return {verdict.question: verdict for verdict in found}

    def questions(self, asked: Sequence[Question]) -> list[PlannedQuestion]:
        """Plan every question."""
        verdicts = self.verdicts()
        never: Mapping[int, UnanswerableRecord] = {}
        if (evidence := self.at_hand.evidence) is not None:
            never = unanswerable_of(self.policy, asked, evidence)
        return [
            self.question(question, verdicts.get(question.key), never.get(i))
            for i, question in enumerate(asked)
        ]

    def question(
        self, question: Question, verdict: Verdict | None, never: UnanswerableRecord | None
    ) -> PlannedQuestion:
        """Plan one question.

        Args:
            question: The question.
            verdict: The verdict on the predictions that were given.
            never: Why no model passes on the samples that were read; None where one may.
        """
        least = question.rule.min_samples
        groups = _groups(question, self.at_hand.levels)
        sizes = self.at_hand.sizes(question, groups, self.counts)
        own, other = _compared(question, groups, sizes)
        base = self._base(question, sizes, other)
        levels = self._levels(question)
        planned = self._planned(question, groups, sizes, own, base)
        known = self.at_hand.is_known
        if known and self.at_hand.given:
            never = self._never_of_given(question, groups, sizes, own, other)
        return PlannedQuestion(
            **_asked(question),
            n=int(sizes.n[own]) if known else None,
            effective_n=int(sizes.effective[own]) if known else None,
            reference_n=int(sizes.n[other]) if known and other is not None else None,
            assumed_rate=None if other is None else base,
            kept_level=levels.kept,
            broken_level=levels.broken,
            correction_cost=self._cost(levels),
            passes_at=planned.passes_at() if planned and known and not never else None,
            fails_at=planned.fails_at() if planned and known else None,
            to_pass=planned.effort(HALF_WAY, "kept", least=least) if planned else None,
            to_fail=planned.effort(HALF_AGAIN, "broken", least=least) if planned else None,
            never_passes="" if never is None else never.reason,
            unanswerable=never,
            never_fails=bool(planned and known and not planned.can_fail),
            outcome=None if verdict is None else verdict.outcome,
            n_to_settle=None if verdict is None else verdict.n_to_settle,
            needed=None if verdict is None else verdict.needed,
        )

    def _never_of_given(
        self,
        question: Question,
        groups: list[dict[str, str]],
        sizes: Sizes,
        own: int,
        other: int | None,
    ) -> UnanswerableRecord | None:
        """Why no model passes on the samples that somebody plans to have."""
        counted = _counted(question)
        if reason := _excluded(question, groups, sizes, own, other):
            return UnanswerableRecord(
                reason=reason, more=None, reference_more=None, of=counted, can_fail=False
            )
        if not question.rule.from_counts:
            return None
        rule = replace(question.rule, min_samples=0, min_share=0.0)
        found = unanswerable_questions(
            [replace(question, rule=rule)],
            self.at_hand.planned_evidence(question, sizes),
            self.policy.decision,
            to_fail=[self._levels(question).broken],
        )
        return found.get(0)

    def _planned(
        self,
        question: Question,
        groups: list[dict[str, str]],
        sizes: Sizes,
        own: int,
        base: float,
    ) -> Planned | None:
        """The question under assumed rates; None where nothing breaks it, or several rates do."""
        rule = question.rule
        moves_much = rule.limit.kind == "max_widening"
        if moves_much or not isinstance(rule.metric.measure, Rate | FlipRate):
            return None
        target = target_of(question)
        if target is None:
            return None
        worth = float(sizes.effective[own] / sizes.n[own]) if sizes.effective[own] else 1.0
        levels = replace(self._levels(question), looks=self.policy.decision.looks, worth=worth)
        design = design_of(
            question, groups, sizes=sizes.effective, base=base, target=target, levels=levels
        )
        return Planned(design, target, sizes.effective, own, worth, self.power)

    def _levels(self, question: Question) -> Levels:
        decision = self.policy.decision
        if question.rule.decide == "estimate":  # what lies outside noise
            return Levels(decision.confidence, decision.confidence)
        to_fail = confidence_for(self.errors[question.key], question, shown=decision.confidence)
        return Levels(decision.confidence_to_pass, to_fail)

    def _cost(self, levels: Levels) -> float:
        shown = self.policy.decision.confidence
        return cost_of_confidence(levels.broken, beside=shown, power=self.power)

    def _base(self, question: Question, sizes: Sizes, other: int | None) -> float:
        """Assumed rate of the reference."""
        rate = question.rule.metric.measure
        if rate.name in self.rates:
            return self.rates[rate.name]
        known = sizes.rates[np.isfinite(sizes.rates)]
        if other is None or not len(known):
            return _USUAL_RATE
        if question.reference == "best":
            return float(known.max() if rate.higher_is_better else known.min())
        if question.reference == "all":
            return float(np.average(known, weights=sizes.n[np.isfinite(sizes.rates)]))
        return float(sizes.rates[other]) if np.isfinite(sizes.rates[other]) else _USUAL_RATE


def _check_given(
    given: Given, asked: Sequence[Question], levels: Mapping[str, tuple[str, ...]]
) -> None:
    """Refuse samples of a group that is unknown, or that may be one of several."""
    every = {question.by: _groups(question, levels) for question in asked}
    found = ["*".join(by) for by, groups in every.items() if any(map(given.is_of, groups))]
    if given.levels and not found:
        known = ["*".join(group.values()) for groups in every.values() for group in groups]
        msg = f"no question is about the group {'*'.join(given.levels)!r}; allowed: {listed(known)}"
        raise PolicyError(msg)
    if given.levels and len(found) > 1:
        levels_text = "*".join(given.levels)
        msg = (
            f"the group {levels_text!r} may be one of {' or of '.join(found)}; write "
            f"{found[0]}:{levels_text}"
        )
        raise PolicyError(msg)


def _asked(question: Question) -> dict[str, Any]:
    """What a plan says of its question."""
    rule, reference = question.rule, question.reference
    return {
        "rule": rule.id,
        "metric": rule.metric.name,
        "evaluation": question.evaluation,
        "by": question.by,
        "group": dict(question.group),
        "reference": dict(reference) if isinstance(reference, Mapping) else None,
        "positive": question.positive,
        "comparison": reference if isinstance(reference, str) else None,
        "limit": rule.limit.shown,
        "bound": rule.limit.kind,
        "decide": rule.decide,
        "counted": _counted(question),
        "where": rule.where,
    }


def _counted(question: Question) -> str:
    """What the rate is counted among, in words."""
    measure, positive = question.rule.metric.measure, question.positive
    if positive is None or not isinstance(measure, Rate):
        return measure.counted_among
    return measure.counted_among_class(positive)


def _groups(question: Question, levels: Mapping[str, tuple[str, ...]]) -> list[dict[str, str]]:
    if not question.group and question.reference is None:
        return [{}]  # all samples together
    return groups_of(levels, question.by)


def _compared(
    question: Question, groups: list[dict[str, str]], sizes: Sizes
) -> tuple[int, int | None]:
    """Positions of the group and of what it is compared with: of the smallest, if the data choose."""
    smallest = [int(position) for position in np.argsort(sizes.n, kind="stable")]
    if question.reference == "all":
        return smallest[0], smallest[1] if len(smallest) > 1 else None
    own = groups.index(dict(question.group))
    rule = question.rule
    if rule.metric.comparison == "none" or rule.metric.matched or rule.limit.kind == "max_drop":
        return own, None
    if isinstance(question.reference, Mapping):
        return own, groups.index(dict(question.reference))
    return own, next((position for position in smallest if position != own), None)


def _excluded(
    question: Question,
    groups: list[dict[str, str]],
    sizes: Sizes,
    own: int,
    other: int | None,
) -> str:
    """Why the gate does not judge the groups at all; empty where it does."""
    rule = question.rule
    chosen = question.reference == "best"  # the data leave out what cannot be the best
    for position in [own] if other is None or chosen else [own, other]:
        n, what = int(sizes.n[position]), named(groups[position])
        if n == 0:
            return f"no {_counted(question)} in {what}"
        if n < rule.min_samples:
            return f"n = {n} of {what} is below min_samples = {rule.min_samples}"
        if sizes.shares[position] < rule.min_share:
            return f"{what} is {sizes.shares[position] * 100:.2g} % of the samples, below min_share"
    return ""
