"""`init` writes the table of each kind of model."""

import zipfile
from pathlib import Path

import pytest
import torch

from pytest_fairness import load_policy
from tests.unit.commands.conftest import (
    DATA,
    FACTORY,
    ONNX,
    PIXELS,
    POLICY,
    init,
    refused,
    written,
)


def test_a_function_that_says_all_needs_no_option_and_gets_a_conftest(project):
    Path("src/ours").mkdir(parents=True)
    Path("src/ours/models.py").write_text(FACTORY, encoding="utf-8")
    Path("requirements.txt").write_text("torch\n", encoding="utf-8")
    assert init("--model", "ours.models:build", *DATA, "--ci", "github") == 0
    assert written()["model"]["build"] == {"factory": "ours.models:build"}
    conftest = Path("fairness_tests/conftest.py").read_text(encoding="utf-8")
    assert 'Path(__file__).parent / "../src"' in conftest
    workflow = Path(".github/workflows/fairness.yml").read_text(encoding="utf-8")
    assert "pip install pytest-fairness -r requirements.txt\n" in workflow


def test_a_function_of_an_installed_package_needs_no_conftest(project):
    assert init("--model", "torch.nn:Flatten", *ONNX[2:], *PIXELS, *DATA, "--name", "flat") == 0
    assert written()["model"]["flat"]["factory"] == "torch.nn:Flatten"
    assert not Path("fairness_tests/conftest.py").exists()


def test_a_function_that_does_not_say_all_is_asked_for_it(project, capsys):
    Path("own_models.py").write_text(FACTORY, encoding="utf-8")
    message = refused(capsys, "--model", "own_models.py:bare", *DATA)
    assert [
        one for one in ("--labels", "--score", "--size", "Classifier") if one not in message
    ] == []
    assert init("--model", "own_models.py:bare", *ONNX[2:], *PIXELS, *DATA) == 0
    assert written()["model"]["bare"]["factory"] == "../own_models.py:bare"


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("m.pt2", PIXELS, "exported"),
        ("m.pt", PIXELS, "torchscript"),
        ("w.pth", ("--architecture", "timm:resnet18"), "timm"),
        ("w.pth", ("--architecture", "torchvision:resnet18", "--transforms", "V1"), "torchvision"),
    ],
    ids=["exported", "torchscript", "timm", "published transforms"],
)
def test_a_file_is_of_a_kind_that_the_policy_accepts(project, name, options, kind):
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("m/constants.pkl" if kind == "torchscript" else "m/data.pkl", "")
    if name == "w.pth":
        torch.save({"fc.weight": torch.zeros(1)}, name)
    score = ONNX[4:] if "--architecture" not in options else ()
    assert init("--model", name, *ONNX[2:4], *score, *options, *DATA) == 0
    (model,) = load_policy(POLICY).models.values()
    assert model.kind == kind
    assert (model.path or model.weights).resolve() == (project / name).resolve()


def test_weights_go_into_a_named_network(project):
    Path("w.safetensors").write_bytes(b"something")
    network = ("--architecture", "torchvision:resnet18", "--labels", "woman,man")
    assert init("--model", "w.safetensors", *network, *PIXELS, *DATA, "--name", "release") == 0
    model = load_policy(POLICY).models["release"]
    assert (model.kind, model.architecture) == ("torchvision", "resnet18")
    assert model.weights.resolve() == (project / "w.safetensors").resolve()


NETWORK = ("--architecture", "torchvision:resnet18", "--labels", "woman,man", *PIXELS)


def test_the_key_that_holds_the_weights_is_written(project):
    torch.save({"epoch": 3, "state": {"net": {"fc.weight": torch.zeros(1)}}}, "w.pth")
    assert init("--model", "w.pth", *NETWORK, *DATA) == 0
    assert written()["model"]["w"]["weights_key"] == "state.net"


def test_several_keys_with_weights_are_listed_and_one_is_chosen(project, capsys):
    large, small = ({"a": torch.zeros(1), "b": torch.zeros(1)}, {"a": torch.zeros(1)})
    torch.save({"small": small, "ema": large}, "w.pth")
    message = refused(capsys, "--model", "w.pth", *NETWORK, *DATA)
    assert "tensors by name are under: ema, small; say which are the weights" in message
    assert "--weights-key KEY" in message
    assert "ema" in refused(capsys, "--model", "w.pth", *NETWORK, *DATA, "--weights-key", "gone")
    assert init("--model", "w.pth", *NETWORK, *DATA, "--weights-key", "small") == 0
    assert written()["model"]["w"]["weights_key"] == "small"


def test_a_folder_of_hugging_face_says_its_labels_itself(project, capsys):
    Path("vit").mkdir()
    Path("vit/config.json").write_text('{"id2label": {"1": "man", "0": "girl"}}', encoding="utf-8")
    message = refused(capsys, "--model", "vit", *DATA)
    assert "the model gives 'girl', 'man', but column 'gender' has the class 'woman'" in message
    prompts = ("--prompt", "man=a man", "--prompt", "woman=a woman", "--prompt", "woman=a lady")
    assert init("--model", "vit", *prompts, *DATA) == 0
    model = load_policy(POLICY).models["vit"]
    assert (model.kind, model.prompts["woman"]) == ("zero_shot", ("a woman", "a lady"))
