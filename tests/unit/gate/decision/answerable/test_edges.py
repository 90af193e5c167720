"""Edges of all that a model can answer: as if every count along them were tried, at little work."""

import numpy as np
import pytest

from pytest_fairness import load_policy
from pytest_fairness.gate.decision.answerable.edges import Edges, PairLimit
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.policy import Limit
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.intervals.chosen import difference_interval, ratio_interval


def every_count(edges, one):
    return np.arange(edges.span[one] + 1)


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@pytest.mark.parametrize("sizes", [(9, 30), (12, 12), (25, 8), (40, 33)])
def test_an_edge_passes_where_one_of_its_counts_does(kind, sizes):
    n1, n2 = sizes
    edges = Edges.between([n1, 0, n1 // 2], n1, [n2, 0, n2 // 3], n2)
    interval = difference_interval if kind == "difference" else ratio_interval
    scales = (0.15, 0.3, 0.5, 0.8) if kind == "difference" else (1.2, 1.6, 2.5, 5.0)
    seen = set()
    for confidence in (0.6, 0.9):
        for scale in scales:
            low = -scale if kind == "difference" else 1 / scale
            limit = PairLimit(Limit("between", low, scale), kind, confidence, 1, (-np.inf, np.inf))
            expected = []
            for one in range(len(edges.span)):
                at = every_count(edges, one)
                rates = edges.at(np.full(len(at), one)).rates(at).counts
                (x1, x2), (n, m) = (np.split(count, 2) for count in rates)
                low_end, high_end = interval(x1, n, x2, m, confidence=confidence)
                expected.append(bool(((low_end >= low) & (high_end <= scale)).any()))
            assert limit.may_pass(edges).tolist() == expected
            seen |= set(expected)
    assert seen == {True, False}


def counts_of(groups):
    rng = np.random.default_rng(0)
    cells = rng.multinomial(60, [0.45, 0.05, 0.05, 0.45], size=groups).reshape(groups, 2, 2)
    levels = {"group": tuple(f"g{i}" for i in range(groups))}
    return GroupCounts(levels, ("no", "yes"), cells)


def pairs_computed(groups, monkeypatch):
    """How many intervals of pairs are computed for each open question of a policy."""
    computed = []
    original = GroupRates.pairs_of

    def counting(self, first, second, **how):
        computed.append(len(first))
        return original(self, first, second, **how)

    counts = counts_of(groups)
    policy = load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", "correction": "none"},
            "evaluation": {
                "e": {
                    "attributes": dict(counts.levels),
                    "positive": "yes",
                    "reference": {"group": "g0"},
                }
            },
            "rule": [{"metric": "equal_opportunity_difference", "max": 0.05}],
        }
    )
    with monkeypatch.context() as patched:
        patched.setattr(GroupRates, "pairs_of", counting)
        verdicts = judge_counts(policy, counts, evaluation=policy.evaluations["e"], model="m")
    return sum(computed) / sum(one.outcome == "inconclusive" for one in verdicts)


def test_intervals_for_each_open_question_do_not_grow_with_the_groups(monkeypatch):
    few, many = (pairs_computed(groups, monkeypatch) for groups in (6, 48))
    assert many < 1.5 * few
    assert many < 120
