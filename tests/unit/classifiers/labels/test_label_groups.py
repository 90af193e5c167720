"""Scores of labels -> scores of classes: by hand, by law, and what the choice changes."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.special import log_softmax, softmax

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.classifiers.labels.label_groups import class_scores, disagreements
from pytest_fairness.errors import ModelError

LABELS = ("Man", "Boy", "Woman", "Girl", "Tree")
GROUPS = {"Male": ("Man", "Boy"), "Female": ("Woman", "Girl")}
CLASSES = ("Male", "Female")
# One woman: the best label is Man, but Woman and Girl together hold more.
SPLIT = np.array([[0.35, 0.0, 0.3, 0.3, 0.05]])


def classifier(**how):
    return Classifier("ads", lambda x: x, LABELS, Preprocessing(size=8), classes=GROUPS, **how)


def test_max_and_sum_by_hand():
    of = classifier(score="probability")
    assert class_scores(SPLIT, of, CLASSES).tolist() == [[0.35, 0.3]]
    assert class_scores(SPLIT, of, CLASSES, reduce="sum") == pytest.approx(np.array([[0.35, 0.6]]))
    logs = class_scores(SPLIT, of, CLASSES, reduce="logsumexp")
    assert logs == pytest.approx(np.log([[0.35, 0.6]]))


def test_sigmoids_are_added_where_several_labels_may_hold():
    logits = np.array([[0.0, 0.0, math.log(3), -50.0, 9.0]])
    of = classifier(reduce="sum", activation="sigmoid")
    assert class_scores(logits, of, CLASSES) == pytest.approx(np.array([[1.0, 0.75]]))


def test_logsumexp_of_logits_by_hand():
    logits = np.array([[1.0, 1.0, 1.5, -np.inf, 9.0]])
    of = classifier(reduce="logsumexp")
    assert class_scores(logits, of, CLASSES) == pytest.approx(np.array([[1 + math.log(2), 1.5]]))


@given(arrays(np.float64, (4, 5), elements=st.floats(-20, 20)))
def test_for_a_softmax_sum_and_logsumexp_are_the_same_question(logits):
    of = classifier(activation="softmax")
    logs = class_scores(logits, of, CLASSES, reduce="logsumexp")
    total = np.logaddexp.reduce(logits, axis=1, keepdims=True)
    added = class_scores(logits, of, CLASSES, reduce="sum")
    assert added == pytest.approx(np.exp(logs - total), rel=1e-9)


@given(arrays(np.float64, (4, 5), elements=st.floats(-20, 20)))
@pytest.mark.parametrize("how", ["sum", "logsumexp"])
def test_the_scale_of_the_scores_does_not_matter(how, logits):
    of_logits = classifier(activation="softmax")
    of_probabilities = classifier(score="probability")
    of_logs = classifier(score="log_probability")
    expected = class_scores(softmax(logits, axis=1), of_probabilities, CLASSES, reduce=how)
    assert class_scores(log_softmax(logits, axis=1), of_logs, CLASSES, reduce=how) == pytest.approx(
        expected
    )
    if how == "sum":
        assert class_scores(logits, of_logits, CLASSES, reduce=how) == pytest.approx(expected)


@given(arrays(np.float64, (3, 5), elements=st.floats(-9, 9)), st.permutations(range(5)))
def test_the_order_of_the_labels_does_not_matter(logits, order):
    from dataclasses import replace

    of = classifier(activation="softmax")
    moved = replace(of, labels=tuple(LABELS[i] for i in order))
    for how in ("max", "sum", "logsumexp"):
        found = class_scores(logits[:, list(order)], moved, CLASSES, reduce=how)
        assert found == pytest.approx(class_scores(logits, of, CLASSES, reduce=how))


def test_samples_on_which_the_choice_matters_are_counted():
    clear = np.array([[0.9, 0.0, 0.05, 0.0, 0.05]])
    scores = np.concatenate([SPLIT, clear, SPLIT])
    of = classifier(score="probability")
    assert disagreements(scores, of, CLASSES) == (("max", "sum", "logsumexp"), 2)


def test_logits_without_an_activation_have_no_sum():
    found = disagreements(np.log(SPLIT + 1e-9), classifier(), CLASSES)
    assert found == (("max", "logsumexp"), 1)


def test_one_label_a_class_leaves_no_choice():
    of = Classifier("x", lambda x: x, ("Male", "Female"), Preprocessing(size=8))
    assert disagreements(np.zeros((2, 2)), of, CLASSES) is None


def test_logits_are_not_added():
    with pytest.raises(
        ModelError, match="'sum' adds probabilities, and the scores are logits; give"
    ):
        classifier(reduce="sum")
