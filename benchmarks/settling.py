"""Does a set of the size that is told decide its question in 4 of 5 cases? `python -m benchmarks.settling`.

A first set is judged by the gate itself, which tells how many images or people would be enough.
Then sets of that size are drawn whose rates stay as seen: from the rates of the first set, or from
its people with replacement. Reported is the share of them that decide the question, beside the
same share for the size at which an interval around the same rates just reaches the limit.
"""

import argparse
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from pytest_fairness import load_policy
from pytest_fairness.gate.decision.answerable.settling import settling_sizes
from pytest_fairness.gate.decision.answering import answer_batch, batches_of
from pytest_fairness.gate.decision.sides import Answer, decide
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.run import count_predictions
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy import Limit
from pytest_fairness.statistics.arrays import Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Case:
    """A first set: images that are right in each person of each group, and a limit.

    Args:
        metric: What is asked.
        limit: Keys of the rule.
        groups: For each group, right images and images of each person, (people, 2).
        clustered: Whether the images of a person are dependent.
    """

    metric: str
    limit: dict[str, Any]
    groups: tuple[Integers, ...]
    clustered: bool

    @property
    def name(self) -> str:
        """The case in words."""
        rates = " vs ".join(f"{x.sum() / n.sum():.3f}" for x, n in (part.T for part in self.groups))
        n = " vs ".join(str(part[:, 1].sum()) for part in self.groups)
        people = f" of {len(self.groups[0])} people" if self.clustered else ""
        ends = ", ".join(f"{key} {value}" for key, value in self.limit.items())
        return f"{self.metric.replace('_', ' ')} {rates} | {ends} | {n}{people}"


def cases(rng: np.random.Generator) -> Iterator[Case]:
    """All cases; those with people are drawn once, with a correlation of 0.3 within a person."""

    def independent(*counts: tuple[int, int]) -> tuple[Integers, ...]:
        return tuple(np.array([[1, 1]] * x + [[0, 1]] * (n - x)) for x, n in counts)

    def people(rate: float, number: int, images: int) -> Integers:
        own = rng.beta(rate * 7 / 3, (1 - rate) * 7 / 3, number)
        return np.column_stack([rng.binomial(images, own), np.full(number, images)])

    for x, n, least in (
        *((57, 60, 0.9), (27, 30, 0.8), (46, 60, 0.8), (20, 40, 0.4)),
        *((98, 100, 0.96), (30, 50, 0.7)),
    ):
        yield Case("accuracy", {"min": least}, independent((x, n)), clustered=False)
    for one, other in (
        *(((54, 60), (52, 60)), ((30, 60), (27, 60)), ((45, 60), (45, 60))),
        *(((40, 60), (26, 60)), ((95, 100), (80, 100)), ((190, 200), (30, 40))),
    ):
        counts = independent(one, other)
        yield Case("accuracy_difference", {"max": 0.1}, counts, clustered=False)
    for one, other in (((54, 60), (52, 60)), ((30, 60), (28, 60)), ((20, 60), (33, 60))):
        counts = independent(one, other)
        yield Case("accuracy_ratio", {"between": [0.8, 1.25]}, counts, clustered=False)
    for rate, number, images, least in (
        *((0.9, 30, 4, 0.8), (0.95, 40, 3, 0.88), (0.7, 40, 4, 0.62), (0.7, 40, 4, 0.8)),
        *((0.85, 25, 8, 0.75), (0.9, 60, 2, 0.95)),
    ):
        yield Case("accuracy", {"min": least}, (people(rate, number, images),), clustered=True)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is told of a first set.

    Args:
        question: The question.
        value: The value seen.
        plain: Size at which the interval around the same rates reaches the limit.
        n: Size that is told.
    """

    question: Question
    value: float
    plain: int
    n: int


def forecast(case: Case) -> Forecast | None:
    """Ask the gate, or return None where the first set decides."""
    rows = [
        (f"g{group}", f"g{group} p{person}", answer)
        for group, part in enumerate(case.groups)
        for person, (x, n) in enumerate(part.tolist())
        for answer in ["yes"] * x + ["no"] * (n - x)
    ]
    frame = pd.DataFrame(rows, columns=["tone", "person", "prediction"]).assign(target="yes")
    tones = [f"g{group}" for group in range(len(case.groups))]
    faces: dict[str, Any] = {"attributes": {"tone": tones}, "reference": {"tone": tones[-1]}}
    faces["classes"] = ["no", "yes"]
    faces |= {"cluster": "person"} if case.clustered else {}
    policy = load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", "level": LEVEL},
            "evaluation": {"faces": faces},
            "rule": [{"metric": case.metric, "by": ["tone"], **case.limit}],
        }
    )
    evaluation = policy.evaluations["faces"]
    predictions = read_predictions(frame, evaluation, model="any")
    evidence = Evidence(count_predictions(predictions, evaluation), evaluation)
    (asked,) = batches_of(policy, evidence, "any")
    answer: Answer = answer_batch(asked, evidence, policy.decision)[0]
    if answer.side != "open" or answer.estimate.value is None:
        return None
    (plain,), (n,) = (
        settling_sizes([answer], to_pass=LEVEL, to_fail=[LEVEL], chance=chance)
        for chance in (None, 0.8)
    )
    if plain is None or n is None:
        return None
    return Forecast(answer.question, answer.estimate.value, plain, n)


def share_decided(
    case: Case, n: int, told: Forecast, *, runs: int, rng: np.random.Generator
) -> float:
    """Return the share of sets with n images a group, and the rates of a case, that decide it."""
    parts = [_drawn(part, n, runs, rng, clustered=case.clustered) for part in case.groups]
    widest = max(part.n.shape[1] for part in parts)
    successes, images = (
        np.concatenate([np.pad(a, ((0, 0), (0, widest - a.shape[1]))) for a in arrays])
        for arrays in ([part.successes for part in parts], [part.n for part in parts])
    )
    counts = ClusterCounts(successes, images)
    whole = RateCounts(counts.successes.sum(axis=1), counts.n.sum(axis=1))
    rule = told.question.rule
    rates = GroupRates(whole, counts if case.clustered else None)
    ones = np.arange(runs)
    if len(parts) == 1:
        low, high = rates.alone(LEVEL, groups=ones)
    else:
        kind = "difference" if rule.metric.comparison == "difference" else "ratio"
        low, high = rates.pairs(ones, ones + runs, kind=kind, confidence=LEVEL)  # type: ignore[arg-type]
    return float(
        np.mean([_decides(*ends, told.value, rule.limit) for ends in zip(low, high, strict=True)])
    )


def _decides(low: float, high: float, value: float, limit: Limit) -> bool:
    """Whether an interval settles a limit as the value says."""
    return decide(low, high, limit) == decide(value, value, limit)


def _drawn(
    part: Integers, n: int, runs: int, rng: np.random.Generator, *, clustered: bool
) -> ClusterCounts:
    x, sizes = part.T
    if not clustered:
        size = max(n, len(part))
        right = rng.binomial(size, x.sum() / sizes.sum(), (runs, 1))
        return ClusterCounts(right, np.full((runs, 1), size))
    number = max(round(n / sizes.mean()), len(part))
    chosen = rng.integers(0, len(part), (runs, number))
    return ClusterCounts(x[chosen], sizes[chosen])


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    print("| seen | limit | images | just reaching | decides | told | decides |")
    print("|" + "---|" * 7)
    for case in cases(rng):
        told = forecast(case)
        if told is None:
            continue
        plain, share = (
            share_decided(case, n, told, runs=options.runs, rng=rng) for n in (told.plain, told.n)
        )
        print(f"| {case.name} | {told.plain} | {plain:.2f} | {told.n} | {share:.2f} |", flush=True)


if __name__ == "__main__":
    main()
