"""Gates of `pytest-fairness init` that need more than a file: the team's own code and settings."""

import json

import pandas as pd
import pytest

from pytest_fairness.cli import main

MODELS = """
import torch

class Brightness(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.levels = torch.nn.Parameter(torch.zeros(3))

    def forward(self, images):
        return -(images.mean(dim=(1, 2, 3))[:, None] - self.levels).abs()

def build():
    return Brightness()
"""
GREYS = {"child": 0, "adult": 128, "older": 255}
SETTINGS = '[tool.pytest]\naddopts = ["-ra"]\n'


@pytest.fixture
def team(pytester):
    """Weights, the network that they fill below src/, three classes, pytest settings of its own."""
    import torch
    from PIL import Image
    from safetensors.torch import save_file

    root = pytester.path
    (root / "src" / "ours").mkdir(parents=True)
    (root / "src" / "ours" / "__init__.py").touch()
    (root / "src" / "ours" / "models.py").write_text(MODELS, encoding="utf-8")
    (root / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    for name, levels in {"release": [0.0, 0.5, 1.0], "worse": [0.0, 5.0, 1.0]}.items():
        save_file({"levels": torch.tensor(levels)}, root / f"{name}.safetensors")
    (root / "faces").mkdir()
    for name, grey in GREYS.items():
        Image.new("RGB", (4, 4), (grey,) * 3).save(root / "faces" / f"{name}.png")
    ages = list(GREYS) * 200
    frame = pd.DataFrame({"id": range(600), "image": [f"{age}.png" for age in ages], "label": ages})
    frame["skin_tone"] = ["light", "dark"] * 300
    frame.to_csv(root / "faces" / "manifest.csv", index=False)
    return pytester


def command(capsys) -> list[str]:
    """The arguments of the command that init names last."""
    return capsys.readouterr().out.rpartition("pytest ")[2].split()


def test_weights_of_the_teams_own_network_are_judged_beside_its_settings(team, capsys):
    model = ("--model", "release.safetensors", "--architecture", "ours.models:build")
    labels = ("--labels", "child,adult,older", "--score", "logit")
    pixels = ("--size", "4", "--mean", "0,0,0", "--std", "1,1,1")
    assert main(["init", *model, *labels, *pixels, "--manifest", "faces/manifest.csv"]) == 0
    arguments = command(capsys)
    assert arguments == ["fairness_tests", "--fairness-policy=fairness_tests/policy.toml"]
    assert (team.path / "pyproject.toml").read_text(encoding="utf-8") == SETTINGS

    passed = team.runpytest(*arguments, "--fairness-release", "--fairness-record=record.json")
    policy = arguments[1].partition("=")[2]
    assert main(["verify", "record.json", "--policy", policy, "--max-age", "1d"]) == 0
    passed.assert_outcomes(passed=2 + 1 + 3)  # accuracy of two tones, the error gap, three recalls
    record = json.loads((team.path / "record.json").read_text(encoding="utf-8"))
    assert {one["rule"] for one in record["verdicts"]} == {"accuracy", "error-gap", "recall-gap"}

    failed = team.runpytest(*arguments, "--fairness-model=release=worse.safetensors")
    assert failed.ret == pytest.ExitCode.TESTS_FAILED
    failed.stdout.fnmatch_lines(["accuracy, skin_tone light: 0.6* -> fail;*"])
