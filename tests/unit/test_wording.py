"""A number and what it counts agree: `1 question`, `2 questions`, wherever a person reads it."""

import ast
import re
from pathlib import Path

import pytest

import pytest_fairness
from pytest_fairness.wording import counted

SOURCE = Path(pytest_fairness.__file__).parent
THINGS = (
    "attributes bytes classes clusters columns days designs differences evaluations failures files folders "
    "groups ids images labels layers levels lines looks models pairs parts people predictions problems "
    "questions records requirements rows rules samples sets tests values verdicts waivers"
)
PLURAL = re.compile(rf"^ (?:(?:matched|complete|different) )?({'|'.join(THINGS.split())})\b")
NO_NUMBER = {
    "name": "the name of something",
    "what": "words",
    "number": "words: any number of looks",
    "column": "the name of a column",
    "allowed": "words",
}
"""Names of variables that hold no number."""


def uncounted(text: str) -> list[tuple[int, str]]:
    """Lines of a source where an f-string writes a value before a plural, without `counted`."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.JoinedStr):
            continue
        for value, after in zip(node.values, node.values[1:], strict=False):
            if not isinstance(value, ast.FormattedValue) or not isinstance(after, ast.Constant):
                continue
            of_number = value.conversion == -1 and not (
                isinstance(value.value, ast.Name) and value.value.id in NO_NUMBER
            )
            is_counted = isinstance(value.value, ast.Call) and "counted" in ast.unparse(value.value)
            if of_number and not is_counted and PLURAL.search(str(after.value)):
                found.append((node.lineno, ast.unparse(value.value) + str(after.value)[:30]))
    return found


def test_the_rule_sees_a_number_before_a_plural():
    assert uncounted('f"{n} questions"') == [(1, "n questions")]
    assert uncounted('f"{n:,} of {len(of)} matched pairs flip"') == [
        (1, "len(of) matched pairs flip")
    ]
    assert uncounted('f"{name!r} images"') == []
    assert uncounted("f\"{counted(n, 'question')} fail\"") == []


FILES = sorted(SOURCE.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=[str(one.relative_to(SOURCE)) for one in FILES])
def test_numbers_are_counted_in_words_that_agree(file):
    assert uncounted(file.read_text(encoding="utf-8")) == []


def test_counted_agrees():
    assert [counted(n, "class", "classes") for n in (0, 1, 2)] == [
        "0 classes",
        "1 class",
        "2 classes",
    ]
