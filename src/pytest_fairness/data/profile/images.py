"""What the images of a table are: sizes, formats, modes, and which are broken."""

from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from pytest_fairness.data.profile.record import BrokenImage, ImagesRecord
from pytest_fairness.data.profile.scan import ImageFacts
from pytest_fairness.data.profile.source import Coded, Table

__all__ = ["describe_images"]


def describe_images(table: Table, facts: Sequence[ImageFacts]) -> ImagesRecord:
    """Return the record of the images.

    Args:
        table: The table.
        facts: Facts of its images (N,).
    """
    read = [one for one in facts if one.problem is None]
    pixels = [np.nan if one.size is None else float(one.size[0] * one.size[1]) for one in facts]
    return ImagesRecord(
        n=len(facts),
        read=len(read),
        broken=tuple(
            BrokenImage(id=table.ids[i], problem=one.problem)
            for i, one in enumerate(facts)
            if one.problem is not None
        ),
        sizes=_counted(f"{one.size[0]}x{one.size[1]}" for one in read if one.size is not None),
        formats=_counted(one.format for one in read),
        modes=_counted(one.mode for one in read),
        turned=sum(one.turned for one in read),
        file_bytes=sum(one.file_bytes for one in facts),
        pixels_by_group={one.name: _medians(one, pixels) for one in table.attributes},
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(Counter(words).most_common())


def _medians(attribute: Coded, pixels: Sequence[float]) -> dict[str, float | None]:
    found = pd.Series(pixels).groupby(attribute.codes).median()
    return {
        level: float(found[code]) if code in found.index and pd.notna(found[code]) else None
        for code, level in enumerate(attribute.levels)
    }
