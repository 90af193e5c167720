"""Simulated runs of a gate whose truth is known; other benchmarks tabulate them."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from benchmarks.remembered import Remembered, only_decisions, remembered_pairs
from benchmarks.scenarios import Scenario
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.statistics.arrays import ROUNDING, Integers

__all__ = ["Result", "simulate", "simulate_all", "simulate_together"]


# With two groups the same counts come often, and are judged once: more runs cost little.
_MORE_RUNS = {2: 4}


@dataclass(frozen=True, slots=True)
class Result:
    """Shares of the runs of a scenario; nan where nothing of the kind could happen.

    Args:
        scenario: What was true.
        runs: Number of runs.
        false_block: Some question failed whose limit is truly kept.
        false_pass: Some question passed whose limit is truly broken.
        edge_pass: Share of the questions passed whose truth lies on the limit: the chance of a
            false pass just beyond it.
        inconclusive: Share of the questions left open.
        above: Share of the intervals that lie above the truth.
        below: Share of those that lie below it.
        bare_block: As `false_block`, of the bare number.
        bare_pass: As `false_pass`, of the bare number.
    """

    scenario: Scenario
    runs: int
    false_block: float
    false_pass: float
    edge_pass: float
    inconclusive: float
    above: float
    below: float
    bare_block: float
    bare_pass: float

    @property
    def coverage(self) -> float:
        """Share of the intervals that contain the truth."""
        return 1 - self.above - self.below


def simulate(
    scenario: Scenario,
    *,
    runs: int,
    seed: int = 1,
    remembered: dict[str, Remembered] | None = None,
    **decision: str,
) -> Result:
    """Judge the runs of a scenario.

    Args:
        scenario: What is true.
        runs: Number of runs.
        seed: Seed of the draws; those of another scenario are independent.
        remembered: Where intervals are looked up, as `remembered_pairs` gives it.
        decision: More keys of the policy's `[decision]`.
    """
    rng = np.random.default_rng([seed, zlib.crc32(repr(scenario).encode())])
    successes, times = np.unique(scenario.draw(runs, rng), axis=0, return_counts=True)
    if remembered:
        _look_ahead(scenario, successes, remembered)
    policy = scenario.policy(**decision)
    faces = policy.evaluations["faces"]
    verdicts = [
        judge_counts(policy, scenario.counts(row), evaluation=faces, model="m") for row in successes
    ]
    return _tally(scenario, verdicts, times)


def _look_ahead(scenario: Scenario, successes: Integers, remembered: dict[str, Remembered]) -> None:
    """Compute the intervals that every run will ask for at once."""
    if scenario.kind == "minimum":
        return
    kind = scenario.kind.partition(",")[0]
    first, second = np.arange(1, scenario.groups), np.zeros(scenario.groups - 1, dtype=int)
    levels = [0.95]
    if scenario.kind.endswith("all"):
        first, second = np.triu_indices(scenario.groups, k=1)
        levels.append(1 - (1 - 0.95) / len(first))
    x1, x2 = np.unique(
        np.stack([successes[:, first].ravel(), successes[:, second].ravel()]), axis=1
    )
    beside = scenario.reference_size or scenario.size
    for confidence in levels:
        remembered[kind](x1, scenario.size, x2, beside, confidence=confidence)


def _tally(scenario: Scenario, verdicts: Sequence[Sequence[Verdict]], times: Integers) -> Result:
    outcomes = np.array([[one.outcome for one in run] for run in verdicts])
    low, high, value = (
        np.array([[getattr(one, name) for one in run] for run in verdicts], dtype=np.float64)
        for name in ("low", "high", "value")
    )
    broken, at_limit, truth = scenario.broken, scenario.at_limit, scenario.truth
    bare = scenario.breaks(value)

    def some(happened: NDArray[np.bool_], where: NDArray[np.bool_]) -> float:
        if not where.any():
            return np.nan
        return float(np.average(happened[:, where].any(axis=1), weights=times))

    def share(happened: NDArray[np.bool_], where: NDArray[np.bool_]) -> float:
        weights = times[:, None] * where
        return float(np.average(happened, weights=weights)) if weights.any() else np.nan

    room = ROUNDING * np.maximum(1.0, truth)
    defined = ~np.isnan(low)
    return Result(
        scenario=scenario,
        runs=int(times.sum()),
        false_block=some(outcomes == "fail", ~broken),
        false_pass=some(outcomes == "pass", broken),
        edge_pass=share(outcomes == "pass", at_limit),
        inconclusive=share(outcomes == "inconclusive", np.ones_like(broken)),
        above=share(low > truth + room, defined),
        below=share(high < truth - room, defined),
        bare_block=some(bare, ~broken),
        bare_pass=some(~bare, broken),
    )


def simulate_together(scenarios: Sequence[Scenario], *, runs: int, seed: int) -> list[Result]:
    """Simulate scenarios that share their intervals."""
    with only_decisions(), remembered_pairs() as remembered:
        return [
            simulate(
                one,
                runs=runs * _MORE_RUNS.get(one.groups, 1),
                seed=seed,
                remembered=remembered,
            )
            for one in scenarios
        ]


def simulate_all(
    scenarios: Iterable[Scenario], *, runs: int, seed: int, jobs: int
) -> Iterator[Result]:
    """Simulate all, those of one kind and size in one process."""
    batches = [
        list(some)
        for _, some in groupby(scenarios, key=lambda one: (one.kind, one.size, one.reference_size))
    ]
    work = partial(simulate_together, runs=runs, seed=seed)
    if jobs == 1:
        for batch in batches:
            yield from work(batch)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for results in pool.map(work, batches):
            yield from results
