"""The whole flow of a profile on one page."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib.metadata import version

from pytest_fairness.data.evaluation_set import hash_rows
from pytest_fairness.data.profile.audit import audit_labels, measure_set
from pytest_fairness.data.profile.classes import balance_classes
from pytest_fairness.data.profile.columns import describe_columns, read_numbers
from pytest_fairness.data.profile.duplicates import find_duplicates
from pytest_fairness.data.profile.groups import count_groups, default_groupings
from pytest_fairness.data.profile.images import describe_images
from pytest_fairness.data.profile.leakage import find_leak
from pytest_fairness.data.profile.matched import match_images
from pytest_fairness.data.profile.population import compare_population
from pytest_fairness.data.profile.problems import (
    audit_problems,
    duplicate_problems,
    image_problems,
    leak_problems,
    population_problems,
    table_problems,
)
from pytest_fairness.data.profile.proxies import PROXIES
from pytest_fairness.data.profile.record import (
    AuditRecord,
    DataProfile,
    Duplicates,
    ImagesRecord,
    Leak,
    Problem,
)
from pytest_fairness.data.profile.request import ProfileRequest, ProfileUsageError
from pytest_fairness.data.profile.scan import ImageFacts, scan_images
from pytest_fairness.data.profile.source import Table, read_table
from pytest_fairness.hashing import sha256_of
from pytest_fairness.wording import listed, suggest

__all__ = ["profile_data"]

_PACKAGES = ("pytest-fairness", "numpy", "pandas", "scipy", "pillow")


def profile_data(request: ProfileRequest) -> DataProfile:
    """Profile a table and its images.

    Args:
        request: What to profile.

    Raises:
        ProfileUsageError: A column that was named is not there, or a request cannot be met.
        DataError: The table cannot be read.
    """
    table = read_table(request)
    _check_request(table, request)
    numbers = read_numbers(table, request)
    names = [one.name for one in table.attributes]
    groupings = default_groupings(names, request.by)
    populations = [
        compare_population(table, name, path, request) for name, path in request.references.items()
    ]
    seen = _look(table, request)
    problems = [
        *table_problems(table, numbers.refused),
        *seen.problems,
        *(problem for one in populations for problem in population_problems(one)),
    ]
    return DataProfile(
        name=request.evaluation.name,
        source=table.rows.source,
        sha256=_hash(table),
        versions={name: version(name) for name in _PACKAGES},
        n=len(table),
        left_out=table.left_out,
        attributes={one.name: one.levels for one in table.attributes},
        cluster=None if table.cluster is None else table.cluster.name,
        clusters=None if table.cluster is None else len(table.cluster.levels),
        columns=describe_columns(table, numbers),
        groupings=tuple(count_groups(table, by, numbers.columns) for by in groupings),
        classes=balance_classes(table),
        images=seen.images,
        duplicates=seen.duplicates,
        leak=seen.leak,
        populations=tuple(populations),
        audits=tuple(seen.audits),
        problems=tuple(problems),
        notes=tuple(seen.notes),
    )


@dataclass(slots=True)
class _Seen:
    """What follows from the images and from another table."""

    images: ImagesRecord | None = None
    duplicates: tuple[Duplicates, ...] = ()
    leak: Leak | None = None
    audits: list[AuditRecord] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def _check_request(table: Table, request: ProfileRequest) -> None:
    names = [one.name for one in table.attributes]
    for by in request.by:
        for name in by:
            if name not in names or by.count(name) > 1:
                msg = (
                    f"{'*'.join(by)!r} crosses {name!r}, which is not an attribute or appears twice; "
                    f"the attributes are {listed(names)}{suggest(name, names)}"
                )
                raise ProfileUsageError(msg)
    for audit in request.audits:
        if audit.proxy not in PROXIES:
            msg = (
                f"audit of {audit.attribute!r}: nothing measures {audit.proxy!r}; allowed: "
                f"{listed(PROXIES)}{suggest(audit.proxy, PROXIES)}"
            )
            raise ProfileUsageError(msg)
    if request.against is not None and not request.against.is_file():
        msg = f"{request.against}: no such file; give the table that must share no image with this"
        raise ProfileUsageError(msg)
    if request.audits and not (request.read_images and table.images is not None):
        msg = f"{table.rows.source}: an audit needs images; none are read"
        raise ProfileUsageError(msg)


def _look(table: Table, request: ProfileRequest) -> _Seen:
    seen = _Seen()
    facts = None
    if table.images is None:
        seen.notes.append(f"no images: there is no column {table.evaluation.image!r}")
    elif not request.read_images:
        seen.notes.append("no image was read, as asked")
    else:
        facts = _look_at_images(table, request, seen)
    if request.against is not None:
        _look_against(table, request, seen, facts)
    return seen


def _look_at_images(table: Table, request: ProfileRequest, seen: _Seen) -> Sequence[ImageFacts]:
    if table.images is None:
        return ()
    facts: Sequence[ImageFacts] = ()
    for audit in request.audits:
        matched = match_images(table, audit, request)
        scan = scan_images(
            table.images,
            sets=matched.positions,
            measure=measure_set(matched, PROXIES[audit.proxy]),
            sets_only=bool(facts),  # another audit has sets of its own and reads them again
            workers=request.workers,
        )
        facts = facts or scan.facts
        seen.audits.append(audit_labels(table, audit, matched, scan.measured, request))
        seen.problems += audit_problems(seen.audits[-1])
    facts = facts or scan_images(table.images, workers=request.workers).facts
    seen.images = describe_images(table, facts)
    seen.duplicates = find_duplicates(table, facts)
    target = None if table.target is None else table.target.name
    seen.problems += [*image_problems(seen.images), *duplicate_problems(seen.duplicates[1], target)]
    return facts


def _look_against(
    table: Table, request: ProfileRequest, seen: _Seen, facts: Sequence[ImageFacts] | None
) -> None:
    evaluation = replace(
        request.evaluation, manifest=request.against, reader="manifest", root=None, options={},
        split=(), where={}, attributes={}, derive={}, masks=None,
    )  # fmt: skip
    other = read_table(ProfileRequest(evaluation))
    others = None
    if facts is not None and other.images is not None:
        others = scan_images(other.images, workers=request.workers).facts
    elif facts is not None:
        column = evaluation.image
        seen.notes.append(f"{other.rows.source} has no column {column!r}: only ids were compared")
    seen.leak = find_leak(table, other, facts=facts, other_facts=others)
    if others is None and seen.leak.same_ids is None:
        seen.notes.append(f"nothing to compare with {other.rows.source}: no images and no ids")
    seen.problems += leak_problems(seen.leak)


def _hash(table: Table) -> str:
    """Hash of the file, or of the columns of a data set of many files."""
    source = table.evaluation.source
    if source is not None and source.is_file() and not table.evaluation.options.get("more_files"):
        return sha256_of(source)
    frame = table.rows.frame
    return hash_rows(frame.drop(columns=table.evaluation.image, errors="ignore"))
