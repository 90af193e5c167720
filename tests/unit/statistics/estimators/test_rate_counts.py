"""Rates per group against fairlearn and by hand; undefined stays undefined."""

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
from hypothesis import given
from sklearn.metrics import accuracy_score, precision_score

from pytest_fairness.statistics.estimators.rate_counts import rate_counts
from pytest_fairness.statistics.metrics.names import metric_named
from pytest_fairness.strategies import group_counts

# Rows: true no, true yes; columns: predicted no, predicted yes.
BY_HAND = np.array([[[6, 2], [1, 3]]])
EXPECTED = {
    "accuracy": (9, 12),
    "error_rate": (3, 12),
    "selection_rate": (5, 12),
    "true_positive_rate": (3, 4),
    "false_positive_rate": (2, 8),
    "true_negative_rate": (6, 8),
    "false_negative_rate": (1, 4),
    "precision": (3, 5),
    "negative_predictive_value": (6, 7),
    "false_discovery_rate": (2, 5),
    "false_omission_rate": (1, 7),
}


def of_the_other_class(function):
    """A rate of scikit-learn or fairlearn as if the negative class were the positive one."""
    return lambda true, predicted: function(1 - true, 1 - predicted)


def rest_of(function):
    return lambda true, predicted: 1 - function(true, predicted)


FAIRLEARN = {
    "accuracy": accuracy_score,
    "selection_rate": fairlearn.selection_rate,
    "true_positive_rate": fairlearn.true_positive_rate,
    "false_positive_rate": fairlearn.false_positive_rate,
    "true_negative_rate": fairlearn.true_negative_rate,
    "false_negative_rate": fairlearn.false_negative_rate,
    "precision": precision_score,
    "negative_predictive_value": of_the_other_class(precision_score),
    "false_discovery_rate": rest_of(precision_score),
    "false_omission_rate": rest_of(of_the_other_class(precision_score)),
}


@pytest.mark.parametrize(("name", "expected"), EXPECTED.items(), ids=EXPECTED)
def test_a_rate_counts_what_its_definition_says(name, expected):
    counted = rate_counts(BY_HAND, metric_named(name).rate, positive=1)
    assert (counted.successes[0], counted.n[0]) == expected


@pytest.mark.parametrize(("name", "function"), FAIRLEARN.items(), ids=FAIRLEARN)
def test_rates_are_those_of_fairlearn(name, function):
    rng = np.random.default_rng(7)
    confusion = rng.integers(1, 9, (3, 2, 2))
    group, true, predicted = (
        np.indices(confusion.shape).reshape(3, -1).repeat(confusion.ravel(), axis=1)
    )
    frame = fairlearn.MetricFrame(
        metrics=function, y_true=true, y_pred=predicted, sensitive_features=group
    )
    counted = rate_counts(confusion, metric_named(name).rate, positive=1)
    assert (counted.successes / counted.n).tolist() == pytest.approx(frame.by_group.tolist())


@pytest.mark.parametrize(
    ("name", "empty"),
    [
        ("false_positive_rate", [[0, 0], [2, 3]]),
        ("true_positive_rate", [[2, 3], [0, 0]]),
        ("precision", [[2, 0], [3, 0]]),
        ("false_discovery_rate", [[2, 0], [3, 0]]),
        ("false_omission_rate", [[0, 2], [0, 3]]),
        ("negative_predictive_value", [[0, 2], [0, 3]]),
        ("accuracy", [[0, 0], [0, 0]]),
    ],
    ids=[
        "no negatives",
        "no positives",
        "no precision",
        "no FDR",
        "no FOR",
        "no NPV",
        "no samples",
    ],
)
def test_a_rate_over_no_samples_has_n_0_and_not_the_value_0(name, empty):
    counted = rate_counts(np.array([empty]), metric_named(name).rate, positive=1)
    assert counted.n[0] == 0


@given(group_counts(max_classes=2))
def test_swapping_the_classes_swaps_the_rates_of_positives_and_negatives(counts):
    confusion = counts.confusion(("tone", "sex"))
    swapped = confusion[:, ::-1, ::-1]
    for name, mirror in (
        ("true_positive_rate", "true_negative_rate"),
        ("false_positive_rate", "false_negative_rate"),
        ("accuracy", "accuracy"),
        ("precision", "negative_predictive_value"),
        ("false_discovery_rate", "false_omission_rate"),
    ):
        one = rate_counts(confusion, metric_named(name).rate, positive=1)
        other = rate_counts(swapped, metric_named(mirror).rate, positive=1)
        assert np.array_equal(one.n, other.n)
        assert np.array_equal(one.successes, other.successes)


@given(group_counts())
def test_complementary_rates_add_up_to_n(counts):
    confusion = counts.confusion(("tone",))
    for name, other in (
        ("accuracy", "error_rate"),
        ("true_positive_rate", "false_negative_rate"),
        ("false_positive_rate", "true_negative_rate"),
        ("false_discovery_rate", "precision"),
        ("false_omission_rate", "negative_predictive_value"),
    ):
        one = rate_counts(confusion, metric_named(name).rate, positive=0)
        rest = rate_counts(confusion, metric_named(other).rate, positive=0)
        assert np.array_equal(one.successes + rest.successes, one.n)


def test_a_rate_of_positives_needs_a_positive_class():
    with pytest.raises(ValueError, match="false_positive_rate needs a positive class"):
        rate_counts(BY_HAND, metric_named("false_positive_rate").rate)
