"""Each format that cameras, scanners and the web make is read as a person would see it."""

import io
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image

from pytest_fairness.data.images import decode
from pytest_fairness.errors import DataError

RED, WHITE = (255, 0, 0), (255, 255, 255)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def png(size: tuple[int, int], *, bits: int, colour: int, rows: bytes, clear: bytes = b"") -> bytes:
    """A PNG file made by hand: Pillow writes neither 16 bits a channel nor false sizes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    header = struct.pack(">2I5B", *size, bits, colour, 0, 0, 0)
    transparency = chunk(b"tRNS", clear) if clear else b""
    body = chunk(b"IDAT", zlib.compress(rows))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + transparency + body + chunk(b"IEND", b"")


def row(*values: int) -> bytes:
    """One row of 16-bit values, without a filter."""
    return b"\0" + struct.pack(f">{len(values)}H", *values)


@pytest.mark.parametrize(
    ("image", "kind", "options"),
    [
        pytest.param(Image.new("RGB", (8, 8), RED), "JPEG", {"quality": 100}, id="jpeg"),
        pytest.param(
            Image.new("RGB", (8, 8), RED), "JPEG", {"progressive": True}, id="progressive"
        ),
        pytest.param(Image.new("RGB", (8, 8), RED), "WEBP", {"lossless": True}, id="webp"),
        pytest.param(
            Image.new("RGBA", (8, 8), (*RED, 255)), "WEBP", {"lossless": True}, id="webp a"
        ),
        pytest.param(Image.new("RGB", (8, 8), RED), "GIF", {}, id="gif"),
        pytest.param(Image.new("RGB", (8, 8), RED), "BMP", {}, id="bmp"),
        pytest.param(Image.new("RGB", (8, 8), RED), "TIFF", {}, id="tiff"),
        pytest.param(
            Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", {"quality": 100}, id="cmyk"
        ),
    ],
)
def test_red_is_red_in_every_format(image: Image.Image, kind: str, options: dict[str, Any]) -> None:
    decoded = decode(encoded(image, kind, **options), name="x")
    assert decoded.mode == "RGB"
    np.testing.assert_allclose(np.asarray(decoded)[4, 4], RED, atol=3)


def test_a_clear_webp_lies_on_white() -> None:
    content = encoded(Image.new("RGBA", (4, 4), (0, 0, 0, 0)), "WEBP", lossless=True)
    assert decode(content, name="x").getpixel((0, 0)) == WHITE


def test_the_first_frame_of_an_animation_is_read() -> None:
    frames = [Image.new("RGB", (4, 4), RED), Image.new("RGB", (4, 4), (0, 0, 255))]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(content, name="x").getpixel((0, 0)) == RED


def without_adobe(content: bytes) -> bytes:
    """The same JPEG without the segment that says it was written by Adobe's convention."""
    start = content.index(b"\xff\xee")
    length = int.from_bytes(content[start + 2 : start + 4], "big")
    return content[:start] + content[start + 2 + length :]


@pytest.mark.parametrize(
    ("ink", "colour"),
    [
        pytest.param((0, 0, 0, 0), WHITE, id="no ink"),
        pytest.param((0, 0, 0, 255), (0, 0, 0), id="black"),
        pytest.param((0, 255, 255, 0), RED, id="red"),
    ],
)
def test_a_cmyk_jpeg_is_inverted_only_where_adobe_wrote_it(
    ink: tuple[int, ...], colour: tuple[int, ...]
) -> None:
    adobe = encoded(Image.new("CMYK", (8, 8), ink), "JPEG", quality=100)
    np.testing.assert_allclose(np.asarray(decode(adobe, name="x"))[0, 0], colour, atol=3)
    # The inks of a file without the segment are stored as they are, not as their complement.
    straight = tuple(255 - value for value in ink)
    plain = without_adobe(encoded(Image.new("CMYK", (8, 8), straight), "JPEG", quality=100))
    assert b"Adobe" not in plain
    np.testing.assert_allclose(np.asarray(decode(plain, name="x"))[0, 0], colour, atol=3)


# Orientation -> where the dark corner of the stored image ends up (top, left).
CORNERS = {
    1: (0, 0),
    2: (0, -1),
    3: (-1, -1),
    4: (-1, 0),
    5: (0, 0),
    6: (0, -1),
    7: (-1, -1),
    8: (-1, 0),
}


@pytest.mark.parametrize("orientation", CORNERS, ids=lambda value: f"orientation {value}")
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_every_orientation_is_turned_upright(kind: str, orientation: int) -> None:
    pixels = np.full((16, 32), 255, np.uint8)
    pixels[:8, :8] = 0
    exif = Image.Exif()
    exif[0x0112] = orientation
    content = encoded(Image.fromarray(pixels).convert("RGB"), kind, exif=exif)
    decoded = np.asarray(decode(content, name="x"))[..., 0]
    assert decoded.shape == ((32, 16) if orientation > 4 else (16, 32))
    corners = {(top, left): decoded[top, left] for top in (0, -1) for left in (0, -1)}
    assert min(corners, key=lambda corner: corners[corner]) == CORNERS[orientation]
    assert sum(value < 128 for value in corners.values()) == 1


@pytest.mark.parametrize(
    ("content", "pixel"),
    [
        pytest.param(png((1, 1), bits=16, colour=0, rows=row(40_000)), (155,) * 3, id="grey"),
        pytest.param(
            png((1, 1), bits=16, colour=2, rows=row(65_535, 32_768, 256)), (255, 128, 1), id="rgb"
        ),
        pytest.param(png((1, 1), bits=16, colour=4, rows=row(0, 65_535)), (0,) * 3, id="opaque"),
        pytest.param(png((1, 1), bits=16, colour=4, rows=row(0, 0)), WHITE, id="grey, clear"),
        pytest.param(png((1, 1), bits=16, colour=6, rows=row(9, 9, 9, 0)), WHITE, id="rgb, clear"),
        pytest.param(
            png((1, 1), bits=16, colour=0, rows=row(500), clear=struct.pack(">H", 500)),
            WHITE,
            id="a clear grey",
        ),
        pytest.param(
            png((1, 1), bits=16, colour=0, rows=row(500), clear=struct.pack(">H", 501)),
            (1, 1, 1),
            id="another clear grey",
        ),
        pytest.param(
            encoded(Image.fromarray(np.full((1, 1), 40_000, np.uint16)), "TIFF"),
            (155,) * 3,
            id="tiff",
        ),
    ],
)
def test_sixteen_bits_keep_their_brightness(content: bytes, pixel: tuple[int, ...]) -> None:
    assert decode(content, name="x").getpixel((0, 0)) == pixel


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    "side", [pytest.param(60_000, id="bomb"), pytest.param(10_000, id="more than the limit")]
)
def test_a_small_file_that_claims_many_pixels_is_refused_unread(side: int) -> None:
    content = png((side, side), bits=8, colour=2, rows=b"")
    assert len(content) < 100
    with pytest.raises(DataError, match=r"line 7: the image is too large to be decoded safely"):
        decode(content, name="line 7")


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP"])
def test_a_file_cut_off_anywhere_is_named(kind: str) -> None:
    whole = encoded(Image.effect_noise((48, 48), 60).convert("RGB"), kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(DataError, match=r"^line 7: the image is truncated, corrupt"):
            decode(whole[: int(len(whole) * share)], name="line 7")


@pytest.mark.filterwarnings("error")
def test_damaged_exif_data_under_warnings_as_errors_are_named_in_one_line():
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker" * 8
    buffer = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(buffer, "JPEG", exif=exif.tobytes()[:-20])
    with pytest.raises(DataError) as caught:
        decode(buffer.getvalue(), name="faces.csv, line 3")
    assert str(caught.value).startswith("faces.csv, line 3: Pillow warns about a damaged part")
    assert "EXIF" in str(caught.value)
    assert "\n" not in str(caught.value)
