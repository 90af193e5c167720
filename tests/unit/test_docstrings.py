"""The first sentence of every public docstring stands alone and says what the thing is or does."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "pytest_fairness"
MOST_WORDS = 25
# What a function does. A verb that is missing here may be added; a noun may not.
VERBS = frozenset(
    [
        "Accept",
        "Add",
        "Answer",
        "Ask",
        "Broadcast",
        "Build",
        "Call",
        "Change",
        "Check",
        "Coarsen",
        "Compare",
        "Compute",
        "Confirm",
        "Copy",
        "Count",
        "Deal",
        "Declare",
        "Decode",
        "Draw",
        "Drop",
        "Explain",
        "Fill",
        "Find",
        "Fit",
        "Force",
        "Forget",
        "Give",
        "Import",
        "Judge",
        "Keep",
        "Lay",
        "Look",
        "Make",
        "Mark",
        "Match",
        "Measure",
        "Move",
        "Name",
        "Open",
        "Order",
        "Permute",
        "Place",
        "Predict",
        "Print",
        "Probe",
        "Profile",
        "Put",
        "Raise",
        "Read",
        "Reduce",
        "Refuse",
        "Register",
        "Remember",
        "Return",
        "Rotate",
        "Run",
        "Scale",
        "Send",
        "Show",
        "Sort",
        "Split",
        "Sum",
        "Take",
        "Test",
        "Train",
        "Verify",
        "Watch",
        "Write",
        "Yield",
    ]
)
# A class is a thing: its docstring says which, not what something "is" elsewhere.
NOT_A_THING = frozenset(
    [
        "As",
        "Both",
        "How",
        "Nothing",
        "One",
        "Something",
        "That",
        "Those",
        "What",
        "Where",
        "Whether",
        "Which",
        "Who",
    ]
)


class Sentence(NamedTuple):
    """The first sentence of a docstring, and what it is about."""

    where: str
    kind: str
    text: str
    is_bool: bool = False


def sentences(source: str, module: str) -> Iterator[Sentence]:
    """Walk over the public classes, functions and properties of a module."""

    def visit(node: ast.AST) -> Iterator[Sentence]:
        for inner in ast.iter_child_nodes(node):
            if not isinstance(inner, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if inner.name.startswith("_"):
                continue
            if docstring := ast.get_docstring(inner):
                text = re.split(r"(?<=[.?!])\s+(?=[A-Z`(])", docstring.split("\n\n")[0])[0]
                yield Sentence(
                    f"{module}:{inner.lineno} {inner.name}",
                    kind_of(inner),
                    " ".join(text.split()),
                    "bool" in ast.unparse(getattr(inner, "returns", None) or ast.Pass()).lower(),
                )
            if isinstance(inner, ast.ClassDef):
                yield from visit(inner)

    yield from visit(ast.parse(source))


def kind_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        return "class"
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return "property" if any("property" in name for name in decorators) else "function"


def problems(sentence: Sentence) -> list[str]:
    words = sentence.text.split()
    first = words[0].rstrip(",:")
    found = []
    if not sentence.text.endswith("."):
        found.append("ends without a period")
    if len(words) > MOST_WORDS:
        found.append(f"has {len(words)} words, at most {MOST_WORDS}")
    if ";" in sentence.text:
        found.append("joins two sentences by a semicolon")
    if sentence.kind == "function" and first not in VERBS:
        found.append("must start with a verb: Return, Read, Write, ...")
    if (
        sentence.kind == "property"
        and first != "The"
        and not (sentence.is_bool and first == "Whether")
    ):
        found.append("must start with The, or Whether for a truth value")
    if sentence.kind == "class" and first in NOT_A_THING:
        found.append("must name a thing")
    return found


MODULES = sorted(SOURCE.rglob("*.py"))


def test_every_public_docstring_starts_with_a_sentence_that_stands_alone():
    wrong = [
        f"{sentence.where}: {sentence.text!r} {', '.join(found)}"
        for path in MODULES
        for sentence in sentences(path.read_text(encoding="utf-8"), str(path.relative_to(SOURCE)))
        if (found := problems(sentence))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    ("code", "problem"),
    [
        ('def worth(): "Share of the samples that is left."', "must start with a verb"),
        ('def pairs(): "The same for pairs."', "must start with a verb"),
        ('def read(): "Read a file; None without one."', "semicolon"),
        ('def read(): "Read a file"', "period"),
        (f'def read(): "Read {"a " * 30}file."', "at most 25"),
        ('class Plan: "What is known."', "must name a thing"),
        ('class A:\n @property\n def n(self) -> int: "Whether n."', "must start with The"),
    ],
)
def test_a_sentence_that_does_not_stand_alone_is_refused(code, problem):
    (sentence,) = sentences(code, "m")
    assert any(problem in found for found in problems(sentence))


def test_a_truth_value_may_start_with_whether_and_private_names_are_free():
    code = 'class A:\n @property\n def ok(self) -> bool: "Whether it is."\n def _n(self): "what"'
    assert [problems(sentence) for sentence in sentences(code, "m")] == [[]]
