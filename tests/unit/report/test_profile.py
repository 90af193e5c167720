"""The text of a profile: tables that fit, and what is said of few rows."""

import io
import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pytest_fairness.data.profile import AuditRequest, ProfileRequest, profile_data
from pytest_fairness.data.profile.record import DataProfile
from pytest_fairness.policy.records import Evaluation
from pytest_fairness.report.profiles.markdown import profile_markdown
from pytest_fairness.report.profiles.plot import _groups, draw_profile
from pytest_fairness.report.profiles.text import profile_lines


@pytest.fixture
def profiled(tmp_path):
    def make(frame: pd.DataFrame, *attributes: str, **keys) -> DataProfile:
        frame.to_csv(tmp_path / "rows.csv", index=False)
        cluster = keys.pop("cluster", None)
        evaluation = Evaluation(
            "rows",
            manifest=tmp_path / "rows.csv",
            attributes=dict.fromkeys(attributes, ()) | dict(keys.get("levels", {})),
            cluster=cluster,
        )
        return profile_data(ProfileRequest(evaluation, **keys))

    return make


def test_many_numeric_columns_continue_below_and_none_is_lost(profiled):
    frame = pd.DataFrame({"sex": ["F", "M"] * 15})
    names = [f"measurement_{i}" for i in range(9)]
    for i, name in enumerate(names):
        frame[name] = np.arange(30) % 7 + 1000.5 * i
    lines = profile_lines(profiled(frame, "sex"))
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    assert [name for name in names if f"{name} mean (SD)" not in text] == []
    assert lines.count("by sex") > 1


def test_the_largest_of_many_groups_come_first_and_the_others_are_counted(profiled):
    names = [f"c{i}" for i in range(60) for _ in range(i + 1)]
    lines = profile_lines(profiled(pd.DataFrame({"country": names}), "country"))
    start = lines.index("by country")
    assert lines[start + 2].split()[:2] == ["c59", "60"]
    assert "  ... and 20 more groups; --json FILE has them" in lines


def test_a_mean_of_some_rows_says_of_how_many(profiled):
    frame = pd.DataFrame({"sex": ["F", "F", "F", "M"], "age": ["20", "30", "", ""]})
    text = "\n".join(profile_lines(profiled(frame, "sex")))
    assert "25.00 (7.07) of 2" in text
    (row,) = [line.split() for line in text.splitlines() if line.startswith("  M ")]
    assert row == ["M", "1", "0.250", "-"]


def test_levels_that_are_not_declared_are_marked(profiled):
    frame = pd.DataFrame({"sex": ["F", "X", ""], "target": "a"})
    lines = profile_lines(profiled(frame, "sex", levels={"sex": ("F", "M")}))
    start = lines.index("by sex")
    names = [line[:20].strip() for line in lines[start + 2 : start + 6]]
    assert [name.split("  ")[0] for name in names] == ["F", "M", "(missing)", "X (not declared)"]


def test_the_markdown_is_made_of_whole_tables(profiled, tmp_path):
    frame = pd.DataFrame({"sex": ["F", "M"] * 9, "race": ["a", "b", "c"] * 6, "age": range(18)})
    text = profile_markdown(profiled(frame.assign(target="x"), "sex", "race"), folder=tmp_path)
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "## Classes (target)" in text


def test_profiles_without_attributes_show_all_rows(profiled):
    lines = profile_lines(profiled(pd.DataFrame({"age": [20.5, 30.5]})))
    assert lines[lines.index("all rows") + 2].split()[:4] == ["all", "2", "1.000", "25.50"]


def encoded(seed: int, kind: str = "PNG", *, size=(8, 8), **keys) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **keys)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> DataProfile:
    """A profile with every part: two designs in two tones, a copy, a turned and a broken image."""
    folder = tmp_path_factory.mktemp("whole")
    turned = Image.Exif()
    turned[0x0112] = 6
    skin = {"light": (230, 200, 180), "dark": (110, 75, 55)}
    rows = []
    for design, tone in itertools.product(("one", "two"), skin):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), skin[tone]).save(buffer, "PNG")
        # The second design is named the wrong way round.
        named = tone if design == "one" else {"light": "dark", "dark": "light"}[tone]
        content = buffer.getvalue() if design == "one" else encoded_flat(skin[tone], 12)
        rows.append((f"{design}-{tone}", named, design, "Asia", "x", content))
    rows += [
        ("copy", "dark", "three", "Africa", "y", rows[0][-1]),
        ("turned", "light", "four", "", "y", encoded(3, "JPEG", size=(20, 30), exif=turned)),
        ("broken", "light", "five", "Mars", "y", b"no image"),
    ]
    columns = ["id", "tone", "design", "region", "target", "image"]
    frame = pd.DataFrame(rows, columns=columns)
    frame.to_parquet(folder / "faces.parquet")
    train = [frame.iloc[0], frame.iloc[6]]
    pd.DataFrame(train).assign(id=["t1", "t2"]).to_parquet(folder / "train.parquet")
    (folder / "world.csv").write_text("level,share\nAsia,0.6\nAfrica,0.4\n", encoding="utf-8")
    evaluation = Evaluation(
        "faces",
        manifest=folder / "faces.parquet",
        attributes={"tone": ("light", "dark", "none")},
        cluster="design",
    )
    return profile_data(
        ProfileRequest(
            evaluation,
            match=("design",),
            audits=(AuditRequest("tone", "luminance", by="region"),),
            against=folder / "train.parquet",
            references={"region": folder / "world.csv"},
        )
    )


def encoded_flat(colour: tuple[int, int, int], size: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(buffer, "PNG")
    return buffer.getvalue()


EXPECTED = (
    "images: 6 of 7 read",
    "sizes: 8x8 3, 12x12 2, 30x20 1",
    "formats: PNG 5, JPEG 1; modes: RGB 6",
    "1 are turned by an EXIF tag",
    "median pixels by tone: light 144, dark 64",
    "same decoded pixels: 1 set of 2 images, 1 surplus; 0 within a group, 1 across (differ in tone 1, target 1)",
    "one-light = copy differ in tone, target",
    "against",
    "3 images with the same encoded bytes",
    "2 images with the same decoded pixels",
    "0 rows with the same id",
    "2 clusters in both, with 3 rows here",
    "compared by bytes only, since unreadable: 1 image there",
    "by tone: light 2, dark 1",
    "5 rows compared",
    "clustered by design: design effect",
    "not compared, since without a value: 1 row",
    "not in the reference, so not compared: Mars 1",
    "an expected count is below 5",
    "audit: luminance should fall along tone (light, dark, none)",
    "2 of 5 sets measured (same design)",
    "not measured: one level only 3",
    "undecided (too few sets)",
    "undecided (no set)",
    "tone none: no row has it",
)


@pytest.mark.parametrize("text", EXPECTED)
def test_a_whole_profile_says(whole, text):
    lines = profile_lines(whole)
    shown = " ".join(" ".join(lines).split())
    assert text in shown


def test_a_whole_profile_fits_into_100_columns(whole):
    long = [line for line in profile_lines(whole) if len(line) > 100]
    assert [line for line in long if " " in line.strip()] == []


def test_names_in_plots_are_printable_and_no_formulas(whole):
    pytest.importorskip("matplotlib")
    one = whole.groupings[0]
    groups = [
        group.model_copy(update={"group": {"tone": f"$x${i}\x1b[2K"}})
        for i, group in enumerate(one.groups)
    ]
    figure = _groups(one.model_copy(update={"by": ["tone\u202e"], "groups": groups}))
    axes = figure.axes[0]
    assert axes.get_title() == r"rows by tone\u202e"
    assert axes.get_yticklabels()[0].get_text() == r"\$x\$0\x1b[2K"


def test_the_markdown_of_a_whole_profile_has_every_part(whole, tmp_path):
    plots = draw_profile(whole, tmp_path / "plots")
    text = profile_markdown(whole, plots=plots, folder=tmp_path)
    for heading in (
        "# Profile of faces",
        "## Problems",
        "## Groups",
        "## Missing values",
        "## Classes (target)",
        "## region beside a reference population",
        "## Images",
        "## Shared with ",
        "## Audit of tone by luminance",
    ):
        assert any(line.startswith(heading) for line in text.splitlines())
    assert "- **broken image**: " in text
    assert "| Asia | light, dark | 1 of 2 | 2 | " in text
    assert "![reference-region](plots/reference-region.png)" in text


def test_a_plot_of_many_levels_says_what_it_leaves_out(profiled, tmp_path):
    levels = [f"c{i:02}" for i in range(50)]
    world = pd.DataFrame({"level": levels, "count": range(1, 51)})
    world.to_csv(tmp_path / "world.csv", index=False)
    frame = pd.DataFrame({"country": [name for i, name in enumerate(levels) for _ in range(i + 1)]})
    found = profiled(frame, "country", references={"country": tmp_path / "world.csv"})
    groups, reference = draw_profile(found, tmp_path / "plots", kind="svg")
    # The smallest ten of fifty are left out: 55 of 1,275 rows.
    assert "10 smaller groups not shown" in drawn_text(groups)
    assert "10 levels not shown: 4.3% of the rows, 4.3% there" in drawn_text(reference)


def drawn_text(path: Path) -> str:
    """matplotlib writes each text of an SVG as a comment beside its outlines."""
    return "\n".join(re.findall(r"<!-- (.*?) -->", path.read_text(encoding="utf-8")))
