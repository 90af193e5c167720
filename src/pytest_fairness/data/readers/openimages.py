"""Open Images and the Inclusive Images challenge: images with verified labels, many an image.

Krasin et al. (2017), OpenImages; Atwood et al. (2020), The Inclusive Images Competition.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pytest_fairness.data.label_sets import SEPARATOR
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.tables import (
    expect_columns,
    join_attributes,
    read_table,
    refuse_repeated,
)
from pytest_fairness.wording import listed, suggest

__all__ = ["SEVERAL", "class_descriptions", "read"]

SEVERAL = "(several)"
"""Target of an image that shows labels of more than one group."""

_DESCRIPTIONS = (
    "class-descriptions.csv",
    "oidv7-class-descriptions.csv",
    "oidv6-class-descriptions.csv",
    "class-descriptions-boxable.csv",
)
_LABELS = (
    "oidv6-{split}-annotations-human-imagelabels.csv",
    "{split}-annotations-human-imagelabels.csv",
    "{split}_human_labels.csv",
    "{split}_labels.csv",
)
_COLUMNS = ("ImageID", "LabelName", "Confidence")


class _Labels(NamedTuple):
    """Verified labels: one row an image and label.

    Args:
        frame: (L, 3) `ImageID`, `LabelName`, and whether it is `present`.
        path: File that they stood in.
    """

    frame: pd.DataFrame
    path: Path


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, `labels`, and what the options ask for.

    `labels` holds the ids of the labels that are verified as present, with `|` between them.
    The options `groups` and `columns` give one column for each of their names, and `groups` the
    `target`.
    """
    split = source.evaluation.split or ("train",)
    if len(split) > 1:
        source.error(
            f"{source.root}: splits {listed(split)}: this reader reads one split at a time; give one"
        )
    labels = _read_labels(source, split[0])
    frame = _samples(source, labels, split[0])
    frame["labels"] = frame["id"].map(_label_sets(labels)).fillna("")
    frame = pd.concat([frame, _group_columns(source, labels, frame["id"])], axis=1)
    folder = source.find("the folder of images", *_image_folders(source, split[0]))
    frame["image"] = frame["id"] + ".jpg"
    frame = join_attributes(source, frame)
    return Listing(source.rows(frame, labels.path), folder)


def _label_sets(labels: _Labels) -> pd.Series:
    """Id of an image -> the labels that it shows; pandas would join them in a loop over images."""
    present = labels.frame[labels.frame["present"]].drop_duplicates(["ImageID", "LabelName"])
    table = pa.table(
        {name: pa.array(present[name]).cast(pa.string()) for name in ("ImageID", "LabelName")}
    )
    grouped = table.group_by("ImageID", use_threads=False).aggregate([("LabelName", "list")])
    sets = pc.binary_join(grouped["LabelName_list"], SEPARATOR)
    return pd.Series(sets.to_pylist(), index=grouped["ImageID"].to_pylist(), dtype=object)


def _image_folders(source: Source, split: str) -> tuple[str, ...]:
    if "images" in source.options:
        return (source.options["images"],)
    return (split, f"{split}_images", "images")


def _read_labels(source: Source, split: str) -> _Labels:
    names = [name.format(split=split) for name in _LABELS]
    path = source.find(
        "the list of labels",
        *([source.options.get("labels")] if "labels" in source.options else names),
    )
    frame = read_table(source, path)
    if "ImageID" not in frame.columns and len(frame.columns) == 2:
        return _Labels(_tuning_labels(source, path), path)
    expect_columns(source, frame, _COLUMNS, path)
    confidence = pd.to_numeric(frame["Confidence"], errors="coerce").to_numpy()
    verified = np.isin(confidence, (0, 1))  # machine-made labels lie between
    if source.options.get("every_row", False):
        confidence, verified = np.ones(len(frame)), np.ones(len(frame), np.bool_)
    found = frame.loc[verified, ["ImageID", "LabelName"]]
    return _Labels(found.assign(present=confidence[verified] == 1), path)


def _tuning_labels(source: Source, path: Path) -> pd.DataFrame:
    """Labels in the form of the challenge: `id,/m/1 /m/2`, without a header."""
    frame = read_table(source, path, header=None, names=["ImageID", "LabelName"])
    if str(frame["ImageID"].iloc[0]).casefold() in ("image_id", "imageid", "id"):
        frame = frame.iloc[1:]
    exploded = frame.assign(LabelName=frame["LabelName"].str.split()).explode("LabelName")
    return exploded.dropna().assign(present=True)


def _samples(source: Source, labels: _Labels, split: str) -> pd.DataFrame:
    """One row an image: those of the list of image ids, else all that have a label."""
    name = source.options.get("image_ids")
    usual = (f"{split}-images-with-rotation.csv", f"{split}-images-with-labels-with-rotation.csv")
    path = source.find("the list of images", name) if name else source.look_for(*usual)
    if path is None:
        return pd.DataFrame({"id": labels.frame["ImageID"].unique()})
    frame = read_table(source, path)
    expect_columns(source, frame, ("ImageID",), path)
    refuse_repeated(source, frame["ImageID"], path, place=lambda row: f"line {row + 2}")
    if not frame["ImageID"].isin(labels.frame["ImageID"]).any():
        source.error(f"{path}: none of its images has a label in {labels.path}")
    return frame.rename(columns={"ImageID": "id"})


def _group_columns(source: Source, labels: _Labels, ids: pd.Series) -> pd.DataFrame:
    """A column a group (yes, no, or missing where nobody looked), and the target."""
    groups: dict[str, Sequence[str]] = source.options.get("groups", {})
    others: dict[str, Sequence[str]] = source.options.get("columns", {})
    known = _known_names(source, [*groups.values(), *others.values()])
    columns, seen = {}, []
    for group, names in [*groups.items(), *others.items()]:
        wanted = {mid for name in names for mid in known(name)}
        rows = labels.frame[labels.frame["LabelName"].isin(wanted)]
        present = ids.isin(rows.loc[rows["present"], "ImageID"]).to_numpy()
        absent = ids.isin(rows.loc[~rows["present"], "ImageID"]).to_numpy()
        answers = np.array([None, "no", "yes"], dtype=object)
        columns[group] = answers[np.where(present, 2, absent.astype(np.intp))]
        seen.append(present)
    if groups:
        # The group that is present, if it is one; names are chosen by their place.
        shown = np.stack(seen[: len(groups)])
        chosen = np.array([*groups, SEVERAL, None], dtype=object)
        n = shown.sum(axis=0)
        beyond = np.where(n > 1, len(groups), len(groups) + 1)
        columns["target"] = chosen[np.where(n == 1, shown.argmax(axis=0), beyond)]
    return pd.DataFrame(columns, index=ids.index)


def _known_names(source: Source, groups: Sequence[Sequence[str]]) -> "_Names":
    flat = [name for names in groups for name in names]
    if not all(isinstance(name, str) for name in flat):
        source.error(f"options groups and columns: write lists of label names, got {groups}")
    if all(name.startswith("/") for name in flat):
        return _Names(source, {})
    name = source.options.get("descriptions")
    path = source.find("the list of class descriptions", *((name,) if name else _DESCRIPTIONS))
    return _Names(source, class_descriptions(source, path))


class _Names:
    """Label names -> their ids."""

    def __init__(self, source: Source, descriptions: Mapping[str, tuple[str, ...]]) -> None:
        self.source = source
        self.by_name: dict[str, tuple[str, ...]] = {}
        for name, mids in descriptions.items():
            key = name.casefold()
            self.by_name[key] = (*self.by_name.get(key, ()), *mids)

    def __call__(self, name: str) -> tuple[str, ...]:
        if name.startswith("/"):
            return (name,)
        found = self.by_name.get(name.casefold())
        if found is None:
            self.source.error(
                f"no label is called {name!r}{suggest(name.casefold(), self.by_name)}"
            )
        return found


def class_descriptions(source: Source, path: Path) -> dict[str, tuple[str, ...]]:
    """Read class descriptions, with a header (V6) or without (V3): name -> ids of labels.

    One name may belong to several labels.

    Raises:
        DataError: The file cannot be read, or has not two columns.
    """
    table = read_table(source, path, header=None, names=["mid", "name"])
    if table["mid"].iloc[0] == "LabelName":
        table = table.iloc[1:]
    grouped = table.dropna().groupby("name", sort=False)["mid"].agg(tuple)
    return {str(name): mids for name, mids in grouped.items()}
