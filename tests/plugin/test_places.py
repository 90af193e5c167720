"""The value of an option never moves pytest's root folder in silence."""

import pytest

GOOD = "--fairness-predictions=good.csv"


@pytest.fixture
def configured(gate: pytest.Pytester) -> pytest.Pytester:
    gate.makepyprojecttoml('[tool.pytest.ini_options]\nfairness_policy = "policy.toml"\n')
    return gate


@pytest.mark.parametrize("exists", [True, False], ids=["there", "not there yet"])
def test_a_path_outside_after_a_space_is_refused(configured, tmp_path_factory, *, exists):
    """Whether a former run left the record there must not decide which policy is read."""
    record = tmp_path_factory.mktemp("elsewhere") / "run.json"
    if exists:
        record.write_text("{}", encoding="utf-8")
    result = configured.runpytest(GOOD, "--fairness-record", str(record))
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*write --fairness-record={record}.*"])


def test_a_path_outside_with_an_equals_sign_is_fine(configured, tmp_path_factory):
    record = tmp_path_factory.mktemp("elsewhere") / "run.json"
    for _ in range(2):
        assert configured.runpytest(GOOD, f"--fairness-record={record}").ret == 0


def test_a_path_inside_after_a_space_is_fine(configured):
    for _ in range(2):
        assert configured.runpytest(GOOD, "--fairness-record", "run.json").ret == 0


def test_the_root_can_be_said(configured, tmp_path_factory):
    record = tmp_path_factory.mktemp("elsewhere") / "run.json"
    record.write_text("{}", encoding="utf-8")
    result = configured.runpytest(
        GOOD,
        "--fairness-record",
        str(record),
        f"--rootdir={configured.path}",
        "-c",
        "pyproject.toml",
    )
    assert result.ret == 0


def test_options_of_the_environment_are_seen(configured, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "--fairness-policy ../policy.toml")
    result = configured.runpytest(GOOD)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*write --fairness-policy=../policy.toml.*"])


def test_a_flag_is_followed_by_what_it_does_not_take(configured, tmp_path_factory):
    outside = tmp_path_factory.mktemp("elsewhere")
    (outside / "test_own.py").write_text("def test_it(): pass", encoding="utf-8")
    result = configured.runpytest(GOOD, "--fairness-partial", str(outside), "-c", "pyproject.toml")
    assert "write --fairness-partial" not in result.stderr.str()
