"""A policy's limit on changes of the image: named changes are questions, and Hypothesis searches."""

import pytest

RULE = """
[[rule]]
id = "parity"
metric = "perturbation_flip_rate_difference"
of = ["brightness=0.1"]
by = ["tone"]
max = 0.2
"""

SEARCH = """
import pytest
from hypothesis import given, settings
from pytest_fairness.strategies import perturbations

@pytest.mark.fairness("perturbation_flip_rate_difference")
def test_named(fairness_question, fairness_gate):
    fairness_gate(fairness_question)

@settings(max_examples=12, derandomize=True, database=None, deadline=None)
@given(perturbation=perturbations(kinds=("brightness",), most=1))
def test_search(fairness_search, fairness_parity, perturbation):
    parity = fairness_parity(fairness_search, perturbation, searched=12)
    if not parity.holds:
        pytest.fail(parity.message, pytrace=False)
"""


@pytest.fixture
def search_gate(model_gate):
    """Light images lie far from the edge between the classes, dark ones near it."""
    from PIL import Image

    for file in (model_gate.path / "images").glob("*.png"):
        number = int(file.stem[1:])
        value = (145 if number % 2 else 230) if number // 2 % 2 else (110 if number % 2 else 20)
        Image.new("RGB", (8, 8), (value,) * 3).save(file)
    policy = model_gate.path / "policy.toml"
    policy.write_text(policy.read_text(encoding="utf-8") + RULE, encoding="utf-8")
    model_gate.makepyfile(test_search=SEARCH)
    return model_gate


def test_a_search_fails_with_the_mildest_change_in_one_line(search_gate):
    result = search_gate.runpytest_subprocess(
        "--fairness-policy=policy.toml",
        "--fairness-model=bright",
        "test_search.py",
        "-m",
        "perturbation",
    )
    result.stdout.fnmatch_lines(
        [
            "*flip rate difference, tone dark vs light: +0.5* limit 0.2 -> fail*",
            "*reproduce with Perturbation(brightness=*); it moves 0.2*",
        ]
    )
    result.stdout.fnmatch_lines(["*test_search*parity:bright-faces-tone-flip_rate*"])
    result.stdout.no_fnmatch_line("*ObservedDefinition*")
    result.stdout.no_fnmatch_line("*occlusion_x*")
    assert result.ret == pytest.ExitCode.TESTS_FAILED


def test_without_a_rule_nothing_is_searched(model_gate):
    model_gate.makepyfile(test_search=SEARCH)
    result = model_gate.runpytest_subprocess(
        "--fairness-policy=policy.toml", "--fairness-model=bright", "test_search.py", "-rs"
    )
    result.assert_outcomes(skipped=2)
    result.stdout.fnmatch_lines(["*no rule on a difference of flip rates or accuracy drops*"])


def test_predictions_from_a_file_are_not_searched(search_gate):
    policy = search_gate.path / "policy.toml"
    result = search_gate.runpytest_subprocess(
        f"--fairness-policy={policy.name}",
        "--fairness-predictions=good.csv",
        "test_search.py",
        "-rs",
    )
    result.stdout.fnmatch_lines(["*there is no model to run on changed images*"])


def calls(gate):
    file = gate.path / "calls.txt"
    count = len(file.read_text(encoding="utf-8").splitlines())
    file.unlink()
    return count


def test_an_analysis_runs_only_when_one_of_its_questions_is_asked(search_gate):
    options = "--fairness-policy=policy.toml", "--fairness-model=bright"
    search_gate.runpytest_subprocess(*options, "-k", "test_group_accuracy")
    plain = calls(search_gate)
    search_gate.runpytest_subprocess(*options, "-k", "test_named or test_group_accuracy")
    assert calls(search_gate) == 2 * plain
