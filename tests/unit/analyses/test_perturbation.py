"""Changes of images, and whose answers they move: by models whose right answer is known."""

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from PIL import Image

from pytest_fairness import Classifier, PolicyError, Preprocessing, load_evaluation_set, predict
from pytest_fairness.analyses import Perturbation, perturbation_parity, perturbed_predictions
from pytest_fairness.analyses.observe import Run, Wanted, observe
from pytest_fairness.gate.run import judge_model
from pytest_fairness.inference.observed import observation, observed_values
from pytest_fairness.policy import load_policy
from pytest_fairness.strategies import perturbations


def picture(seed=0, size=(24, 16)):
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


@given(perturbations(most=3))
def test_every_change_keeps_size_and_mode_and_can_be_written_and_read_again(change):
    image = picture()
    changed = change(image)
    assert (changed.size, changed.mode) == (image.size, "RGB")
    if change.text:
        assert Perturbation.parse(change.text) == change
    assert eval(repr(change), {"Perturbation": Perturbation}) == change  # noqa: S307  (our own text)


def test_no_change_leaves_the_image_as_it_is():
    image = picture()
    assert np.array_equal(np.asarray(Perturbation()(image)), np.asarray(image))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Perturbation(brightness=-0.5), lambda p: p * 0.5),
        (Perturbation(brightness=0.5), lambda p: np.minimum(p * 1.5, 255)),
        (Perturbation(hue=120), lambda p: p[..., [2, 0, 1]]),
    ],
    ids=["darker", "brighter", "hue"],
)
def test_colour_changes_by_hand(change, expected):
    colours = np.array([[[200, 40, 40], [90, 160, 90]]], dtype=np.uint8)
    found = np.asarray(change(Image.fromarray(colours)), dtype=float)
    assert found == pytest.approx(expected(colours.astype(float)), abs=2.1)


def test_occlusion_hides_a_square_and_cropping_enlarges_the_middle():
    white = Image.new("RGB", (20, 20), "white")
    hidden = np.asarray(Perturbation(occlusion=0.5, occlusion_x=0.25, occlusion_y=0.25)(white))
    assert (hidden[:10, :10] == 128).all()
    assert (hidden[10:, 10:] == 255).all()
    half = white.copy()
    half.paste("black", (0, 0, 5, 20))
    assert (np.asarray(Perturbation(crop=0.25)(half)) == 255)[:, 2:].all()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("blurr=0.1", r"unknown 'blurr'; did you mean 'blur'\? Allowed: brightness"),
        ("blur=much", r"blur = 'much' is no number; write blur=0.1"),
        ("blur=0.9", r"blur = 0.9 must be in \[0, 0.2\]"),
        ("blur=nan", r"blur = nan must be in"),
    ],
    ids=["name", "word", "range", "nan"],
)
def test_a_change_that_cannot_be_read_is_refused(text, message):
    with pytest.raises(PolicyError, match=message):
        Perturbation.parse(text)


@pytest.fixture
def faces(tmp_path):
    """160 grey squares; the brightness says the class. Light skin is far from the edge at 128, dark near."""
    rows = []
    for i in range(160):
        skin, target = ("light", "dark")[i % 2], ("day", "night")[i // 2 % 2]
        value = {"light": {"day": 240, "night": 20}, "dark": {"day": 150, "night": 110}}[skin][
            target
        ]
        Image.new("RGB", (8, 8), (value,) * 3).save(tmp_path / f"{i}.png")
        rows.append(f"{i}.png,{skin},p{i // 16}{target},{target}")
    (tmp_path / "m.csv").write_text("\n".join(["image,skin,person,target", *rows]))
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {
            "faces": {
                "manifest": str(tmp_path / "m.csv"),
                "classes": ["night", "day"],
                "attributes": {"skin": ["light", "dark"]},
                "reference": {"skin": "light"},
            }
        },
        "rule": [{"metric": "accuracy", "min": 0.5}],
    }


def brightness(images: torch.Tensor) -> torch.Tensor:
    mean = images.mean((1, 2, 3)) - 0.5
    return torch.stack([-mean, mean], 1)


MODEL = Classifier("net", brightness, ("night", "day"), Preprocessing(8))


def parity_of(policy, change, **more):
    samples = load_evaluation_set(load_policy(policy).evaluations["faces"])
    before = predict(MODEL, samples)
    after = perturbed_predictions(MODEL, samples, change)
    return perturbation_parity(
        before, after, change, by=["skin"], reference={"skin": "light"}, **({"limit": 0.1} | more)
    )


@pytest.mark.parametrize("harm", ["flip rate", "accuracy drop"])
def test_a_change_that_moves_one_group_only_is_found_and_can_be_made_again(faces, harm):
    parity = parity_of(faces, Perturbation(brightness=-0.4), harm=harm)
    (pair,) = parity.broken
    assert (pair.group, pair.reference) == ("skin dark", "light")
    assert pair.value == pytest.approx(0.5)
    assert parity.overall == pytest.approx(0.25)
    assert not parity.holds
    assert f"{harm} difference, skin dark vs light: +0.500" in parity.message
    assert "reproduce with Perturbation(brightness=-0.4)" in parity.message


def test_a_change_that_moves_nobody_holds_and_is_no_proof_of_parity(faces):
    parity = parity_of(faces, Perturbation(brightness=-0.05))
    assert parity.holds
    assert parity.pairs[0].low < 0 < parity.pairs[0].high


@pytest.mark.parametrize("harm", ["flip rate", "accuracy drop"])
def test_a_search_that_may_be_looked_at_again_asks_for_more_evidence(faces, harm):
    change = Perturbation(brightness=-0.4)
    one, five = (parity_of(faces, change, harm=harm, looks=looks).pairs[0] for looks in (1, 5))
    deeper = parity_of(faces, change, harm=harm, confidence=0.99).pairs[0]
    assert five.low < one.low
    assert (five.low, five.high) == pytest.approx((deeper.low, deeper.high))


def test_a_longer_search_asks_for_more_evidence_and_clusters_do_too(faces):
    change = Perturbation(brightness=-0.4)
    faces["evaluation"]["faces"]["cluster"] = "person"
    alone, searched, clustered = (
        parity_of(faces, change, **more).pairs[0]
        for more in ({}, {"searched": 50}, {"cluster": "person"})
    )
    assert searched.low < alone.low
    assert clustered.low < alone.low
    assert parity_of(faces, change, searched=50).confidence == pytest.approx(0.999)


def test_hypothesis_finds_the_mildest_change_that_breaks_parity(faces):
    samples = load_evaluation_set(load_policy(faces).evaluations["faces"])
    before = predict(MODEL, samples)
    found = []

    @settings(
        max_examples=15,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(perturbations(kinds=("brightness", "blur", "hue")))
    def search(change):
        after = perturbed_predictions(MODEL, samples, change)
        parity = perturbation_parity(
            before, after, change, by=["skin"], reference={"skin": "light"}, limit=0.1, searched=15
        )
        if not parity.holds:
            found.append(change)
        assert parity.holds, parity.message

    with pytest.raises(AssertionError, match=r"reproduce with Perturbation\(brightness=-?0\.\d+\)"):
        search()
    # 150 falls below 128 at -15 %, 110 rises above it at 17 %.
    mildest = found[-1]
    assert mildest in (Perturbation(brightness=-0.15), Perturbation(brightness=0.17))


def test_a_rule_names_changes_and_is_judged_by_group(faces):
    faces["rule"] = [
        {
            "metric": "perturbation_flip_rate_difference",
            "of": ["brightness=-0.4", "brightness=-0.05"],
            "max": 0.2,
        },
        {"metric": "perturbation_accuracy_drop", "of": "brightness=-0.4", "max": 0.1},
    ]
    strong, mild, light, dark = judge_model(faces, MODEL).verdicts
    assert strong.outcome == "fail"
    assert strong.value == pytest.approx(0.5)
    assert (strong.successes, strong.reference_successes) == (40, 0)
    assert (mild.outcome, mild.value) == ("pass", 0.0)
    assert (light.outcome, dark.outcome) == ("pass", "fail")


def test_observations_are_made_once_for_each_change(faces, monkeypatch):
    from pytest_fairness.analyses.observers import perturbation as room

    runs = []
    original = room.perturbed_predictions

    def counted(*args, **kwargs):
        runs.append(args[2])
        return original(*args, **kwargs)

    monkeypatch.setattr(room, "perturbed_predictions", counted)
    samples = load_evaluation_set(load_policy(faces).evaluations["faces"])
    wanted = [
        Wanted("perturbation", measure, "brightness=-0.4")
        for measure in ("perturbation_flip_rate", "perturbation_accuracy_drop")
    ]
    found = observe(MODEL, samples, predict(MODEL, samples), wanted, run=Run())
    assert runs == [Perturbation(brightness=-0.4)]
    flips = observed_values(found, observation("perturbation_flip_rate", "brightness=-0.4"))
    assert flips.sum() == 40


@pytest.mark.parametrize("kind", ["brightness", "contrast", "hue", "blur", "jpeg_loss", "crop"])
def test_kinds_can_be_chosen(kind):
    @settings(max_examples=5, database=None)
    @given(perturbations(kinds=(kind,), most=1))
    def drawn(change):
        assert not change.text or change.text.startswith(f"{kind}=")

    drawn()
