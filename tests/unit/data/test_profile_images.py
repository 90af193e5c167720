"""The images of a profile: read once, broken ones by name, duplicates, and what another list holds."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pytest_fairness.data.images import Images
from pytest_fairness.data.profile import ProfileRequest, profile_data
from pytest_fairness.data.profile.record import DataProfile
from pytest_fairness.data.profile.scan import scan_images
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError
from pytest_fairness.policy.records import Evaluation

EMOJI = Path(__file__).parents[3] / "fixtures" / "emoji_people"


def encoded(seed: int, kind: str = "PNG", *, size=(8, 6), mode="RGB", **keys) -> bytes:
    """A noise image, the same for the same seed, size and mode."""
    rng = np.random.default_rng(seed)
    image = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
    buffer = io.BytesIO()
    image.convert(mode).save(buffer, kind, **keys)
    return buffer.getvalue()


@pytest.fixture
def profile(tmp_path):
    """Write rows with their images as files or in Parquet, and profile them."""

    def make(
        rows: list[tuple[str, str, str, bytes | None]],
        *,
        inside: bool = False,
        against: list[tuple[str, str, str, bytes | None]] | None = None,
        **asked,
    ) -> DataProfile:
        cluster = asked.pop("cluster", None)
        source = write(rows, "faces", inside=inside)
        other = None if against is None else write(against, "train", inside=inside)
        attributes = {"tone": ("light", "dark")}
        evaluation = Evaluation("faces", manifest=source, attributes=attributes, cluster=cluster)
        return profile_data(ProfileRequest(evaluation, against=other, **asked))

    def write(rows, name: str, *, inside: bool) -> Path:
        frame = pd.DataFrame(rows, columns=["id", "tone", "target", "content"])
        frame["person"] = frame["id"].str[0]
        if inside:
            frame.rename(columns={"content": "image"}).to_parquet(tmp_path / f"{name}.parquet")
            return tmp_path / f"{name}.parquet"
        (tmp_path / name).mkdir()
        frame["image"] = [f"{name}/{one}.img" for one in frame["id"]]
        for file, content in zip(frame["image"], frame["content"], strict=True):
            if isinstance(content, bytes):
                (tmp_path / file).write_bytes(content)
        frame.drop(columns="content").to_csv(tmp_path / f"{name}.csv", index=False)
        return tmp_path / f"{name}.csv"

    return make


ROWS = [
    ("a1", "light", "man", encoded(1)),
    ("b1", "dark", "man", encoded(2)),
    ("c1", "dark", "woman", encoded(3)),
]


def problems(found: DataProfile, kind: str) -> list[str]:
    return [one.text for one in found.problems if one.kind == kind]


@pytest.mark.parametrize("inside", [False, True], ids=["files", "parquet"])
def test_sizes_formats_and_modes_are_counted(profile, inside):
    rows = [
        *ROWS,
        ("d1", "light", "man", encoded(4, "JPEG", size=(20, 10))),
        ("e1", "light", "man", encoded(5, mode="L")),
        ("f1", "light", "man", encoded(6, "JPEG", mode="CMYK")),
    ]
    images = profile(rows, inside=inside).images
    assert (images.n, images.read, images.broken) == (6, 6, ())
    assert images.sizes == {"8x6": 5, "20x10": 1}
    assert images.formats == {"PNG": 4, "JPEG": 2}
    assert images.modes == {"RGB": 4, "L": 1, "CMYK": 1}
    assert images.file_bytes == sum(len(row[3]) for row in rows)
    assert images.pixels_by_group["tone"] == {"light": 48.0, "dark": 48.0}


def test_an_image_turned_by_exif_is_counted(profile):
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = encoded(7, "JPEG", exif=exif.tobytes())
    assert profile([*ROWS, ("d1", "light", "man", turned)]).images.turned == 1


@pytest.mark.parametrize("inside", [False, True], ids=["files", "parquet"])
def test_broken_images_are_reported_by_name_and_the_others_are_still_read(profile, inside):
    broken = [
        ("empty", "light", "man", b""),
        ("cut", "light", "man", encoded(8, size=(60, 60))[:-200]),
        ("text", "light", "man", b"not an image"),
        ("gone", "light", "man", None),
    ]
    found = profile([*ROWS, *broken], inside=inside)
    assert [one.id for one in found.images.broken] == ["empty", "cut", "text", "gone"]
    assert found.images.read == 3
    texts = problems(found, "broken image")
    assert len(texts) == 4
    for (name, *_), text in zip(broken, texts, strict=True):
        assert f"sample '{name}'" in text
    assert "0 bytes" in texts[0]
    assert "truncated, corrupt or of an unknown kind" in texts[1]


def test_the_same_picture_in_another_file_format_is_a_duplicate_of_pixels_only(profile):
    rows = [
        *ROWS,
        ("copy", "light", "man", encoded(1)),
        ("anew", "dark", "woman", encoded(1, "WEBP", lossless=True)),
    ]
    by_bytes, by_pixels = profile(rows).duplicates
    assert (by_bytes.kind, by_bytes.sets, by_bytes.images, by_bytes.surplus) == ("bytes", 1, 2, 1)
    assert by_bytes.listed[0].ids == ("a1", "copy")
    assert (by_bytes.within_groups, by_bytes.across_groups, by_bytes.across_classes) == (1, 0, 0)
    assert (by_pixels.sets, by_pixels.images, by_pixels.surplus) == (1, 3, 2)
    assert (by_pixels.within_groups, by_pixels.across_groups, by_pixels.across_classes) == (0, 1, 1)
    assert by_pixels.differ_in == {"tone": 1, "target": 1}
    assert by_pixels.listed[0].differ_in == ("tone", "target")


def test_duplicates_of_different_classes_are_named_first(profile):
    rows = [
        *ROWS,
        ("a2", "light", "man", encoded(1)),
        ("b2", "dark", "woman", encoded(2)),
    ]
    found = profile(rows)
    assert [one.ids for one in found.duplicates[0].listed] == [("b1", "b2"), ("a1", "a2")]
    (text,) = problems(found, "duplicate")
    assert "2 pictures stand more than once (4 images); 1 of them with different target" in text
    assert text.endswith("first b1 = b2")


def test_pictures_of_other_sizes_with_the_same_bytes_of_pixels_are_not_the_same(profile):
    flat = [Image.new("RGB", size, "red") for size in ((4, 6), (6, 4))]
    contents = []
    for image in flat:
        buffer = io.BytesIO()
        image.save(buffer, "PNG")
        contents.append(buffer.getvalue())
    rows = [("a", "light", "man", contents[0]), ("b", "light", "man", contents[1])]
    assert profile(rows).duplicates[1].sets == 0


@pytest.mark.parametrize("inside", [False, True], ids=["files", "parquet"])
def test_images_of_the_training_list_are_found_in_the_evaluation_list(profile, inside):
    train = [
        ("x1", "light", "man", encoded(11)),
        ("x2", "light", "man", encoded(2)),
        ("x3", "light", "man", encoded(3, "WEBP", lossless=True)),
        ("x4", "light", "man", b"broken"),
    ]
    found = profile(ROWS, against=train, inside=inside)
    leak = found.leak
    assert (leak.n, leak.broken) == (4, 1)
    assert (leak.same_bytes, leak.same_pixels) == (1, 2)
    assert leak.by_group == {"tone": {"light": 0, "dark": 2}}
    assert leak.listed == (("b1", "x2"), ("c1", "x3"))
    (text,) = problems(found, "leak")
    assert text.startswith("2 images are in ")
    assert text.endswith("first b1 = x2")


def test_a_list_without_common_images_leaks_nothing(profile):
    found = profile(ROWS, against=[("x1", "light", "man", encoded(11))])
    assert (found.leak.same_bytes, found.leak.same_pixels, found.leak.same_ids) == (0, 0, 0)
    assert not found.problems


def test_other_images_of_the_same_persons_are_a_leak(profile):
    train = [("a9", "light", "man", encoded(21)), ("x9", "light", "man", encoded(22))]
    found = profile(ROWS, against=train, cluster="person")
    assert (found.leak.shared_clusters, found.leak.images_of_shared_clusters) == (1, 1)
    assert "1 cluster is in" in problems(found, "leak")[0]


def test_without_reading_images_ids_are_compared(profile):
    train = [("b1", "light", "man", encoded(21))]
    found = profile(ROWS, against=train, read_images=False)
    assert found.images is None
    assert (found.leak.same_bytes, found.leak.same_ids) == (None, 1)
    assert "no image was read, as asked" in found.notes
    assert problems(found, "leak")[0].startswith("1 id is in ")


def test_a_table_without_images_is_profiled_and_says_so(tmp_path):
    (tmp_path / "t.csv").write_text("tone,target\nlight,a\n", encoding="utf-8")
    evaluation = Evaluation("t", manifest=tmp_path / "t.csv", attributes={"tone": ()})
    found = profile_data(ProfileRequest(evaluation))
    assert found.images is None
    assert found.notes == ("no images: there is no column 'image'",)


@pytest.mark.parametrize("workers", [1, 4])
def test_every_image_is_read_once_whatever_the_sets_and_the_workers(workers, monkeypatch):
    contents = [encoded(seed) for seed in range(70)]
    rows = Rows(pd.DataFrame({"image": range(70)}), "t", "t", DataError)
    images = Images(contents, [f"i{i}" for i in range(70)], rows)
    read = []

    def content(self, position):
        read.append(position)
        return contents[position]

    monkeypatch.setattr(Images, "content", content)
    found = scan_images(
        images,
        sets=[(3, 5), (7, 9, 11)],
        measure=lambda number, pixels: (number, sorted(pixels)),
        workers=workers,
    )
    assert sorted(read) == list(range(70))
    assert found.measured == [(0, [3, 5]), (1, [7, 9, 11])]
    assert len({one.content for one in found.facts}) == 70


def test_the_astronauts_that_noto_draws_alike_are_found_across_genders(tmp_path):
    table = pq.read_table(EMOJI / "train.parquet")
    activities = table.column("activity").to_pylist()
    kept = [i for i, name in enumerate(activities) if name in {"astronaut", "cook"}]
    pq.write_table(table.take(kept), tmp_path / "some.parquet")
    evaluation = Evaluation(
        "emoji",
        manifest=tmp_path / "some.parquet",
        target="gender",
        attributes={"skin_tone": (), "gender": ()},
    )
    found = profile_data(ProfileRequest(evaluation))
    pixels = found.duplicates[1]
    assert (pixels.sets, pixels.images, pixels.across_classes) == (6, 12, 6)
    assert pixels.differ_in == {"gender": 6}
    assert all("noto/1f46" in one for some in pixels.listed for one in some.ids)
