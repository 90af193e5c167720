"""Sets of matched images: the same design, once for each level of an attribute."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

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
    positions, places, strata, clusters = [], [], [], []
    left_out: Counter[str] = Counter()
    for _, some in frame.groupby(list(columns), sort=True, observed=True):
        rows = some.sort_values("(level)", kind="stable")
        reason = _reason(rows, audit.by)
        if reason is not None:
            left_out[reason] += 1
            continue
        positions.append(tuple(int(position) for position in rows.index))
        places.append(tuple(int(level) for level in rows["(level)"]))
        strata.append("" if audit.by is None else str(rows[audit.by].iloc[0]))
        clusters.append(-1 if table.cluster is None else int(table.cluster.codes[rows.index[0]]))
    return MatchedSets(
        levels=levels,
        columns=columns,
        positions=positions,
        places=places,
        strata=strata,
        clusters=None if table.cluster is None else clusters,
        left_out=dict(left_out),
    )


def _reason(rows: pd.DataFrame, by: str | None) -> str | None:
    """Why a set cannot be measured."""
    if len(rows) < 2:
        return "one level only"
    if rows["(level)"].duplicated().any():
        return "several images of one level"
    if by is not None and len(set(rows[by])) > 1:
        return f"several values of {by}"
    return None


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
