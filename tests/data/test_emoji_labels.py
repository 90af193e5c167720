"""Label rules on hand-picked names, and the rebuild of the emoji people from small packages."""

import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.emoji_people import build, render
from fixtures.emoji_people.labels import TONES, Emoji, Person, keywords, people, read_name

SUBGROUPS = {"23": "person", "27": "person-activity", "30": "family"}


def emoji(label: str, *, tone: str = "default", tags: tuple[str, ...] = ()) -> Emoji:
    person = read_name(label)
    assert person is not None
    return Emoji("1f468", label, label, person, tone, tags)


@pytest.mark.parametrize(
    ("name", "gender", "age", "activity"),
    [
        ("man", "man", "adult", "plain"),
        ("girl", "woman", "child", "plain"),
        ("old man", "man", "older", "plain"),
        ("woman: blond hair", "woman", "adult", "blond hair"),
        ("deaf woman", "woman", "adult", "deaf"),
        ("man gesturing NO", "man", "adult", "gesturing NO"),
        ("woman walking: facing right", "woman", "adult", "walking: facing right"),
        ("woman with headscarf", "woman", "adult", "with headscarf"),
        ("pregnant man", "man", "adult", "pregnant"),
        ("Santa Claus", "man", "older", "claus"),
        ("Mrs. Claus", "woman", "older", "claus"),
        ("prince", "man", "adult", "royal"),
        ("princess", "woman", "adult", "royal"),
        ("merman", "man", "adult", "merperson"),
        ("mermaid", "woman", "adult", "merperson"),
    ],
)
def test_name_gives_gender_age_and_activity(
    name: str, gender: str, age: str, activity: str
) -> None:
    assert read_name(name) == Person(gender, age, activity)


@pytest.mark.parametrize(
    "name",
    [
        "person",
        "older person",
        "Mx Claus",
        "merperson",
        "health worker",
        "women wrestling",
        "woman and man holding hands",
    ],
)
def test_name_of_no_single_woman_or_man_gives_nothing(name: str) -> None:
    assert read_name(name) is None


def test_wrong_gender_keyword_is_replaced() -> None:
    swimmer = emoji("woman swimming", tags=("man", "swim"))
    assert keywords(swimmer, "dark") == ["dark skin tone", "swim", "swimming", "woman"]


def test_older_woman_has_gender_and_age_keywords() -> None:
    assert {"woman", "older", "old"} <= set(keywords(emoji("old woman"), "default"))


def test_child_has_a_word_of_its_own() -> None:
    assert keywords(emoji("boy"), "default") == ["boy", "child"]


def test_people_takes_single_persons_with_tones_in_unicode_order() -> None:
    def record(label: str, subgroup: int, order: int, *, tones: bool = True) -> dict[str, Any]:
        skins = [
            {"label": f"{label}: {n}", "hexcode": f"1F468-1F3F{x}-FE0F", "tone": n}
            for n, x in enumerate("BCDEF", start=1)
        ]
        whole = {"label": label, "hexcode": "1F468", "subgroup": subgroup, "order": order}
        return whole | ({"skins": skins} if tones else {})

    chosen = people(
        [
            record("woman running", 27, 9),
            record("man", 23, 1),
            record("person", 23, 2),
            record("woman", 30, 3),
            record("man genie", 23, 4, tones=False),
        ],
        SUBGROUPS,
    )
    assert [one.base_label for one in chosen[::6]] == ["man", "woman running"]
    assert [one.skin_tone for one in chosen[:6]] == [
        *("default", "light", "medium-light", "medium", "medium-dark", "dark")
    ]
    assert chosen[1].codepoints == "1f468-1f3fb"


@pytest.mark.parametrize(
    ("vendor", "label", "tone", "drawn"),
    [
        ("fluent3d", "man cook", "medium", "medium-light"),
        ("fluent3d", "man cook", "medium-light", "medium"),
        ("fluent3d", "man cook", "dark", "dark"),
        ("fluent3d", "woman technologist", "medium", "medium"),
        ("noto", "man cook", "medium", "medium"),
    ],
)
def test_swapped_tones_of_one_package_are_put_right(
    vendor: str, label: str, tone: str, drawn: str
) -> None:
    assert build.drawn_tone(vendor, emoji(label, tone=tone)) == drawn


@pytest.mark.parametrize(
    ("label", "design"),
    [
        ("woman: beard", "noto/beard"),
        ("man running: facing right", "noto/running"),
        ("woman: red hair", "noto/plain"),
        ("boy", "noto/child"),
        ("old woman", "noto/older"),
        ("Mrs. Claus", "noto/claus"),
    ],
)
def test_design_joins_drawings_that_share_a_template(label: str, design: str) -> None:
    assert build.design("noto", emoji(label)) == design


def test_twins_that_look_alike_hide_their_gender() -> None:
    red, blue = (Image.new("RGB", (64, 64), colour) for colour in ("red", "blue"))
    pictures = {"man cook": red, "woman cook": blue, "man judge": red, "woman judge": red}
    rows = build.rows(
        build.VENDORS[0],
        [Emoji(n, n, n, emoji(n).person, "default", ()) for n in pictures],
        pictures.__getitem__,
    )
    assert [row["gender_visible"] for row in rows] == [True, True, False, False]


def test_drawings_of_one_face_are_one_design() -> None:
    assert build.design("openmoji", emoji("woman frowning")) == "openmoji/plain"
    assert build.design("noto", emoji("woman frowning")) == "noto/frowning"


def row(gender: str, tone: str, *, activity: str = "cook", visible: bool = True) -> dict[str, Any]:
    person = {"vendor": "a", "gender": gender, "age": "adult", "activity": activity}
    return person | {"skin_tone": tone, "gender_visible": visible}


def test_people_who_lack_a_tone_or_look_like_their_twin_are_not_judged() -> None:
    whole = [row("woman", tone) for tone in TONES]
    partly = [row("man", tone) for tone in TONES[:1]]
    alike = [row("man", tone, activity="golfing", visible=tone != "dark") for tone in TONES]
    assert build.judgeable([*whole, *partly, *alike]) == whole


def test_package_without_code_points_is_asked_by_name_and_other_name(tmp_path: Path) -> None:
    icons = {
        "icons": {"person-in-tuxedo": {"body": "<path/>"}},
        "aliases": {"man-in-tuxedo": {"parent": "person-in-tuxedo"}},
        "width": 8,
        "height": 8,
    }
    (tmp_path / "icons.json").write_text(json.dumps(icons), "utf-8")
    (tmp_path / "chars.json").write_text("{}", "utf-8")
    find = render.iconify_svg(tmp_path)
    assert "<path/>" in str(find(render.icon_name("man in tuxedo")))
    assert find(render.icon_name("woman in tuxedo")) is None


def test_openmoji_is_read_from_its_own_files(tmp_path: Path) -> None:
    (tmp_path / "color" / "svg").mkdir(parents=True)
    (tmp_path / "color" / "svg" / "1F468-2642-FE0F.svg").write_text("<svg/>", "utf-8")
    find = render.openmoji_svg(tmp_path)
    assert (find("1f468-2642"), find("1f469")) == ("<svg/>", None)


def test_svg_is_drawn_on_white(tmp_path: Path) -> None:
    pytest.importorskip("resvg_py", reason="needs the dependency group `data`")
    body = '<path fill="#ff0000" d="M0 0h4v8H0z"/>'
    icons = {"icons": {"man": {"body": body}}, "width": 8, "height": 8}
    (tmp_path / "icons.json").write_text(json.dumps(icons), "utf-8")
    (tmp_path / "chars.json").write_text('{"1f468": "man"}', "utf-8")
    draw = render.iconify(tmp_path)
    picture = draw("1f468")
    assert picture is not None
    assert picture.size == (64, 64)
    assert [picture.getpixel((x, 32)) for x in (0, 63)] == [(255, 0, 0), (255, 255, 255)]
    assert draw("1f469") is None


def test_webp_is_drawn_on_white(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    Image.new("RGBA", (256, 256), (0, 0, 0, 0)).save(
        tmp_path / "assets" / "1f468-2642-fe0f.webp", lossless=True
    )
    draw = render.lobehub(tmp_path)
    picture = draw("1f468-2642")
    assert picture is not None
    assert picture.getcolors() == [(64 * 64, (255, 255, 255))]
    assert draw("1f469") is None


def test_palette_png_is_close_to_the_picture_and_always_the_same() -> None:
    ramp = np.linspace(0, 255, 64 * 64).reshape(64, 64).astype(np.uint8)
    picture = Image.fromarray(np.stack([ramp, ramp.T, ramp], axis=-1))
    png = render.palette_png(picture)
    with Image.open(io.BytesIO(png)) as stored:
        assert len(stored.getcolors() or ()) <= render.COLOURS
        error = np.asarray(stored.convert("RGB"), np.float64) - np.asarray(picture)
    assert np.abs(error).mean() < 12
    assert png == render.palette_png(picture)


def test_missing_npm_is_one_clear_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.main(["--out", str(tmp_path)]) == 1
    assert "error: npm was not found" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_failing_npm_names_the_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    failed = subprocess.CompletedProcess(["npm"], 1, "", "npm error 404")
    monkeypatch.setattr("shutil.which", lambda name: name)
    monkeypatch.setattr("subprocess.run", lambda *_, **__: failed)
    with pytest.raises(render.BuildError, match=r"`npm pack @a/b@1` failed: npm error 404"):
        render.fetch("@a/b@1", tmp_path)


def test_missing_resvg_names_the_dependency_group(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(render.BuildError, match="dependency group `data`"):
        render.iconify(tmp_path)
