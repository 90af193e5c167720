"""A folder of images whose subfolders are their classes, or other levels."""

from pathlib import Path

import pandas as pd

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.files import image_files
from pytest_fairness.data.readers.tables import join_attributes
from pytest_fairness.wording import counted, listed

__all__ = ["read"]


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, and a column for each level of folders.

    The option `folders` names the levels, from the outermost; without it there is one, the
    `target`. With `split`, the outermost folders are the parts of the set. The option
    `attributes` names a table with further columns by id (the path of the image).
    """
    names = [str(name) for name in source.options.get("folders", ["target"])]
    if source.evaluation.split:
        names = ["split", *names]
    paths = image_files(source, source.root)
    if not paths:
        source.error(f"{source.root}: no images below this folder; correct root")
    parts = pd.Series(paths).str.split("/")
    if (other := parts.map(len) != len(names) + 1).any():
        wrong = [path for path, bad in zip(paths, other, strict=True) if bad]
        source.error(
            f"{source.root}: {counted(len(wrong), 'image does', 'images do')} not lie in {counted(len(names), 'folder')} "
            f"({listed(names)}): {listed(wrong)}; move them, or name the levels of folders in the "
            "option `folders`, and the parts of the set as `split`"
        )
    columns = {name: parts.str[level] for level, name in enumerate(names)}
    frame = join_attributes(source, pd.DataFrame({"id": paths, "image": paths, **columns}))
    return Listing(source.of_split(source.rows(frame, Path(source.root))), source.root)
