"""The rule by which intervals are chosen, and that it keeps its promise of error rates."""

import numpy as np
import pytest
from scipy import stats

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.intervals import chosen as defaults
from pytest_fairness.statistics.intervals.differences import miettinen_nurminen
from pytest_fairness.statistics.intervals.exact import exact_difference, exact_ratio
from pytest_fairness.statistics.intervals.rates import clopper_pearson, wilson
from pytest_fairness.statistics.intervals.ratios import score_ratio

# Both sides of the rule: 4 successes, 4 failures, and 5 of each.
TABLES = np.array([(4, 30, 9, 30), (9, 30, 26, 30), (5, 30, 25, 30), (0, 9, 3, 9)]).T
FEW = np.array([True, True, False, True])


def test_rates_are_exact_by_default():
    assert defaults.rate_interval(1, 30) == clopper_pearson(1, 30)
    assert defaults.rate_interval(1, 30, method="score") == wilson(1, 30)


@pytest.mark.parametrize(
    ("default", "exact", "score"),
    [
        pytest.param(
            defaults.difference_interval, exact_difference, miettinen_nurminen, id="difference"
        ),
        pytest.param(defaults.ratio_interval, exact_ratio, score_ratio, id="ratio"),
    ],
)
def test_pairs_are_exact_below_five_successes_or_failures(default, exact, score):
    low, high = default(*TABLES, confidence=0.9)
    few, many = exact(*TABLES, confidence=0.9), score(*TABLES, confidence=0.9, corrected=True)
    np.testing.assert_array_equal(low, np.where(FEW, few.low, many.low))
    np.testing.assert_array_equal(high, np.where(FEW, few.high, many.high))
    scalar = default(*TABLES[:, 0], confidence=0.9)
    assert (scalar.low, scalar.high) == (low[0], high[0])


def test_other_methods_on_request():
    table = (5, 30, 25, 30)
    assert defaults.difference_interval(*table, method="score") == miettinen_nurminen(*table)
    assert defaults.difference_interval(*table, method="exact") == exact_difference(*table)
    assert defaults.ratio_interval(*table, method="score") == score_ratio(*table)


@pytest.mark.parametrize("confidence", [0.95, 0.999], ids=str)
@pytest.mark.parametrize(
    ("default", "true_value"),
    [
        pytest.param(defaults.difference_interval, np.subtract.outer, id="difference"),
        pytest.param(defaults.ratio_interval, np.divide.outer, id="ratio"),
    ],
)
def test_each_error_is_about_nominal_at_any_pair_of_rates(default, true_value, confidence):
    n1, n2 = 10, 14
    x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    low, high = default(x1, n1, x2, n2, confidence=confidence)
    rates = np.concatenate([np.geomspace(1e-3, 0.05, 8), np.linspace(0.08, 0.92, 22)])
    rates = np.concatenate([rates, 1 - rates[:8]])
    truth = true_value(rates, rates)[:, :, None, None]
    chances = [stats.binom.pmf(np.arange(n + 1), n, rates[:, None]) for n in (n1, n2)]
    for missed in (low > truth, high < truth):
        errors = np.einsum("ix,jy,ijxy->ij", *chances, missed, optimize=True)
        assert errors.max() <= (1 - confidence) / 2 * 1.3


def test_effective_counts_are_allowed_on_both_sides_of_the_rule():
    low, high = defaults.difference_interval([3.3, 9.7], 31.5, [8.1, 12.2], 28.4)
    assert (low < high).all()


def test_an_unknown_method_is_refused():
    with pytest.raises(FairnessError, match="got 'wald'; allowed is one of auto, corrected, exact"):
        defaults.difference_interval(1, 2, 1, 2, method="wald")
    with pytest.raises(FairnessError, match="got 'newcombe'; allowed is one of"):
        defaults.difference_interval(1, 2, 1, 2, method="newcombe")
