"""The readers of data sets that a policy can name; `data/readers/` has one module for each."""

from typing import Final

__all__ = ["READERS"]

READERS: Final = (
    "manifest",
    "celeba",
    "celebamask_hq",
    "fairface",
    "huggingface",
    "imagefolder",
    "imagenet",
    "mr2",
    "openimages",
    "utkface",
    "waterbirds",
    "webdataset",
)
