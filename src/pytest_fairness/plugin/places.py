"""Values of options that pytest takes for places of tests, before it knows the option."""

import itertools
import os
import shlex
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

__all__ = ["refuse_values_taken_for_places"]


def refuse_values_taken_for_places(config: pytest.Config, options: Collection[str]) -> None:
    """Refuse a path outside of the working folder that follows an option after a space.

    pytest looks for its configuration before plugins have added their options. It then takes such a
    path for a place of tests, and if it exists, the root folder becomes one that holds both: another
    configuration is read, with another policy or none. That would depend on whether a former run
    left the file there.

    Args:
        config: The configuration of this run.
        options: Options of the gate that take a value.

    Raises:
        pytest.UsageError: There is one, and neither `-c` nor `--rootdir` says where the root is.
    """
    if config.option.inifilename or config.option.rootdir:
        return
    here = config.invocation_params.dir
    words = [str(word) for word in config.invocation_params.args]
    for arguments in (words, shlex.split(os.environ.get("PYTEST_ADDOPTS", ""))):
        for option, value in _pairs(arguments, options):
            if not _is_inside(here / value, here):
                msg = (
                    f"{option} {value}: write {option}={value}. pytest takes a path outside of this folder "
                    "that follows a space for a place of tests, and then reads the configuration of another "
                    "folder"
                )
                raise pytest.UsageError(msg)


def _pairs(words: list[str], options: Collection[str]) -> Iterator[tuple[str, str]]:
    """Options that are followed by their value as a word of its own."""
    for option, value in itertools.pairwise(words):
        if option in options and not value.startswith("-"):
            yield option, value


def _is_inside(path: Path, folder: Path) -> bool:
    return Path(os.path.abspath(path)).is_relative_to(folder)  # noqa: PTH100  (links are kept)
