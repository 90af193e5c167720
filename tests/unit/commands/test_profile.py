"""`pytest-fairness profile`: what a data set holds, before a model is judged on it."""

import argparse
import builtins
import importlib.util
import io
import json
import re
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pytest_fairness.cli import main
from pytest_fairness.commands.profile import add_parser
from pytest_fairness.data.profile import DataProfile
from pytest_fairness.report.profiles.text import problem_kinds

ROOT = Path(__file__).parents[3]
EMOJI = ROOT / "fixtures" / "emoji_people"
POLICY = """\
schema = 1

[decision]
inconclusive = "fail"

[evaluation.faces]
manifest = "faces.csv"
target = "label"
attributes = { sex = ["Female", "Male"], race = ["African", "Asian", "European", "Latin"] }
where = { split = ["test"] }

[[rule]]
metric = "accuracy"
by = ["sex", "race*sex"]
min = 0.8
"""
TABLE_1 = {
    ("Female", "African"): (18, 27.51, 5.25),
    ("Female", "Asian"): (12, 25.17, 4.73),
    ("Female", "European"): (11, 25.00, 3.97),
    ("Male", "African"): (14, 27.20, 5.27),
    ("Male", "Asian"): (8, 27.25, 5.10),
    ("Male", "European"): (11, 26.69, 3.78),
}


def ages(n: int, mean: float, sd: float) -> np.ndarray:
    """Numbers with exactly this mean and sample SD."""
    plain = np.linspace(-1, 1, n)
    return mean + plain / plain.std(ddof=1) * sd


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    """A manifest with Table 1 of the first paper, a policy, and no image column."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"sex": sex, "race": race, "age": age, "label": "face", "split": "test"}
        for (sex, race), (n, mean, sd) in TABLE_1.items()
        for age in ages(n, mean, sd)
    ]
    frame = pd.DataFrame(rows)
    pd.concat([frame, frame.head(3).assign(split="train")]).to_csv("faces.csv", index=False)
    Path("policy.toml").write_text(POLICY, encoding="utf-8")
    Path("world.csv").write_text(
        "level,share\nAfrican,0.4\nAsian,0.3\nEuropean,0.3\n", encoding="utf-8"
    )


def profile(*arguments) -> int:
    return main(["profile", *map(str, arguments)])


TABLE = ("faces.csv", "--attributes", "sex,race", "--where", "split=test", "--target", "label")


def test_table_1_of_the_first_paper_is_printed(capsys):
    assert profile(*TABLE) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "profile of faces (faces.csv): 74 rows, 3 left out by where"
    start = shown.index("n by sex*race")
    assert [line.split() for line in shown[start + 1 : start + 5]] == [
        ["African", "Asian", "European", "all"],
        ["Female", "18", "12", "11", "41"],
        ["Male", "14", "8", "11", "33"],
        ["all", "32", "20", "22", "74"],
    ]
    start = shown.index("age, mean (SD), by sex*race")
    female, male = shown[start + 2 : start + 4]
    assert female.split()[1:7] == ["27.51", "(5.25)", "25.17", "(4.73)", "25.00", "(3.97)"]
    assert male.split()[1:7] == ["27.20", "(5.27)", "27.25", "(5.10)", "26.69", "(3.78)"]


def test_table_1_comes_out_of_the_photographs_and_spreadsheet_of_mr2(tmp_path):
    root = tmp_path / "mr2"
    root.mkdir()
    rows = []
    for (sex, race), (n, mean, sd) in TABLE_1.items():
        for number, age in enumerate(ages(n, mean, sd)):
            name = f"{sex[0]}_{race}_{number}.png"
            rows.append({"File": name, "Sex": sex, "Race": race, "Mean age": age})
            Image.new("RGB", (4, 4), (len(rows), 0, 0)).save(root / name)
    pd.DataFrame(rows).to_csv(root / "MR2.csv", index=False)
    Path("mr2.toml").write_text(
        """\
schema = 1
decision.inconclusive = "fail"

[evaluation.mr2]
reader = "mr2"
root = "mr2"
target = "Sex"
attributes = { Sex = ["Female", "Male"], Race = ["African", "Asian", "European"] }

[[rule]]
metric = "accuracy"
min = 0.8
""",
        encoding="utf-8",
    )
    assert profile("mr2.toml", "--strict", "--json", "p.json") == 0
    found = DataProfile.from_json("p.json")
    (cells,) = (one.groups for one in found.groupings if len(one.by) == 2)
    shown = {
        tuple(cell.group.values()): (
            cell.n,
            round(cell.numbers["Mean age"].mean, 2),
            round(cell.numbers["Mean age"].sd, 2),
        )
        for cell in cells
    }
    assert shown == TABLE_1
    assert (found.images.read, found.duplicates[1].sets) == (74, 0)


def test_a_policy_says_the_columns_the_levels_and_the_intersections(capsys):
    assert profile("policy.toml", "--strict") == 1
    shown = capsys.readouterr().out
    assert "74 rows, 3 left out by where" in shown
    assert "sex*race: 2 groups without rows: Female, Latin; Male, Latin" in shown
    assert "empty group: race Latin: no row has it" in shown
    assert "classes (label): face 74" in shown


def test_only_strict_fails_and_allowed_kinds_pass(capsys):
    assert profile("policy.toml") == 0
    assert profile("policy.toml", "--strict") == 1
    assert profile("policy.toml", "--strict", "--allow", "empty group") == 0
    assert profile("policy.toml", "--strict", "--allow", "duplicate") == 1
    assert profile("policy.toml", "--allow", "empty groups") == 4
    assert "no such kind of problem; allowed are broken image" in capsys.readouterr().err


def test_a_table_without_problems_passes_strict(capsys):
    assert profile(*TABLE, "--strict") == 0
    assert "no problem found" in capsys.readouterr().out


def test_lines_are_at_most_100_columns_wide(capsys):
    profile("policy.toml", "--reference", "race=world.csv", "--by", "race*sex")
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 100


def test_the_json_holds_all_that_is_shown(capsys):
    assert profile("policy.toml", "--reference", "race=world.csv", "--json", "out/p.json") == 0
    assert "wrote out/p.json" in capsys.readouterr().out
    found = DataProfile.from_json("out/p.json")
    assert found.n == 74
    assert found.populations[0].rows[0].reference == 0.4
    assert [one.kind for one in found.problems] == ["empty group"]
    assert json.loads(Path("out/p.json").read_text(encoding="utf-8"))["schema_version"] == 1


def test_the_markdown_has_table_1_and_escapes_names(capsys):
    frame = pd.read_csv("faces.csv").rename(columns={"race": "race|self_said"})
    frame.to_csv("odd.csv", index=False)
    arguments = ("odd.csv", "--attributes", "sex,race|self_said", "--target", "label")
    assert profile(*arguments, "--where", "split=test", "--markdown", "out/p.md") == 0
    text = Path("out/p.md").read_text(encoding="utf-8")
    assert "| Female | 18 | 12 | 11 | 41 |" in text
    assert r"### n by sex\*race\|self\_said" in text
    assert "| Female | 27.51 (5.25) | 25.17 (4.73) | 25.00 (3.97) |" in text
    assert "None found." in text


def test_a_reference_population_is_compared_level_by_level(capsys):
    assert profile(*TABLE, "--reference", "race=world.csv") == 0
    shown = capsys.readouterr().out
    assert "race beside world.csv: 74 rows compared" in shown
    (row,) = [line.split() for line in shown.splitlines() if "0.400" in line]
    assert row[:3] == ["African", "32", "0.432"]
    assert "not shown to differ" in shown
    assert "no level is shown to differ, which is not the same as alike" in shown


def test_a_reference_needs_its_column_where_there_are_several_attributes(capsys):
    assert profile(*TABLE, "--reference", "world.csv") == 4
    assert "say of which column, --reference COLUMN=world.csv" in capsys.readouterr().err
    assert profile("faces.csv", "--attributes", "race", "--reference", "world.csv") == 0


def test_a_reference_that_is_missed_by_more_than_the_tolerance_fails_strict(capsys):
    Path("other.csv").write_text("level,share\nAfrican,0.05\nAsian,0.05\nEuropean,0.9\n")
    arguments = (*TABLE, "--reference", "race=other.csv", "--strict")
    assert profile(*arguments) == 1
    assert "more (beyond tolerance)" in capsys.readouterr().out
    assert profile(*arguments, "--tolerance", "0.7") == 0


@pytest.mark.parametrize("kind", ["png", "svg"])
def test_plots_are_drawn_and_shown_in_the_markdown(capsys, kind):
    arguments = (*TABLE, "--reference", "race=world.csv", "--plots", "plots", "--plot-format", kind)
    assert profile(*arguments, "--markdown", "out/p.md") == 0
    names = ["groups-race", "groups-sex", "reference-race"]
    files = sorted(Path("plots").iterdir())
    assert [file.name for file in files] == [f"{name}.{kind}" for name in names]
    assert f"![reference-race](../plots/reference-race.{kind})" in Path("out/p.md").read_text()
    if kind == "png":
        for file in files:
            with Image.open(file) as image:
                assert len(image.convert("L").getcolors(1 << 24)) > 5
    else:
        first = [file.read_bytes() for file in files]
        assert all(b"<svg" in content for content in first)
        profile(*arguments)
        assert [file.read_bytes() for file in files] == first


def test_without_matplotlib_the_profile_is_complete_and_says_what_is_missing(capsys, monkeypatch):
    find = importlib.util.find_spec
    monkeypatch.setattr(
        "pytest_fairness.report.profiles.plot.find_spec",
        lambda name: None if name == "matplotlib" else find(name),
    )
    assert profile(*TABLE, "--plots", "plots", "--json", "p.json") == 0
    shown = capsys.readouterr()
    assert "matplotlib is not installed; pip install 'pytest-fairness[analyses]'" in shown.err
    assert Path("p.json").is_file()
    assert not Path("plots").exists()


def test_matplotlib_is_imported_only_for_plots(monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    load = builtins.__import__

    def without(name, *rest):
        assert name.partition(".")[0] != "matplotlib"
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    assert profile(*TABLE, "--json", "p.json", "--markdown", "p.md") == 0


@pytest.fixture
def pictures():
    """Four images, two of them the same, one of them broken, and a training list with one."""
    contents = {}
    for name, value in (("a", 10), ("b", 10), ("c", 90)):
        buffer = io.BytesIO()
        Image.new("RGB", (5, 5), (value, 0, 0)).save(buffer, "PNG")
        contents[name] = buffer.getvalue()
    contents["d"] = contents["c"][:20]
    for name, content in contents.items():
        Path(f"{name}.png").write_bytes(content)
    lines = ["id,image,sex,label", "a,a.png,Female,x", "b,b.png,Male,y", "c,c.png,Male,x"]
    Path("pictures.csv").write_text("\n".join([*lines, "d,d.png,Male,x"]), encoding="utf-8")
    Path("train.csv").write_text("id,image\nt,c.png\n", encoding="utf-8")
    return "pictures.csv", "--attributes", "sex", "--target", "label"


def test_broken_images_duplicates_and_leaks_are_problems(pictures, capsys):
    assert profile(*pictures, "--against", "train.csv", "--strict") == 1
    shown = capsys.readouterr().out
    assert "images: 3 of 4 read" in shown
    assert "sample 'd', d.png: the image is truncated" in " ".join(shown.split())
    assert "same decoded pixels: 1 set of 2 images" in shown
    assert (
        "duplicate: 1 pictures stand more than once (2 images); 1 of them with different" in shown
    )
    assert "leak: 1 image is in train.csv too; first c = t" in shown


def test_no_image_is_read_when_none_is_wanted(pictures, capsys, monkeypatch):
    monkeypatch.setattr("pytest_fairness.data.images.Images.content", None)
    assert profile(*pictures, "--no-images") == 0
    assert "note: no image was read, as asked" in capsys.readouterr().out


def test_the_emoji_policy_is_audited_on_the_labels_as_packaged(capsys, tmp_path):
    import pyarrow.parquet as pq

    table = pq.read_table(EMOJI / "evaluation.parquet")
    some = set(sorted(set(table.column("activity").to_pylist()))[:12])
    kept = [i for i, name in enumerate(table.column("activity").to_pylist()) if name in some]
    pq.write_table(table.take(kept), "emoji.parquet")
    tones = "light,medium-light,medium,medium-dark,dark"
    arguments: tuple[str, ...] = (
        "emoji.parquet",
        "--attributes",
        "gender",
        "--target",
        "gender",
        "--cluster",
    )
    arguments += ("design", "--match", "vendor,activity,gender,age", "--audit-by", "vendor")
    wrong, right = "skin_tone_as_packaged", "skin_tone"
    levels = ("--levels", f"{wrong}={tones}", "--levels", f"{right}={tones}")
    arguments += (*levels, "--strict", "--allow", "duplicate")
    assert profile(*arguments, "--audit", f"{wrong}=luminance") == 1
    shown = capsys.readouterr().out
    assert "vendor fluent3d, skin_tone_as_packaged medium-light and medium:" in shown
    assert "swapped; measured order in" in " ".join(shown.split())
    assert profile(*arguments, "--audit", f"{right}=luminance", "--audit", f"{right}=ita") == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("absent.csv",), "absent.csv: no such file; give a policy"),
        (
            ("policy.toml", "--evaluation", "places"),
            "no [evaluation.places]; did you mean 'faces'? Allowed: faces",
        ),
        (("policy.toml", "--attributes", "sex"), "--attributes: the policy policy.toml says so"),
        (("faces.csv", "--evaluation", "faces"), "faces.csv is a table; give the policy as DATA"),
        (("faces.csv", "--attributes", "sexx"), "did you mean 'sex'"),
        (("faces.csv", "--image", "file"), "no column 'file'"),
        (("faces.csv", "--levels", "tone=a,b"), "no column 'tone'"),
        (("faces.csv", "--audit", "sex=luminance"), "an audit needs images; none are read"),
        (("faces.csv", "--where", "part=a"), "no column 'part' (where)"),
        (("faces.csv", "--against", "none.csv"), "none.csv: no such file"),
        (("faces.csv", "--levels", "sex=a,b", "--levels", "sex=c"), "'sex' is named more than"),
        (
            ("faces.csv", "--reference", "sex=world.csv", "--reference", "sex=other.csv"),
            "'sex' is compared with world.csv and other.csv; name one",
        ),
        (("faces.csv", "--reference", "sex=none.csv"), "none.csv: no such file"),
    ],
    ids=[
        "file",
        "evaluation",
        "policy",
        "table",
        "attribute",
        "image",
        "levels",
        "audit",
        "where",
        "against",
        "levels twice",
        "reference twice",
        "reference",
    ],
)
def test_a_wrong_use_exits_with_4_and_says_what_is_allowed(capsys, arguments, message):
    assert profile(*arguments) == 4
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--attributes", "a,,b"),
        ("--attributes", "a,a"),
        ("--levels", "tone"),
        ("--by", "a*"),
        ("--reference", "race="),
        ("--audit", "tone"),
        ("--audit", "tone=luminance:up"),
        ("--tolerance", "5"),
        ("--level", "high"),
        ("--workers", "0"),
    ],
)
def test_a_value_that_cannot_be_read_exits_with_4(capsys, option, value):
    with pytest.raises(SystemExit) as stopped:
        profile("faces.csv", option, value)
    assert stopped.value.code == 4
    assert f"argument {option}" in capsys.readouterr().err


def test_a_manifest_that_cannot_be_read_exits_with_1(capsys):
    Path("bad.csv").write_text("a,b\n1,2,3\n", encoding="utf-8")
    assert profile("bad.csv") == 1
    assert "bad.csv: cannot be read as csv" in capsys.readouterr().err


def test_every_option_and_kind_of_problem_is_in_the_documentation():
    text = (ROOT / "docs" / "profile.md").read_text(encoding="utf-8")
    parser = add_parser(argparse.ArgumentParser().add_subparsers())
    options = [name for action in parser._actions for name in action.option_strings]
    names = [name for name in options if name.startswith("--") and name != "--help"]
    assert [name for name in names if not re.search(rf"(?<![\w-]){name}(?![\w-])", text)] == []
    assert [kind for kind in problem_kinds() if f"`{kind}`" not in text] == []
