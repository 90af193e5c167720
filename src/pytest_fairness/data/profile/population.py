"""A column of a table beside a reference population from a file."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.levels import MISSING, as_levels
from pytest_fairness.data.profile.record import LevelShare, PopulationRecord
from pytest_fairness.data.profile.request import ProfileRequest, ProfileUsageError
from pytest_fairness.data.profile.source import Coded, Table, check_column, codes_of, text_of
from pytest_fairness.data.rows import Rows, read_rows
from pytest_fairness.statistics.clusters.counts import ClusterCounts, clusters_of
from pytest_fairness.statistics.clusters.effects import worth
from pytest_fairness.statistics.clusters.rates import rate_bound_factors
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.population import (
    FitTest,
    goodness_of_fit,
    mean_design_effect,
    share_intervals,
    total_variation,
)
from pytest_fairness.wording import listed

__all__ = ["compare_population"]

# Published shares are rounded; a sum farther from 1 is a forgotten level or a percentage.
_ROUNDING = 0.02
_SEED = 0


def compare_population(
    table: Table, name: str, path: Path, request: ProfileRequest
) -> PopulationRecord:
    """Compare a column with the shares of its levels in a population.

    Args:
        table: The table.
        name: The column.
        path: CSV or Parquet file with the columns `level` and `share` (adding up to 1), or
            `level` and `count`.
        request: Its level and tolerance.

    Raises:
        ProfileUsageError: The column is not there, or the file is not such a reference.
    """
    check_column(table.rows, name, "reference")
    reference = _read_reference(path)
    column = codes_of(text_of(table.rows, name), name=name, declared=tuple(reference))
    counts = column.counts()
    k = len(reference)
    others = dict(zip(column.levels[k:], counts[k:].tolist(), strict=True))
    missing = others.pop(MISSING, 0)
    shares = np.array(list(reference.values()))
    used, n = counts[:k], int(counts[:k].sum())
    if n == 0:
        msg = (
            f"{table.rows.source}: no value of {name!r} is a level of {path}; the values are "
            f"{listed(others)}, the reference has {listed(reference)}"
        )
        raise ProfileUsageError(msg)
    dependence = _dependence(table, column, k, request.confidence)
    low, high = share_intervals(used, worth=dependence.factors, confidence=request.confidence)
    test = _tested(used, shares, dependence)
    return PopulationRecord(
        column=name,
        reference=str(path),
        n=n,
        missing=missing,
        unlisted=others,
        level=request.confidence,
        tolerance=request.tolerance,
        rows=tuple(
            _row(level, count, n, _Ends(*ends), reference=share, tolerance=request.tolerance)
            for (level, share), count, *ends in zip(
                reference.items(), used.tolist(), low.tolist(), high.tolist(), strict=True
            )
        ),
        distance=total_variation(used, shares),
        **_fit_fields(test.fit),
        freedom=k - 1,
        smallest_expected=float((shares * n).min()),
        cluster=None if table.cluster is None else table.cluster.name,
        design_effect=test.design_effect,
        note=test.note,
    )


class _Ends(NamedTuple):
    """Both ends of an interval."""

    low: float
    high: float


def _row(
    level: str, count: int, n: int, ends: _Ends, *, reference: float, tolerance: float
) -> LevelShare:
    more, fewer = ends.low > reference, ends.high < reference
    return LevelShare(
        level=level,
        n=count,
        share=count / n,
        low=ends.low,
        high=ends.high,
        reference=reference,
        difference=count / n - reference,
        verdict="more" if more else "fewer" if fewer else "not shown to differ",
        beyond_tolerance=ends.low > reference + tolerance or ends.high < reference - tolerance,
    )


class _Dependence(NamedTuple):
    """What clusters do to each level's share: effective share of the samples, design effect."""

    factors: NDArray[np.float64]
    effects: NDArray[np.float64]


def _dependence(table: Table, column: Coded, k: int, confidence: float) -> _Dependence:
    if table.cluster is None:
        return _Dependence(np.ones(k), np.ones(k))
    kept = column.codes < k
    columns = [np.array(one.levels, dtype=object)[one.codes[kept]] for one in table.clusters]
    clusters = clusters_of(columns)
    group = np.zeros(int(kept.sum()), dtype=np.int64)
    sizes = clusters.counted(group, 1)
    factors, effects = np.ones(k), np.ones(k)
    for code in range(k):  # one level at a time: levels by clusters may not fit into memory
        own = clusters.summed(group, 1, column.codes[kept] == code).astype(np.int64)
        counted = ClusterCounts(own, sizes, clusters.ways)
        level = bonferroni(confidence, k)
        factors[code] = rate_bound_factors(counted, confidence=level).least[0]
        effects[code] = 1 / worth(counted)[0]
    return _Dependence(factors, effects)


class _Test(NamedTuple):
    """The test of fit, None where there is none; the mean design effect; what to say of it."""

    fit: FitTest | None
    design_effect: float
    note: str


def _tested(
    counts: NDArray[np.int64], shares: NDArray[np.float64], dependence: _Dependence
) -> _Test:
    seen = shares > 0
    if counts[~seen].any():
        return _Test(None, 1.0, "no test: rows have a level whose share in the reference is 0")
    if seen.sum() < 2:
        return _Test(None, 1.0, "no test: fewer than two levels have a share above 0")
    effect = mean_design_effect(shares[seen], dependence.effects[seen])
    rng = np.random.default_rng(_SEED)
    fit = goodness_of_fit(counts[seen], shares[seen], rng=rng, design_effect=effect)
    note = "an expected count is below 5: p-values are those of simulated samples of this size"
    return _Test(fit, effect, note if fit.method == "simulated" else "")


def _fit_fields(fit: FitTest | None) -> dict[str, Any]:
    """Return what the record says of a test of fit, or of there being none."""
    names = ("chi_square", "g", "p_value", "g_p_value", "method")
    if fit is None:
        return dict.fromkeys(names) | {"method": "undefined"}
    return {name: getattr(fit, name) for name in names}


def _read_reference(path: Path) -> dict[str, float]:
    """Level -> share, in the order of the file."""
    rows = read_rows(path, evaluation="the reference population", error=ProfileUsageError)
    columns = set(rows.frame.columns)
    measure = next((name for name in ("share", "count") if name in columns), None)
    if "level" not in columns or measure is None:
        msg = (
            f"{path}: a reference population needs the columns level and share (or count), got "
            f"{listed(map(str, rows.frame.columns))}"
        )
        raise ProfileUsageError(msg)
    levels = as_levels(rows.frame["level"])
    values = pd.to_numeric(rows.frame[measure], errors="coerce").to_numpy(dtype=np.float64)
    _check_reference(rows, levels, values, measure)
    return dict(zip(levels.tolist(), (values / values.sum()).tolist(), strict=True))


def _check_reference(
    rows: Rows, levels: "pd.Series[str]", values: NDArray[np.float64], measure: str
) -> None:
    bad = levels.isna().to_numpy() | levels.duplicated().to_numpy()
    bad |= ~np.isfinite(values) | (values < 0)
    if bad.any():
        first = int(np.argmax(bad))
        row = rows.frame.iloc[first]
        msg = (
            f"{rows.source}, {rows.place(first)}: level {row['level']!r} with {measure} "
            f"{row[measure]!r}; each group value appears once, with a number that is not negative"
        )
        raise ProfileUsageError(msg)
    total = float(values.sum())
    if measure == "share" and abs(total - 1) > _ROUNDING:
        hint = "; write 0.05 for 5 %" if abs(total - 100) <= 100 * _ROUNDING else ""
        msg = (
            f"{rows.source}: the shares add up to {total:g}, they must add up to 1{hint}; list "
            "every level, or name the column count"
        )
        raise ProfileUsageError(msg)
    if total == 0:
        msg = f"{rows.source}: every {measure} is 0; give the numbers of the population"
        raise ProfileUsageError(msg)
