"""What torchvision decodes has Pillow's pixels, and it refuses what Pillow refuses."""

import io
from collections import Counter

import numpy as np
import pytest
import torch
from PIL import Image

from pytest_fairness.data.images import decode
from pytest_fairness.errors import DataError
from pytest_fairness.inference.plans import decoding
from pytest_fairness.inference.plans.decoding import decoded

KINDS = [
    *(
        ("JPEG", {"quality": quality, "subsampling": subsampling, "progressive": progressive})
        for quality in (30, 95)
        for subsampling in (0, 1, 2)
        for progressive in (False, True)
    ),
    ("JPEG", {"grey": True}),
    ("WEBP", {"quality": 80}),
    ("WEBP", {"lossless": True}),
]


def encoded(seed: int, kind: str, *, grey: bool = False, **options) -> bytes:
    generator = np.random.default_rng(seed)
    height, width = (int(side) for side in generator.integers(8, 90, 2))
    small = generator.integers(0, 256, (height // 4 + 1, width // 4 + 1, 3), dtype=np.uint8)
    image = Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    (image.convert("L") if grey else image).save(buffer, kind, **options)
    return buffer.getvalue()


def by_pillow(content: bytes) -> torch.Tensor | str:
    try:
        return torch.from_numpy(np.array(decode(content, name="x"))).permute(2, 0, 1)
    except DataError as refused:
        return str(refused)


def outcome(content: bytes) -> torch.Tensor | str:
    try:
        return decoded(content, name="x")
    except DataError as refused:
        return str(refused)


def same(one: torch.Tensor | str, other: torch.Tensor | str) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return isinstance(one, str) and one == other
    return torch.equal(one, other)


def damaged(content: bytes, generator: np.random.Generator, way: str) -> bytes:
    if way == "bytes":
        changed = bytearray(content)
        for _ in range(int(generator.integers(1, 6))):
            changed[int(generator.integers(20, len(changed)))] = int(generator.integers(256))
        return bytes(changed)
    cut = content[: int(generator.integers(len(content) // 2, len(content)))]
    return cut + b"\xff\xd9" if way == "cut, with an end" else cut


@pytest.mark.parametrize(("kind", "options"), KINDS)
def test_whole_and_damaged_files_come_out_the_same(kind, options):
    for seed in range(3):
        content = encoded(seed, kind, **options)
        assert same(outcome(content), by_pillow(content))
        generator = np.random.default_rng(seed)
        for way in ("bytes", "bytes", "cut", "cut, with an end"):
            broken = damaged(content, generator, way)
            assert same(outcome(broken), by_pillow(broken)), (seed, way)


def test_jpeg_and_webp_are_decoded_outside_of_pillow(monkeypatch):
    used: Counter[str] = Counter()
    really = decoding._by_torchvision

    def spied(content):
        used["torchvision"] += 1
        return really(content)

    monkeypatch.setattr(decoding, "_by_torchvision", spied)
    for kind in ("JPEG", "WEBP", "PNG"):
        decoded(encoded(0, kind), name="x")
    assert used["torchvision"] == 2  # a damaged PNG can end torchvision's process


def turned(image: Image.Image) -> dict:
    exif = Image.Exif()
    exif[0x0112] = 6
    return {"exif": exif}


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("RGB", "JPEG", turned),
        ("RGB", "WEBP", turned),
        ("CMYK", "JPEG", lambda _: {}),
        ("RGBA", "WEBP", lambda _: {"lossless": True}),
        ("P", "GIF", lambda _: {}),
        ("I;16", "PNG", lambda _: {}),
        ("LA", "PNG", lambda _: {}),
    ],
)
def test_what_needs_more_than_decoding_goes_through_pillow(mode, kind, options, monkeypatch):
    monkeypatch.setattr(decoding, "_by_torchvision", lambda _: pytest.fail("not for torchvision"))
    pixels = np.random.default_rng(0).integers(0, 256, (12, 7, 4), dtype=np.uint8)
    image = Image.fromarray(pixels).convert("RGB" if mode == "CMYK" else "RGBA")
    image = (
        Image.fromarray(pixels[..., 0].astype(np.uint16)) if mode == "I;16" else image.convert(mode)
    )
    buffer = io.BytesIO()
    image.save(buffer, kind, **options(image))
    assert same(outcome(buffer.getvalue()), by_pillow(buffer.getvalue()))
