"""The key of a model: each part of it changes it, and what only reads scores does not."""

import inspect
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageFile
from safetensors.torch import save_file
from torch import nn

from pytest_fairness.caching import keys, surroundings
from pytest_fairness.caching.keys import key_of, key_parts
from pytest_fairness.caching.sources import Unidentified
from pytest_fairness.classifiers import Classifier, Preprocessing, load_model
from pytest_fairness.classifiers.tagging import LabelRule
from pytest_fairness.inference import predict
from pytest_fairness.policy.model_specs import parse_model

SETTINGS = {"device": "cpu", "precision": "strict", "batch_size": "64"}


def small(**changes):
    torch.manual_seed(1)
    module = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(3, 2))
    made = Classifier("small", module, ("a", "b"), Preprocessing(size=4))
    return replace(made, **changes)


DIFFERENT = {
    "labels": {"labels": ("b", "a")},
    "meaning of a score": {"score": "probability"},
    "preprocessing": {"preprocess": Preprocessing(size=5)},
    "activation": {"activation": "sigmoid"},
    "module": {"module": nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())},
}


@pytest.mark.parametrize("part", DIFFERENT)
def test_what_decides_scores_changes_the_key(part):
    assert key_of(small(**DIFFERENT[part]), SETTINGS) != key_of(small(), SETTINGS)


READING = {
    "name": {"name": "other"},
    "classes": {"classes": {"yes": ("a",), "no": ("b",)}},
    "reduce": {"reduce": "logsumexp"},
    "tagging": {"tagging": LabelRule(threshold=0.5)},
    "notes": {"notes": {"model_file": "x"}},
    "weights_sha256": {"weights_sha256": "f" * 64},
    "nondeterministic": {"nondeterministic": "tell"},
}


@pytest.mark.parametrize("part", READING)
def test_what_is_done_with_scores_afterwards_leaves_the_key_as_it_is(part):
    assert key_of(small(**READING[part]), SETTINGS) == key_of(small(), SETTINGS)


def test_every_field_of_a_classifier_was_thought_of():
    tested = {
        *("labels", "score", "preprocess", "module", "name", "classes", "activation", "reduce"),
        *("tagging", "notes", "weights_sha256", "nondeterministic"),
    }
    assert set(Classifier.__dataclass_fields__) == tested


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_of_a_run_changes_the_key(name):
    assert key_of(small(), {**SETTINGS, name: "other"}) != key_of(small(), SETTINGS)


def test_every_argument_of_predict_that_changes_scores_is_a_setting_of_the_key():
    arguments = set(inspect.signature(predict).parameters)
    assert arguments - {"classifier", "evaluation_set", "cache", "progress"} == set(SETTINGS)


SURROUNDINGS = ("engine_digest", "versions", "machine", "environment", "pillow_settings")


@pytest.mark.parametrize("name", [*SURROUNDINGS, "torch_settings"])
def test_each_of_the_surroundings_changes_the_key(name, monkeypatch):
    before = key_of(small(), SETTINGS)
    monkeypatch.setattr(keys, name, lambda *_: "other")
    assert key_of(small(), SETTINGS) != before


def test_no_part_of_the_key_was_forgotten_here():
    parts = {"form", "model", "labels", "score", "activation", "settings", "engine", "versions"}
    assert set(key_parts(small(), SETTINGS)) == parts | {
        "machine",
        "environment",
        "pillow",
        "torch",
    }


@pytest.mark.parametrize(
    "variable",
    ["OMP_NUM_THREADS", "NVIDIA_TF32_OVERRIDE", "PYTORCH_X", "CUDA_VISIBLE_DEVICES", "LD_PRELOAD"],
)
def test_variables_that_libraries_of_numbers_read_change_the_key(variable, monkeypatch):
    before = key_of(small(), SETTINGS)
    monkeypatch.setenv(variable, "17")
    assert key_of(small(), SETTINGS) != before


def test_variables_of_pytest_and_of_the_cache_itself_do_not(monkeypatch):
    before = key_of(small(), SETTINGS)
    for name in ("PYTEST_CURRENT_TEST", "HOME", "FAIRNESS_CACHE_DIR", "FAIRNESS_CACHE_SIZE"):
        monkeypatch.setenv(name, "17")
    assert key_of(small(), SETTINGS) == before


def test_settings_of_pillow_change_the_key(monkeypatch):
    before = key_of(small(), SETTINGS)
    monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
    truncated = key_of(small(), SETTINGS)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert len({before, truncated, key_of(small(), SETTINGS)}) == 3


def test_settings_of_torch_change_the_key():
    seen = {key_of(small(), SETTINGS)}
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        seen.add(key_of(small(), SETTINGS))
    finally:
        torch.set_num_threads(threads)
    try:
        torch.use_deterministic_algorithms(mode=True)
        seen.add(key_of(small(), SETTINGS))
    finally:
        torch.use_deterministic_algorithms(mode=False)
    try:
        torch.backends.cudnn.benchmark = True
        seen.add(key_of(small(), SETTINGS))
    finally:
        torch.backends.cudnn.benchmark = False
    model = small()
    try:
        torch.set_default_dtype(torch.float64)
        seen.add(key_of(model, SETTINGS))
    finally:
        torch.set_default_dtype(torch.float32)
    assert len(seen) == 5


def test_under_a_mode_of_torch_there_is_no_key():
    with torch.device("cpu"), pytest.raises(Unidentified, match="a mode of torch is active"):
        key_of(small(), SETTINGS)


def test_an_edit_of_the_package_in_place_is_seen(monkeypatch, tmp_path):
    (tmp_path / "caching").mkdir()
    (tmp_path / "inference").mkdir()
    file = tmp_path / "inference" / "forward.py"
    file.write_text("a = 1\n")
    monkeypatch.setattr(surroundings, "__file__", str(tmp_path / "caching" / "surroundings.py"))
    first = surroundings.engine_digest.__wrapped__()
    file.write_text("a = 2\n")
    assert surroundings.engine_digest.__wrapped__() != first


def test_versions_of_the_packages_that_compute_are_part_of_it():
    found = surroundings.versions(["timm", "PIL"])
    assert {"python", "torch", "torchvision", "numpy", "pillow", "timm"} <= set(found)
    assert torch.__version__.startswith(found["torch"].split("+")[0])
    assert found["python"] == sys.version


@pytest.fixture
def weights(tmp_path):
    from torchvision import models

    torch.manual_seed(0)
    file = tmp_path / "weights.safetensors"
    save_file(models.squeezenet1_0(num_classes=2).state_dict(), file)
    return file


def table(weights, **changes):
    return {
        "kind": "torchvision",
        "architecture": "squeezenet1_0",
        "weights": str(weights),
        "labels": ["a", "b"],
        "preprocessing": {"size": 8},
    } | changes


def key_of_table(made):
    spec = parse_model(made, name="m", folder=Path())
    return key_of(load_model(spec), SETTINGS, spec)


def test_a_model_of_a_file_is_known_by_file_and_table_whatever_it_is_called(weights, tmp_path):
    other = tmp_path / "copy.safetensors"
    other.write_bytes(weights.read_bytes())
    assert key_of_table(table(weights)) == key_of_table(table(other, nondeterministic="tell"))


TABLES = {
    "arguments": {"arguments": {"dropout": 0.25}},
    "labels": {"labels": ["b", "a"]},
    "preprocessing": {"preprocessing": {"size": 9}},
    "views": {"views": "flip"},
}


@pytest.mark.parametrize("part", TABLES)
def test_each_key_of_a_table_that_decides_scores_changes_the_key(weights, part):
    assert key_of_table(table(weights, **TABLES[part])) != key_of_table(table(weights))


def test_another_architecture_for_the_same_weights_changes_the_key(weights):
    spec = parse_model(table(weights), name="m", folder=Path())
    model, other = load_model(spec), replace(spec, architecture="squeezenet1_1")
    assert key_of(model, SETTINGS, spec) != key_of(model, SETTINGS, other)


def test_other_bytes_of_a_file_change_the_key(weights):
    from torchvision import models

    before = key_of_table(table(weights))
    torch.manual_seed(1)
    save_file(models.squeezenet1_0(num_classes=2).state_dict(), weights)
    assert key_of_table(table(weights)) != before


def test_every_key_of_a_model_table_was_thought_of():
    decides = {
        *("kind", "factory", "architecture", "arguments", "weights_key", "score", "preprocessing"),
        *("views", "layout", "output", "providers", "prompts"),
    }
    spec = parse_model(
        {"factory": "a:b", "labels": ["x", "y"], "score": "logit", "preprocessing": {"size": 1}},
        name="m",
        folder=Path(),
    )
    assert set(keys.table_of(spec)) == decides


def test_the_parts_of_a_key_need_no_torch():
    code = (
        "import sys; from pytest_fairness.caching.surroundings import *; engine_digest(); versions(); "
        "machine(); environment(); pillow_settings(); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert done.stdout.strip() == "False"
