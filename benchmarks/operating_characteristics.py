"""How often is a verdict wrong? `python -m benchmarks.operating_characteristics`.

Draws the counts of models whose true rates are known, and lets the gate judge them: by
`judge_counts`, with its intervals and its correction. Beside it, on the same draws, stands a gate
that compares the bare number with the limit; `--fairlearn` adds fairlearn's bootstrap for a few
cells. Seeded; a scenario draws the same counts whatever else is simulated.
"""

import argparse
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.remembered import Remembered, only_decisions, remembered_pairs
from benchmarks.scenarios import GROUPS, KINDS, SIZES, WAYS, Kind, Scenario, grid
from pytest_fairness.gate.judging import judge_counts
from pytest_fairness.gate.record import Verdict

__all__ = ["Result", "simulate"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

GOAL = 0.05
# With two groups the same counts come often, and are judged once: more runs cost little.
_MORE_RUNS = {2: 4}
_ROUNDING = 1e-9


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
    for level in levels:
        remembered[kind](x1, scenario.size, x2, beside, level=level)


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

    room = _ROUNDING * np.maximum(1.0, truth)
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


def _images(scenario: Scenario) -> str:
    beside = "" if scenario.reference_size is None else f" beside {scenario.reference_size}"
    return f"{scenario.size}{beside}"


def error_of(share: float, runs: int) -> float:
    """Standard error of a simulated share; never that of a share of nothing."""
    share = float(np.clip(share, 1 / runs, 1 - 1 / runs))
    return float(np.sqrt(share * (1 - share) / runs))


def missed_goals(results: Iterable[Result]) -> Iterator[str]:
    """Say which scenario or cell misses a goal by more than twice its simulation error."""
    cells: dict[tuple[Kind, int, str, float], list[Result]] = defaultdict(list)
    for one in results:
        case = one.scenario
        cells[case.kind, case.groups, _images(case), case.way].append(one)
        # A pass is a claim of its own: of many broken limits, more than one in 20 may have luck.
        single = ("false_pass",) if case.broken.sum() == 1 else ()
        for name in ("false_block", "edge_pass", *single):
            share = getattr(one, name)
            if share > GOAL + 2 * error_of(GOAL, one.runs):
                yield f"{name} {share:.3f}: {case}"
        least = 0.93 - 2 * error_of(0.93, one.runs)
        if case.size >= 20 and one.coverage < least:
            yield f"coverage {one.coverage:.3f} (above {one.above:.3f}): {case}"
    for cell, some in cells.items():
        for name in ("false_block", "edge_pass"):
            shares = [share for one in some if not np.isnan(share := getattr(one, name))]
            runs = sum(one.runs for one in some)
            if shares and np.mean(shares) > GOAL + 2 * error_of(GOAL, runs):
                yield f"{name} {np.mean(shares):.3f} over the rates: {cell}"
        covered = [one.coverage for one in some if not np.isnan(one.coverage)]
        runs = sum(one.runs for one in some)
        if covered and np.mean(covered) < 0.95 - 2 * error_of(0.95, runs):
            yield f"mean coverage {np.mean(covered):.4f} over the rates: {cell}"


_HEAD = (
    "| question | groups | images a group | false block | some false pass | passed at the limit "
    "| left open: fair, half, 1.5 x, 2 x | coverage: mean, least | bare: false block | some false pass |"
)


def table(results: Iterable[Result], *, by_groups: bool) -> Iterator[str]:
    """Yield the lines of the table: the largest errors over rates, gaps and who is off."""
    yield _HEAD
    yield "|" + "---|" * 10
    rows: dict[tuple[str, str, str], list[Result]] = defaultdict(list)
    for one in results:
        case = one.scenario
        groups = str(case.groups) if by_groups else "all"
        rows[case.kind, groups, _images(case)].append(one)
    for (kind, groups, size), some in rows.items():
        worst = [
            _largest(some, name)
            for name in ("false_block", "false_pass", "edge_pass", "bare_block", "bare_pass")
        ]
        left = ", ".join(_left_open(some, way) for way in (0.0, 0.5, 1.5, 2.0))
        covered = [one.coverage for one in some if not np.isnan(one.coverage)]
        coverage = f"{np.mean(covered):.3f}, {min(covered):.3f}" if covered else "none"
        errors = [f"{share:.3f}" for share in worst]
        cells = (kind, groups, size, *errors[:3], left, coverage, *errors[3:])
        yield "| " + " | ".join(map(str, cells)) + " |"


def _left_open(some: Sequence[Result], way: float) -> str:
    shares = [one.inconclusive for one in some if one.scenario.way == way]
    return f"{np.mean(shares):.2f}" if shares else "none"


def _largest(some: Sequence[Result], name: str) -> float:
    return max((share for one in some if not np.isnan(share := getattr(one, name))), default=np.nan)


def main() -> None:
    """Print the table of docs/statistics.md, and each goal that is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three sizes, two group numbers")
    parser.add_argument("--replications", type=int, default=100, help="runs of each scenario")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    parser.add_argument("--by-groups", action="store_true", help="a row for each number of groups")
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS, metavar="KIND")
    parser.add_argument(
        "--fairlearn", type=int, default=0, metavar="RUNS", help="its bootstrap too"
    )
    options = parser.parse_args()
    groups, sizes = ((2, 8), (5, 20, 100)) if options.quick else (GROUPS, SIZES)
    scenarios = list(grid(kinds=tuple(options.kinds), groups=groups, sizes=sizes, ways=WAYS))
    results = list(
        simulate_all(scenarios, runs=options.replications, seed=options.seed, jobs=options.jobs)
    )
    for line in table(results, by_groups=options.by_groups):
        print(line)
    missed = list(missed_goals(results))
    runs = sum(one.runs for one in results)
    print(f"\n{len(results)} scenarios, {runs} runs; goals missed: {len(missed)}")
    print("\n".join(missed))
    if options.fairlearn:
        from benchmarks.fairlearn_bootstrap import compare  # noqa: PLC0415  (a rival, on request)

        print()
        for line in compare(runs=options.fairlearn, seed=options.seed):
            print(line, flush=True)


if __name__ == "__main__":
    main()
