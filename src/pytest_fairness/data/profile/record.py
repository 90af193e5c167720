"""The record of a profile: every report is rendered from it, and it reads back from JSON."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pytest_fairness.errors import DataError
from pytest_fairness.files import read_regular

__all__ = [
    "AttributeBalance",
    "AuditPair",
    "AuditRecord",
    "BrokenImage",
    "ClassBalance",
    "ColumnRecord",
    "DataProfile",
    "DuplicateSet",
    "Duplicates",
    "GroupCount",
    "Grouping",
    "ImagesRecord",
    "Leak",
    "LevelShare",
    "MeasuredOrder",
    "NumberSummary",
    "PopulationRecord",
    "Problem",
]


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class NumberSummary(_Record):
    """A numeric column among some rows. A value that is undefined for this n is None."""

    n: int
    """Rows with a value."""
    missing: int
    mean: float | None
    sd: float | None
    """Sample standard deviation (divided by n - 1)."""
    low: float | None
    median: float | None
    high: float | None


class GroupCount(_Record):
    """The count of one group or intersection."""

    group: dict[str, str]
    n: int
    share: float
    """Of all rows, 0 to 1."""
    declared: bool
    """Whether every level of it is declared; missing and undeclared values are not."""
    clusters: int | None
    """Different persons or designs among its rows, where a cluster column is known."""
    numbers: dict[str, NumberSummary]


class Grouping(_Record):
    """Counts of the groups of one attribute or intersection.

    `by` is empty for all rows together.
    """

    by: tuple[str, ...]
    groups: tuple[GroupCount, ...]
    empty: int
    """Declared groups without a row. Beyond 400 groups only those with rows are listed."""


class ColumnRecord(_Record):
    """Counts of one column of the table."""

    name: str
    kind: Literal["number", "text", "image", "other"]
    missing: int
    distinct: int | None
    """Different values; None where they are not compared (images, lists)."""


class AttributeBalance(_Record):
    """Counts of the classes for each value of one attribute."""

    attribute: str
    counts: dict[str, dict[str, int]]
    """Level -> class -> rows."""
    cramers_v: float | None
    """0 when the classes are spread alike over the levels, 1 when one tells the other."""


class ClassBalance(_Record):
    """Rows of each class."""

    target: str
    counts: dict[str, int]
    by: tuple[AttributeBalance, ...]


class BrokenImage(_Record):
    """An image that cannot be read."""

    id: str
    problem: str


class ImagesRecord(_Record):
    """Results of reading every image once."""

    n: int
    read: int
    broken: tuple[BrokenImage, ...]
    sizes: dict[str, int]
    """`width x height` as stored -> images, the most frequent first."""
    formats: dict[str, int]
    modes: dict[str, int]
    """Pixel modes of Pillow: RGB, L, CMYK, ..."""
    turned: int
    """Images that an EXIF tag turns."""
    file_bytes: int
    pixels_by_group: dict[str, dict[str, float | None]]
    """Attribute -> level -> median pixels of an image."""


class DuplicateSet(_Record):
    """Images that are the same."""

    ids: tuple[str, ...]
    differ_in: tuple[str, ...]
    """Attributes, and the target, in which they are labelled differently."""


class Duplicates(_Record):
    """Sets of images that are the same by the hash of their encoded bytes or decoded pixels."""

    kind: Literal["bytes", "pixels"]
    sets: int
    images: int
    surplus: int
    """Images that could go without losing a picture."""
    within_groups: int
    """Sets whose images are in one group of all attributes."""
    across_groups: int
    across_classes: int
    """Sets whose images are of different classes: no model can be right about all of them."""
    differ_in: dict[str, int]
    """Attribute -> sets that differ in it."""
    listed: tuple[DuplicateSet, ...]
    """The sets, those across classes first; at most 1,000."""


class Leak(_Record):
    """Rows that this table shares with another one, such as a training list."""

    against: str
    n: int
    """Rows of the other table."""
    broken: int
    """Images of the other table that cannot be read, and so were not compared."""
    same_bytes: int | None
    """Images of this table that the other one holds too; None where images were not read."""
    same_pixels: int | None
    same_ids: int | None
    """None where one of the tables has no ids but row numbers."""
    shared_clusters: int | None
    images_of_shared_clusters: int | None
    by_group: dict[str, dict[str, int]]
    """Attribute -> level -> images of this table that the other one holds too."""
    listed: tuple[tuple[str, str], ...]
    """Id here and there of the same pictures; at most 1,000."""


class LevelShare(_Record):
    """The share of one level, beside its share in a reference population."""

    level: str
    n: int
    share: float
    low: float
    high: float
    """Ends of the interval; those of all levels hold together."""
    reference: float
    difference: float
    verdict: Literal["fewer", "more", "not shown to differ"]
    beyond_tolerance: bool
    """Whether the whole interval is farther from the reference than the tolerance."""


class PopulationRecord(_Record):
    """A distribution beside a reference population."""

    column: str
    reference: str
    n: int
    """Rows that are compared."""
    missing: int
    unlisted: dict[str, int]
    """Levels that the reference does not list, and their rows; they are not compared."""
    level: float
    tolerance: float
    rows: tuple[LevelShare, ...]
    distance: float
    """Total variation: the share of rows that would have to be of another level."""
    chi_square: float | None
    g: float | None
    freedom: int
    p_value: float | None
    """Of the chi-square statistic; None where it is undefined, and `note` says why."""
    g_p_value: float | None
    method: Literal["chi-square", "simulated", "undefined"]
    smallest_expected: float
    cluster: str | None
    design_effect: float
    note: str


class AuditPair(_Record):
    """Two levels whose named order was compared with the measured one in matched sets."""

    stratum: str
    """Value of the column that the audit is split by; empty for all sets."""
    first: str
    second: str
    adjacent: bool
    sets: int
    """Sets in which the two could be told apart."""
    inverted: int
    ties: int
    """Sets in which the two could not be told apart."""
    clusters: int
    """Clusters of these sets; as many as sets where sets are independent."""
    share: float | None
    """Mean over the clusters of the share of their sets that is inverted."""
    low: float | None
    high: float | None
    verdict: Literal["as named", "a few inverted", "often inverted", "swapped", "undecided"]
    suspects: tuple[tuple[str, str], ...]
    """Ids of the pairs that are inverted; at most 100."""


class MeasuredOrder(_Record):
    """The order of the levels that was measured most often."""

    stratum: str
    order: tuple[str, ...]
    sets: int
    of: int
    """Sets in which all levels were measured."""


class AuditRecord(_Record):
    """Names of levels beside what the images show."""

    attribute: str
    proxy: str
    rising: bool
    levels: tuple[str, ...]
    match: tuple[str, ...]
    by: str | None
    cluster: str | None
    level: float
    sets: int
    measured: int
    unmeasured: dict[str, int]
    """Reason -> sets."""
    pairs: tuple[AuditPair, ...]
    orders: tuple[MeasuredOrder, ...]
    median: dict[str, dict[str, float | None]]
    """Stratum -> level -> median of the measured values."""


class Problem(_Record):
    """A problem to look at before a model is judged on the data."""

    kind: Literal[
        "broken image",
        "undeclared level",
        "empty group",
        "missing value",
        "not a number",
        "repeated id",
        "duplicate",
        "leak",
        "reference",
        "label",
    ]
    text: str


class DataProfile(_Record):
    """Contents of a data set: groups, classes, images, duplicates and problems."""

    schema_version: Literal[1] = 1
    name: str
    source: str
    sha256: str
    """Hash of the file with the table."""
    versions: dict[str, str]
    n: int
    left_out: int
    """Rows that `where` removed."""
    attributes: dict[str, tuple[str, ...]]
    """Attribute -> its levels: declared, missing, undeclared."""
    cluster: str | None
    clusters: int | None
    columns: tuple[ColumnRecord, ...]
    groupings: tuple[Grouping, ...]
    classes: ClassBalance | None
    images: ImagesRecord | None
    """None when images were not read, and `notes` say why."""
    duplicates: tuple[Duplicates, ...]
    leak: Leak | None
    populations: tuple[PopulationRecord, ...]
    audits: tuple[AuditRecord, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    def to_json(self, path: str | Path) -> None:
        """Write the profile as UTF-8 JSON. The folder is made when it is missing."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def from_json(cls, path: str | Path) -> "DataProfile":
        """Read a profile that `to_json` wrote.

        Raises:
            DataError: The file is missing, or is not a profile of this schema version.
        """
        try:
            return cls.model_validate_json(read_regular(Path(path)))
        except OSError as error:
            msg = f"{path}: the profile cannot be read: {error.strerror}"
            raise DataError(msg) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            msg = (
                f"{path}: not a profile of schema version 1: {place}: {first['msg']}; write one "
                "with pytest-fairness profile --json"
            )
            raise DataError(msg) from error
