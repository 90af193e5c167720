"""What a manifest or data set proposes for `[evaluation.NAME]`: columns, classes, levels."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from pytest_fairness.commands.scaffold.problem import InitError, Problems
from pytest_fairness.data.levels import as_levels
from pytest_fairness.data.readers import list_samples
from pytest_fairness.doors.registry import declared
from pytest_fairness.policy.records import Evaluation
from pytest_fairness.statistics.clusters.columns import Cluster, columns_of
from pytest_fairness.wording import counted, listed, suggest

__all__ = ["Column", "DataRequest", "FoundData", "find_data", "name_of"]

_IMAGES = ("image", "image_path", "img", "file", "filename", "file_name", "filepath", "path")
_TARGETS = ("target", "label", "class", "y")
_PROTECTED = re.compile(
    r"gender|sex|race|ethnicity|ethnic_group|(skin_?)?tone|skin|skin_?(type|colou?r)|"
    r"(fitzpatrick|fst)(_?(type|scale|skin_?type))?|monk(_?(scale|skin_?tone))?|"
    r"age(_?(group|range|band))?|disability|religion|nationality|region|continent|country",
    re.IGNORECASE,
)
_CLUSTERS = re.compile(
    r"(person|subject|identity|individual|patient|participant|design|celebrity)"
    r"(_?(id|name|no|number))?",
    re.IGNORECASE,
)
_FEW, _MOST = 12, 50
"""Values of a column that is proposed by itself, and of one that was named."""


@dataclass(frozen=True, slots=True)
class DataRequest:
    """Options of the command line about the data, None or empty where an option is not given."""

    manifest: Path | None = None
    reader: str = "manifest"
    root: Path | None = None
    split: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    name: str | None = None
    image: str | None = None
    target: str | None = None
    positive: str | None = None
    attributes: tuple[str, ...] | None = None
    reference: Mapping[str, str] = field(default_factory=dict)
    cluster: Cluster | None = None


@dataclass(frozen=True, slots=True)
class Column:
    """A column by its levels.

    Args:
        name: Its name.
        counts: Level -> samples, by number where all levels are numbers, else as they appear.
        missing: Samples without a value.
    """

    name: str
    counts: Mapping[str, int]
    missing: int = 0

    @property
    def shown(self) -> str:
        """The levels and their counts on one line: `woman 40, man 38`."""
        few = list(self.counts.items())[:_FEW]
        more = f", … ({len(self.counts):,} in all)" if len(self.counts) > _FEW else ""
        return ", ".join(f"{_line(level)} {count:,}" for level, count in few) + more

    @property
    def words(self) -> str:
        """The levels on one line: `woman, man`."""
        return ", ".join(map(_line, self.counts))


@dataclass(frozen=True, slots=True)
class FoundData:
    """Facts about the data that go into the policy.

    Args:
        name: Name of the evaluation.
        source: The evaluation as the manifest or reader is read, nothing of the target yet.
        samples: How many samples there are.
        target: Column of the true class.
        positive: The class that counts as positive; None of more than two classes.
        attributes: The protected attributes.
        reference: Attribute -> level that the others are compared with.
        cluster: Column of what several images show, or two, as the command line names them.
        perhaps_cluster: A column that looks like one; it is only suggested.
        left: Columns called like a protected attribute whose values are too many to propose, or one.
        others: Further columns with few levels.
    """

    name: str
    source: Evaluation
    samples: int
    target: Column
    positive: str | None
    attributes: tuple[Column, ...]
    reference: Mapping[str, str]
    cluster: Cluster | None
    perhaps_cluster: Column | None
    left: tuple[Column, ...]
    others: tuple[Column, ...]


def name_of(text: str) -> str:
    """Return a text as the name of a table or a test: letters, digits, `_` and `-`.

    Example:
        >>> name_of("Faces (2024).v2")
        'Faces_2024_v2'
    """
    return re.sub(r"[^\w-]+", "_", text).strip("_-")


def find_data(request: DataRequest) -> FoundData:
    """Read the list of samples, and propose what it can mean. No image is opened.

    Raises:
        DataError: The manifest or data set cannot be read.
        InitError: A column is not there or has too many values, or what nobody but the team can
            know is not said: the target, the positive class, the protected attributes.
    """
    source = _source(request)
    listing = list_samples(source)
    frame = listing.rows.frame
    if frame.empty:
        msg = f"{listing.rows.source}: no rows; give at least one sample"
        raise InitError(msg)
    search = _Search(frame, listing.rows.source, request)
    meaning = _meaning(search, listing.folder)
    image, target, attributes = meaning.image, meaning.target, meaning.attributes
    taken = {target.name, image, "id", "split", *(one.name for one in attributes)}
    perhaps = None if request.cluster else search.perhaps_cluster(taken)
    return FoundData(
        name=source.name,
        source=replace(source, image=image),
        samples=len(frame),
        target=target,
        positive=meaning.positive,
        attributes=attributes,
        reference=request.reference,
        cluster=request.cluster,
        perhaps_cluster=perhaps,
        left=search.protected_but(taken) if request.attributes is None else (),
        others=tuple(search.few(but=taken | ({perhaps.name} if perhaps else set()))),
    )


class _Meaning(NamedTuple):
    """What the columns of a table mean."""

    image: str
    target: Column
    positive: str | None
    attributes: tuple[Column, ...]


def _meaning(search: "_Search", folder: Path) -> _Meaning:
    """What the columns mean; everything that nobody said is asked for in one message."""
    problems = Problems()
    request = search.request
    image = problems.of(search.image, folder)
    target = problems.of(search.target)
    positive = None if target is None else problems.of(search.positive, target)
    attributes = problems.of(search.attributes, None if target is None else target.name)
    if attributes is not None:
        problems.of(search.check_reference, attributes)
    for column in columns_of(request.cluster):
        problems.of(search.need, column, "--cluster")
    problems.check()
    if image is None or target is None or attributes is None:
        raise InitError(search.source)
    return _Meaning(image, target, positive, attributes)


def _source(request: DataRequest) -> Evaluation:
    if request.reader != "manifest" and request.root is None:
        msg = f"--reader {request.reader}: give its folder too, --root DIR"
        raise InitError(msg)
    place = request.manifest or request.root or Path()
    folder = place.resolve()
    usual = folder.parent.name if folder.stem in ("manifest", "index", "metadata") else folder.stem
    name = name_of(request.name or usual) or "data"
    return Evaluation(
        name=name,
        manifest=request.manifest,
        reader=request.reader,
        root=request.root,
        split=request.split,
        options=_options(request),
    )


def _options(request: DataRequest) -> dict[str, Any]:
    """Options of a reader, those that it takes as a list split at commas."""
    if not request.options:
        return {}
    kinds = declared("readers", request.reader).options
    return {
        key: value.split(",") if kinds.get(key) is list else value
        for key, value in request.options.items()
    }


@dataclass(frozen=True, slots=True)
class _Search:
    """A table of samples that is searched for its meaning."""

    frame: pd.DataFrame
    source: str
    request: DataRequest

    @property
    def names(self) -> list[str]:
        return [str(name) for name in self.frame.columns]

    def need(self, name: str, option: str) -> None:
        if self.names.count(name) != 1:
            found = "more than one column" if name in self.names else "no column"
            msg = (
                f"{option} {name}: {self.source} has {found} of this name; the columns are "
                f"{listed(self.names)}{suggest(name, self.names)}"
            )
            raise InitError(msg)

    def column(self, name: str) -> Column:
        values = as_levels(self.frame[name])
        codes, levels = pd.factorize(values)
        counts = np.bincount(codes[codes >= 0], minlength=len(levels)).tolist()
        found = dict(zip(map(str, levels), counts, strict=True))
        return Column(name, _in_order(found), int((codes < 0).sum()))

    def image(self, folder: Path) -> str:
        asked = self.request.image
        if asked is not None:
            self.need(asked, "--image")
        found = [asked] if asked else _same(_IMAGES, self.names)
        if not found:
            msg = (
                f"{self.source}: no column `image`; name the column with the paths of the images, "
                f"--image COLUMN; the columns are {listed(self.names)}"
            )
            raise InitError(msg)
        first = next((one for one in self.frame[found[0]] if isinstance(one, str)), None)
        if first is not None and not (folder / first).is_file():
            msg = (
                f"{self.source}: column {found[0]!r} names {first!r}, which is no file; paths are "
                f"relative to {folder}; correct them, or name another column with --image"
            )
            raise InitError(msg)
        return found[0]

    def target(self) -> Column:
        asked = self.request.target
        if asked is not None:
            self.need(asked, "--target")
        found = [asked] if asked else _same(_TARGETS, self.names)
        if not found:
            msg = (
                f"{self.source}: which column holds the true class? Give --target COLUMN, and where it has "
                f"two classes --positive CLASS; columns with few values: {self._shown_few()}"
            )
            raise InitError(msg)
        column = self.column(found[0])
        if not 2 <= len(column.counts) <= max(2, len(self.frame) // 2):
            msg = (
                f"{self.source}: --target {found[0]}: {counted(len(column.counts), 'class', 'classes')} in "
                f"{counted(len(self.frame), 'sample')} ({listed(column.counts)}); name the column with the "
                f"true class; columns with few values: {self._shown_few()}"
            )
            raise InitError(msg)
        if column.missing:
            msg = (
                f"{self.source}: column {found[0]!r} lacks the true class of "
                f"{counted(column.missing, 'sample')}; fill it in, or remove those rows"
            )
            raise InitError(msg)
        return column

    def positive(self, target: Column) -> str | None:
        asked = self.request.positive
        if asked is None and len(target.counts) == 2:
            msg = (
                f"{self.source}: column {target.name!r} has two classes, {listed(target.counts)}; "
                "say which one counts as positive, --positive CLASS: false positives and selection "
                "rates are counted by it"
            )
            raise InitError(msg)
        if asked is not None and asked not in target.counts:
            msg = (
                f"--positive {asked}: column {target.name!r} has no such class; allowed: "
                f"{listed(target.counts)}{suggest(asked, target.counts)}"
            )
            raise InitError(msg)
        return asked

    def attributes(self, target: str | None) -> tuple[Column, ...]:
        """The protected attributes; a proposal of one column may be the target that nobody named."""
        asked = self.request.attributes
        if asked is None:
            protected = self.protected_but(() if target is None else {target})
            found = tuple(one for one in protected if 2 <= len(one.counts) <= _FEW)
            if len(found) > (target is None):
                return found
            msg = (
                f"{self.source}: which columns are protected attributes? Give --attributes A,B; "
                f"columns with few values: {self._shown_few()}"
            )
            raise InitError(msg)
        for name in asked:
            self.need(name, "--attributes")
        columns = tuple(map(self.column, asked))
        for column in columns:
            if not 1 <= len(column.counts) <= _MOST:
                msg = (
                    f"--attributes {column.name}: {counted(len(column.counts), 'different value')} "
                    f"({listed(column.counts)}), allowed are 1 to {_MOST}; put them into groups in "
                    "a column of their own, or write the policy with `derive` (docs/policy.md)"
                )
                raise InitError(msg)
        return columns

    def protected_but(self, taken: Iterable[str]) -> tuple[Column, ...]:
        """Columns that are called like a protected attribute."""
        names = [name for name in self.names if _PROTECTED.fullmatch(name) and name not in taken]
        return tuple(map(self.column, names))

    def check_reference(self, attributes: Iterable[Column]) -> None:
        levels = {one.name: one.counts for one in attributes}
        for name, level in self.request.reference.items():
            if name not in levels:
                msg = f"--reference {name}={level}: the attributes are {listed(levels)}"
                raise InitError(msg)
            if level not in levels[name]:
                msg = (
                    f"--reference {name}={level}: no such level; allowed: {listed(levels[name])}"
                    f"{suggest(level, levels[name])}"
                )
                raise InitError(msg)

    def perhaps_cluster(self, taken: set[str]) -> Column | None:
        """The first column that is called like a person or design, and repeats."""
        for name in self.names:
            if name not in taken and _CLUSTERS.fullmatch(name):
                column = self.column(name)
                if 1 < len(column.counts) < len(self.frame):
                    return column
        return None

    def few(self, *, but: Iterable[str] = ()) -> list[Column]:
        names = [name for name in self.names if name not in but and self.names.count(name) == 1]
        text = [name for name in names if not _holds_files(self.frame[name])]
        return [one for one in map(self.column, text) if 2 <= len(one.counts) <= _FEW]

    def _shown_few(self) -> str:
        found = [f"{one.name} ({one.words})" for one in self.few()]
        return "; ".join(found) or f"none of {listed(self.names)}"


def _line(text: str) -> str:
    return " ".join(text.split())


def _same(usual: Iterable[str], names: Iterable[str]) -> list[str]:
    """Columns with a usual name, upper and lower case alike, the most usual one first."""
    folded = {name.casefold(): name for name in reversed(list(names))}
    return [folded[word] for word in usual if word in folded]


def _in_order(counts: dict[str, int]) -> dict[str, int]:
    try:
        return dict(sorted(counts.items(), key=lambda one: float(one[0])))
    except ValueError:
        return counts


def _holds_files(column: pd.Series) -> bool:
    filled = column.dropna()
    return not filled.empty and not isinstance(
        filled.iloc[0], str | bool | int | float | np.generic
    )
