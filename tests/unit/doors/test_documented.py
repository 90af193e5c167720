"""The page for developers of other packages shows the example package, file by file."""

import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from pytest_fairness.doors.declarations import Analysis, ModelKind, Reader, Report
from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.doors.registry import DOORS, declarations, kept_apart, register
from pytest_fairness.policy import load_policy
from pytest_fairness.statistics.metrics.observed import ObservedDefinition, OfKind

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "tests" / "example_package"
FILES = sorted((PACKAGE / "fairness_example").glob("[!_]*.py"))
SOURCE = ROOT / "src" / "pytest_fairness"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_each_file_of_the_example_package_is_on_the_page_as_it_is(file):
    assert f"```python\n{file.read_text(encoding='utf-8')}```" in PAGE


def test_the_entry_points_of_the_example_package_are_on_the_page():
    text = (PACKAGE / "pyproject.toml").read_text(encoding="utf-8")
    points = text[text.index("[project.entry-points") :]
    assert f"```toml\n{points}```" in PAGE
    assert {f"pytest_fairness.{door}" for door in DOORS} == set(
        re.findall(r'entry-points\."([\w.]+)"', points)
    )


def test_an_analysis_is_known_everywhere_by_its_declaration_alone():
    """What the recipe on the page promises: nothing else has a table of analyses."""
    gaze = ObservedDefinition("gaze_score", "gaze score", of=OfKind("zone", '["left"]'))
    with kept_apart():
        register(Analysis("gaze", "where it gazes", (gaze,), "x:observe", facts={"f": "f is"}))
        rule: dict[str, Any] = {"metric": "gaze_score_difference", "of": "left", "max": 0.5}
        policy = {
            "schema": 1,
            "decision": {"inconclusive": "fail"},
            "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
            "rule": [rule],
        }
        assert load_policy(policy).rules[0].metric.analysis == "gaze"
        assert metric_named("gaze_score").title == "gaze score"
        del rule["of"]
        with pytest.raises(Exception, match=r"needs the key 'of', one zone or more.*\[\"left\"\]"):
            load_policy(policy)


def test_no_module_but_the_declarations_names_the_metrics_of_an_analysis():
    own = {
        metric.name
        for analysis in declarations("analyses")
        for metric in analysis.metrics
        if isinstance(metric, ObservedDefinition)
    }
    assert len(own) == 9
    # The search is one of these analyses; the other one is an example in a docstring.
    allowed = {"doors/built_in.py", "plugin/running/searching.py", "inference/observed.py"}
    told = {
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        if own & set(re.findall(r'"(\w+)"', file.read_text(encoding="utf-8")))
    }
    assert {name for name in told - allowed if not name.startswith("analyses/")} == set()


@pytest.mark.parametrize("declaration", [Analysis, ModelKind, Reader, Report])
def test_every_field_of_a_declaration_says_what_it_is(declaration):
    described = re.findall(r"^ {8}(\w+): ", declaration.__doc__, re.MULTILINE)
    assert described == [field.name for field in fields(declaration)]
