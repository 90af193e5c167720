"""The documentation names everything that a user can set, and its examples run."""

import doctest
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from pydantic import BaseModel

from pytest_fairness.gate.record.details import FrozenRecord
from pytest_fairness.plugin.options import add_options
from pytest_fairness.policy import policy_schema

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
RECORD_ROOMS = [
    f"pytest_fairness.gate.record.{name}" for name in ("run_record", "details", "policy_records")
]
MODULES = [
    ".".join(file.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
    for file in sorted(SOURCE.rglob("*.py"))
]


def settings() -> list[str]:
    """Options and ini keys, as the plugin defines them."""
    parser = Mock()
    add_options(parser)
    calls = [*parser.getgroup.return_value.addoption.call_args_list, *parser.addini.call_args_list]
    return [call.args[0] for call in calls]


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Keys that a policy may have, in its root and in its tables."""
    tables = [schema, *schema["$defs"].values()]
    return {key for table in tables for key in table.get("properties", ())}


def code_words(markdown: str) -> set[str]:
    """Words that stand in `code` within a text, not in its longer examples."""
    prose = re.sub(r"^```.*?^```", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return {word for code in re.findall(r"`([^`\n]+)`", prose) for word in re.findall(r"\w+", code)}


def test_only_words_in_code_count_as_described():
    assert code_words("`[[rule]]` has min\n```toml\n`max` = 1\n```\n`a_b`") == {"rule", "a_b"}


@pytest.mark.parametrize("name", settings())
def test_every_option_and_ini_key_is_in_the_documentation(name):
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    assert re.search(rf"(?<![\w-]){name}(?![\w-])", text)


@pytest.mark.parametrize("key", sorted(keys_of(policy_schema())))
def test_every_key_of_a_policy_is_described(key):
    assert key in code_words((ROOT / "docs" / "policy.md").read_text(encoding="utf-8"))


def record_tables() -> dict[str, tuple[list[str], type[BaseModel]]]:
    """Fields that docs/record.md lists of each part of a record, and the part itself."""
    parts = {
        part.__name__: part
        for room in RECORD_ROOMS
        for part in vars(import_module(room)).values()
        if isinstance(part, type) and issubclass(part, FrozenRecord) and part is not FrozenRecord
    }
    text = (ROOT / "docs" / "record.md").read_text(encoding="utf-8").split("## Fields")[1]
    sections = dict(re.findall(r"^### (\w+)\n(.*?)(?=^### |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(parts)
    return {
        name: (re.findall(r"^\| `(\w+)` \| \S", section, re.MULTILINE), parts[name])
        for name, section in sections.items()
    }


def test_every_field_of_a_record_is_described_and_no_other():
    for name, (described, part) in record_tables().items():
        assert described == list(part.model_fields), name


def test_the_readme_and_ci_give_the_same_test_command():
    install, test = 'pip install -e ".[test]"', "pytest tests"
    assert f"{install} && {test}" in (ROOT / "README.md").read_text(encoding="utf-8")
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert steps.index(install) < steps.index(test)


def test_the_readme_names_the_model_that_plain_pytest_judges_and_ci_runs_both_ways():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    (model,) = settings["tool"]["pytest"]["fairness_models"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (line,) = re.findall(r"^pip install -e \. && pytest  .*$", readme, re.MULTILINE)
    assert f'model "{model}"' in line
    assert "exit code 0" in line
    steps = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert f"lets {model} go" in steps
    assert "pytest --fairness-model ads" in steps


@pytest.mark.parametrize("module", MODULES)
def test_the_examples_in_the_docstrings_run(module, capsys):
    result = doctest.testmod(import_module(module), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0, capsys.readouterr().out
