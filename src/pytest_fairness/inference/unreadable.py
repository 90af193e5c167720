"""Images that cannot be read: listed and counted, and too many of them stop the run."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from pytest_fairness.errors import DataError

if TYPE_CHECKING:
    from pytest_fairness.data import EvaluationSet
from pytest_fairness.wording import counted

__all__ = ["check_unreadable", "unreadable_metadata"]

_SHOWN = 3


class _Group(NamedTuple):
    """Samples of one level, or all of them."""

    name: str
    n: int
    unreadable: int


def check_unreadable(
    evaluation_set: "EvaluationSet", broken: Mapping[int, DataError], *, done: bool
) -> None:
    """Raise when more images are unreadable than the evaluation bears.

    The share holds for all images, and for each class and each level of every attribute: a group
    of which much cannot be read would be judged by a part that chance did not choose.

    Args:
        evaluation_set: What the model is run on.
        broken: Position of each unreadable image -> what is wrong with it.
        done: Whether all images were tried; before that, only the share of all is looked at.

    Raises:
        DataError: The share is too large; the message names the first images.
    """
    for group in _groups(evaluation_set, broken, every=done):
        if group.unreadable > evaluation_set.max_errors * group.n:
            where = f" with {group.name}" if group.name else ""
            so_far = "" if done else " so far"
            msg = (
                f"{group.unreadable} of {counted(group.n, 'image')}{where} of evaluation "
                f"{evaluation_set.name!r} cannot be read{so_far} "
                f"({group.unreadable / group.n:.1%}), and max_errors allows "
                f"{evaluation_set.max_errors:.1%} of all images and of each group; "
                f"{_first(broken)}"
            )
            raise DataError(msg)


def unreadable_metadata(
    evaluation_set: "EvaluationSet", broken: Mapping[int, DataError]
) -> dict[str, str]:
    """Return what the record says of unreadable images, or nothing where none are allowed.

    `unreadable` is their number, `unreadable_images` maps the id of each to what is wrong with it.
    """
    if not evaluation_set.max_errors:
        return {}
    ids = evaluation_set.samples["id"]
    images = {ids.iloc[position]: str(broken[position]) for position in sorted(broken)}
    return {
        "unreadable": str(len(broken)),
        "unreadable_images": json.dumps(images, ensure_ascii=False),
        "max_errors": str(evaluation_set.max_errors),
        **_levels(evaluation_set, sorted(broken)),
    }


def _levels(evaluation_set: "EvaluationSet", broken: Sequence[int]) -> dict[str, str]:
    """The levels of the images without a prediction, by their ids; nothing where there are none."""
    lost = evaluation_set.samples.iloc[list(broken)]
    levels = lost[list(evaluation_set.levels)].to_dict("records")
    if lost.empty:
        return {}
    return {
        "without_prediction": json.dumps(
            dict(zip(lost["id"], levels, strict=True)), ensure_ascii=False
        )
    }


def _groups(
    evaluation_set: "EvaluationSet", broken: Mapping[int, DataError], *, every: bool
) -> Iterator[_Group]:
    samples = evaluation_set.samples
    yield _Group("", len(samples), len(broken))
    if not every or not broken:
        return
    lost = samples.iloc[sorted(broken)]
    for column in dict.fromkeys(("target", *evaluation_set.levels)):
        sizes = samples[column].value_counts().to_dict()
        for level, unreadable in lost[column].value_counts().to_dict().items():
            yield _Group(f"{column} = {level!r}", int(sizes[level]), int(unreadable))


def _first(broken: Mapping[int, DataError]) -> str:
    problems = [str(broken[position]) for position in sorted(broken)]
    more = f"\n… and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return "the first of them:\n" + "\n".join(problems[:_SHOWN]) + more
