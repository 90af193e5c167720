"""WebDataset shards: tar files in which the files of one sample share a name.

The shards are read with the standard library: an index of the members gives every image by its
place in the file, in any order, which the streams of the package `webdataset` do not.
"""

import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from pytest_fairness.data.images import Slice
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.files import IMAGE_ENDINGS
from pytest_fairness.files import parse_json
from pytest_fairness.wording import listed

__all__ = ["read"]

_TEXT = ("cls", "txt", "text")
_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")


def read(source: Source) -> Listing:
    """Return the samples: `id` (their key), `image`, `shard`, and what their files say.

    `.cls`, `.txt` and `.text` files give a column of that name; the entries of a `.json`
    file one column each, where they are plain values. The option `pattern` chooses shards, such
    as `test-*.tar`.
    """
    shards = _shards(source)
    samples = [sample for shard in shards for sample in _samples(source, shard)]
    return Listing(source.rows(pd.DataFrame(samples), source.root), source.root)


def _shards(source: Source) -> list[Path]:
    if source.root.is_file():
        return [source.root]
    pattern = source.options.get("pattern", "*.tar")
    found = sorted(source.root.glob(pattern))
    if packed := [path for path in found if path.name.endswith(_COMPRESSED)]:
        source.error(
            f"{packed[0]}: unpack it to a plain .tar: single images cannot be read from it"
        )
    if not found:
        there = sorted(path.name for path in source.root.iterdir())
        source.error(
            f"{source.root}: no shards {pattern!r}; there are {listed(there)}; plain .tar files are "
            "read"
        )
    return found


def _samples(source: Source, shard: Path) -> Iterator[dict[str, Any]]:
    """One dictionary a sample: neighbours in the shard whose name is the same up to its first dot."""
    sample: dict[str, Any] = {}
    try:
        with tarfile.open(shard, "r:") as file:
            for member in file:
                if not member.isfile() or Path(member.name).name.startswith("."):
                    continue
                key, ending = _split_name(member.name)
                if sample and sample["id"] != key:
                    yield _whole(source, sample)
                    sample = {}
                sample = sample or {"id": key, "shard": shard.name}
                if f".{ending}" in IMAGE_ENDINGS:
                    _add_image(source, sample, Slice(shard, member.offset_data, member.size))
                elif ending in (*_TEXT, "json"):
                    opened = file.extractfile(member)
                    content = b"" if opened is None else opened.read()
                    sample |= _columns(source, ending, content, f"{shard}: {member.name}")
    except (OSError, tarfile.TarError) as problem:
        source.error(f"{shard}: not a readable tar file: {problem}; get it again")
    if sample:
        yield _whole(source, sample)


def _split_name(name: str) -> tuple[str, str]:
    """`a/b.seg.png` -> `a/b` and `seg.png`, as webdataset does."""
    folder, slash, file = name.removeprefix("./").rpartition("/")
    key, _, ending = file.partition(".")
    return f"{folder}{slash}{key}", ending.lower()


def _whole(source: Source, sample: dict[str, Any]) -> dict[str, Any]:
    if "image" not in sample:
        source.error(
            f"{source.root}: sample {sample['id']!r} of {sample['shard']} has no image, only "
            f"{listed(sorted(sample))}; images end in {listed(IMAGE_ENDINGS)}"
        )
    return sample


def _add_image(source: Source, sample: dict[str, Any], image: Slice) -> None:
    if "image" in sample:
        source.error(
            f"{image.file}: sample {sample['id']!r} has two images; keep one of them, or give the "
            "other a longer ending such as .mask.png"
        )
    sample["image"] = image


def _columns(source: Source, ending: str, content: bytes, name: str) -> dict[str, Any]:
    """What one file of a sample says about it."""
    try:
        text = content.decode("utf-8-sig")
        values = parse_json(text) if ending == "json" else {ending: text.strip() or None}
    except ValueError as problem:
        source.error(f"{name} is not {'JSON' if ending == 'json' else 'text'}: {problem}")
    if not isinstance(values, dict):
        source.error(f"{name} must hold an object, got {type(values).__name__}")
    return {
        column: value
        for column, value in values.items()
        if column not in ("id", "image", "shard") and not isinstance(value, dict | list)
    }
