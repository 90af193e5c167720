"""Labels beside measurements: proxies, the pixels that are measured, and the swapped emoji tones."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pytest_fairness.data.profile import (
    AuditRequest,
    ProfileRequest,
    ProfileUsageError,
    profile_data,
)
from pytest_fairness.data.profile.proxies import (
    PROXIES,
    individual_typology_angle,
    luminance,
    shared_skin,
)
from pytest_fairness.policy.records import Evaluation

EMOJI = Path(__file__).parents[3] / "fixtures" / "emoji_people"
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")
SKIN = {
    "light": (247, 222, 206),
    "medium-light": (243, 210, 162),
    "medium": (213, 171, 136),
    "medium-dark": (175, 126, 87),
    "dark": (124, 83, 62),
}
HAIR = {
    "light": (41, 47, 51),
    "medium-light": (255, 229, 30),
    "medium": (150, 100, 60),
    "medium-dark": (60, 50, 45),
    "dark": (11, 11, 11),
}


def drawing(tone: str, *, hair: bool = True, size=(16, 16)) -> Image.Image:
    """A face: skin below, more hair than skin above, a blue shirt that never changes."""
    image = Image.new("RGB", size, "white")
    if hair:
        image.paste(HAIR[tone], (0, 0, size[0], size[1] // 2))
    image.paste(SKIN[tone], (0, size[1] // 2, size[0], 3 * size[1] // 4))
    image.paste((30, 60, 200), (0, 3 * size[1] // 4, size[0], size[1]))
    return image


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def audit(tmp_path):
    """Audit the named tones of designs drawn in other tones: (design, vendor, named, drawn)."""

    def make(rows, *, image=drawing, levels=TONES, proxy="luminance", cluster=None, **keys):
        match = keys.pop("match", ("design",))
        rising = keys.pop("rising", False)
        frame = pd.DataFrame(rows, columns=["design", "vendor", "tone", "drawn"])
        frame["id"] = [f"{d}/{v}/{t}" for d, v, t in frame[["design", "vendor", "tone"]].to_numpy()]
        frame["image"] = [png(image(tone)) for tone in frame["drawn"]]
        frame.to_parquet(tmp_path / "faces.parquet")
        evaluation = Evaluation(
            "faces",
            manifest=tmp_path / "faces.parquet",
            attributes={"tone": ()},
            cluster=cluster,
        )
        asked = AuditRequest("tone", proxy, rising=rising, by=keys.pop("by", None))
        found = profile_data(
            ProfileRequest(
                evaluation, audits=(asked,), match=match, levels={"tone": levels}, **keys
            )
        )
        return found, found.audits[0]

    return make


def designs(number: int, *, swapped: int = 0, vendor: str = "one", first: int = 0):
    """Designs in five tones; in some of them the names of two neighbours are exchanged."""
    swap = {"medium-light": "medium", "medium": "medium-light"}
    return [
        (f"d{first + i}", vendor, tone, swap.get(tone, tone) if i < swapped else tone)
        for i in range(number)
        for tone in TONES
    ]


def pairs(found, stratum: str = ""):
    return {(p.first, p.second): p for p in found.pairs if p.stratum == stratum}


def test_labels_that_are_right_are_as_named(audit):
    found, one = audit(designs(30))
    assert (one.sets, one.measured, one.unmeasured) == (30, 30, {})
    assert {pair.verdict for pair in one.pairs} == {"as named"}
    assert len(one.pairs) == 10
    assert one.orders[0].order == TONES
    assert not [problem for problem in found.problems if problem.kind == "label"]


@pytest.mark.parametrize("proxy", sorted(PROXIES))
def test_swapped_names_are_found_and_the_measured_order_is_given(audit, proxy):
    found, one = audit(designs(30, swapped=28), proxy=proxy)
    pair = pairs(one)["medium-light", "medium"]
    assert (pair.sets, pair.inverted, pair.verdict) == (30, 28, "swapped")
    assert pair.low > 0.5
    assert pair.suspects[0] == ("d0/one/medium-light", "d0/one/medium")
    assert {p.verdict for p in one.pairs if p is not pair} == {"as named"}
    assert one.orders[0].order == ("light", "medium", "medium-light", "medium-dark", "dark")
    (problem,) = [problem.text for problem in found.problems if problem.kind == "label"]
    assert "28 of 30 matched sets have the" in problem
    assert "measured order in 28 of 30: light, medium, medium-light" in problem


@pytest.mark.parametrize(
    ("number", "swapped", "verdict"),
    [
        (40, 0, "as named"),
        (40, 1, "a few inverted"),
        (40, 12, "often inverted"),
        (40, 20, "often inverted"),
        (40, 36, "swapped"),
        (3, 0, "undecided"),
        (3, 3, "often inverted"),
        (2, 1, "undecided"),
    ],
    ids=["none", "one", "many", "half", "nearly all", "few sets", "all of few", "one of two"],
)
def test_the_verdict_goes_as_far_as_the_interval_shows(audit, number, swapped, verdict):
    _, one = audit(designs(number, swapped=swapped))
    assert pairs(one)["medium-light", "medium"].verdict == verdict


def test_a_swap_by_one_vendor_is_told_apart_from_the_others(audit):
    rows = [*designs(30, vendor="right"), *designs(30, swapped=30, vendor="wrong", first=30)]
    _, one = audit(rows, by="vendor")
    key = "medium-light", "medium"
    assert pairs(one, "right")[key].verdict == "as named"
    assert pairs(one, "wrong")[key].verdict == "swapped"
    _, pooled = audit(rows)
    assert pairs(pooled)[key].verdict == "often inverted"


def test_sets_of_the_same_cluster_count_as_one(audit):
    rows = [
        (design, f"v{int(design[1:]) % 3}", tone, drawn)
        for design, _, tone, drawn in designs(30, swapped=30)
    ]
    _, one = audit(rows, cluster="vendor")
    pair = pairs(one)["medium-light", "medium"]
    assert (pair.sets, pair.clusters, pair.share) == (30, 3, 1.0)
    assert pair.verdict == "often inverted"
    assert pair.low < 0.5


def test_levels_that_rise_are_asked_for(audit):
    _, falling = audit(designs(20), levels=tuple(reversed(TONES)))
    assert {pair.verdict for pair in falling.pairs} == {"swapped"}
    _, rising = audit(designs(20), levels=tuple(reversed(TONES)), rising=True)
    assert {pair.verdict for pair in rising.pairs} == {"as named"}


def test_drawings_that_do_not_change_are_not_measured_and_say_so(audit):
    _, one = audit(designs(6), image=lambda _: drawing("dark"))
    assert (one.measured, one.unmeasured) == (
        0,
        {"too few pixels that are skin in every image": 6},
    )
    assert {pair.verdict for pair in one.pairs} == {"undecided"}
    assert all(pair.share is None for pair in one.pairs)


def test_images_of_other_sizes_are_not_compared_pixel_by_pixel(audit):
    def image(tone):
        return drawing(tone, size=(16, 16) if tone == "dark" else (18, 16))

    _, one = audit(designs(4), image=image)
    assert one.unmeasured == {"images of different sizes": 4}


def test_sets_with_one_level_or_two_images_of_a_level_are_left_out_with_the_reason(audit):
    rows = [*designs(3), ("solo", "one", "dark", "dark"), ("d0", "one", "dark", "dark")]
    _, one = audit(rows)
    assert one.sets == 4
    assert one.unmeasured == {"several images of one level": 1, "one level only": 1}


def test_a_set_without_some_levels_is_compared_in_those_that_it_has(audit):
    _, one = audit([row for row in designs(20) if row[2] in {"light", "dark"}])
    assert pairs(one)["light", "dark"].sets == 20
    assert pairs(one)["light", "medium"].sets == 0
    assert one.orders == ()


def test_hair_that_is_darker_in_the_light_drawing_does_not_mislead():
    """Black hair in the light tone, blond in the next: the hair's order is not the skin's."""
    stack = np.stack([np.asarray(drawing(tone)) for tone in TONES])
    mask = shared_skin(stack)
    assert mask[8:12].all()
    assert not mask[:8].any()
    assert not mask[12:].any()


def test_dark_skin_is_not_measured_on_fewer_pixels():
    dark = np.stack([np.asarray(drawing(tone, hair=False)) for tone in ("medium-dark", "dark")])
    light = np.stack([np.asarray(drawing(tone, hair=False)) for tone in ("light", "medium")])
    assert shared_skin(dark).sum() == shared_skin(light).sum() == 64


def test_the_typology_angle_of_known_colours():
    """White: L* 100, b* 0, so 90 degrees. sRGB (255, 0, 0): L* 53.24, b* 67.20."""
    white = individual_typology_angle(np.array([[255.0, 255.0, 255.0]]))
    assert white == pytest.approx(90, abs=0.1)
    red = individual_typology_angle(np.array([[255.0, 0.0, 0.0]]))
    assert red == pytest.approx(np.degrees(np.arctan(3.24 / 67.20)), abs=0.01)
    angles = [individual_typology_angle(np.array([SKIN[tone]], dtype=float)) for tone in TONES]
    assert angles == sorted(angles, reverse=True)


def test_the_luminance_of_one_colour_is_its_weighted_sum():
    assert luminance(np.array([[10.0, 20.0, 30.0]])) == pytest.approx(
        0.2126 * 10 + 0.7152 * 20 + 0.0722 * 30
    )


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"proxy": "lumninance"}, "nothing measures 'lumninance'.*did you mean 'luminance'"),
        ({"match": ()}, "name the columns that tell designs apart with --match"),
        ({"match": ("desing",)}, "no column 'desing'.*did you mean 'design'"),
        ({"levels": ("light",)}, "needs its levels in their order; give them with --levels tone="),
        ({"by": "maker"}, "no column 'maker'"),
        ({"read_images": False}, "an audit needs images; none are read"),
    ],
    ids=["proxy", "no match", "match", "levels", "by", "no images"],
)
def test_an_audit_that_cannot_be_made_says_what_it_needs(audit, keys, message):
    with pytest.raises(ProfileUsageError, match=message):
        audit(designs(2), **keys)


@pytest.fixture(scope="module")
def emoji(tmp_path_factory):
    """A part of the evaluation set: some activities of both vendors."""
    table = pq.read_table(EMOJI / "evaluation.parquet")
    kept = set(sorted(set(table.column("activity").to_pylist()))[:14]) | {"technologist"}
    rows = [i for i, name in enumerate(table.column("activity").to_pylist()) if name in kept]
    path = tmp_path_factory.mktemp("emoji") / "some.parquet"
    pq.write_table(table.take(rows), path)
    return path


@pytest.mark.parametrize(
    ("column", "verdict"),
    [("skin_tone_as_packaged", "swapped"), ("skin_tone", "as named")],
    ids=["as packaged", "corrected"],
)
def test_the_swapped_tones_of_the_emoji_package_are_found(emoji, column, verdict):
    evaluation = Evaluation("emoji", manifest=emoji, cluster="design", target="gender")
    found = profile_data(
        ProfileRequest(
            evaluation,
            match=("vendor", "activity", "gender", "age"),
            levels={column: TONES},
            audits=(AuditRequest(column, "luminance", by="vendor"),),
        )
    )
    (one,) = found.audits
    pair = pairs(one, "fluent3d")["medium-light", "medium"]
    assert pair.verdict == verdict
    assert {p.verdict for p in one.pairs if p is not pair} == {"as named"}
    assert one.measured >= one.sets - 1
    texts = [problem.text for problem in found.problems if problem.kind == "label"]
    assert len(texts) == (verdict == "swapped")
    if texts:  # the technologists alone are packaged rightly
        assert pair.sets - pair.inverted == 2
        assert "vendor fluent3d, skin_tone_as_packaged medium-light and medium" in texts[0]


def test_sets_whose_images_are_of_several_strata_are_left_out(audit):
    rows = [*designs(2), *(("mixed", f"v{i % 2}", tone, tone) for i, tone in enumerate(TONES))]
    _, one = audit(rows, by="vendor")
    assert (one.sets, one.measured) == (3, 2)
    assert one.unmeasured == {"several values of vendor": 1}


def test_an_audit_without_a_set_is_undecided(audit):
    _, one = audit(designs(2), levels=("pale", "tanned"))
    assert (one.sets, one.measured, one.orders) == (0, 0, ())
    assert [(pair.sets, pair.verdict) for pair in one.pairs] == [(0, "undecided")]
