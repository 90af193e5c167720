"""One correction for several claims: it holds, it is exact for one, and it is told once."""

import ast
from pathlib import Path

import pytest

import pytest_fairness
from pytest_fairness.statistics.intervals import simultaneous
from pytest_fairness.statistics.intervals.simultaneous import bonferroni

SOURCE = Path(pytest_fairness.__file__).parent


@pytest.mark.parametrize("confidence", [0.6, 0.9, 0.95, 0.99])
@pytest.mark.parametrize("claims", [0, 1])
def test_one_claim_and_none_keep_their_confidence(confidence, claims):
    assert bonferroni(confidence, claims) == confidence


@pytest.mark.parametrize("claims", [2, 7, 1000])
def test_the_errors_of_all_claims_add_up_to_the_error_that_is_allowed(claims):
    each = bonferroni(0.95, claims)
    assert claims * (1 - each) == pytest.approx(0.05)
    assert each**claims >= 0.95  # independent claims have a little to spare


def corrections(text: str) -> list[int]:
    """Lines of a source text that spell `1 - (1 - confidence) / claims` themselves."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if _from_one(node) and isinstance(inner := node.right, ast.BinOp)
        if isinstance(inner.op, ast.Div) and _from_one(inner.left)
    ]


def _from_one(node: ast.AST) -> bool:
    is_difference = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
    return is_difference and ast.unparse(node.left) == "1"


def test_no_other_module_spells_the_correction():
    found = {
        file.relative_to(SOURCE).as_posix(): lines
        for file in SOURCE.rglob("*.py")
        if (lines := corrections(file.read_text(encoding="utf-8")))
    }
    own = Path(simultaneous.__file__).relative_to(SOURCE).as_posix()
    assert list(found) == [own]


def test_a_correction_is_found_in_any_spelling():
    assert corrections("x = 1 - (1 - self.level) / max(n, 1)") == [1]
    assert corrections("def f():\n    return (1-(1-a)/n, 1 - b / 2)") == [2]
