"""Every kind of image becomes upright RGB; every broken one is named."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from PIL import Image, ImageFile

from pytest_fairness.data.images import Images, decode
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError


def encoded(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def palette_with_transparency() -> Image.Image:
    image = Image.new("P", (2, 2), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.info["transparency"] = 0
    return image


@pytest.mark.parametrize(
    ("image", "kind", "pixel"),
    [
        pytest.param(Image.new("RGB", (2, 2), (1, 2, 3)), "PNG", (1, 2, 3), id="rgb"),
        pytest.param(Image.new("L", (2, 2), 7), "PNG", (7, 7, 7), id="greyscale"),
        pytest.param(Image.new("1", (2, 2), 1), "PNG", (255, 255, 255), id="one bit"),
        pytest.param(
            Image.new("RGB", (2, 2), (9, 8, 7)).quantize(2), "PNG", (9, 8, 7), id="palette"
        ),
        pytest.param(palette_with_transparency(), "PNG", (255, 255, 255), id="clear palette"),
        pytest.param(Image.new("RGBA", (2, 2), (5, 5, 5, 0)), "PNG", (255, 255, 255), id="clear"),
        pytest.param(Image.new("RGBA", (2, 2), (5, 5, 5, 255)), "PNG", (5, 5, 5), id="opaque"),
        pytest.param(Image.new("RGBA", (2, 2), (0, 0, 0, 51)), "PNG", (204, 204, 204), id="veil"),
        pytest.param(Image.new("LA", (2, 2), (0, 51)), "PNG", (204, 204, 204), id="grey veil"),
        pytest.param(Image.new("CMYK", (2, 2), (0, 0, 0, 255)), "TIFF", (0, 0, 0), id="cmyk"),
        pytest.param(
            Image.fromarray(np.full((2, 2), 40_000, np.uint16)), "PNG", (155,) * 3, id="16 bits"
        ),
    ],
)
def test_image_becomes_rgb_on_white(
    image: Image.Image, kind: str, pixel: tuple[int, int, int]
) -> None:
    decoded = decode(encoded(image, kind), name="x")
    assert (decoded.mode, decoded.size) == ("RGB", (2, 2))
    assert decoded.getpixel((0, 0)) == pixel


def test_rotated_image_is_turned_upright() -> None:
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[:, 0] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # to be shown turned clockwise by 90 degrees
    decoded = decode(encoded(Image.fromarray(pixels), exif=exif), name="x")
    assert decoded.size == (2, 4)
    np.testing.assert_array_equal(np.asarray(decoded)[0], 255)


def images(*entries: bytes | Path) -> Images:
    ids = [f"person-{i}" for i in range(len(entries))]
    frame = pd.DataFrame({"id": ids})
    return Images(entries, ids, Rows(frame, "faces.parquet", "faces", DataError))


WHOLE = encoded(Image.effect_noise((32, 32), 50), "PNG")
JPEG = encoded(Image.effect_noise((32, 32), 50), "JPEG")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(b"", r"the image is empty \(0 bytes\)", id="empty"),
        pytest.param(
            WHOLE[: len(WHOLE) // 2], "truncated, corrupt or of an unknown kind", id="png"
        ),
        pytest.param(JPEG[: len(JPEG) // 2], r"truncated, .*\(OSError: .*truncated", id="jpeg"),
        pytest.param(
            b"<html>404</html>",
            r"unknown kind \(UnidentifiedImageError: cannot identify image file\); replace",
            id="no image",
        ),
        pytest.param(
            encoded(Image.new("F", (2, 2)), "TIFF"), "no agreed brightness of white", id="floats"
        ),
    ],
)
def test_broken_image_names_the_sample(content: bytes, problem: str) -> None:
    with pytest.raises(DataError, match=rf"^faces\.parquet, row 1, sample 'person-1': .*{problem}"):
        images(WHOLE, content).read(1)


def test_truncated_file_names_the_sample_and_the_file(tmp_path: Path) -> None:
    path = tmp_path / "half.png"
    path.write_bytes(WHOLE[:200])
    with pytest.raises(DataError, match=r"row 0, sample 'person-0', .*half\.png: .*truncated"):
        images(path).read(0)


def test_file_that_vanished_names_the_sample(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"sample 'person-0', .*gone\.png: .*cannot be read"):
        images(tmp_path / "gone.png").read(0)


@pytest.mark.parametrize(
    "limit",
    [
        # Pillow raises beyond twice its limit and warns beyond the limit itself.
        pytest.param(100, id="raised by Pillow"),
        pytest.param(1000, id="warned about by Pillow"),
    ],
)
@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
def test_decompression_bomb_is_refused(monkeypatch: pytest.MonkeyPatch, limit: int) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", limit)
    with pytest.raises(DataError, match="sample 'person-0': the image is too large"):
        images(WHOLE).read(0)


def test_warning_about_a_bomb_that_became_an_error_is_named_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match="the image is too large"):
        decode(WHOLE, name="x")


def test_user_may_lift_the_limit_of_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)
    assert decode(WHOLE, name="x").size == (32, 32)


def test_truncated_images_stay_errors_for_everyone() -> None:
    decode(WHOLE, name="x")
    assert ImageFile.LOAD_TRUNCATED_IMAGES is False


@given(
    whole=st.sampled_from([WHOLE, JPEG, encoded(Image.new("P", (8, 8)), "GIF")]),
    place=st.floats(0, 1, exclude_max=True),
    noise=st.binary(max_size=6),
)
def test_damaged_image_is_read_or_named(whole: bytes, place: float, noise: bytes) -> None:
    start = int(place * len(whole))
    damaged = whole[:start] + noise + whole[start + len(noise) :]
    try:
        problem = "" if decode(damaged, name="line 2").mode == "RGB" else "another mode"
    except DataError as error:
        problem = str(error)
    assert not problem or problem.startswith("line 2: the image is ")
