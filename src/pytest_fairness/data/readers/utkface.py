"""UTKFace: some 23,700 faces whose file names say age, gender and race.

Zhang, Song and Qi (2017), Age Progression/Regression by Conditional Adversarial Autoencoder.
"""

import re

import pandas as pd

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.files import image_files
from pytest_fairness.wording import counted, listed

__all__ = ["read"]

# [age]_[gender]_[race]_[date&time].jpg; a few names of the original lack gender or race, or have
# a blank or no dot before the ending.
_NAME = r"^(?P<age>\d{1,3})_(?:(?P<gender>[01])?_)?(?:(?P<race>[0-4])_)?(?P<time>\d{12,17})\D"
_GENDERS = {"0": "male", "1": "female"}
_RACES = {"0": "White", "1": "Black", "2": "Asian", "3": "Indian", "4": "Other"}


def _is_named(name: str) -> bool:
    """Whether a file is named as a photograph: a few of the original have no proper ending."""
    return re.match(_NAME, name) is not None


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, `age`, `gender`, `race`, `time`.

    What a name does not say is missing.
    """
    ignored = set(source.options.get("ignore", ()))
    paths = image_files(source, source.root, ignore=ignored, also=_is_named)
    if not paths:
        source.error(f"{source.root}: no images below this folder; correct root")
    frame = pd.DataFrame({"id": paths, "image": paths})
    found = frame["image"].str.rsplit("/", n=1).str[-1].str.extract(_NAME)
    if (unread := found["age"].isna()).any():
        wrong = frame.loc[unread, "image"]
        source.error(
            f"{source.root}: {len(wrong)} of {counted(len(frame), 'file name')} are not of the form "
            f"age_gender_race_time.jpg: {listed(wrong)}; rename them, or list them in the option "
            "`ignore`"
        )
    frame = frame.assign(
        age=found["age"].str.lstrip("0").replace("", "0"),
        gender=found["gender"].map(_GENDERS),
        race=found["race"].map(_RACES),
        time=found["time"],
    )
    return Listing(source.rows(frame, source.root), source.root)
