"""How long judging 10,000 questions takes, whatever the number of images: `python -m benchmarks.judging`.

Three models on two evaluation sets, about 1,700 questions each: accuracy of groups and of their
intersections, differences and ratios to a reference group, gaps between all groups; the
images of one set are clustered (several of one person). Only the counts differ between the runs.

The floor, measured in the same run, is the bare computation of as many intervals from the same
counts, without questions, corrections, verdicts, sample sizes or robustness.
"""

import argparse
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.remembered import only_decisions
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.estimates.counted import measure_groups
from pytest_fairness.policy import Evaluation, Policy, load_policy
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.intervals.unconditional import DIFFERENCE, RATIO

ATTRIBUTES: Mapping[str, int] = {"race": 7, "sex": 2, "age": 9}
BY = ["race", "sex", "age", "race*sex", "race*age", "sex*age", "race*sex*age"]
MODELS = ("v1", "v2", "v3")
CLUSTERS = 500
# Images of each evaluation set.
SIZES = (10_000, 1_000_000, 100_000_000)
SECONDS_ALLOWED = 5.0


@dataclass(frozen=True, slots=True)
class Timing:
    """What one run took.

    Args:
        images: Images of each evaluation set.
        questions: Questions that were judged.
        seconds: Processor time of judging them, with all that a verdict tells.
        verdicts: Of intervals, corrections and verdicts alone, without the two numbers that are told
            beside them: how many samples would settle it, and how many mislabelled ones it stands.
        floor: Processor time of as many bare intervals.
        outcomes: Outcome -> how many.
    """

    images: int
    questions: int
    seconds: float
    verdicts: float
    floor: float
    outcomes: Mapping[str, int]


def _forget_tables() -> None:
    """Forget the bounds of tables seen before, so that every timing starts alike."""
    DIFFERENCE.known.clear()
    RATIO.known.clear()


def policy() -> Policy:
    """Nine rules, asked of each of the two evaluation sets."""
    levels = {name: [f"{name}{i}" for i in range(size)] for name, size in ATTRIBUTES.items()}
    reference = {name: values[0] for name, values in levels.items()}
    evaluation: dict[str, Any] = {
        "attributes": levels,
        "reference": reference,
        "positive": "yes",
    }

    def rule(name: str, metric: str, **more: Any) -> dict[str, Any]:
        return {"id": name, "metric": metric, "by": BY, "min_samples": 10} | more

    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {"single": evaluation, "clustered": evaluation | {"cluster": "person"}},
            "rule": [
                rule("floor", "accuracy", min=0.8),
                rule("recall-floor", "true_positive_rate", min=0.7),
                rule("precision-floor", "precision", min=0.7),
                rule("accuracy-gap", "accuracy_difference", max=0.1),
                rule("fpr-gap", "false_positive_rate_difference", max=0.1),
                rule("recall-gap", "equal_opportunity_difference", max=0.1),
                rule("impact", "disparate_impact", between=[0.8, 1.25]),
                rule("recall-ratio", "equal_opportunity_ratio", between=[0.8, 1.25]),
                rule("any-gap", "selection_rate_difference", max=0.3, reference="all", by=BY[:4]),
            ],
        }
    )


def draw(images: int, *, clustered: bool, rng: np.random.Generator) -> GroupCounts:
    """Counts of a model with an accuracy of 0.85 to 0.97, which differs between groups."""
    levels = {name: tuple(f"{name}{i}" for i in range(size)) for name, size in ATTRIBUTES.items()}
    shape = tuple(ATTRIBUTES.values())
    groups = int(np.prod(shape))
    share = rng.dirichlet(np.full(groups, 5.0))
    right = rng.uniform(0.85, 0.97, (groups, 2))
    joint = 0.5 * np.stack([right, 1 - right], axis=-1)
    joint[:, 1] = joint[:, 1, ::-1]
    chances = share[:, None, None] * joint
    if not clustered:
        cells = rng.multinomial(images, chances.ravel()).reshape(*shape, 2, 2)
        return GroupCounts(levels, ("no", "yes"), cells)
    # Each person belongs to one group; the model is better with some persons than with others.
    group_of = rng.choice(groups, size=CLUSTERS, p=share)
    own = np.clip(right[group_of] + rng.normal(0, 0.02, (CLUSTERS, 1)), 0.5, 0.999)
    joint = 0.5 * np.stack([own, 1 - own], axis=-1)
    joint[:, 1] = joint[:, 1, ::-1]
    drawn = rng.multinomial(images, (joint / CLUSTERS).ravel()).reshape(CLUSTERS, 2, 2)
    cells = np.zeros((groups, CLUSTERS, 2, 2), dtype=np.int64)
    cells[group_of, np.arange(CLUSTERS)] = drawn
    levels["person"] = tuple(f"p{i}" for i in range(CLUSTERS))
    return GroupCounts(levels, ("no", "yes"), cells.reshape(*shape, CLUSTERS, 2, 2))


def measure(images: int, *, seed: int) -> Timing:
    """Judge all models on both evaluation sets once, from nothing but counts."""
    asked = policy()
    rng = np.random.default_rng(seed)
    runs = [
        (model, evaluation, draw(images, clustered=evaluation.cluster is not None, rng=rng))
        for model in MODELS
        for evaluation in asked.evaluations.values()
    ]
    _forget_tables()
    start = time.process_time()
    verdicts = [
        verdict
        for model, evaluation, counts in runs
        for verdict in judge_counts(asked, counts, evaluation=evaluation, model=model)
    ]
    seconds = time.process_time() - start
    _forget_tables()
    start = time.process_time()
    with only_decisions():
        for model, evaluation, counts in runs:
            judge_counts(asked, counts, evaluation=evaluation, model=model)
    alone = time.process_time() - start
    _forget_tables()
    start = time.process_time()
    intervals = sum(bare_intervals(asked, evaluation, counts) for _, evaluation, counts in runs)
    floor = time.process_time() - start
    if intervals != len(verdicts):
        message = f"{intervals} intervals for {len(verdicts)} verdicts: the floor is another task"
        raise RuntimeError(message)
    return Timing(
        images, len(verdicts), seconds, alone, floor, Counter(v.outcome for v in verdicts)
    )


def bare_intervals(asked: Policy, evaluation: Evaluation, counts: GroupCounts) -> int:
    """Compute one interval a question and nothing else; return how many."""
    number = 0
    for rule in asked.rules:
        for by in rule.by:
            rates = measure_groups(
                counts, by, rule.metric.measure, evaluation.positive, evaluation.cluster
            )
            groups = np.arange(len(rates.counts.n))
            if rule.metric.comparison == "none":
                number += len(rates.alone(asked.decision.confidence).low)
                continue
            first, second = groups[1:], np.zeros(len(groups) - 1, dtype=np.int64)
            if rule.reference == "all":
                first, second = groups[-1:], groups[:1]
            found = rates.pairs(
                first, second, kind=rule.metric.comparison, confidence=asked.decision.confidence
            )
            number += len(found.low)
    return number


def main() -> None:
    """Print a table, and whether the goal is met at each size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each size; the best counts")
    parser.add_argument("--seed", type=int, default=0)
    chosen = parser.parse_args()
    measure(10_000, seed=chosen.seed)  # warm up
    print(
        "| images a set | questions | verdicts, s for 10,000 | all, s for 10,000 | floor | ratio | pass/fail/open |"
    )
    print("|---|---|---|---|---|---|---|")
    for images in SIZES:
        rounds = [measure(images, seed=chosen.seed) for _ in range(chosen.rounds)]
        best = min(rounds, key=lambda timing: timing.seconds)
        floor = min(timing.floor for timing in rounds)
        alone = min(timing.verdicts for timing in rounds)
        per_goal, alone = (took * 10_000 / best.questions for took in (best.seconds, alone))
        shown = "/".join(str(best.outcomes[key]) for key in ("pass", "fail", "inconclusive"))
        print(
            f"| {images:,} | {best.questions:,} | {alone:.2f} | {per_goal:.2f} | "
            f"{floor:.2f} | {best.seconds / floor:.1f} | {shown} |",
            flush=True,
        )
    print(f"goal: 10,000 questions within {SECONDS_ALLOWED:g} s of one core, at any size")


if __name__ == "__main__":
    main()
