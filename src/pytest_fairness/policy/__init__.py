"""A team's policy: TOML -> `Policy` (evaluations, rules, limits), each with the line it stands on."""

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
from pytest_fairness.policy.tables.tables import policy_schema
from pytest_fairness.policy.text.document import Document
from pytest_fairness.policy.tightening.change import Change
from pytest_fairness.policy.tightening.compare import compare

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
