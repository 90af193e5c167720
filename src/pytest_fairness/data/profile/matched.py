"""Sets of matched images: the same design, once for each level of an attribute."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from pytest_fairness.data.levels import MISSING
from pytest_fairness.data.profile.request import AuditRequest, ProfileRequest, ProfileUsageError
from pytest_fairness.data.profile.source import Table, check_column, text_of

__all__ = ["MatchedSets", "match_images"]


@dataclass(frozen=True, slots=True, eq=False)
class MatchedSets:
    """Images that agree in some columns and differ in the audited attribute.

    Args:
        levels: Levels of the attribute in their order.
        columns: Columns that name a set.
        positions: The images of each set, in the order of the levels.
        places: Position of the level of each of these images.
        strata: Value of the column that the audit is split by, for each set; empty without one.
        clusters: Number of the cluster of each set; None where sets are independent.
        left_out: Reason -> sets that cannot be measured.
    """

    levels: tuple[str, ...]
    columns: tuple[str, ...]
    positions: Sequence[tuple[int, ...]]
    places: Sequence[tuple[int, ...]]
    strata: Sequence[str]
    clusters: Sequence[int] | None
    left_out: Mapping[str, int]


def match_images(table: Table, audit: AuditRequest, request: ProfileRequest) -> MatchedSets:
    """Return the matched sets of an audit.

    Raises:
        ProfileUsageError: A column is not there, the levels have no order, or nothing names sets.
    """
    levels = _levels(table, audit, request)
    columns = _columns(table, audit, request)
    wanted = (audit.attribute, *columns, *(() if audit.by is None else (audit.by,)))
    for name in wanted:
        check_column(table.rows, name, "audit")
    place = {level: position for position, level in enumerate(levels)}
    frame = pd.DataFrame({name: text_of(table.rows, name).to_numpy() for name in wanted})
    frame["(level)"] = frame[audit.attribute].map(place)
    frame = frame.dropna(subset="(level)")
    frame = frame[(frame[list(columns)] != MISSING).all(axis=1)]
    frame["(set)"] = frame.groupby(list(columns), sort=True, observed=True).ngroup()
    frame = frame.sort_values(["(set)", "(level)"], kind="stable")
    reasons = _reasons(frame, audit.by)
    kept = frame[frame["(set)"].map(reasons).isna()]
    starts = np.flatnonzero(np.diff(kept["(set)"], prepend=-1))
    first = kept.iloc[starts]
    clusters = _clusters(table, first.index.to_numpy())
    return MatchedSets(
        levels=levels,
        columns=columns,
        positions=_split(kept.index.to_numpy(), starts),
        places=_split(kept["(level)"].to_numpy(dtype=np.int64), starts),
        strata=[""] * len(first) if audit.by is None else first[audit.by].tolist(),
        clusters=clusters,
        left_out={str(reason): int(n) for reason, n in reasons.value_counts().items()},
    )


def _clusters(table: Table, rows: NDArray[np.int64]) -> list[int] | None:
    """Number of the cluster of some rows; with two columns, rows that either links are of one."""
    codes = [one.codes[rows] for one in table.clusters]
    if len(codes) < 2:
        return codes[0].tolist() if codes else None
    sizes = [len(one.levels) for one in table.clusters]
    links = csr_array(
        (np.ones(len(rows)), (codes[0], codes[1] + sizes[0])), shape=(sum(sizes),) * 2
    )
    _, component = connected_components(links, directed=False)
    return [int(number) for number in component[codes[0]]]


def _split(values: NDArray[np.int64], starts: NDArray[np.int64]) -> list[tuple[int, ...]]:
    """Return the values of each set."""
    return [tuple(some.tolist()) for some in np.split(values, starts)[1:]]


def _reasons(frame: pd.DataFrame, by: str | None) -> "pd.Series[str]":
    """Set -> why it cannot be measured, for those that cannot."""
    sizes = frame["(set)"].value_counts(sort=False)
    twice = frame.loc[frame.duplicated(["(set)", "(level)"]), "(set)"].unique()
    found = dict.fromkeys(sizes.index[sizes < 2], "one level only")
    found |= dict.fromkeys(twice, "several images of one level")
    if by is not None:
        values = frame.groupby("(set)")[by].nunique()
        mixed = values.index[values > 1]
        found |= {one: f"several values of {by}" for one in mixed if one not in found}
    return pd.Series(found, dtype=object)


def _levels(table: Table, audit: AuditRequest, request: ProfileRequest) -> tuple[str, ...]:
    levels = request.levels.get(audit.attribute) or table.evaluation.attributes.get(audit.attribute)
    if not levels or len(levels) < 2:
        msg = (
            f"{table.rows.source}: the audit of {audit.attribute!r} needs its levels in their "
            f"order; give them with --levels {audit.attribute}=FIRST,SECOND,..."
        )
        raise ProfileUsageError(msg)
    return tuple(levels)


def _columns(table: Table, audit: AuditRequest, request: ProfileRequest) -> tuple[str, ...]:
    """Those that were named; else the policy's, with its other attributes as it matches by them."""
    if request.match:
        return request.match
    evaluation = table.evaluation
    named = evaluation.counterfactual
    if named and audit.attribute in evaluation.attributes:
        others = (name for name in evaluation.attributes if name != audit.attribute)
        named = tuple(dict.fromkeys((*named, *others)))
    if not named:
        msg = (
            f"{table.rows.source}: the audit of {audit.attribute!r} compares images of the same "
            "design; name the columns that tell designs apart with --match COLUMN,..., or "
            "counterfactual in the policy"
        )
        raise ProfileUsageError(msg)
    return named
