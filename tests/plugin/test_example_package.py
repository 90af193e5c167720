"""The example package, built as a wheel and installed: every door is used by the real commands.

Slow for a test: it builds the wheel and starts programs. The wheel lies in a folder of its own on
PYTHONPATH, so that its entry points are found and nothing is installed into this environment.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "tests" / "example_package"
POLICY = """\
schema = 1

[decision]
inconclusive = "warn"

[model.candidate]
path = "candidate.half"

[evaluation.squares]
reader = "json_list"
root = "squares"
options = { file = "list.json" }
positive = "bright"
attributes = { tone = ["warm", "cold"] }

[[rule]]
metric = "sureness"
min = 0.5

[[rule]]
metric = "prevalence_ratio"
reference = { tone = "warm" }
max = 1.5

[[rule]]
metric = "mean_iou_difference"
max = 0.4

[[rule]]
metric = "mirror_flip_rate"
of = ["left-right"]
max = 0.9
"""
GATE = """
def test_gate(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""
JUDGE = """
import pytest_fairness
record = pytest_fairness.judge("policy.toml", "kept/candidate-squares.parquet", model="candidate")
print([(verdict.metric, round(verdict.value, 3)) for verdict in record.verdicts])
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Folder with what `pip install` makes of the wheel."""
    wheels, target = tmp_path_factory.mktemp("wheels"), tmp_path_factory.mktemp("installed")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=PACKAGE, check=True, capture_output=True)
    (wheel,) = wheels.glob("*.whl")
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True, capture_output=True)
    return target


@pytest.fixture
def project(tmp_path):
    """40 squares, half of them with a bright left half, which the model reads."""
    (tmp_path / "squares").mkdir()
    samples = []
    for i in range(40):
        square = Image.new("RGB", (8, 8), (200, 200, 200) if i % 4 == 0 else (0, 0, 0))
        if i % 4 == 1:
            square.paste((255, 255, 255), (0, 0, 4, 8))
        square.save(tmp_path / "squares" / f"{i}.png")
        iou = 0.6 + i / 200
        target, tone = ("bright", "dark")[i // 2 % 2], ("warm", "cold")[i // 4 % 2]
        samples.append(
            {"id": f"s{i}", "image": f"{i}.png", "target": target, "tone": tone, "iou": iou}
        )
    (tmp_path / "squares" / "list.json").write_text(json.dumps(samples), encoding="utf-8")
    (tmp_path / "candidate.half").write_text("0.5", encoding="utf-8")
    (tmp_path / "policy.toml").write_text(POLICY, encoding="utf-8")
    (tmp_path / "test_gate.py").write_text(GATE, encoding="utf-8")
    return tmp_path


def run(project: Path, *command: str, package: Path | None = None, code: int = 0) -> str:
    """What a program printed; it must end with this exit code."""
    paths = [str(ROOT / "src"), *([] if package is None else [str(package)])]
    done = subprocess.run(
        [sys.executable, *command],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_door_is_used_by_the_real_commands(project, installed):
    gate = ("-m", "pytest", "-p", "no:cacheprovider", "--fairness-policy=policy.toml")
    left = ("--fairness-record=r.json", "--fairness-save-predictions=kept")
    out = run(project, *gate, *left, "--fairness-report=run.html", package=installed)
    assert "5 passed, 1 warning, 1 unanswerable" in out
    assert "report: run.html" in out
    record = json.loads((project / "r.json").read_text(encoding="utf-8"))
    flips = {
        v["group"]["tone"]: v["value"]
        for v in record["verdicts"]
        if v["rule"] == "mirror_flip_rate"
    }
    ratio = next(v for v in record["verdicts"] if v["rule"] == "prevalence_ratio")
    assert (ratio["value"], ratio["successes"], ratio["n"]) == (1.0, 10, 20)
    assert flips == {"warm": 0.25, "cold": 0.25}

    page = (project / "run.html").read_text(encoding="utf-8")
    assert page.startswith("<ul>\n<li>")
    assert page.count("<li>") == 6
    cli = ("-m", "pytest_fairness.cli")
    run(project, *cli, "report", "r.json", "-o", "later.html", package=installed)
    assert (project / "later.html").read_text(encoding="utf-8") == page

    judged = run(project, "-c", JUDGE, package=installed)
    assert "('mirror_flip_rate', 0.25)" in judged
    assert "no difference" in run(project, *cli, "verify", "r.json", package=installed)
    assert "sureness" in run(project, *cli, "plan", "--policy", "policy.toml", package=installed)
    marked = run(project, *gate, "-m", "mirror", "--co", "-q", package=installed)
    assert "2/6 tests collected" in marked
    assert "pytest.mark.mirror" in run(project, "-m", "pytest", "--markers", package=installed)


def test_without_the_package_each_of_its_names_is_unknown(project):
    cli = ("-m", "pytest_fairness.cli", "policy", "explain", "policy.toml")
    policy = project / "policy.toml"
    out = run(project, *cli, code=4)
    assert "unknown reader 'json_list'; allowed: manifest, " in out
    assert "rule 'sureness': unknown metric 'sureness'" in out
    assert "rule 'prevalence_ratio': unknown metric 'prevalence_ratio'" in out
    assert "rule 'mean_iou_difference': unknown metric 'mean_iou_difference'" in out
    assert "rule 'mirror_flip_rate': unknown metric 'mirror_flip_rate'; did you mean" in out
    policy.write_text(
        POLICY.replace("[model.candidate]", '[model.candidate]\nkind = "bright_half"')
    )
    assert "unknown kind of model 'bright_half'; allowed: factory" in run(project, *cli, code=4)


def test_names_of_the_package_are_among_those_that_an_error_lists(project, installed):
    cli = ("-m", "pytest_fairness.cli", "policy", "explain", "policy.toml")
    (project / "policy.toml").write_text(
        POLICY.replace('"json_list"', '"json_lst"').replace('"sureness"', '"surenes"')
    )
    out = run(project, *cli, package=installed, code=4)
    assert "unknown reader 'json_lst'; did you mean 'json_list'?" in out
    assert "unknown metric 'surenes'; did you mean 'sureness'?" in out


@pytest.mark.parametrize(
    "file", sorted((PACKAGE / "fairness_example").glob("*.py")), ids=lambda file: file.stem
)
def test_each_door_takes_at_most_20_lines_of_one_file(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 20
