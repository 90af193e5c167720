import numpy as np
import pytest
import torch

from pytest_fairness.analyses import linear_probes
from pytest_fairness.analyses.probes import ConvexProbe, PaperProbe
from pytest_fairness.analyses.probes.splits import cluster_folds, permuted_labels
from pytest_fairness.errors import DataError

LOOSE = ConvexProbe(l2=1.0, tolerance=1e-3, max_steps=30)


def people(clusters: int = 40, size: int = 6, seed: int = 0):
    """Sex and tone vary within a cluster, age does not."""
    rng = np.random.default_rng(seed)
    n = clusters * size
    return {
        "cluster": np.repeat(np.arange(clusters), size),
        "sex": np.array(["f", "m"])[rng.integers(2, size=n)],
        "tone": np.array(["dark", "light", "medium"])[rng.integers(3, size=n)],
        "age": np.repeat(np.array(["child", "older"])[rng.integers(2, size=clusters)], size),
    }


def attributes(found):
    return {name: found[name] for name in ("sex", "tone", "age")}


def encoding_of(values, rng, width: int = 8):
    """A representation that encodes one attribute linearly, and nothing else."""
    levels, codes = np.unique(values, return_inverse=True)
    return np.eye(len(levels))[codes] @ rng.normal(size=(len(levels), width))


@pytest.mark.parametrize(
    "probe",
    [pytest.param(LOOSE, id="convex"), pytest.param(PaperProbe(rate=0.1, epochs=10), id="paper")],
)
def test_what_is_encoded_linearly_is_read_and_nothing_else_is(probe):
    found = people()
    found["sex"], found["tone"] = (
        np.tile(["f", "m"], 120),
        np.tile(["a", "a", "b", "b", "c", "c"], 40),
    )
    rng = np.random.default_rng(8)
    probes = linear_probes(
        {"layer": encoding_of(found["tone"], rng)},
        attributes(found),
        rng=rng,
        cluster=found["cluster"],
        probe=probe,
        permutations=19,
        intersection=False,
    )
    tone = probes.of("layer", "tone")
    assert tone.accuracy.value == 1.0
    assert tone.accuracy.low > 0.9  # without variation, each of the 40 clusters counts once
    assert tone.null.p_value == 1 / 20
    for other in ("sex", "age"):
        result = probes.of("layer", other)
        assert result.null.p_value > 0.05


@pytest.mark.parametrize(
    ("target", "sizes"),
    [
        pytest.param("sex", (6, 6), id="varies within equal clusters"),
        pytest.param("age", (2, 11), id="constant in unequal clusters"),
    ],
)
def test_noise_beats_its_null_no_more_often_than_the_level_says(target, sizes):
    """200 layers of clustered noise: p <= 0.1 in 10 % of them, give or take chance."""
    rng = np.random.default_rng(11)
    size = rng.integers(sizes[0], sizes[1] + 1, size=30)
    cluster = np.repeat(np.arange(30), size)
    labels = {
        "sex": rng.integers(2, size=len(cluster)),
        "age": rng.integers(2, size=30)[cluster],
    }
    noise = rng.normal(size=(200, 30, 3))[:, cluster] + rng.normal(size=(200, len(cluster), 3))
    probes = linear_probes(
        {str(i): layer for i, layer in enumerate(noise)},
        {target: labels[target]},
        rng=rng,
        cluster=cluster,
        folds=2,
        probe=ConvexProbe(tolerance=1e-2, max_steps=5),
        permutations=9,
        control=False,
    )
    p_values = np.array([result.null.p_value for result in probes.results.values()])
    assert 0.02 <= (p_values <= 0.1).mean() <= 0.1 + 3 * np.sqrt(0.09 / 200)


def test_clustered_noise_without_clusters_would_be_taken_for_information():
    """The trap that the split by cluster avoids: a cluster on both sides gives its label away."""
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(40), 6)
    age = rng.integers(2, size=40)[cluster]
    noise = {"layer": rng.normal(size=(40, 30))[cluster]}
    kept = linear_probes(
        noise, {"age": age}, rng=np.random.default_rng(0), cluster=cluster, permutations=0
    ).of("layer", "age")
    mixed = linear_probes(noise, {"age": age}, rng=np.random.default_rng(0), permutations=0)
    assert mixed.of("layer", "age").accuracy.value > 0.9
    assert kept.accuracy.value < 0.75
    assert kept.control.task > 0.9
    assert abs(kept.control.selectivity) < 0.1


def test_the_intersection_gives_marginals_and_confusions():
    found = people(60)
    rng = np.random.default_rng(2)
    layer = np.concatenate([encoding_of(found["tone"], rng), rng.normal(size=(360, 4))], axis=1)
    probes = linear_probes(
        {"layer": layer},
        {"tone": found["tone"], "sex": found["sex"]},
        rng=rng,
        cluster=found["cluster"],
        permutations=0,
    )
    both = probes.of("layer", "tone*sex")
    assert both.levels[0] == "dark*f"
    assert both.chance == 1 / 6
    assert both.marginals["tone"].value == 1.0
    assert 0.3 < both.marginals["sex"].value < 0.7
    first = both.confusions(3)
    assert len(first) == 3
    for true, predicted, count, share in first:
        assert true.split("*")[0] == predicted.split("*")[0]
        assert share == count / (both.truth == both.levels.index(true)).sum()


def test_marginals_sum_the_probabilities_of_the_intersection():
    """Where a and b are coded by what they share, the sum may name what no cell does."""
    a = np.repeat(["x", "y"], 60)
    b = np.tile(["u", "v"], 60)
    layer = (a == "y")[:, None] * 4.0 + np.random.default_rng(0).normal(size=(120, 1))
    probes = linear_probes(
        {"l": layer}, {"a": a, "b": b}, rng=np.random.default_rng(0), permutations=0
    )
    both = probes.of("l", "a*b")
    assert both.marginals["a"].value > 0.95
    assert both.marginals["a"].value > 1.5 * both.accuracy.value


def test_the_interval_knows_the_clusters():
    found = people(20, 12)
    layer = {"l": encoding_of(found["age"], np.random.default_rng(1)) * 0.0}
    wide, narrow = (
        linear_probes(
            layer,
            {"age": found["age"]},
            rng=np.random.default_rng(0),
            cluster=cluster,
            split=found["cluster"] % 4,
            permutations=0,
        )
        .of("l", "age")
        .accuracy
        for cluster in (found["cluster"], None)
    )
    assert wide.n == narrow.n == 240
    assert wide.high - wide.low > 2 * (narrow.high - narrow.low)


def test_the_same_seed_gives_the_same_result_and_layers_share_their_permutations():
    found = people(20)
    layer = np.random.default_rng(0).normal(size=(120, 5))
    runs = [
        linear_probes(
            {"one": layer, "two": torch.from_numpy(layer)},
            attributes(found),
            rng=np.random.default_rng(7),
            cluster=found["cluster"],
            permutations=2,
            folds=3,
        )
        for _ in range(2)
    ]
    for key, result in runs[0].results.items():
        assert (result.predicted == runs[1].results[key].predicted).all()
        assert (result.null.draws == runs[1].results[key].null.draws).all()
    same = runs[0].of("one", "sex"), runs[0].of("two", "sex")
    assert (same[0].null.draws == same[1].null.draws).all()


def test_permuting_by_cluster_keeps_counts_and_blocks():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(50), 4)
    labels = np.repeat(rng.integers(3, size=50), 4)
    found = permuted_labels(labels, cluster, rng=rng)
    assert (np.bincount(found) == np.bincount(labels)).all()
    assert (found.reshape(50, 4) == found.reshape(50, 4)[:, :1]).all()
    assert (found != labels).any()


def test_folds_hold_whole_clusters_and_are_of_equal_size():
    rng = np.random.default_rng(0)
    cluster = np.repeat(np.arange(30), rng.integers(1, 20, size=30))
    folds = cluster_folds(cluster, 5, rng=rng)
    assert max(len(set(folds[cluster == c])) for c in range(30)) == 1
    sizes = np.bincount(folds)
    assert sizes.max() - sizes.min() <= 10


def test_a_level_that_no_training_fold_has_is_counted():
    age = np.array(["adult"] * 50 + ["child"] * 10)
    cluster = np.repeat(np.arange(6), 10)
    probes = linear_probes(
        {"l": (age == "child")[:, None] * 1.0},
        {"age": age},
        rng=np.random.default_rng(0),
        cluster=cluster,
        folds=3,
        permutations=0,
    )
    result = probes.of("l", "age")
    assert result.unseen == 10
    assert not result.correct[50:].any()
    assert result.majority == 50 / 60


def test_what_has_one_level_is_undefined_with_a_reason():
    probes = linear_probes(
        {"l": np.eye(10)},
        {"sex": ["f"] * 10, "tone": ["light", "dark"] * 5},
        rng=np.random.default_rng(0),
        permutations=0,
    )
    assert list(probes.results) == [("l", "tone")]
    assert "no control task" in probes.of("l", "tone").notes[0]
    with pytest.raises(DataError, match="all samples have the level 'f'"):
        probes.of("l", "sex")
    with pytest.raises(DataError, match=r"layers are \['l'\]"):
        probes.of("m", "tone")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        pytest.param({"activations": {"a": np.eye(4), "b": np.eye(5)}}, "same two samples", id="n"),
        pytest.param({"targets": {"sex": ["f", "m"]}}, "one value for each of 4", id="target"),
        pytest.param({"folds": 3}, "number of clusters, 2", id="folds"),
        pytest.param({"split": [0, 1, 0, 1]}, "2 clusters have samples in several", id="split"),
        pytest.param({"split": [0, 0, 0, 0]}, "of which there are 1", id="one fold"),
    ],
)
def test_bad_input_says_what_is_wrong(changes, message):
    arguments = {
        "activations": {"a": np.eye(4)},
        "targets": {"sex": ["f", "m", "f", "m"]},
        "cluster": [1, 1, 2, 2],
    }
    arguments |= changes
    with pytest.raises(DataError, match=message):
        linear_probes(
            arguments.pop("activations"),
            arguments.pop("targets"),
            rng=np.random.default_rng(0),
            **arguments,
        )


def test_the_l1_penalty_of_the_papers_probe_keeps_weights_of_noise_near_zero():
    rng = np.random.default_rng(0)
    sex = np.tile([0, 1], 200)
    layer = {"l": np.concatenate([sex[:, None] * 2.0, rng.normal(size=(400, 30))], axis=1)}
    free, penalised = (
        linear_probes(
            layer,
            {"sex": sex},
            rng=np.random.default_rng(0),
            probe=PaperProbe(l1=l1, rate=0.05, epochs=15),
            permutations=0,
        )
        .of("l", "sex")
        .accuracy.value
        for l1 in (0.0, 10.0)
    )
    assert free > 0.95
    assert penalised < 0.9


def test_wide_layers_are_read_through_their_principal_components():
    found = people(30)
    rng = np.random.default_rng(0)
    layer = {"l": encoding_of(found["tone"], rng, 400) + 0.1 * rng.normal(size=(180, 400))}
    result = linear_probes(
        layer,
        {"tone": found["tone"]},
        rng=rng,
        cluster=found["cluster"],
        probe=ConvexProbe(components=4),
        permutations=0,
    ).of("l", "tone")
    assert result.features == 400
    assert result.accuracy.value == 1.0
