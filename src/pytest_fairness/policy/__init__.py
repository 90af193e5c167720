"""A team's policy: TOML -> `Policy` (evaluations, rules, limits), each with the line it stands on."""

from pytest_fairness.policy.change import Change
from pytest_fairness.policy.compare import compare
from pytest_fairness.policy.document import Document
from pytest_fairness.policy.effective import effective_lines
from pytest_fairness.policy.load import load_policy, read_document, restore_policy
from pytest_fairness.policy.records import (
    OVERALL,
    Decision,
    Evaluation,
    Limit,
    Policy,
    PolicyText,
    Reference,
    Required,
    Rule,
    Waiver,
)
from pytest_fairness.policy.schema import policy_schema

__all__ = [
    "OVERALL",
    "Change",
    "Decision",
    "Document",
    "Evaluation",
    "Limit",
    "Policy",
    "PolicyText",
    "Reference",
    "Required",
    "Rule",
    "Waiver",
    "compare",
    "effective_lines",
    "load_policy",
    "policy_schema",
    "read_document",
    "restore_policy",
]
