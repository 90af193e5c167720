"""How often is a verdict wrong? `python -m benchmarks.operating_characteristics`.

Draws the counts of models whose true rates are known, and lets the gate judge them: by
`judge_counts`, with its intervals and its correction. Beside it, on the same draws, stands a gate
that compares the bare number with the limit; `--fairlearn` adds fairlearn's bootstrap for a few
cells. Seeded; a scenario draws the same counts whatever else is simulated.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from benchmarks.fairlearn_bootstrap import compare
from benchmarks.scenarios import GROUPS, KINDS, SIZES, WAYS, Kind, Scenario, grid
from benchmarks.simulation import Result, simulate_all

GOAL = 0.05


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
        print()
        for line in compare(runs=options.fairlearn, seed=options.seed):
            print(line, flush=True)


if __name__ == "__main__":
    main()
