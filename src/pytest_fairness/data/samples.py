"""Checks that manifests and predictions share: ids, targets and attribute levels."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from pytest_fairness.data.label_sets import (
    EXACT,
    LABELS,
    PREDICTED,
    only_label_sets,
    read_label_sets,
)
from pytest_fairness.data.levels import MISSING
from pytest_fairness.statistics.clusters.columns import columns_of
from pytest_fairness.wording import listed, suggest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_fairness.data.rows import Rows
    from pytest_fairness.policy.records import Evaluation

__all__ = ["Samples", "as_numbers", "check_classes", "read_ids", "read_samples"]

# Columns of the tables of samples and predictions; an attribute needs a name of its own.
_RESERVED = ("id", "target", "prediction")


class Samples(NamedTuple):
    """Samples that passed every check.

    Args:
        frame: (N, columns) text columns `id`, `target`, every attribute and carried column, and
            `labels` where an evaluation has sets of labels.
        levels: Attribute -> its levels: the declared ones, and `(missing)` where values are.
        classes: The declared and the known classes, else the sorted values of the target.
    """

    frame: pd.DataFrame
    levels: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]


def read_ids(rows: "Rows", evaluation: "Evaluation", *, otherwise: pd.Series | None) -> pd.Series:
    """Return the id of every row (N,), which must be unique.

    Args:
        rows: The rows that were read.
        evaluation: Its `id` names the column.
        otherwise: The ids when there is no column `id` and the policy asks for no other one;
            None for `row-<n>`.

    Raises:
        FairnessError: An id is missing, or used twice.
    """
    numbers = pd.Series([f"row-{n}" for n in rows.frame.index], index=rows.frame.index)
    if evaluation.id != "id" or "id" in rows.frame.columns:
        ids = rows.required(evaluation.id, key="id", ids=numbers)
    else:
        ids = numbers if otherwise is None else otherwise
    repeated = ids.duplicated(keep=False).to_numpy()
    if repeated.any():
        first = ids[repeated].iloc[0]
        places = [rows.place(position) for position in (ids == first).to_numpy().nonzero()[0][:2]]
        count = ids[repeated].nunique()
        msg = (
            f"{rows.source}: sample id {first!r} appears twice, in {places[0]} and {places[1]}"
            f" ({count} repeated id{'s' if count > 1 else ''} in all). Each id must be "
            "unique: remove or rename one"
        )
        raise rows.error(msg)
    return ids


def read_samples(
    rows: "Rows", evaluation: "Evaluation", *, ids: pd.Series, known: tuple[str, ...] = ()
) -> Samples:
    """Return the samples of an evaluation, or raise for the first that cannot be judged.

    Args:
        rows: The rows that were read.
        evaluation: Names the columns and declares classes and levels.
        ids: Id of every row (N,).
        known: Classes that predictions of ours were made with.

    Raises:
        FairnessError: A target is missing or not a declared class, or an attribute holds a
            level that the policy does not declare.
    """
    classes: tuple[str, ...] = EXACT
    if only_label_sets(rows, evaluation):  # each set should be exactly right
        targets = pd.Series(EXACT[0], index=rows.frame.index)
    else:
        targets = rows.required(evaluation.target, key="target", ids=ids)
        classes = tuple(dict.fromkeys((*(evaluation.classes or ()), *known)))
        classes = classes or tuple(sorted(targets.unique()))
        check_classes(rows, targets, ids=ids, key="target", classes=classes)
    if evaluation.positive is not None and evaluation.positive not in classes:
        msg = (
            f"{rows.source}: `positive` of evaluation {evaluation.name!r} is "
            f"{evaluation.positive!r}, but the classes are {listed(classes)}"
            f"{suggest(evaluation.positive, classes)}; name every class in `classes`"
        )
        raise rows.error(msg)
    columns, levels = {"id": ids, "target": targets}, {}
    for name, declared in evaluation.attributes.items():
        columns[name], levels[name] = _read_attribute(rows, name, declared, ids=ids)
    for name in evaluation.carried:
        if name in evaluation.numbers:
            columns[name] = _read_numbers(rows, name, evaluation.numbers[name], ids=ids)
        elif name not in columns:
            columns[name] = rows.required(name, key=_key_of(name, evaluation), ids=ids)
    if evaluation.labels is not None:
        _check_names(rows, columns)
        columns[LABELS] = read_label_sets(rows, evaluation.labels, key="labels", ids=ids)
    return Samples(pd.DataFrame(columns).reset_index(drop=True), levels, classes)


def _check_names(rows: "Rows", columns: Mapping[str, object]) -> None:
    for name in (LABELS, PREDICTED):
        if name in columns:
            msg = (
                f"{rows.source}: evaluation {rows.evaluation!r} has sets of labels, and also a column "
                f"{name!r} as attribute, cluster or counterfactual; rename the column"
            )
            raise rows.error(msg)


def _key_of(column: str, evaluation: "Evaluation") -> str:
    """The key of the policy that names a carried column."""
    return "cluster" if column in columns_of(evaluation.cluster) else "counterfactual"


def check_classes(
    rows: "Rows", values: pd.Series, *, ids: pd.Series, key: str, classes: tuple[str, ...]
) -> None:
    """Raise for the first target or prediction that is not one of the classes."""
    rows.reject(
        ~values.isin(classes).to_numpy(),
        ids,
        lambda first: (
            f"`{key}` is {values.iloc[first]!r}, which is not a class"
            f"{suggest(values.iloc[first], classes)}"
        ),
        remedy=f"the classes of evaluation {rows.evaluation!r} are {listed(classes)}; correct the "
        "value, or name every class in `classes`",
    )


def as_numbers(values: pd.Series) -> "NDArray[np.float64]":
    """Return numbers of their text, nan where there is no value, or no number."""
    return pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


# A hit, written as a truth value: as pandas and as other programs write it.
_TRUTH = {"True": "1", "true": "1", "False": "0", "false": "0"}


def _read_numbers(
    rows: "Rows", name: str, bounds: tuple[float, float], *, ids: pd.Series
) -> pd.Series:
    """Return a column of bounded numbers as text, which is empty where a sample has no value."""
    values, (low, high) = rows.text(name, key="column").replace(_TRUTH), bounds
    numbers = as_numbers(values)
    rows.reject(
        np.isnan(numbers) & values.notna().to_numpy(),
        ids,
        lambda first: f"column {name!r} is {values.iloc[first]!r}, not a number",
        remedy="correct the value, or leave it empty where the sample has none",
    )
    rows.reject(
        (numbers < low) | (numbers > high),
        ids,
        lambda first: f"column {name!r} is {numbers[first]:.15g}, outside {low:g} to {high:g}",
        remedy=f"correct the value, or the bounds of column {name!r} in the policy",
    )
    return values.fillna("")


def _read_attribute(
    rows: "Rows", name: str, declared: tuple[str, ...], *, ids: pd.Series
) -> tuple[pd.Series, tuple[str, ...]]:
    if name in _RESERVED:
        msg = (
            f"{rows.source}: evaluation {rows.evaluation!r} has an attribute {name!r}, a name kept "
            "for the sample itself; rename the column"
        )
        raise rows.error(msg)
    values = rows.text(name, key=f"attributes.{name}").fillna(MISSING)
    levels = declared
    if MISSING not in declared and (values == MISSING).any():
        levels = (*declared, MISSING)
    rows.reject(
        ~values.isin(levels).to_numpy(),
        ids,
        lambda first: (
            f"{name} = {values.iloc[first]!r} is not declared"
            f"{suggest(values.iloc[first], declared)}"
        ),
        remedy=f"evaluation {rows.evaluation!r} declares {listed(declared)}; correct the value, or "
        f"declare it in `attributes.{name}`",
    )
    return values, levels
