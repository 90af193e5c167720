"""A team's policy: TOML -> `Policy` (evaluations, rules, limits), each with the line it stands on."""

from pytest_fairness.policy.load import load_policy
from pytest_fairness.policy.records import (
    Decision,
    Evaluation,
    Limit,
    Policy,
    Reference,
    Rule,
)
from pytest_fairness.policy.schema import policy_schema

__all__ = [
    "Decision",
    "Evaluation",
    "Limit",
    "Policy",
    "Reference",
    "Rule",
    "load_policy",
    "policy_schema",
]
