"""Does one more wrong image ever help a verdict? `python -m benchmarks.one_more_wrong`.

Draws evaluation sets, makes right images of a group wrong one after the other, and asks every metric of counts after
each step, alone, and compared with a reference group, with the best group, and among all groups. Images are
independent, or come in clusters that a group has of its own, or that groups share.

What "one more wrong" means: a right image becomes wrong, and the value that a question asks for moves. Then no bound may
move the other way. If the value falls, as the accuracy of the image's group, or its TPR over that of the
reference, no bound may rise: a limit `min` is no nearer to a pass and no further from a failure. If it rises, as an FPR, or
the gap to a better group, no bound may fall, for a limit `max`. An image that makes the better group worse
closes a gap: the value moves towards the limit, and its bounds may go with it, the other way they may not. A question
whose value an image does not move is not asked.

Limits decide on bounds alone, so the law of bounds is one of verdicts: an open question does not pass, a failed one
does not open. The law does not speak of a limit with two ends of which the image moves the value away from one and
towards the other, nor of Holm's levels, which a failure elsewhere changes. A wrong image of the reference is that of the group in the
mirrored question, so groups are enough.

Bounds of ratios and of odds r are compared on the scale r / (1 + r), so that moves near infinity are small. The number of images that
precision, NPV, FDR, FOR, F1 scores and FN/FP are counted among goes with the answers: they are reported apart.

Reports, for each kind of metric and reference, how many steps there were, how often a bound moved the wrong way by more than
.001 and .01, the largest such move, and the metric and counts of it.
"""

import argparse
import itertools
from collections import defaultdict
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.decision.answering import answer_batch, batches_of
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.policy import Policy, load_policy
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics.names import METRICS, CompositeDefinition, Metric, Rate

HOLM = 1 - 0.05 / 34
CLASSES = ("no", "yes")
CLUSTERS = ("none", "own", "shared")
REFERENCES = ("alone", "reference", "best", "all")
# Bounds are sought: a smaller move is none.
CLOSE = 1e-6


Key: TypeAlias = tuple[str, str]
"""A metric and the kind of its reference: alone, reference, best or all."""


@dataclass(frozen=True, slots=True)
class Move:
    """A bound that moved against the value.

    Args:
        key: What was asked.
        by: How far it moved the wrong way.
        before: Value and bounds before the step.
        after: The same after it.
        cells: Counts of the reference and of the group before the step, (2, people, 2, 2).
    """

    key: Key
    by: float
    before: list[float]
    after: list[float]
    cells: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Chain:
    """A set in which one image after the other becomes wrong.

    Args:
        others: Counts of the groups that stay what they are, (G, people, 2, 2).
        steps: Counts of the other group at each step, (steps, people, 2, 2).
        clustered: Whether `people` are clusters; else there is one for all.
    """

    others: NDArray[np.int64]
    steps: NDArray[np.int64]
    clustered: bool

    def counts(self, steps: slice = slice(None)) -> GroupCounts:
        """Return the counts of the other groups and of those of some steps, each a group."""
        cells = np.concatenate([self.others, self.steps[steps]])
        levels = {"tone": tuple(f"tone {i}" for i in range(len(cells)))}
        if not self.clustered:
            return GroupCounts(levels, CLASSES, cells[:, 0])
        people = tuple(f"p{i}" for i in range(cells.shape[1]))
        return GroupCounts({**levels, "person": people}, CLASSES, cells)


def family(key: Key) -> tuple[str, str]:
    """Return what kind of measure is asked, and how it is compared, for a table.

    Example:
        >>> family(("precision_ratio", "best"))
        ('rate among answers', 'ratio best')
    """
    metric = METRICS[key[0]]
    measure = metric.measure
    parts = measure.parts if isinstance(measure, CompositeDefinition) else (measure,)
    true = all(isinstance(part, Rate) and part.among_true_classes for part in parts)
    formula = measure.formula if isinstance(measure, CompositeDefinition) else "rate"
    how = "alone" if key[1] == "alone" else f"{metric.comparison} {key[1]}"
    return f"{formula} among {'true classes' if true else 'answers'}", how


def rules(
    names: tuple[str, ...] = tuple(METRICS), references: tuple[str, ...] = REFERENCES
) -> list[dict[str, Any]]:
    """Return a rule for each metric of counts and each kind of reference that it may have."""
    asked = []
    for name, reference in itertools.product(names, references):
        metric = METRICS[name]
        if metric.matched or metric.observed or metric.compares == (reference == "alone"):
            continue
        limit = {"min": 0.5} if metric.comparison == "ratio" else {"max": 0.5}
        rule = {"id": f"{name} {reference}", "metric": name, "by": ["tone"], **limit}
        if reference in ("best", "all"):
            rule["reference"] = reference
        try:
            policy_of([rule], groups=2)
        except PolicyError:  # no group is the best
            continue
        asked.append(rule)
    return asked


def policy_of(
    asked: list[dict[str, Any]],
    *,
    groups: int,
    cluster: str | None = None,
    confidence: float = 0.95,
) -> Policy:
    """Return a policy with these rules, each decided at the confidence."""
    faces: dict[str, Any] = {
        "positive": "yes",
        "classes": list(CLASSES),
        "attributes": {"tone": [f"tone {i}" for i in range(groups)]},
        "reference": {"tone": "tone 0"},
    }
    if cluster:
        faces["cluster"] = cluster
    decision = {"inconclusive": "warn", "correction": "none", "level": confidence}
    return load_policy(
        {"schema": 1, "decision": decision, "evaluation": {"faces": faces}, "rule": asked}
    )


def chain(clusters: str, length: int, rng: np.random.Generator, *, beside: int = 1) -> Chain:
    """Draw a set with some wrong images, and make more of one group wrong.

    Args:
        clusters: One of `CLUSTERS`.
        length: Largest number of steps.
        rng: Random numbers.
        beside: Number of groups that stay what they are.
    """
    people = int(rng.integers(2, 40)) if clusters != "none" else 1
    most = int(rng.choice([1, 3, 8])) if clusters != "none" else int(rng.choice([6, 20, 60, 200]))
    n = rng.integers(0, most + 1, (beside + 1, people, 2))
    if clusters == "own":
        n *= (np.arange(people) % (beside + 1) == np.arange(beside + 1)[:, None])[..., None]
    n[:, : beside + 1] += 1  # no group is empty
    wrong = rng.binomial(n, rng.choice([0.0, 0.1, 0.4], (beside + 1, 1, 2)))
    chance = rng.uniform(0.1, 0.9)
    at_step = [wrong[-1].copy()]
    for _ in range(length):
        right = np.argwhere(n[-1] > at_step[-1])
        if not len(right):
            break
        side = right[right[:, 1] == (rng.random() < chance)]
        person, side_of = rng.choice(side if len(side) else right)
        at_step.append(at_step[-1].copy())
        at_step[-1][person, side_of] += 1
    steps = np.stack(at_step)
    others = _confusion(n[:-1], wrong[:-1])
    return Chain(others, _confusion(np.broadcast_to(n[-1], steps.shape), steps), clusters != "none")


def _confusion(n: NDArray[np.int64], wrong: NDArray[np.int64]) -> NDArray[np.int64]:
    cells = np.zeros((*n.shape, 2), dtype=np.int64)
    for k in (0, 1):
        cells[..., k, k], cells[..., k, 1 - k] = n[..., k] - wrong[..., k], wrong[..., k]
    return cells


def intervals_of(policy: Policy, counts: GroupCounts) -> dict[Key, dict[str, list[float]]]:
    """Return value and bounds of every question and group, as `judge` decides on them."""
    (evaluation,) = policy.evaluations.values()
    evidence = Evidence(counts, evaluation)
    bounds: dict[Key, dict[str, list[float]]] = defaultdict(dict)
    for batch in batches_of(policy, evidence, "m"):
        for answer in answer_batch(batch, evidence, policy.decision):
            question, estimate = answer.question, answer.estimate
            metric = question.rule.metric
            kind = question.reference if isinstance(question.reference, str) else "reference"
            group = (question.group or {}).get("tone", "all")
            ends = [_or_nan(end) for end in (estimate.value, estimate.low, estimate.high)]
            key = metric.name, kind if metric.compares else "alone"
            bounds[key][group] = _scaled(ends, metric)
    return bounds


def _or_nan(value: float | None) -> float:
    return np.nan if value is None else value


def _scaled(ends: list[float], metric: Metric) -> list[float]:
    """Value and bounds on a scale that ends."""
    values = np.asarray(ends, dtype=np.float64)
    if metric.comparison == "ratio" or metric.measure.name == "treatment_equality":
        with np.errstate(invalid="ignore"):
            share = np.abs(values) / (1 + np.abs(values))
        values = np.sign(values) * np.where(np.isinf(values), 1.0, share)
    return [float(value) for value in values]


def moves(policy: Policy, sets: Chain, *, apart: bool = False) -> tuple[dict[Key, int], list[Move]]:
    """Return how often each question was asked, and each bound that moved the wrong way.

    Args:
        policy: The questions.
        sets: The steps.
        apart: Whether each step is asked alone, as questions about all groups need; else they are groups of
            one set.
    """
    first = len(sets.others)
    series: dict[tuple[Key, str], list[list[float]]] = defaultdict(list)
    if apart:
        for step in range(len(sets.steps)):
            counts = sets.counts(slice(step, step + 1))
            for key, groups in intervals_of(policy, counts).items():
                for group, bounds in groups.items():
                    series[key, group].append(bounds)
    else:
        for key, groups in intervals_of(policy, sets.counts()).items():
            series[key, "steps"] = [groups[f"tone {first + i}"] for i in range(len(sets.steps))]
    asked: dict[Key, int] = defaultdict(int)
    against = []
    for (key, _), rows in series.items():
        change = np.diff(np.array(rows), axis=0)
        ratio = METRICS[key[0]].comparison == "ratio"
        # A gap without sign that closes is for the better; so is a ratio that nears 1.
        both = not (key[1] == "all" or "largest gap" in family(key)[0])
        moved = (change[:, 0] > CLOSE) & (both or not ratio)
        moved |= (change[:, 0] < -CLOSE) & (both or ratio)
        asked[key] += int(moved.sum())
        back = (-np.sign(change[:, :1]) * change[:, 1:])[moved]
        back = np.where(np.isfinite(back), back, 0.0).max(axis=1, initial=0.0)
        for step, by in zip(np.flatnonzero(moved).tolist(), back, strict=True):
            if by > CLOSE:
                cells = np.stack([sets.others[0], sets.steps[step]])
                against.append(Move(key, float(by), rows[step], rows[step + 1], cells))
    return asked, against


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=40)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--clusters", nargs="*", default=CLUSTERS, choices=CLUSTERS)
    parser.add_argument("--levels", nargs="*", type=float, default=(0.95, HOLM))
    parser.add_argument("--metrics", nargs="*", default=tuple(METRICS))
    parser.add_argument("--references", nargs="*", default=REFERENCES, choices=REFERENCES)
    parser.add_argument("--each", action="store_true", help="each metric, with its worst step")
    options = parser.parse_args()
    apart = bool({"best", "all"} & {*options.references})
    print("| clusters | level | question | steps | above .001 | above .01 | largest |")
    print("|" + "---|" * 7)
    for clusters, level in itertools.product(options.clusters, options.levels):
        rng = np.random.default_rng(options.seed)
        asked: dict[Key, int] = defaultdict(int)
        against: list[Move] = []
        for _ in range(options.sets):
            sets = chain(clusters, options.steps, rng, beside=1 + apart)
            policy = policy_of(
                rules(tuple(options.metrics), tuple(options.references)),
                groups=len(sets.others) + (1 if apart else len(sets.steps)),
                cluster="person" if sets.clustered else None,
                confidence=level,
            )
            more, wrong_way = moves(policy, sets, apart=apart)
            against += wrong_way
            for key, number in more.items():
                asked[key] += number
        rows = {key: key if options.each else family(key) for key in asked}
        for row in dict.fromkeys(rows.values()):
            number = sum(asked[key] for key in asked if rows[key] == row)
            worst = sorted((m for m in against if rows[m.key] == row), key=lambda m: -m.by)
            by = np.array([m.by for m in worst] or [0.0])
            print(
                f"| {clusters} | {level:.4f} | {' '.join(row)} | {number} | {(by > 0.001).sum()} | "
                f"{(by > 0.01).sum()} | {by.max():.5f} |",
                flush=True,
            )
            if options.each and by.max() > 0.001:
                print(worst[0].before, worst[0].after, worst[0].cells.tolist())


if __name__ == "__main__":
    main()
