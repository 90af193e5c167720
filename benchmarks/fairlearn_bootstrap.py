"""fairlearn's bootstrap as a gate, beside ours and the bare number, on the same draws."""

import zlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from fairlearn.metrics import MetricFrame, selection_rate

from benchmarks.remembered import only_decisions, remembered_pairs
from benchmarks.scenarios import Kind, Scenario
from benchmarks.simulation import Result, simulate

__all__ = ["bootstrap", "compare"]

_KIND: Kind = "difference, all"
# Groups, and the true gap as a share of the limit: each bootstrap takes a second or two.
_CELLS = ((8, 0.0), (2, 1.5))
_SIZE, _RATE = 100, 0.5
_DRAWS = 100


def bootstrap(scenario: Scenario, *, runs: int, seed: int) -> Result:
    """Judge runs by the percentile interval of fairlearn's `difference_ci` or `ratio_ci`.

    Fails where the whole interval breaks the limit, passes where it keeps it.

    Args:
        scenario: A gap over all groups.
        runs: Number of runs; each bootstraps a table of all images.
        seed: Seed of the draws, the same as for `simulate`.
    """
    rng = np.random.default_rng([seed, zlib.crc32(repr(scenario).encode())])
    intervals = [
        _interval(scenario, row, int(rng.integers(2**31))) for row in scenario.draw(runs, rng)
    ]
    low, high = np.array(intervals).T
    (truth,), (broken,) = scenario.truth, scenario.broken
    if scenario.kind == "ratio, all":
        blocked, passed = scenario.breaks(high), ~scenario.breaks(low)
    else:
        blocked, passed = scenario.breaks(low), ~scenario.breaks(high)
    return Result(
        scenario=scenario,
        runs=runs,
        false_block=np.nan if broken else float(blocked.mean()),
        false_pass=float(passed.mean()) if broken else np.nan,
        edge_pass=float(passed.mean()) if scenario.at_limit[0] else np.nan,
        inconclusive=float((~blocked & ~passed).mean()),
        above=float((low > truth + 1e-9).mean()),
        below=float((high < truth - 1e-9).mean()),
        bare_block=np.nan,
        bare_pass=np.nan,
    )


def _interval(scenario: Scenario, successes: np.ndarray, seed: int) -> tuple[float, float]:
    predicted = np.concatenate([np.arange(scenario.size) < x for x in successes]).astype(int)
    frame = MetricFrame(
        metrics=selection_rate,
        y_true=predicted,
        y_pred=predicted,
        sensitive_features=pd.Series(np.repeat(np.arange(scenario.groups), scenario.size)),
        n_boot=_DRAWS,
        ci_quantiles=[0.025, 0.975],
        random_state=seed,
    )
    ends = frame.ratio_ci() if scenario.kind == "ratio, all" else frame.difference_ci()
    return float(ends[0]), float(ends[1])


def compare(*, runs: int, seed: int) -> Iterator[str]:
    """Yield the lines of a table: fairlearn, ours and the bare number, cell by cell."""
    yield (
        f"Rates of {_RATE}, {_SIZE} images a group, {runs} runs a cell, {_DRAWS} bootstrap draws:\n"
    )
    yield "| question | groups | true gap | gate | wrongly blocked | wrongly passed | coverage |"
    yield "|" + "---|" * 7
    for groups, way in _CELLS:
        scenario = Scenario(_KIND, groups, _SIZE, way, _RATE)
        with only_decisions(), remembered_pairs() as remembered:
            ours = simulate(scenario, runs=runs, seed=seed, remembered=remembered)
        theirs = bootstrap(scenario, runs=runs, seed=seed)
        for gate, one in (("fairlearn bootstrap", theirs), ("pytest-fairness", ours)):
            errors = f"{one.false_block:.2f} | {one.false_pass:.2f} | {one.coverage:.2f}"
            yield f"| {_KIND} | {groups} | {way:g} x limit | {gate} | {errors} |"
        errors = f"{ours.bare_block:.2f} | {ours.bare_pass:.2f} | none"
        yield f"| {_KIND} | {groups} | {way:g} x limit | bare number | {errors} |"
