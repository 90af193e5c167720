"""Classes are not equal: worked values, identities, and models whose right answer is known."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from sklearn.metrics import recall_score

from pytest_fairness.analyses import (
    class_disparity,
    compare_heads,
    prediction_bias,
    thirds_of,
)

CLASSES = ("cat", "dog", "hen")
TARGETS = ["cat"] * 10 + ["dog"] * 10 + ["hen"] * 10
CALLED = ["cat"] * 10 + ["dog"] * 7 + ["cat"] * 3 + ["hen"] * 4 + ["cat"] * 6


def test_extremes_spread_and_worst_tenth_by_hand():
    found = class_disparity(TARGETS, CALLED, CLASSES)
    assert found.accuracy.tolist() == [1.0, 0.7, 0.4]
    assert found.order.tolist() == [0, 1, 2]
    assert (found.worst.value, found.gap.value) == (0.4, pytest.approx(0.6))
    assert found.deviation == pytest.approx(np.std([1.0, 0.7, 0.4]))
    assert found.worst_tenth == 0.4
    assert "accuracy is 1.00 in cat and 0.40 in hen: 0.60 apart" in found.text


def test_accuracies_are_scikit_learns_recalls_and_names_are_positions():
    found = class_disparity(TARGETS, CALLED, CLASSES)
    assert found.accuracy == pytest.approx(recall_score(TARGETS, CALLED, average=None))
    places = [[CLASSES.index(name) for name in some] for some in (TARGETS, CALLED)]
    assert class_disparity(*places, CLASSES).accuracy.tolist() == found.accuracy.tolist()


def test_the_worst_class_has_a_wider_interval_than_if_it_had_been_named_before():
    found = class_disparity(TARGETS, CALLED, CLASSES)
    assert found.worst.high > found.interval.high[2]
    assert found.worst.high == pytest.approx(found.simultaneous.high[2])
    assert found.gap.low < found.gap.value < found.gap.high


def test_clusters_widen_the_intervals():
    clusters = [i // 5 for i in range(30)]
    called = ["cat"] * 10 + ["dog"] * 5 + ["cat"] * 5 + ["hen"] * 5 + ["cat"] * 5
    alone, together = (
        class_disparity(TARGETS, called, CLASSES, clusters=some) for some in (None, clusters)
    )
    assert together.worst.low < alone.worst.low
    assert together.accuracy.tolist() == alone.accuracy.tolist()


def test_a_class_without_samples_is_undefined_and_not_the_worst():
    found = class_disparity([0, 0, 1], [0, 0, 0], CLASSES)
    assert np.isnan(found.accuracy).tolist() == [False, False, True]
    assert found.worst.value == 0.0


@pytest.mark.parametrize(
    ("targets", "called", "message"),
    [
        (["cat", "cow"], ["cat", "cat"], r"'cow'.* is no class; allowed: 0 … 2 or \('cat'"),
        ([0, 3], [0, 0], r"3.* is no class"),
        ([0, 1], [0], r"got 2 targets and 1 prediction;"),
    ],
    ids=["name", "position", "length"],
)
def test_wrong_classes_are_refused(targets, called, message):
    with pytest.raises(ValueError, match=message):
        class_disparity(targets, called, CLASSES)


@pytest.mark.parametrize(
    ("k", "sizes"), [(9, (3, 3, 3)), (100, (34, 33, 33)), (1000, (334, 333, 333)), (5, (2, 2, 1))]
)
def test_thirds_put_the_rest_into_hard_then_medium(k, sizes):
    thirds = thirds_of(np.linspace(0, 1, k))
    assert (len(thirds.hard), len(thirds.medium), len(thirds.easy)) == sizes
    assert thirds.hard == tuple(range(sizes[0]))


def test_thirds_are_fixed_on_one_model_so_that_noise_is_no_gain():
    """Two models of equal, equally noisy classes: thirds of each would show a gap in both."""
    rng = np.random.default_rng(0)
    first, second = rng.binomial(20, 0.5, (2, 300)) / 20
    thirds = thirds_of(first)
    own, other = thirds.means(first), thirds.means(second)
    assert own["easy"] - own["hard"] > 0.2
    assert abs(other["easy"] - other["hard"]) < 0.05


def test_thirds_need_three_classes_with_an_accuracy():
    with pytest.raises(ValueError, match="at least three classes"):
        thirds_of([0.5, np.nan, 0.1])


SHARES = st.lists(st.tuples(*[st.floats(0.01, 1)] * 3, st.integers(0, 2)), min_size=1, max_size=30)


@given(SHARES)
def test_prediction_bias_keeps_its_identities(rows):
    raw = np.array([row[:3] for row in rows])
    shares, targets = raw / raw.sum(axis=1, keepdims=True), np.array([row[3] for row in rows])
    found = prediction_bias(shares, targets)
    assert (found.from_others + found.from_own).sum() == pytest.approx(1)
    assert (found.from_others + found.from_own) == pytest.approx(shares.mean(axis=0))
    assert found.called.sum() == pytest.approx(1)
    assert found.excess.sum() == pytest.approx(0, abs=1e-9)
    accuracy = (shares.argmax(axis=1) == targets).mean()
    assert found.true_positives.sum() == pytest.approx(accuracy)


def test_prediction_bias_of_certain_answers_equals_its_hard_twin():
    certain = np.eye(3)[[0, 0, 1, 2]]
    found = prediction_bias(certain, [0, 1, 1, 0])
    assert found.from_others == pytest.approx(found.false_positives)
    assert found.from_own == pytest.approx(found.true_positives)


def test_dominance_is_the_gradient_of_the_weights():
    """By autograd: cross-entropy's gradient of w_i, split into other classes' samples and own."""
    import torch

    rng = np.random.default_rng(1)
    features = np.abs(rng.normal(size=(12, 1)))
    weight = torch.tensor(rng.normal(size=(3, 1)), requires_grad=True)
    targets = np.arange(12) % 3
    logits = torch.tensor(features) @ weight.T
    shares = logits.softmax(1).detach().numpy()
    found = prediction_bias(shares, targets, features=features)
    for i in range(3):
        parts = []
        for own in (targets != i, targets == i):
            loss = torch.nn.functional.cross_entropy(
                logits[own], torch.tensor(targets[own]), reduction="sum"
            )
            (gradient,) = torch.autograd.grad(loss, weight, retain_graph=True)
            parts.append(abs(float(gradient[i, 0])))
        assert found.dominance[i] == pytest.approx(parts[0] / parts[1])


@pytest.mark.parametrize(
    ("shares", "targets", "message"),
    [
        ([[0.9, 0.9]], [0], "no probabilities that sum to 1; apply a softmax"),
        ([[np.nan, 1.0]], [0], "no probabilities"),
        ([[0.5, 0.5]], [2], "targets must be whole numbers 0 … 1"),
        ([[0.5, 0.5]], [0, 1], "must be .samples, classes"),
    ],
    ids=["sum", "nan", "target", "shape"],
)
def test_what_is_no_probability_is_refused(shares, targets, message):
    with pytest.raises(ValueError, match=message):
        prediction_bias(shares, targets)


def blobs(rng, centres, scatter, n=60):
    classes = np.repeat(np.arange(len(centres)), n)
    noise = rng.normal(size=(len(classes), centres.shape[1]))
    return centres[classes] + np.asarray(scatter)[classes, None] * noise, classes


def test_a_gap_of_the_representation_stays_whatever_the_head():
    rng = np.random.default_rng(2)
    centres = np.eye(6) * 4
    centres[3:] = centres[3] + np.eye(6)[3:] * 0.9  # three classes that lie close together
    train, test = (blobs(rng, centres, [0.5] * 6) for _ in range(2))
    means = np.stack([train[0][train[1] == i].mean(axis=0) for i in range(6)])
    found = compare_heads(train, test, weight=means, bias=-(means**2).sum(axis=1) / 2)
    assert found.gaps["own"] > 0.1
    assert found.kept > 0.5
    assert "the gap stays when the classifier is replaced" in found.text
    assert found.ratio_correlation > 0.5
    assert set(found.thirds.hard) <= {3, 4, 5}


def test_a_gap_of_the_classifier_closes_when_it_is_replaced():
    rng = np.random.default_rng(3)
    centres = np.eye(6) * 4
    train, test = (blobs(rng, centres, [0.6] * 6) for _ in range(2))
    means = np.stack([train[0][train[1] == i].mean(axis=0) for i in range(6)])
    weight = means * np.array([1, 1, 1, 0.3, 0.3, 0.3])[:, None]  # short weights lose
    found = compare_heads(train, test, weight=weight, bias=np.array([0, 0, 0, -6, -6, -6.0]))
    assert found.gaps["own"] > 0.3
    assert found.kept < 0.5
    assert "the gap mostly closes when the classifier is replaced" in found.text
    assert found.norm_correlations[0] > 0.8


def test_heads_need_every_class_and_the_right_width():
    rng = np.random.default_rng(4)
    train = blobs(rng, np.eye(3), [0.1] * 3)
    with pytest.raises(ValueError, match=r"features must be \(samples, 2\)"):
        compare_heads(train, train, weight=np.ones((3, 2)))
    with pytest.raises(ValueError, match="each of the 4 classes needs a sample"):
        compare_heads(train, train, weight=np.ones((4, 3)))


def test_prediction_bias_takes_probabilities_as_they_are_by_hand():
    found = prediction_bias([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]], [0, 1, 1])
    assert found.from_others == pytest.approx([0.6 / 3, 0.2 / 3, 1.1 / 3])
    assert found.from_own == pytest.approx([0.7 / 3, 0.4 / 3, 0.0])
    assert found.frequency == pytest.approx([1 / 3, 2 / 3, 0.0])
    assert found.false_positives == pytest.approx([1 / 3, 0.0, 1 / 3])
    assert found.true_positives == pytest.approx([1 / 3, 0.0, 0.0])
    assert found.dominance == pytest.approx([0.6 / 0.3, 0.2 / 1.6, np.inf])
