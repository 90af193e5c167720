"""Which of its many labels a model gives an image."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp

from pytest_fairness.classifiers import Classifier, LabelRule, load_model
from pytest_fairness.errors import ModelError, PolicyError

AUDITED = LabelRule(0.55, least=2, most=5, top=150)


def original_rule(logits, *, top, threshold, least, most):
    """The rule as the audited system computes it: one softmax a label, then the cut."""
    order = sorted(range(len(logits)), key=lambda i: -logits[i])
    outside = [math.exp(logits[i]) for i in order[top:]]
    scored = [(i, math.exp(logits[i]) / (math.exp(logits[i]) + sum(outside))) for i in order[:top]]
    kept = [i for i, score in scored if score > threshold][:most]
    return kept if len(kept) >= least else order[:top][:least]


def test_worked_values_of_the_paper():
    scores = LabelRule(0.55, least=1, top=2).scores(np.array([[3.0, 2.0, 1.0, 0.0]]))

    assert scores[0, :2].tolist() == pytest.approx([0.843795, 0.665241], abs=1e-6)
    assert np.isnan(scores[0, 2:]).all()


@pytest.mark.parametrize("seed", range(4))
def test_gives_the_labels_that_the_audited_system_gives(seed):
    logits = np.random.default_rng(seed).normal(size=(20, 40)) * np.linspace(0.3, 4, 20)[:, None]
    rule = LabelRule(0.55, least=2, most=5, top=15)
    labels = [str(i) for i in range(40)]

    expected = [
        tuple(str(i) for i in original_rule(row, top=15, threshold=0.55, least=2, most=5))
        for row in logits.tolist()
    ]

    assert rule.tags(logits, labels) == expected
    assert {len(tags) for tags in expected} >= {2, 5}  # both ends of the rule are met


@pytest.mark.parametrize(
    ("logits", "given_labels"),
    [
        pytest.param([0.0, 0.1, 0.2, 0.3, 9.0, 0.0, 0.0], ("e", "d"), id="two at least"),
        pytest.param(
            [9.0, 9.5, 8.5, 9.2, 9.1, 9.4, -9.0], ("b", "f", "d", "e", "a"), id="five at most"
        ),
        pytest.param([9.0, 8.0, 7.0, -9.0, -9.0, -9.0, -9.0], ("a", "b", "c"), id="between"),
    ],
)
def test_between_two_and_five_labels_the_best_first(logits, given_labels):
    rule = LabelRule(0.55, least=2, most=5, top=6)

    assert rule.tags(np.array([logits]), "abcdefg") == [given_labels]


def test_fewer_labels_than_the_top_have_nothing_to_compete_with():
    logits = np.array([[1.0, -50.0, 3.0]])

    assert AUDITED.scores(logits).tolist() == [[1.0, 1.0, 1.0]]
    assert AUDITED.tags(logits, "abc") == [("c", "a", "b")]


def test_a_score_at_the_threshold_is_not_enough():
    logits = np.log(np.array([[0.55, 0.45]]))

    assert LabelRule(0.5, top=1).tags(logits, "ab") == [("a",)]
    assert LabelRule(float(LabelRule(0.5, top=1).scores(logits)[0, 0]), top=1).tags(
        logits, "ab"
    ) == [()]


def test_without_top_each_label_has_its_own_probability():
    logits = np.array([[0.0, 2.0, -2.0], [-1.0, -1.0, -1.0]])
    rule = LabelRule(0.5)

    assert rule.scores(logits)[0].tolist() == pytest.approx(
        [0.5, 1 / (1 + math.exp(-2)), 1 / (1 + math.exp(2))]
    )
    assert rule.tags(logits, "abc") == [("b",), ()]


@given(
    hnp.arrays("float64", (3, 9), elements=st.floats(-50, 50).map(lambda x: round(x, 3))),
    st.floats(-100, 100).map(round),
)
def test_a_constant_added_to_an_images_logits_changes_no_label(logits, constant):
    rule = LabelRule(0.55, least=2, most=5, top=6)

    np.testing.assert_allclose(rule.scores(logits), rule.scores(logits + constant), atol=1e-9)
    assert all(2 <= len(tags) <= 5 for tags in rule.tags(logits, "abcdefghi"))


def test_huge_logits_stay_finite_and_ranked():
    logits = np.array([[1e4, 9e3, 8e3, -1e4]], dtype=np.float32)
    rule = LabelRule(0.55, least=1, most=2, top=3)

    assert rule.scores(logits)[0, :3].tolist() == [1.0, 1.0, 1.0]
    assert rule.tags(logits, "abcd") == [("a", "b")]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        pytest.param({"threshold": 1.2}, r"\[0, 1\], got 1.2", id="threshold"),
        pytest.param({"threshold": 0.5, "least": -1}, "at least 0, got -1", id="least"),
        pytest.param(
            {"threshold": 0.5, "least": 3, "most": 2}, "most must be at least 3", id="most"
        ),
        pytest.param({"threshold": 0.5, "most": 5, "top": 4}, "top must be at least 5", id="top"),
        pytest.param({"threshold": 0.5, "top": 0}, "top must be at least 1", id="no top"),
    ],
)
def test_numbers_that_contradict_each_other_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        LabelRule(**settings)


def test_tagging_needs_logits():
    with pytest.raises(ModelError, match="tagging reads logits, got score = 'probability'"):
        Classifier("m", print, ("a", "b"), print, score="probability", tagging=LabelRule(0.5))


TABLE = {
    "factory": "torch.nn:Flatten",
    "labels": ["no", "yes", "more"],
    "score": "logit",
    "preprocessing": {"size": 8},
}


def test_a_table_of_the_policy_gives_a_model_its_rule():
    audited = {"threshold": 0.55, "least": 2, "most": 5, "top": 150}

    assert load_model(TABLE | {"tagging": audited}).tagging == AUDITED
    assert load_model(TABLE | {"tagging": {"threshold": 0.5}}).tagging == LabelRule(0.5)
    assert load_model(TABLE).tagging is None


@pytest.mark.parametrize(
    ("more", "error", "message"),
    [
        pytest.param({"tagging": {"least": 1}}, PolicyError, r"threshold", id="no threshold"),
        pytest.param({"tagging": {"threshold": 2}}, PolicyError, r"tagging\.threshold", id="range"),
        pytest.param(
            {"tagging": {"threshold": 0.5, "least": 3, "most": 2}},
            ModelError,
            "tagging: most must be at least 3, got 2",
            id="contradiction",
        ),
        pytest.param(
            {"tagging": {"threshold": 0.5}, "score": "probability"},
            PolicyError,
            "tagging reads logits, and the scores are of kind 'probability'",
            id="probabilities",
        ),
    ],
)
def test_a_rule_that_a_table_cannot_mean_is_refused(more, error, message):
    with pytest.raises(error, match=message):
        load_model(TABLE | more)


def test_many_images_are_given_the_labels_that_each_alone_is_given():
    logits = np.random.default_rng(9).normal(size=(2500, 6)) * 3
    rule = LabelRule(0.55, least=1, most=3, top=4)

    together = rule.tags(logits, "abcdef")

    assert together == [rule.tags(row[None], "abcdef")[0] for row in logits]


def test_equal_logits_are_given_in_the_order_of_the_labels():
    rule = LabelRule(0.1, least=1, most=3, top=4)

    assert rule.tags(np.array([[1.0, 5.0, 5.0, 5.0, 0.0]]), "abcde") == [("b", "c", "d")]
