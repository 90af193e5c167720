"""`pytest-fairness policy` shows what a policy asks and what changed, and exits with 4 for a bad one."""

import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_fairness.cli import main
from pytest_fairness.policy import load_policy

ROOT = Path(__file__).parents[3]
ORG = "fixtures/policies/org.toml"
PHOTO_SEARCH = "fixtures/policies/teams/photo_search.toml"
AVATARS = "fixtures/policies/teams/avatars.toml"


@pytest.fixture(autouse=True)
def at_the_root(monkeypatch):
    monkeypatch.chdir(ROOT)


def line_of(file: str, text: str) -> str:
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return f"{file}:{lines.index(text) + 1}"


def test_explain_prints_each_line_with_the_file_and_line_it_came_from(capsys):
    assert main(["policy", "explain", PHOTO_SEARCH]) == 0
    printed = [
        line.split("  # ") for line in capsys.readouterr().out.splitlines() if "  # " in line
    ]
    origins = [(text.strip(), origin) for text, origin in printed]
    assert ("max = 0.1", line_of(PHOTO_SEARCH, "max = 0.10")) in origins
    assert (
        'metric = "false_positive_rate_difference"',
        line_of(ORG, 'metric = "false_positive_rate_difference"'),
    ) in origins
    assert ("between = [0.8, 1.25]", "preset four-fifths.toml:11") in origins
    assert ('decide = "interval"', "default") in origins
    assert ('ticket = "PS-142"', line_of(PHOTO_SEARCH, 'ticket = "PS-142"')) in origins
    assert ("# pass_level = 0.95", "that of level") in origins


def test_every_key_that_explain_prints_has_an_origin(capsys):
    main(["policy", "explain", AVATARS])
    lines = [line for line in capsys.readouterr().out.splitlines() if line and line[0] != "#"]
    assert all("  # " in line for line in lines)


@pytest.mark.parametrize("file", [PHOTO_SEARCH, AVATARS, "fixtures/policies/default.toml"])
def test_what_explain_prints_is_the_same_policy_again(capsys, file):
    main(["policy", "explain", file])
    again = load_policy(tomllib.loads(capsys.readouterr().out))
    policy = load_policy(file)
    assert [(r.id, r.metric, r.by, r.limit, r.min_samples) for r in again.rules] == [
        (r.id, r.metric, r.by, r.limit, r.min_samples) for r in policy.rules
    ]
    assert (again.decision, again.evaluations) == (policy.decision, policy.evaluations)
    assert [(w.rule, w.group, w.until) for w in again.waivers] == [
        (w.rule, w.group, w.until) for w in policy.waivers
    ]


def test_explain_takes_a_policy_that_only_others_extend(capsys):
    assert main(["policy", "explain", ORG]) == 0
    out = capsys.readouterr().out
    assert "29 CFR 1607.4(D) (quoted)" in out
    assert "[evaluation" not in out


def test_diff_says_what_was_tightened_loosened_added_and_removed(capsys):
    assert main(["policy", "diff", PHOTO_SEARCH, AVATARS]) == 0
    lines = capsys.readouterr().out.splitlines()
    here, there = line_of(PHOTO_SEARCH, "max = 0.10"), line_of(ORG, "max = 0.15")
    assert f"loosened   rule 'fpr-gap': max = 0.1 -> max = 0.15 ({here} -> {there})" in lines
    assert any(line.startswith("removed    [[waiver]]: { rule") for line in lines)
    assert any(line.startswith("added      rule 'equalised-odds-tpr' (") for line in lines)
    assert main(["policy", "diff", AVATARS, PHOTO_SEARCH]) == 0
    back = capsys.readouterr().out.splitlines()
    assert f"tightened  rule 'fpr-gap': max = 0.15 -> max = 0.1 ({there} -> {here})" in back
    assert any(line.startswith("removed    rule 'equalised-odds-tpr' (") for line in back)


def test_diff_of_a_policy_with_itself_is_empty(capsys):
    assert main(["policy", "diff", ORG, ORG]) == 0
    assert capsys.readouterr().out == "no difference\n"


@pytest.mark.parametrize("verb", [["explain"], ["diff", ORG]], ids=["explain", "diff"])
def test_a_bad_policy_exits_with_4_and_its_message_only(capsys, tmp_path, verb):
    bad = tmp_path / "bad.toml"
    text = Path(PHOTO_SEARCH).read_text(encoding="utf-8")
    org = Path(ORG).resolve()
    bad.write_text(
        text.replace("../org.toml", str(org)).replace("max = 0.10", "max = 0.5"), encoding="utf-8"
    )
    assert main(["policy", *verb, str(bad)]) == 4
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(
        f"{bad}:25: rule 'fpr-gap': max = 0.5 loosens max = 0.15 of {org}:"
    )
    assert printed.err.count("\n") == 1


def test_a_mistake_that_only_a_whole_policy_shows_exits_with_4_too(capsys, tmp_path):
    bad = tmp_path / "bad.toml"
    text = Path("fixtures/policies/default.toml").read_text(encoding="utf-8")
    bad.write_text(text.replace("min = 0.70", "min = 70"), encoding="utf-8")
    assert main(["policy", "explain", str(bad)]) == 4
    assert "rule 'accuracy': min = 70.0 must be in [0, 1]" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["policy"], ["policy", "explain"], ["polcy"]])
def test_a_wrong_use_exits_with_4_as_in_pytest(capsys, arguments):
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 4
    assert "usage: pytest-fairness" in capsys.readouterr().err


def test_the_script_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["scripts"] == {"pytest-fairness": "pytest_fairness.cli:main"}


def test_the_command_says_its_version(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"pytest-fairness {version('pytest-fairness')}\n"
