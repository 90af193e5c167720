"""Hypothesis searches for a change of the image that harms one group more than another.

A failure shrinks to the mildest change that still breaks parity, and says how to make it again.
"""

import pytest

pytest.importorskip("hypothesis", reason="the search needs hypothesis, of the extra `test`")

from hypothesis import given, settings

from pytest_fairness.strategies import perturbations

EXAMPLES = 10  # each changes every image once, and gets its part of the error


@settings(max_examples=EXAMPLES, derandomize=True, database=None, deadline=None)
@given(perturbation=perturbations())
def test_no_change_harms_one_group_more(fairness_search, fairness_parity, perturbation):
    parity = fairness_parity(fairness_search, perturbation, searched=EXAMPLES)
    if not parity.holds:
        pytest.fail(parity.message, pytrace=False)
