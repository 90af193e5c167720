"""One test a question: outcomes, messages, exit codes and the summary."""

import pytest

from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.plugin.answerable import questions_of
from pytest_fairness.plugin.options import Settings
from pytest_fairness.plugin.session import GateSession

POLICY_OPTION = "--fairness-policy=policy.toml"
WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize(
    "workers", [(), ("-n", "2")], ids=["alone", "xdist"]
)


@WITH_AND_WITHOUT_XDIST
def test_a_fair_model_passes_and_every_question_is_a_test(gate, workers):
    result = gate.runpytest(POLICY_OPTION, "--fairness-predictions=good.csv", "-v", *workers)
    result.assert_outcomes(passed=5)
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        [
            "*test_group_accuracy*predictions-faces-tone-dark*PASSED*"
            if not workers
            else "*PASSED*test_group_accuracy*predictions-faces-tone-dark*",
            "*fairness gate*",
            "predictions on faces: accuracy, limit at least 0.70 (rule floor)",
            "  pass * sex female * n 200*",
            "  pass * tone dark vs light * n 100 vs 100*",
            "5 questions: 5 pass; *",
        ]
    )


@WITH_AND_WITHOUT_XDIST
def test_an_unfair_model_fails_with_numbers_and_without_a_traceback(gate, workers):
    result = gate.runpytest(POLICY_OPTION, "--fairness-predictions=bad.csv", *workers)
    assert result.ret == 1
    message = (
        "FPR difference, tone dark vs light: +0.800 (95 % interval +0.7* … +0.8*), limit 0.20 "
        "-> fail; FPR 0.90 (90 of 100) vs 0.10 (10 of 100); *rule fpr-gap, policy.toml:17"
    )
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")
    result.stdout.no_fnmatch_line("*def judge*")
    result.stdout.no_fnmatch_line("*plugin.py*")


def test_an_inconclusive_question_is_neither_passed_nor_failed_and_says_what_would_settle_it(gate):
    few = "few.csv"
    lines = (gate.path / "good.csv").read_text(encoding="utf-8").splitlines()
    (gate.path / few).write_text("\n".join(lines[:81]), encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, f"--fairness-predictions={few}", "-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines_random(
        [
            "*test_fpr_difference*dark_v_light*INCONCLUSIVE*",
            "  inconclusive  tone dark vs light*would be enough",
            "*inconclusive question warns by this policy*",
            "*passed, * inconclusive*",
        ]
    )


def test_inconclusive_fails_the_release_where_the_policy_says_so(gate):
    policy = gate.path / "policy.toml"
    policy.write_text(
        policy.read_text(encoding="utf-8").replace('"warn"', '"fail"'), encoding="utf-8"
    )
    lines = (gate.path / "good.csv").read_text(encoding="utf-8").splitlines()
    (gate.path / "few.csv").write_text("\n".join(lines[:81]), encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, "--fairness-predictions=few.csv")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["FPR difference*-> inconclusive;*more negatives * would be enough in 4 of 5 cases, if *"]
    )


def few_dark_images(gate):
    """Write a set that cannot answer its questions about the group dark."""
    lines = (gate.path / "good.csv").read_text(encoding="utf-8").splitlines()
    few = [lines[0], *[line for line in lines[1:] if ",light," in line]]
    few += [line for line in lines[1:] if ",dark," in line][:2]
    (gate.path / "few.csv").write_text("\n".join(few), encoding="utf-8")


def test_unanswerable_questions_are_told_before_a_model_is_judged_and_counted_apart(gate):
    few_dark_images(gate)
    result = gate.runpytest(POLICY_OPTION, "--fairness-predictions=few.csv", "-v")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*collected 5 items",
            "fairness: 2 of 5 questions cannot be answered by this evaluation set, whatever the *",
            "  floor: dark (needs about 9 more samples)",
            "  fpr-gap: dark vs light (needs about * more negatives*)",
            "*tone-dark*UNANSWERABLE*",
            "*fairness gate*",
            "  unanswerable  tone dark * a pass needs about 9 more samples",
            "5 questions: *2 unanswerable, * an inconclusive or unanswerable question warns by this*",
            "*2 unanswerable*",
        ]
    )
    policy = gate.path / "policy.toml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace('"warn"', '"fail"'), encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, "--fairness-predictions=few.csv")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*-> unanswerable; *no model can pass with this evaluation set: *"]
    )


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ((), "fairness: 2 of 5 questions cannot be answered by this evaluation set, whatever *"),
        (("-k", "fpr"), "fairness: 1 of 1 question cannot be answered by this evaluation set, *"),
        (("-k", "accuracy and sex"), None),
    ],
    ids=["all", "one", "others"],
)
def test_unanswerable_questions_are_told_once_under_xdist_too(gate, chosen, told):
    few_dark_images(gate)
    options = (POLICY_OPTION, "--fairness-predictions=few.csv", *chosen)
    for workers in ((), ("-n", "2")):
        lines = gate.runpytest(*options, *workers).stdout
        if told is None:
            lines.no_fnmatch_line("*cannot be answered*")
            continue
        lines.fnmatch_lines([told, "=*fairness gate*="])
        assert sum("cannot be answered by this" in line for line in lines.lines) == 1


def test_the_id_of_a_test_tells_which_question_it_asks(gate):
    floor = "test_gate.py::test_group_accuracy[floor:net-faces-tone-dark]"
    gap = "test_gate.py::test_fpr_difference[fpr-gap:net-faces-tone-dark_v_light]"
    session = GateSession(Settings(policy="policy.toml", models=("net",)))
    keys = {"floor[net-faces-tone-dark]", "fpr-gap[net-faces-tone-dark_v_light]"}
    assert questions_of(session, [floor, gap, "test_other.py::test_nothing"]) == keys
    text = (gate.path / "policy.toml").read_text(encoding="utf-8")
    more = text + text[text.index("[[rule]]") :].replace('id = "', 'id = "again-')
    (gate.path / "policy.toml").write_text(more, encoding="utf-8")
    session = GateSession(Settings(policy="policy.toml", models=("net",)))
    assert questions_of(session, [floor, gap]) == keys
    again = floor.replace("floor:", "again-floor:")
    assert questions_of(session, [again]) == {"again-floor[net-faces-tone-dark]"}


def test_samples_that_cannot_be_read_are_left_to_their_tests(gate):
    (gate.path / "wrong.csv").write_text("id,sex,tone,target\ns0,male,dark,yes\n", encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, "--fairness-predictions=wrong.csv")
    result.stdout.no_fnmatch_line("*cannot be answered*")
    assert result.ret == 1


def test_questions_can_be_chosen_by_name_and_listed(gate):
    options = (POLICY_OPTION, "--fairness-predictions=good.csv")
    listed = gate.runpytest(*options, "--collect-only", "-q")
    listed.stdout.fnmatch_lines(
        ["test_gate.py::test_fpr_difference[[]fpr-gap:predictions-faces-tone-dark_v_light[]]"]
    )
    chosen = gate.runpytest(*options, "-k", "dark and not fpr", "--fairness-partial")
    chosen.assert_outcomes(passed=1, deselected=4)
    assert chosen.ret == 0


def test_last_failed_runs_the_failed_questions_again(gate):
    options = (POLICY_OPTION, "--fairness-predictions=bad.csv", "-p", "cacheprovider")
    first = gate.runpytest(*options)
    again = gate.runpytest(*options, "--lf")
    failed = first.parseoutcomes()["failed"]
    assert failed > 0
    assert again.parseoutcomes()["failed"] == failed
    again.stdout.no_fnmatch_line("*never judged*")


def test_the_name_of_predictions_can_be_given(gate):
    result = gate.runpytest(
        POLICY_OPTION, "--fairness-predictions=faces=good.csv", "--fairness-model=candidate"
    )
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["candidate on faces: *"])


def ids_of(gate):
    """Ids of all tests of a gate."""
    options = (POLICY_OPTION, "--fairness-predictions=faces=good.csv", "--collect-only", "-q")
    return [line for line in gate.runpytest(*options).outlines if "::" in line]


def test_ids_stay_when_rules_levels_attributes_and_evaluations_are_added(gate):
    """Ids are a promise: what deselects, quarantines or tracks a test names it by them."""
    before = ids_of(gate)
    assert before == [
        "test_gate.py::test_group_accuracy[floor:predictions-faces-sex-female]",
        "test_gate.py::test_group_accuracy[floor:predictions-faces-sex-male]",
        "test_gate.py::test_group_accuracy[floor:predictions-faces-tone-light]",
        "test_gate.py::test_group_accuracy[floor:predictions-faces-tone-dark]",
        "test_gate.py::test_fpr_difference[fpr-gap:predictions-faces-tone-dark_v_light]",
    ]
    policy = gate.path / "policy.toml"
    text = policy.read_text(encoding="utf-8")
    twins = text[text.index("[[rule]]") :].replace('id = "', 'id = "another ')
    faces = text[text.index("[evaluation") : text.index("[[rule]]")]
    for more in (
        text + twins,
        text.replace("[[rule]]", f"{twins}\n[[rule]]", 1),
        text.replace('"dark"]', '"dark", "dark skin", "dark_skin", "Dark"]'),
        text.replace("tone = [", 'age = ["old", "young"], tone = ['),
        text + faces.replace("faces", "plates"),
    ):
        policy.write_text(more, encoding="utf-8")
        after = ids_of(gate)
        assert set(before) <= set(after), more
        assert len(after) == len(set(after))


@WITH_AND_WITHOUT_XDIST
def test_a_model_runs_once_for_all_questions_and_all_workers(model_gate, workers):
    result = model_gate.runpytest(
        POLICY_OPTION, "--fairness-model=bright", "--fairness-batch-size=80", *workers
    )
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert sum(outcomes[name] for name in outcomes if name != "warnings") == 5
    calls = (model_gate.path / "calls.txt").read_text(encoding="utf-8").splitlines()
    assert len(calls) == 1 + 3  # one batch of all images, and three of those that are asked again


READS = """
from pathlib import Path

import pytest_fairness.gate.run as run
import pytest_fairness.inference as inference

def noted(name, function):
    def wrapped(*args, **keys):
        with Path("calls.txt").open("a") as file:
            file.write(name + chr(10))
        return function(*args, **keys)
    return wrapped

inference.read_predictions = noted("read", inference.read_predictions)
run.judge_predictions = noted("judge", run.judge_predictions)
"""


def test_predictions_are_read_and_judged_once_for_all_workers(gate):
    """What one process judged, the others take over: verdicts, counts, and the predictions to keep."""
    gate.makeconftest(READS)
    options = (POLICY_OPTION, "--fairness-predictions=bad.csv", "--fairness-record=record.json")
    result = gate.runpytest_subprocess(*options, "-n", "2")
    calls = (gate.path / "calls.txt").read_text(encoding="utf-8").split()
    assert calls.count("judge") == 1
    shared = RunRecord.from_json(gate.path / "record.json")
    (gate.path / "calls.txt").unlink()
    alone = gate.runpytest_subprocess(*options)
    assert (gate.path / "calls.txt").read_text(encoding="utf-8").split() == calls
    record = RunRecord.from_json(gate.path / "record.json")
    assert (result.ret, result.parseoutcomes()) == (alone.ret, alone.parseoutcomes())
    assert shared.verdicts == record.verdicts
    assert shared.runs == record.runs


def test_predictions_can_be_kept_and_judged_again(model_gate):
    first = model_gate.runpytest(
        POLICY_OPTION, "--fairness-model=bright", "--fairness-save-predictions=kept"
    )
    again = model_gate.runpytest(POLICY_OPTION, "--fairness-predictions=kept/bright-faces.parquet")
    assert first.parseoutcomes() == again.parseoutcomes()
    assert again.ret == 0
