import io

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn

from pytest_fairness.analyses.probes import observe_probes
from pytest_fairness.analyses.topography import observe_topography, topographic_similarity
from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.data import EvaluationSet
from pytest_fairness.data.images import Images
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError


def layer(*, of_class: float, of_tone: float, noise: float, seed: int = 0, clusters: int = 40):
    """Every cluster in two tones and two classes; channels encode class, tone and noise."""
    rng = np.random.default_rng(seed)
    tone = np.tile(["dark", "dark", "light", "light"], clusters)
    sex = np.tile(["f", "m"], 2 * clusters)
    cluster = np.repeat(np.arange(clusters), 4)
    patterns = rng.normal(size=(2, 30)) / np.sqrt(30)
    values = of_class * np.where(sex == "m", 0.5, -0.5)[:, None] * patterns[0]
    values = values + of_tone * np.where(tone == "dark", 0.5, -0.5)[:, None] * patterns[1]
    drawn = rng.normal(size=(clusters, 30))[cluster] + rng.normal(size=(4 * clusters, 30))
    share_class, share_tone = (patterns**2).sum(axis=1) * np.square([of_class, of_tone])
    # Over both classes, (c + t)(c - t) sums to |c|^2 - |t|^2, and the mixed terms cancel.
    cosine = (share_class - share_tone) / max(share_class + share_tone, 1e-300)
    return values + noise * drawn, tone, sex, cluster, cosine


@pytest.mark.parametrize(
    ("of_class", "of_tone", "expected"),
    [
        pytest.param(1.0, 0.0, 1.0, id="classes alone"),
        pytest.param(0.0, 1.0, -1.0, id="tones alone"),
    ],
)
def test_similarity_is_1_where_tone_makes_no_difference_and_minus_1_where_only_tone_does(
    of_class, of_tone, expected
):
    values, tone, sex, cluster, _ = layer(of_class=of_class, of_tone=of_tone, noise=0.05)
    found = topographic_similarity(
        values, tone, rng=np.random.default_rng(0), classes=sex, cluster=cluster
    )
    (pair,) = found.pairs
    assert (pair.first, pair.second, pair.n) == ("dark", "light", 160)
    assert pair.value == pytest.approx(expected, abs=0.02)
    assert pair.low <= expected <= pair.high
    assert found.blocks == 40


def plain_cosine(values, tone, sex):
    means = [
        [values[(tone == t) & (sex == s)].mean(axis=0) for s in ("f", "m")]
        for t in ("dark", "light")
    ]
    one, two = (np.array(means) - np.mean(means, axis=(0, 1))).reshape(2, -1)
    return one @ two / np.linalg.norm(one) / np.linalg.norm(two)


def test_noise_does_not_pull_the_similarity_down():
    """The plain cosine of these layers is far too low: it would call fair models unfair."""
    off, plainly_off = [], []
    for seed in range(20):
        values, tone, sex, cluster, truth = layer(of_class=1.0, of_tone=0.4, noise=0.5, seed=seed)
        found = topographic_similarity(
            values, tone, rng=np.random.default_rng(0), classes=sex, cluster=cluster
        )
        off.append(found.pairs[0].value - truth)
        plainly_off.append(plain_cosine(values, tone, sex) - truth)
    assert np.mean(plainly_off) < -0.1
    assert abs(np.mean(off)) < 0.04


def test_the_interval_covers_the_truth():
    """The quick part of `python -m benchmarks.similarity_coverage`."""
    hits = []
    for seed in range(60):
        values, tone, sex, cluster, truth = layer(
            of_class=1.0, of_tone=0.6, noise=0.4, seed=seed, clusters=30
        )
        found = topographic_similarity(
            values, tone, rng=np.random.default_rng(0), classes=sex, cluster=cluster
        )
        hits.append(found.pairs[0].low <= truth <= found.pairs[0].high)
    assert np.mean(hits) >= 0.95 - 3 * np.sqrt(0.05 * 0.95 / 60)


def test_many_clusters_are_left_out_in_blocks():
    values, tone, sex, cluster, _ = layer(of_class=1.0, of_tone=0.5, noise=0.3, clusters=300)
    found = topographic_similarity(
        torch.from_numpy(values),
        tone,
        rng=np.random.default_rng(0),
        classes=sex,
        cluster=cluster,
    )
    assert found.blocks == 100
    assert found.pairs[0].high - found.pairs[0].low < 0.2


def test_what_cannot_be_compared_is_undefined_with_a_reason():
    values, tone, sex, cluster, _ = layer(of_class=1.0, of_tone=0.0, noise=0.1)
    tone = np.where((tone == "light") & (cluster < 20), "medium", tone)
    tone = np.where((tone == "light") & (sex == "m"), "dark", tone)
    tone = np.where((tone == "medium") & (cluster > 0), "dark", tone)
    found = topographic_similarity(
        values, tone, rng=np.random.default_rng(0), classes=sex, cluster=cluster
    )
    reasons = {(pair.first, pair.second): pair.reason for pair in found.pairs}
    assert reasons["dark", "light"] == "level 'light' has no image of class 'm'"
    assert "'medium' has images of class 'f' in one cluster only" in reasons["dark", "medium"]
    assert all(np.isnan(pair.value) for pair in found.pairs)


def test_a_layer_of_noise_says_that_it_shows_nothing():
    values, tone, sex, cluster, _ = layer(of_class=0.0, of_tone=0.0, noise=1.0, seed=1)
    found = topographic_similarity(
        values, tone, rng=np.random.default_rng(0), classes=sex, cluster=cluster
    )
    (pair,) = found.pairs
    assert "no pattern above its noise" in pair.reason or (pair.low, pair.high) == (-1, 1)
    assert found.noise > 0.8
    assert found.lowest is pair


@pytest.mark.parametrize(
    ("levels", "cluster", "message"),
    [
        pytest.param(["f"] * 6, None, "two levels and three clusters", id="one level"),
        pytest.param(["f", "m"] * 3, [0, 1] * 3, "2 clusters", id="two clusters"),
        pytest.param(["f", "m"], None, "each of 6 samples", id="number"),
    ],
)
def test_bad_input_says_what_is_wrong(levels, cluster, message):
    with pytest.raises(DataError, match=message):
        topographic_similarity(
            np.ones((6, 2)), levels, rng=np.random.default_rng(0), cluster=cluster
        )


def colours(clusters: int = 24) -> EvaluationSet:
    """Green tells women from men, red tells dark from light; blue is noise."""
    rng = np.random.default_rng(0)
    rows, entries = [], []
    for design in range(clusters):
        for tone in ("dark", "light"):
            for sex in ("man", "woman"):
                red, green = 60 + 100 * (tone == "dark"), 60 + 100 * (sex == "man")
                pixel = np.array([red, green, 90]) + rng.integers(-8, 9, size=3)
                buffer = io.BytesIO()
                Image.new("RGB", (4, 4), tuple(pixel.tolist())).save(buffer, "PNG")
                entries.append(buffer.getvalue())
                rows.append((f"{design}-{tone}-{sex}", sex, tone, f"design-{design}"))
    samples = pd.DataFrame(rows, columns=["id", "target", "tone", "design"])
    images = Images(entries, samples["id"].tolist(), Rows(samples, "s", "s", DataError))
    return EvaluationSet(
        "s", "s", samples, {"tone": ("dark", "light")}, ("man", "woman"), images, 0, {}, "0" * 64
    )


@pytest.fixture
def sees_green() -> Classifier:
    """First layer: all colours. Second: green only. Third: the answer."""
    module = nn.Sequential(
        nn.Conv2d(3, 3, 1, bias=False),
        nn.Conv2d(3, 2, 1, bias=False),
        nn.Flatten(),
        nn.Linear(32, 2),
    )
    with torch.no_grad():
        module[0].weight.copy_(torch.eye(3)[..., None, None])
        module[1].weight.copy_(torch.tensor([[0.0, 1, 0], [0, -1, 0]])[..., None, None])
        module[3].weight.copy_(torch.ones(2, 16).repeat_interleave(1, 0).repeat(1, 2))
    return Classifier("green", module, ("man", "woman"), Preprocessing(size=4))


def test_a_model_is_observed_layer_by_layer(sees_green):
    """The tone can be read off the first layer, and not off the second, which sees green only."""
    some = colours()
    names = ["0", "1"]
    probes = observe_probes(
        sees_green, some, "tone", seed=0, layers=names, cluster="design", permutations=19
    )
    assert list(probes) == names
    assert probes["0"].accuracy == 1.0
    assert probes["0"].null.p_value == 1 / 20
    assert probes["0"].accuracy - probes["0"].null.mean > 0.3
    assert probes["1"].accuracy <= probes["1"].null.quantiles[0.99]
    assert probes["0"].clusters.tolist() == some.samples["design"].tolist()
    assert probes["0"].chance == 0.5
    maps = observe_topography(sees_green, some, "tone", seed=0, layers=names, cluster="design")
    assert maps["0"].lowest.value == pytest.approx(0.0, abs=0.1)
    assert maps["1"].lowest.value > 0.97


@pytest.mark.parametrize("observe", [observe_probes, observe_topography])
def test_a_column_that_is_missing_is_named(sees_green, observe):
    with pytest.raises(DataError, match="no column 'age'; its columns are"):
        observe(sees_green, colours(3), "age", seed=0)


def test_the_target_itself_has_no_levels_that_share_its_classes(sees_green):
    with pytest.raises(DataError, match="one class of the target only"):
        observe_topography(sees_green, colours(3), "target", seed=0)


def test_a_rule_needs_a_null(sees_green):
    with pytest.raises(DataError, match="at least 1, got 0"):
        observe_probes(sees_green, colours(3), "tone", seed=0, permutations=0)
