"""`--fairness-explain N`: a failing test comes with pictures of its worst samples."""

import numpy as np
import pytest
from PIL import Image

from pytest_fairness.files import file_name

STRICT = "min = 0.7\n"


@pytest.fixture
def failing_gate(model_gate):
    """The gate of a model, whose policy asks for more than the model can."""
    policy = model_gate.path / "policy.toml"
    text = policy.read_text(encoding="utf-8")
    assert STRICT in text
    policy.write_text(text.replace(STRICT, 'min = 0.999\ndecide = "estimate"\n'), encoding="utf-8")
    return model_gate


def test_each_failure_is_drawn_once_with_the_worst_samples_of_its_group(failing_gate):
    result = failing_gate.runpytest_subprocess(
        "--fairness-policy=policy.toml",
        "--fairness-model=bright",
        "--fairness-explain=2",
        "-k",
        "tone-dark or sex-male",
    )
    result.stdout.fnmatch_lines(
        ["accuracy, * -> fail;*", "explained in fairness-explanations/floor_bright-faces-*.png"]
    )
    sheets = sorted((failing_gate.path / "fairness-explanations").glob("*.png"))
    assert [sheet.name for sheet in sheets] == [
        file_name("floor[bright-faces-sex-male]", ending=".png"),
        file_name("floor[bright-faces-tone-dark]", ending=".png"),
    ]
    with Image.open(sheets[0]) as sheet:
        pixels = np.asarray(sheet.convert("RGB")).reshape(-1, 3)
    assert sheet.width > 700
    assert len(np.unique(pixels, axis=0)) > 20


def test_nothing_is_drawn_without_the_option(failing_gate):
    result = failing_gate.runpytest_subprocess(
        "--fairness-policy=policy.toml", "--fairness-model=bright", "-k", "tone-dark"
    )
    result.stdout.no_fnmatch_line("*explained*")
    assert not (failing_gate.path / "fairness-explanations").exists()


def test_predictions_from_a_file_cannot_be_explained_and_say_so(gate):
    result = gate.runpytest_subprocess(
        "--fairness-policy=policy.toml",
        "--fairness-predictions=bad.csv",
        "--fairness-explain=1",
        "-k",
        "tone-dark",
    )
    result.stdout.fnmatch_lines(["not explained: predictions from a file, and no model to ask"])


def test_a_number_below_one_is_refused(gate):
    result = gate.runpytest_subprocess("--fairness-policy=policy.toml", "--fairness-explain=0")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--fairness-explain: got '0', allowed is a whole number from 1*"])


def test_a_model_without_layers_is_explained_by_occlusion():
    pytest.importorskip("captum")
    import torch

    from pytest_fairness import Classifier, Preprocessing
    from pytest_fairness.report.explain import Explainer

    def corner(images):
        bright = images[:, :, :4, :4].mean((1, 2, 3))
        return torch.stack([-bright, bright], dim=1)

    model = Classifier("corner", corner, ("no", "yes"), Preprocessing(8))
    pixels = np.full((8, 8, 3), 200, dtype=np.uint8)
    images = model.preprocess(Image.fromarray(pixels))[None]
    explainer = Explainer(model, samples=None, predictions=None)
    panel = explainer._occluded(pixels, images, "yes")
    heat = np.asarray(panel.heat)
    assert heat[:4, :4].min() > 0
    assert heat[6:, 6:].max() == 0
    assert "occlusion, yes" in panel.caption
