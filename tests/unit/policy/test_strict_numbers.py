"""No number and no truth value of a policy is made of something else, such as `true` of 1."""

from collections.abc import Iterator
from typing import Any

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import load_policy
from pytest_fairness.policy.tables.tables import PolicyDocument


def lax(schema: Any, path: str = "policy") -> Iterator[str]:
    """Where a schema of pydantic would convert what is written."""
    if isinstance(schema, dict):
        if schema.get("type") in {"int", "float", "bool"} and not schema.get("strict"):
            yield path
        for key, value in schema.items():
            if key not in {"metadata", "serialization", "json_schema_input_schema"}:
                yield from lax(value, f"{path}.{key}")
    elif isinstance(schema, list | tuple):
        for place, value in enumerate(schema):
            yield from lax(value, f"{path}[{place}]")


def test_every_number_of_every_table_is_strict() -> None:
    assert list(lax(PolicyDocument.__pydantic_core_schema__)) == []


@pytest.mark.parametrize(
    "preprocessing",
    [
        {"size": True},
        {"size": "8"},
        {"size": 8, "white": True},
        {"size": 8, "mean": ["0", 0, 0]},
        {"size": 8, "std": [True, 1, 1]},
        {"size": 8, "std": [float("nan"), 1, 1]},
    ],
)
def test_preprocessing_takes_numbers_only(preprocessing: dict[str, Any]) -> None:
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
        "rule": [{"id": "accuracy", "metric": "accuracy", "min": 0.5}],
        "model": {
            "m": {
                "path": "x.onnx",
                "score": "logit",
                "labels": ["a", "b"],
                "preprocessing": preprocessing,
            }
        },
    }
    with pytest.raises(PolicyError, match=list(preprocessing)[-1]):
        load_policy(policy)
