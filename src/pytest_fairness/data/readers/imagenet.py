"""The validation images of ImageNet (ILSVRC 2012): 50,000 of 1,000 classes.

Russakovsky et al. (2015), ImageNet Large Scale Visual Recognition Challenge.
"""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.files import image_files
from pytest_fairness.data.readers.tables import join_attributes
from pytest_fairness.files import read_text
from pytest_fairness.wording import counted, listed

__all__ = ["read"]

_TRUTH = "data/ILSVRC2012_validation_ground_truth.txt"
_META = "data/meta.mat"
_DEVKITS = ("ILSVRC2012_devkit_t12", ".")
_SYNSETS = ("LOC_synset_mapping.txt", "synset_words.txt")
_IMAGES = ("val", "ILSVRC2012_img_val", ".")


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, `wnid`, `index` (0 to 999 by wnid), and `name`.

    The images lie in one folder a synset, or all in one folder with the development kit beside it.
    """
    given = source.options.get("images")
    folder = source.find("the folder of images", *((given,) if given else _IMAGES))
    paths = image_files(source, folder)
    if not paths:
        source.error(f"{folder}: no images below this folder; correct root")
    in_folders = ["/" in path for path in paths]
    if all(in_folders):
        frame, origin = _of_folders(source, paths, folder), folder
    elif not any(in_folders):
        frame, origin = _of_devkit(source, paths, folder)
    else:
        flat = [path for path in paths if "/" not in path]
        source.error(
            f"{folder}: {counted(len(flat), 'image lies', 'images lie')} beside folders of synsets: {listed(flat)}"
        )
    frame.insert(0, "id", frame["image"].str.rsplit("/", n=1).str[-1])
    return Listing(source.rows(join_attributes(source, frame), origin), folder)


def _of_folders(source: Source, paths: list[str], folder: Path) -> pd.DataFrame:
    frame = pd.DataFrame({"image": paths})
    frame["wnid"] = frame["image"].str.split("/").str[0]
    odd = ~frame["wnid"].str.fullmatch(r"n\d{8}")
    if odd.any():
        source.error(
            f"{folder}: folder {frame.loc[odd, 'wnid'].iloc[0]!r} is not named by a synset such as "
            "n01440764"
        )
    names = _synset_names(source)
    known = sorted(names or frame["wnid"].unique())
    frame["index"] = pd.Index(known).get_indexer(pd.Index(frame["wnid"])).astype(str)
    if (unknown := frame["index"] == "-1").any():
        source.error(f"{folder}: synset {frame.loc[unknown, 'wnid'].iloc[0]!r} has no name")
    if names:
        frame["name"] = frame["wnid"].map(names)
    return frame


def _synset_names(source: Source) -> dict[str, str]:
    """Wnid -> first name, from a file such as `n01440764 tench, Tinca tinca`, if there is one."""
    given = source.options.get("synsets")
    path = source.find("the names of synsets", given) if given else source.look_for(*_SYNSETS)
    if path is None:
        return {}
    lines = [line.partition(" ") for line in read_text(path).splitlines() if line.strip()]
    return {wnid: words.split(",")[0].strip() for wnid, _, words in lines}


def _of_devkit(source: Source, paths: list[str], folder: Path) -> tuple[pd.DataFrame, Path]:
    given = source.options.get("devkit")
    kits = (given,) if given else _DEVKITS
    truth = source.find("the ground truth of the development kit", *(f"{k}/{_TRUTH}" for k in kits))
    meta = source.find("meta.mat of the development kit", *(f"{k}/{_META}" for k in kits))
    answers = np.array(read_text(truth).split())
    frame = pd.DataFrame({"image": paths})
    numbers = frame["image"].str.extract(r"ILSVRC2012_val_(\d{8})\.", expand=False)
    if numbers.isna().any():
        wrong = frame.loc[numbers.isna(), "image"].iloc[0]
        source.error(f"{folder}: {wrong!r} is not named like ILSVRC2012_val_00000001.JPEG")
    places = numbers.astype(int).to_numpy() - 1
    if len(places) != len(answers) or set(places) != set(range(len(answers))):
        source.error(
            f"{folder}: {counted(len(places), 'image')}, but {truth} has {counted(len(answers), 'line')}; each image "
            "needs its line: unpack all of both"
        )
    synsets = _synsets(source, meta)
    ids = answers[places]
    if unknown := sorted(set(ids) - set(synsets.index)):
        source.error(f"{truth}: class {unknown[0]} is none of the classes of {meta}")
    found = synsets.loc[ids].reset_index(drop=True)
    return pd.concat([frame, found], axis=1), truth


def _synsets(source: Source, path: Path) -> pd.DataFrame:
    """ILSVRC id -> wnid, index and name of the classes (synsets without children)."""
    from scipy.io import loadmat  # noqa: PLC0415  (only this file is of MATLAB)

    try:
        meta: Any = loadmat(path, squeeze_me=True)["synsets"]
    except (OSError, ValueError, KeyError, TypeError) as problem:
        source.error(f"{path}: not the meta.mat of the development kit: {problem}")
    meta = np.atleast_1d(meta)
    leaves = meta[meta["num_children"].astype(int) == 0]
    wnids = [str(wnid) for wnid in leaves["WNID"]]
    ranks = {wnid: str(rank) for rank, wnid in enumerate(sorted(wnids))}
    return pd.DataFrame(
        {
            "wnid": wnids,
            "index": [ranks[wnid] for wnid in wnids],
            "name": [str(words).split(",")[0].strip() for words in leaves["words"]],
        },
        index=[str(int(number)) for number in leaves["ILSVRC2012_ID"]],
    )
