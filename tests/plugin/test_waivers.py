"""In pytest a waived failure is an xfail with its number; an idle waiver turns a full run red."""

import datetime as dt

import pytest

from pytest_fairness import RunRecord

POLICY = "--fairness-policy=policy.toml"
BAD = "--fairness-predictions=bad.csv"
WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize(
    "workers", [(), ("-n", "2")], ids=["alone", "xdist"]
)
TODAY = dt.datetime.now(dt.UTC).date()


def waive(gate, rule: str, group: str | None = None, *, until: dt.date = dt.date(2999, 12, 31)):
    path = gate.path / "policy.toml"
    text = f'\n[[waiver]]\nrule = "{rule}"\nreason = "vendor fix due in 2.4"\n'
    text += f'approved_by = "model-risk"\nuntil = {until}\nticket = "RISK-7"\n'
    if group is not None:
        text += f"group = {group}\n"
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def waive_all_of_bad(gate, **kwargs) -> None:
    waive(gate, "floor", **kwargs)
    waive(gate, "fpr-gap", '{ tone = "dark" }', **kwargs)


@WITH_AND_WITHOUT_XDIST
def test_a_waived_failure_is_an_xfail_that_shows_its_number(gate, workers):
    waive_all_of_bad(gate)
    result = gate.runpytest(
        POLICY, BAD, "-rx", "--fairness-record=record.json", "-o", "strict=true", *workers
    )
    assert result.ret == 0
    outcomes = result.parseoutcomes()
    assert outcomes["xfailed"] >= 2
    assert "failed" not in outcomes
    result.stdout.fnmatch_lines_random(
        [
            (
                "XFAIL *dark_v_light* - FPR difference, tone dark vs light: +0.800 *; waived until "
                "2999-12-31 by model-risk: vendor fix due in 2.4 (RISK-7)*"
            ),
            "  fail * tone dark vs light  +0.800 *waived until 2999-12-31 by model-risk*",
            "5 questions: *fail*, * of them waived*",
        ]
    )
    record = RunRecord.from_json(gate.path / "record.json")
    assert record.passed
    gap = record.verdicts[-1]
    assert gap.outcome == "fail"
    assert gap.waiver is not None
    assert gap.waiver.ticket == "RISK-7"


def test_with_runxfail_a_waived_failure_fails(gate):
    waive_all_of_bad(gate)
    result = gate.runpytest(POLICY, BAD, "--runxfail", "-k", "fpr")
    result.assert_outcomes(failed=1, deselected=4)


def test_a_waiver_that_has_ended_waives_nothing_and_is_named(gate):
    waive_all_of_bad(gate, until=TODAY - dt.timedelta(days=2))
    result = gate.runpytest(POLICY, BAD)
    assert result.ret == 1
    assert "xfailed" not in result.parseoutcomes()
    result.stdout.fnmatch_lines(
        [
            "FAILED policy.toml:30: the waiver of rule 'fpr-gap' ended after *; what it covered still*"
        ]
    )


IDLE = {
    "not used": ("fpr-gap", "policy.toml:23: the waiver of rule 'fpr-gap' is not used*remove it"),
    "covers nothing": (
        "fpr-gapp",
        "*covers no question of this run; allowed rules: floor, fpr-gap",
    ),
}


@pytest.mark.parametrize(("rule", "message"), IDLE.values(), ids=IDLE)
def test_an_idle_waiver_fails_a_full_run_and_only_a_full_run(gate, rule, message):
    waive(gate, rule)
    good = "--fairness-predictions=good.csv"
    full = gate.runpytest(POLICY, good, "--fairness-record=record.json")
    full.assert_outcomes(passed=5)
    assert full.ret == 1
    full.stdout.fnmatch_lines([f"FAILED {message}"])
    record = RunRecord.from_json(gate.path / "record.json")
    assert len(record.problems) == 1
    assert not record.passed
    part = gate.runpytest(POLICY, good, "-k", "sex", "--fairness-partial")
    assert part.ret == 0
    part.stdout.no_fnmatch_line("*the waiver of rule*")


def test_a_waiver_that_ends_soon_warns(gate):
    waive_all_of_bad(gate, until=TODAY + dt.timedelta(days=10))
    result = gate.runpytest(POLICY, BAD)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["WARNING policy.toml:23: the waiver of rule 'floor' ends in *10 days, after *"]
    )


def test_a_requirement_that_is_not_met_fails_a_full_run_and_only_a_full_run(gate):
    path = gate.path / "policy.toml"
    text = '\n[[required]]\ngroup = { tone = "dark" }\nmin_samples = 500\n'
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    good = "--fairness-predictions=good.csv"
    full = gate.runpytest(POLICY, good, "--fairness-record=record.json")
    full.assert_outcomes(passed=5)
    assert full.ret == 1
    full.stdout.fnmatch_lines(
        [
            "required by the policy",
            (
                "  fail          dark: 200 samples, at least 500 are required (predictions on faces, "
                "policy.toml:23)"
            ),
        ]
    )
    assert not RunRecord.from_json(gate.path / "record.json").passed
    part = gate.runpytest(POLICY, good, "-k", "sex", "--fairness-partial")
    assert part.ret == 0
