"""`pytest-fairness init`: what it proposes, what it asks for, and what it leaves alone."""

import argparse
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pytest

from pytest_fairness import load_policy
from pytest_fairness.commands.verify import add_parser as add_verify
from tests.unit.commands.conftest import (
    DATA,
    GOOD,
    ONNX,
    PIXELS,
    POLICY,
    init,
    refused,
    samples,
    written,
)


def test_it_writes_a_policy_a_test_and_settings_and_says_what_is_next(project, capsys):
    assert init(*GOOD) == 0
    out = capsys.readouterr().out
    for path in (POLICY, Path("fairness_tests/test_fairness.py"), Path("pytest.ini")):
        assert f"wrote {path}\n" in out
        assert path.is_file()
    assert "pytest-fairness plan --policy fairness_tests/policy.toml\n" in out
    assert out.endswith("then:    pytest fairness_tests\n")
    assert "outside of the repository" not in out
    assert Path("pytest.ini").read_text(encoding="utf-8") == (
        "[pytest]\nfairness_policy = fairness_tests/policy.toml\n"
    )
    assert not Path("fairness_tests/conftest.py").exists()


def test_the_policy_holds_the_model_the_data_and_limits_and_is_valid(project):
    init(*GOOD, "--reference", "skin_tone=light")
    policy = load_policy(POLICY)
    model = policy.models["candidate"]
    assert (model.kind, model.labels, model.score) == ("onnx", ("woman", "man"), "logit")
    assert model.path.resolve() == (project / "candidate.onnx").resolve()
    assert (model.preprocessing.size, model.preprocessing.std) == (8, (0.25, 0.25, 0.25))
    faces = policy.evaluations["faces"]
    assert faces.manifest.resolve() == (project / "faces" / "manifest.csv").resolve()
    assert (faces.image, faces.target, faces.positive) == ("file", "gender", "man")
    assert faces.reference == {"skin_tone": "light"}
    assert [rule.id for rule in policy.rules] == ["accuracy", "fpr-gap", "four-fifths"]
    assert all(rule.by == (("skin_tone",), ("age",)) for rule in policy.rules)


def test_levels_come_from_the_data_by_number_or_as_they_appear(project):
    init(*GOOD)
    found = written()["evaluation"]["faces"]["attributes"]
    assert found == {"skin_tone": ["light", "dark"], "age": ["9", "10", "70"]}
    text = POLICY.read_text(encoding="utf-8")
    assert "# light 12, dark 12.\n" in text
    assert "# 9 8, 10 8, 70 8.\n" in text


def test_what_only_looks_like_something_is_a_comment(project):
    init(*GOOD)
    assert "cluster" not in written()["evaluation"]["faces"]
    text = POLICY.read_text(encoding="utf-8")
    assert '# cluster = "person"\n' in text
    assert "# Not asked about, though their values are few: camera (a, b).\n" in text
    assert '# reference = { skin_tone = "light", age = "9" }\n' in text
    assert "# sha256 = " in text


def test_a_named_cluster_and_named_attributes_are_taken(project):
    init(*GOOD, "--cluster", "person", "--attributes", "camera")
    found = written()["evaluation"]["faces"]
    assert found["cluster"] == "person"
    assert found["attributes"] == {"camera": ["a", "b"]}


def test_two_columns_of_clusters_are_taken(project):
    init(*GOOD, "--cluster", "person,camera", "--attributes", "skin_tone")
    assert written()["evaluation"]["faces"]["cluster"] == ["person", "camera"]


def test_missing_values_are_counted_in_the_policy(project):
    frame = samples()
    frame.loc[:2, "skin_tone"] = None
    frame.to_csv("faces/manifest.csv", index=False)
    init(*GOOD)
    assert '3 have none: add "(missing)"' in POLICY.read_text(encoding="utf-8")
    assert written()["evaluation"]["faces"]["attributes"]["skin_tone"] == ["dark", "light"]


@pytest.mark.parametrize(
    ("options", "value", "said"),
    [
        ((), "fail", "init chose the strict one"),
        (("--inconclusive", "fail"), "fail", "blocks the release.\n"),
        (("--inconclusive", "warn"), "warn", "lets the release through"),
    ],
    ids=["silent", "fail", "warn"],
)
def test_what_an_undecided_question_does_is_strict_unless_said(project, options, value, said):
    init(*GOOD, *options)
    assert written()["decision"]["inconclusive"] == value
    assert said in POLICY.read_text(encoding="utf-8")


def test_more_than_two_classes_need_no_positive_one(project):
    init(
        *ONNX[:2], "--labels", "9,10,70", "--score", "logit", *PIXELS, *DATA[:2], "--target", "age"
    )
    policy = load_policy(POLICY)
    assert policy.evaluations["faces"].classes == ("9", "10", "70")
    assert [rule.id for rule in policy.rules] == ["accuracy", "error-gap", "recall-gap"]
    assert policy.rules[2].positive == "each"


def test_labels_of_a_file_are_grouped_into_classes(project):
    Path("labels.txt").write_text("Man\nBoy\nWoman\n", encoding="utf-8")
    groups = ("--group", "man=Man,Boy", "--group", "woman=Woman")
    init(*ONNX[:2], "--labels", "labels.txt", *groups, "--score", "logit", *PIXELS, *DATA)
    model = load_policy(POLICY).models["candidate"]
    assert model.labels.file.resolve() == (project / "labels.txt").resolve()
    assert model.label_groups == {"man": ("Man", "Boy"), "woman": ("Woman",)}


def test_a_label_without_samples_is_a_class_that_may_be_answered(project):
    init(*ONNX[:2], "--labels", "woman,man,other", "--score", "logit", *PIXELS, *DATA)
    assert written()["evaluation"]["faces"]["classes"] == ["woman", "man", "other"]


def test_a_published_data_set_is_read_in_its_own_format(project):
    for age in (20, 70):
        for gender in (0, 1):
            name = f"{age}_{gender}_0_20170116174525125.jpg"
            Path("utk").mkdir(exist_ok=True)
            Path("utk", name).write_bytes(b"an image")
    model = (*ONNX[:2], "--labels", "male,female", "--score", "logit", *PIXELS)
    utk = ("--reader", "utkface", "--root", "utk", "--option", "ignore=a.jpg,b.jpg")
    assert init(*model, *utk, "--target", "gender", "--positive", "male") == 0
    found = written()["evaluation"]["utk"]
    assert (found["reader"], found["root"]) == ("utkface", "../utk")
    assert found["options"] == {"ignore": ["a.jpg", "b.jpg"]}
    assert found["attributes"] == {"age": ["20", "70"]}


def test_no_file_is_overwritten_without_force(project, capsys):
    POLICY.parent.mkdir()
    POLICY.write_text("ours", encoding="utf-8")
    message = refused(capsys, *GOOD)
    assert message.startswith("fairness_tests/policy.toml: exists already; nothing was written.")
    assert POLICY.read_text(encoding="utf-8") == "ours"
    assert init(*GOOD, "--force") == 0
    assert written()["schema"] == 1


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("pyproject.toml", "[tool.pytest]\n", ["[tool.pytest]", 'fairness_policy = "fairness_t']),
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\n",
            ["[tool.pytest.ini_options]", 'fairness_policy = "fairness_tests/policy.toml"'],
        ),
        ("setup.cfg", "[tool:pytest]\n", ["[tool:pytest]", "fairness_policy = fairness_tests/"]),
        ("tox.ini", "[pytest]\n", ["tox.ini", "fairness_policy = fairness_tests/policy.toml"]),
        ("pytest.ini", "", ["pytest.ini", "[pytest]"]),
        (
            "pytest.ini",
            "[pytest]\nfairness_policy = old.toml\n",
            ["instead of 'old.toml'", "fairness_policy = fairness_tests/policy.toml"],
        ),
    ],
    ids=[
        "tool.pytest",
        "ini_options",
        "setup.cfg",
        "tox.ini",
        "empty pytest.ini",
        "another policy",
    ],
)
def test_settings_of_the_team_stay_and_the_line_to_add_is_shown(project, capsys, name, text, lines):
    Path(name).write_text(text, encoding="utf-8")
    assert init(*GOOD) == 0
    out = capsys.readouterr().out
    assert [line for line in (name, *lines) if line not in out] == []
    assert "pytest fairness_tests --fairness-policy=fairness_tests/policy.toml\n" in out
    assert Path(name).read_text(encoding="utf-8") == text
    assert name == "pytest.ini" or not Path("pytest.ini").exists()


def test_settings_elsewhere_do_not_keep_pytest_ini_from_being_written(project, capsys):
    Path("pyproject.toml").write_text('[project]\nname = "ours"\n', encoding="utf-8")
    init(*GOOD)
    assert Path("pytest.ini").is_file()
    assert "--fairness-policy" not in capsys.readouterr().out
    init(*GOOD, "--force")
    assert "was not changed" not in capsys.readouterr().out


def _steps(job):
    """The two last commands of a job: the gate, and the check of its record."""
    if "jobs" in job:
        steps = [step["run"] for step in job["jobs"]["gate"]["steps"] if "run" in step]
    else:
        steps = job["fairness"]["script"]
    return steps[-2:]


@pytest.mark.parametrize(
    ("there", "options", "path"),
    [
        ((), (), None),
        ((".github/x",), (), ".github/workflows/fairness.yml"),
        ((".github/x",), ("--ci", "none"), None),
        ((".gitlab-ci.yml",), (), ".gitlab/fairness.yml"),
        ((), ("--ci", "gitlab"), ".gitlab-ci.yml"),
        ((), ("--ci", "github"), ".github/workflows/fairness.yml"),
    ],
    ids=["nothing", "github", "none asked", "gitlab", "gitlab asked", "github asked"],
)
def test_the_ci_job_is_that_of_the_repository(project, capsys, there, options, path):
    for name in there:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("stages: []\n", encoding="utf-8")
    assert init(*GOOD, *options) == 0
    made = [one for one in Path().rglob("*.yml") if str(one) not in there]
    assert [one.as_posix() for one in made] == ([] if path is None else [path])
    if path is not None:
        job = import_module("yaml").safe_load(Path(path).read_text(encoding="utf-8"))
        text = str(job)
        assert 'pip install "pytest-fairness[onnx]"' in text
        for part in ("pytest fairness_tests", "--fairness-record=", "--junitxml=", "always"):
            assert part in text
        gate, verify = _steps(job)
        assert "--fairness-release" in gate.split()
        assert verify.startswith("pytest-fairness verify fairness-report/record.json --policy ")
        assert "fairness-report/record.json" in gate
        parser = add_verify(argparse.ArgumentParser().add_subparsers())
        assert parser.parse_args(verify.split()[2:]).policy == POLICY
    includes = "include:\n    - local: .gitlab/fairness.yml" in capsys.readouterr().out
    assert includes == (path == ".gitlab/fairness.yml")


def test_another_folder_is_the_root_of_what_is_written(project, capsys):
    assert init(*GOOD, "--into", "team") == 0
    out = capsys.readouterr().out
    assert "cd team && pytest fairness_tests\n" in out
    for name in ("candidate.onnx", "faces/manifest.csv"):
        assert f"{name} lies outside of the repository" in out
    policy = load_policy("team/fairness_tests/policy.toml")
    assert policy.models["candidate"].path.resolve() == (project / "candidate.onnx").resolve()


def test_a_level_on_two_lines_stays_a_comment(project):
    frame = samples()
    frame["skin_tone"] = frame["skin_tone"].replace({"dark": 'da"rk\n[rule]'})
    frame.to_csv("faces/manifest.csv", index=False)
    assert init(*GOOD) == 0
    assert written()["evaluation"]["faces"]["attributes"]["skin_tone"] == ["light", 'da"rk\n[rule]']


def test_every_template_is_text_that_python_tools_do_not_take_for_code():
    folder = files("pytest_fairness.commands.scaffold").joinpath("templates")
    assert {Path(one.name).suffix for one in folder.iterdir()} == {".txt"}
