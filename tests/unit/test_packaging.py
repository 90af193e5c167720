"""What is installed is what pyproject.toml says, and every dependency has its reason."""

import re
import tomllib
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DEPENDENCIES = [Requirement(text).name for text in PYPROJECT["project"]["dependencies"]]


@pytest.mark.parametrize("name", DEPENDENCIES)
def test_every_runtime_dependency_has_its_reason_in_the_decisions(name):
    decisions = (ROOT / "docs" / "decisions.md").read_text(encoding="utf-8")
    assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", decisions)


def test_the_installed_version_is_the_one_in_pyproject():
    assert version("pytest-fairness") == PYPROJECT["project"]["version"]


def test_the_changelog_has_the_version():
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{PYPROJECT['project']['version']}]" in changelog


def test_pytest_finds_the_plugin_by_its_entry_point():
    (found,) = entry_points(group="pytest11", name="pytest_fairness")
    assert found.value == PYPROJECT["project"]["entry-points"]["pytest11"]["pytest_fairness"]
    assert hasattr(found.load(), "pytest_addoption")


def test_the_wheel_is_made_of_the_engine_only():
    build = PYPROJECT["tool"]["hatch"]["build"]["targets"]
    assert build["wheel"] == {"packages": ["src/pytest_fairness"]}
    assert PYPROJECT["tool"]["check-wheel-contents"] == {"toplevel": ["pytest_fairness"]}
