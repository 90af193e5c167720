"""Metrics that other packages declare: in policies, in errors, beside the built-in ones."""

import subprocess
import sys

import pandas as pd
import pytest

from pytest_fairness import judge, load_policy
from pytest_fairness.commands.plan import parse_rate
from pytest_fairness.doors.metrics import built_in_metric_names, metric_named, metric_names
from pytest_fairness.doors.registry import register
from pytest_fairness.errors import DeclarationError, PolicyError
from pytest_fairness.policy import policy_schema
from pytest_fairness.statistics.metrics.observed import SampleMean

ACME = """
import numpy as np
from pytest_fairness.statistics.metrics.cells import FN, FP
from pytest_fairness.statistics.metrics.definitions import Rate
from pytest_fairness.statistics.metrics.observed import SampleMean
ALARMS = Rate("false_alarm_share", "false alarms", seen=FP, among=FP | FN)
BRIER = SampleMean("brier_score", "acme_doors:brier", higher_is_better=False)

def brier(predictions, evaluation):
    return np.full(predictions.table.num_rows, 0.25)
"""
POINTS = {"metrics": {"brier_score": "acme_doors:BRIER", "false_alarm_share": "acme_doors:ALARMS"}}


def policy_of(metric, **limit):
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "fail"},
            "evaluation": {
                "faces": {
                    "attributes": {"tone": ["dark", "light"]},
                    "reference": {"tone": "light"},
                    "positive": "a",
                }
            },
            "rule": [{"metric": metric, "by": ["tone"], **limit}],
        }
    )


def test_a_metric_of_an_installed_package_and_its_difference_work_in_a_policy(install):
    install("acme", POINTS, ACME)
    rows = {"tone": ["dark", "light"] * 20, "target": ["a", "b"] * 20, "prediction": ["a"] * 40}
    record = judge(policy_of("brier_score", max=0.5), pd.DataFrame(rows))
    assert [verdict.value for verdict in record.verdicts] == [0.25, 0.25]
    record = judge(policy_of("brier_score_difference", max=0.5), pd.DataFrame(rows))
    assert [verdict.value for verdict in record.verdicts] == [0.0]


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("false_alarm_share", 3 / 4),
        ("false_alarm_share_difference", 3 / 4 - 1 / 5),
        ("false_alarm_share_ratio", (3 / 4) / (1 / 5)),
    ],
)
def test_a_rate_of_a_package_comes_with_its_difference_and_its_ratio(metric, value, install):
    install("acme", POINTS, ACME)
    # False alarms and misses: 3 and 1 in dark, 1 and 4 in light; the rest is right.
    answers = {
        "dark": [("b", "a")] * 3 + [("a", "b")],
        "light": [("b", "a")] + [("a", "b")] * 4,
    }
    rows = [
        {"tone": tone, "target": true, "prediction": called}
        for tone, pairs in answers.items()
        for true, called in [*pairs, "aa", "bb"]
    ]
    record = judge(policy_of(metric, between=[0, 1]), pd.DataFrame(rows))
    dark = next(verdict for verdict in record.verdicts if verdict.group["tone"] == "dark")
    assert dark.value == pytest.approx(value)


def test_a_plan_takes_the_rate_of_a_package(install):
    install("acme", POINTS, ACME)
    assert parse_rate("false_alarm_share=0.2") == ("false_alarm_share", 0.2)


def test_without_the_package_its_metric_is_unknown(install):
    with pytest.raises(PolicyError, match="unknown metric 'brier_score'"):
        policy_of("brier_score", max=0.5)


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("brier_scor", "brier_score"),
        ("brier_score_diference", "brier_score_difference"),
        ("acuracy", "accuracy"),
        ("macro_f2", "macro_f1"),
    ],
)
def test_an_unknown_metric_suggests_built_in_and_declared_names(wrong, meant, install):
    install("acme", POINTS, ACME)
    with pytest.raises(PolicyError, match=f"{wrong}.*did you mean '{meant}'"):
        policy_of(wrong, max=0.5)


def test_a_package_that_cannot_be_loaded_is_told_with_an_unknown_metric_only(install):
    install("acme", POINTS, "raise RuntimeError('no licence')")
    assert metric_named("accuracy").name == "accuracy"
    with pytest.raises(PolicyError, match=r"unknown metric 'brier_score'.*acme.*no licence"):
        policy_of("brier_score", max=0.5)


def listed():
    metric_names()


def registered():
    register(SampleMean("brier_score", column="brier"), source="team")


@pytest.mark.parametrize(("first", "then"), [(listed, registered), (registered, listed)])
def test_a_metric_of_two_packages_is_an_error_that_names_both(first, then, install):
    install("acme", POINTS, ACME)
    with pytest.raises(DeclarationError, match="acme and team both declare 'brier_score'"):  # noqa: PT012
        first()
        then()


def test_editors_suggest_built_in_metrics_and_accept_others(install):
    install("acme", POINTS, ACME)
    metric = policy_schema()["$defs"]["RuleTable"]["properties"]["metric"]
    enumerated, other = metric["anyOf"][:2]
    assert set(enumerated["enum"]) == set(built_in_metric_names())
    assert "brier_score" not in enumerated["enum"]
    assert other == {"type": "string"}
    assert "brier_score_difference" in metric_names()


def test_looking_a_metric_up_loads_nothing_heavy():
    code = (
        "import sys; from pytest_fairness.doors.metrics import metric_named, metric_names; "
        "metric_named('mean'); metric_named('disparate_impact'); metric_names(); "
        "print({'torch', 'pandas', 'numpy', 'pyarrow', 'scipy', 'pydantic', 'pytest'}"
        " & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
