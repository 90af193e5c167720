"""A team's repository: the wheel is installed, `init` writes a gate, and the gate runs at once.

Slow for a test: it builds the wheel, makes an environment of its own and starts three programs.
"""

import json
import os
import shlex
import subprocess
import sys
import sysconfig
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

ROOT = Path(__file__).parents[2]
SIDE = 8


@pytest.fixture
def team(tmp_path, monkeypatch):
    """480 samples: red says who it is, blue the skin tone; two models of the same kind."""
    root = tmp_path / "team"
    (root / "faces").mkdir(parents=True)
    rows = []
    for i in range(480):
        gender, tone = ("woman", "man")[i % 2], ("light", "dark")[i // 2 % 2]
        name = f"{gender}-{tone}.png"
        Image.new("RGB", (SIDE, SIDE), (255 * (i % 2), 0, 255 * (i // 2 % 2))).save(
            root / "faces" / name
        )
        rows.append((f"s{i}", name, gender, tone))
    frame = pd.DataFrame(rows, columns=["id", "image", "gender", "skin_tone"])
    frame.to_csv(root / "faces" / "manifest.csv", index=False)
    write_onnx(root / "candidate.onnx", red=1, blue=0)
    write_onnx(root / "worse.onnx", red=1, blue=1)
    monkeypatch.chdir(root)
    return root


def write_onnx(path: Path, *, red: float, blue: float) -> None:
    """A man is who has enough red, or blue where that counts too."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    weights = np.repeat(np.array([red, 0, blue]) / SIDE**2, SIDE**2)
    pair = np.stack([-weights, weights], axis=1).astype(np.float32)
    bias = np.array([0.5, -0.5], dtype=np.float32)
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["images"], ["flat"]),
            helper.make_node("Gemm", ["flat", "weights", "bias"], ["scores"]),
        ],
        "brightness",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(pair, "weights"), numpy_helper.from_array(bias, "bias")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=8), path)


@pytest.fixture
def installed(tmp_path):
    """Folder of the programs of an environment with the wheel, and without this checkout.

    What the wheel needs lies in the site-packages of this interpreter, which come after its own:
    torch is not installed again. A path in a .pth file brings no .pth files of its own, so an
    editable install of the checkout stays outside.
    """
    wheels, home = tmp_path / "wheels", tmp_path / "venv"
    run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels], cwd=ROOT)
    (wheel,) = wheels.glob("*.whl")
    run([sys.executable, "-m", "venv", home])
    programs = home / ("Scripts" if os.name == "nt" else "bin")
    run([programs / "python", "-m", "pip", "install", "-q", "--no-deps", "--no-index", wheel])
    own = run([programs / "python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    paths = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    Path(own.strip(), "layer.pth").write_text("\n".join(paths), encoding="utf-8")
    return programs


def run(command: list, *, cwd: Path | None = None, code: int = 0) -> str:
    """What a program printed; it must end with this exit code."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    kept = {key: value for key, value in kept.items() if not key.startswith(("PYTEST", "PIP"))}
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={**kept, "OMP_NUM_THREADS": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def test_the_gate_that_init_writes_runs_at_once_from_the_wheel(team, installed):
    python = [installed / "python", "-P"]  # -P: what lies in the folder is not importable by itself
    where = run([*python, "-c", "import pytest_fairness; print(pytest_fairness.__file__)"])
    assert Path(where.strip()).is_relative_to(installed.parent)

    model = ("--model", "candidate.onnx", "--labels", "woman,man", "--score", "logit")
    pixels = ("--size", str(SIDE), "--mean", "0,0,0", "--std", "1,1,1")
    data = ("--manifest", "faces/manifest.csv", "--target", "gender", "--positive", "man")
    out = run([installed / "pytest-fairness", "init", *model, *pixels, *data, "--ci", "github"])
    assert out.endswith("then:    pytest fairness_tests\n")

    workflow = (team / ".github/workflows/fairness.yml").read_text(encoding="utf-8")
    lines = [line for line in workflow.splitlines() if "run: pytest" in line]
    gate, verify = (shlex.split(line.partition("run: ")[2]) for line in lines)
    passed = run([*python, "-m", *gate])
    assert "4 passed" in passed
    assert "PASSED" in run([installed / verify[0], *verify[1:]])
    record = json.loads((team / "fairness-report/record.json").read_text(encoding="utf-8"))
    assert {one["outcome"] for one in record["verdicts"]} == {"pass"}
    assert len(ET.parse(team / "fairness-report/junit.xml").findall(".//testcase")) == 4  # noqa: S314

    failed = run([*python, "-m", "pytest", "--fairness-model=candidate=worse.onnx"], code=1)
    assert "3 failed, 1 passed" in failed
    for numbers in (
        "accuracy, skin_tone dark: 0.500 (95 % interval 0.44 … 0.56), limit at least 0.80 -> fail",
        "FPR difference, skin_tone largest gap (dark vs light): +1.000",
        "disparate impact, skin_tone largest gap (light vs dark): 0.500",
    ):
        assert numbers in failed
