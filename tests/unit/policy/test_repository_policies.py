"""The policies that the repository holds are valid, those that extend others included."""

from pathlib import Path

import pytest

from pytest_fairness import load_policy

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    "file",
    [
        file.relative_to(ROOT).as_posix()
        for file in sorted((ROOT / "fixtures/policies").rglob("*.toml"))
        if file.name != "org.toml"  # it has rules only, for the teams that extend it
    ],
)
def test_every_policy_of_the_repository_is_valid(file):
    assert load_policy(ROOT / file).rules
