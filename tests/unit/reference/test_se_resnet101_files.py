"""Checkpoints and label lists of the audited system are read, safely, or refused with a reason."""

import json
import pickle
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import nn
from typing_extensions import override

from models import se_resnet101_network
from models.label_lists import read_label_list
from models.se_resnet101 import (
    CHECKPOINT,
    LABELS,
    PREPROCESSING,
    RULE,
    load_se_resnet101,
    read_checkpoint,
    se_resnet101,
)
from models.se_resnet101_network import SEResNet101
from pytest_fairness.classifiers import Classifier, LabelRule, load_model
from pytest_fairness.errors import ModelError

GENDERS = ["Person", "Woman", "Man", "Tree", "Girl", "Boy"]
NARROW = {"blocks": (1, 1, 1, 1), "planes": (16, 16, 16, 16)}
TEN_CROPS = replace(PREPROCESSING, ten=True)
IMAGE = Image.linear_gradient("L").resize((300, 256)).convert("RGB")


def trained(pool="corner", planes=NARROW["planes"]) -> SEResNet101:
    """A narrow network with batch norms as after training."""
    torch.manual_seed(11)
    network = SEResNet101(len(GENDERS), pool=pool, blocks=NARROW["blocks"], planes=planes)
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                nn.init.uniform_(values, 0.5, 1.5)
    return network.eval()


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> SEResNet101:
    """Checkpoints of a narrow network, and a loader that builds the same."""
    monkeypatch.setattr(
        se_resnet101_network,
        "SEResNet101",
        lambda outputs, *, pool: SEResNet101(outputs, pool=pool, **NARROW),
    )
    return trained()


def save(
    network: SEResNet101, folder: Path, *, prefix: str = "classifier.", old: bool = True
) -> Path:
    """Write what the original training wrote, with torch 0.4's kind of file."""
    state = {f"{prefix}{name}": value for name, value in network.state_dict().items()}
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    path = folder / "snapshot_epoch_25.pth.tar"
    torch.save(
        {"model": state, "optimizer": optimiser.state_dict(), "epoch": 25},
        path,
        _use_new_zipfile_serialization=not old,
    )
    return path


def listed(folder: Path, labels: list[str] = GENDERS) -> Path:
    path = folder / "labels.txt"
    path.write_text("\n".join(labels) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("prefix", ["classifier.", "module.classifier.", "module.", ""])
@pytest.mark.parametrize("old", [True, False], ids=["torch 0.4", "zip"])
def test_checkpoint_of_the_original_training_is_read(narrow, tmp_path, prefix, old):
    loaded = load_se_resnet101(
        save(narrow, tmp_path, prefix=prefix, old=old), labels=listed(tmp_path)
    )

    with torch.inference_mode():
        found = loaded.module(loaded.preprocess(IMAGE)[None])
        expected = narrow(TEN_CROPS(IMAGE)).mean(0, keepdim=True)

    torch.testing.assert_close(found, expected)
    assert not loaded.module.module.training
    assert loaded.labels == tuple(GENDERS)
    assert loaded.class_labels == {"Male": ("Man", "Boy"), "Female": ("Woman", "Girl")}
    assert loaded.tagging == RULE == LabelRule(threshold=0.55, least=2, most=5, top=150)


def test_safetensors_centre_crop_and_full_pool_are_options(narrow, tmp_path):
    from safetensors.torch import save_file

    save_file(narrow.state_dict(), tmp_path / "net.safetensors")
    loaded = load_se_resnet101(
        tmp_path / "net.safetensors", labels=listed(tmp_path), crops="centre", pool="full"
    )

    with torch.inference_mode():
        found = loaded.module(loaded.preprocess(IMAGE)[None])
        expected = trained(pool="full")(PREPROCESSING(IMAGE)[None])

    torch.testing.assert_close(found, expected)


def test_batch_counts_that_old_checkpoints_lack_are_not_missed(narrow, tmp_path):
    state = {k: v for k, v in narrow.state_dict().items() if not k.endswith("batches_tracked")}
    torch.save({"model": state}, tmp_path / "old.pth")

    assert load_se_resnet101(tmp_path / "old.pth", labels=listed(tmp_path)).labels == tuple(GENDERS)


def test_gender_labels_may_be_open_images_ids(narrow, tmp_path):
    labels = listed(
        tmp_path, ["/m/01g317", "/m/03bt1vf", "/m/04yx4", "/m/07j7r", "/m/05r655", "/m/01bl7v"]
    )

    loaded = load_se_resnet101(save(narrow, tmp_path), labels=labels)

    assert loaded.class_labels == {
        "Male": ("/m/04yx4", "/m/01bl7v"),
        "Female": ("/m/03bt1vf", "/m/05r655"),
    }


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    @override
    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_in_a_checkpoint_or_a_label_list_does_not_run(narrow, tmp_path):
    ran = tmp_path / "ran"
    torch.save({"model": Malicious(ran)}, tmp_path / "bad.pth")
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps({"Man": Malicious(ran)}))

    with pytest.raises(ModelError, match="without running code in it"):
        load_se_resnet101(tmp_path / "bad.pth", labels=listed(tmp_path))
    with pytest.raises(ModelError, match="which could run code"):
        read_label_list(tmp_path / "bad.pkl")
    assert not ran.exists()


def test_the_list_must_have_as_many_labels_as_the_checkpoint(narrow, tmp_path):
    labels = listed(tmp_path, [*GENDERS, "Chair"])

    with pytest.raises(ModelError, match=r"has 6 labels, but .*labels\.txt lists 7; give the list"):
        load_se_resnet101(save(narrow, tmp_path), labels=labels)


def test_a_list_without_a_gender_label_is_refused(narrow, tmp_path):
    labels = listed(tmp_path, ["Person", "Woman", "Man", "Tree", "Girl", "Child"])

    with pytest.raises(
        ModelError, match="neither 'Boy' nor its Open Images id '/m/01bl7v'; give `cl"
    ):
        load_se_resnet101(save(narrow, tmp_path), labels=labels)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            {"model": {"conv1.weight": torch.ones(1)}}, "names missing .* 1 unexpected", id="other"
        ),
        pytest.param({"epoch": 3}, "holds no state dict", id="nothing"),
    ],
)
def test_another_checkpoint_is_refused(narrow, tmp_path, content, message):
    torch.save(content, tmp_path / "x.pth")

    with pytest.raises(ModelError, match=message):
        load_se_resnet101(tmp_path / "x.pth", labels=listed(tmp_path))


def test_another_width_is_refused(narrow, tmp_path):
    wide = trained(planes=(32, 16, 16, 16))

    with pytest.raises(ModelError, match=r"has shape \(32.*, but the network has \(16"):
        load_se_resnet101(save(wide, tmp_path), labels=listed(tmp_path))


@pytest.mark.parametrize("cut", [0, 100, -9], ids=["empty", "head", "tail"])
def test_a_truncated_checkpoint_is_named(narrow, tmp_path, cut):
    path = save(narrow, tmp_path)
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(ModelError, match=r"25\.pth\.tar: not a checkpoint"):
        read_checkpoint(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.pth: no such checkpoint"):
        read_checkpoint(tmp_path / "gone.pth")
    with pytest.raises(ModelError, match=r"gone\.txt: no such label list"):
        read_label_list(tmp_path / "gone.txt")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("l.txt", b"\xef\xbb\xbfa\nb b\nc\n", id="text"),
        pytest.param("l.json", b'["a", "b b", "c"]', id="list"),
        pytest.param("l.json", b'{"c": 2, "a": 0, "b b": 1}', id="mapping"),
        pytest.param("l.pkl", pickle.dumps({"c": 2, "a": 0, "b b": 1}, protocol=3), id="pickle"),
    ],
)
def test_label_lists_are_read_in_the_order_of_the_scores(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    assert read_label_list(tmp_path / name) == ("a", "b b", "c")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "l.json", b'{"a": 0, "b": 2}', "2 labels must have the indices 0 to 1", id="gap"
        ),
        pytest.param("l.json", b"[1, 2]", "expected a list of labels", id="numbers"),
        pytest.param("l.json", b"{", "not a label list", id="broken"),
        pytest.param("l.txt", b"\n", "expected a list of labels", id="empty"),
        pytest.param("l.pkl", b"\x80", "not a label list", id="cut"),
        pytest.param("l.csv", b"a", r"read from \.txt, \.json, \.pkl", id="kind"),
    ],
)
def test_a_bad_label_list_says_what_was_got(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ModelError, match=message):
        read_label_list(tmp_path / name)


# The policy and the fixture.


def test_a_policy_names_the_loader_and_its_files(narrow, tmp_path):
    table = {
        "factory": "models.se_resnet101:load_se_resnet101",
        "arguments": {
            "weights": str(save(narrow, tmp_path)),
            "labels": str(listed(tmp_path)),
            "crops": "centre",
        },
    }

    found = load_model(table, name="audited")

    assert (found.name, found.tagging, found.preprocess) == ("audited", RULE, PREPROCESSING)


def test_the_fixture_without_a_checkpoint_says_what_to_set(monkeypatch):
    monkeypatch.delenv(CHECKPOINT, raising=False)

    with pytest.raises(
        ModelError, match=f"got no {CHECKPOINT}: set {CHECKPOINT} to .* and {LABELS} to"
    ):
        se_resnet101.__wrapped__()


def test_the_fixture_reads_the_files_that_the_environment_names(narrow, tmp_path, monkeypatch):
    monkeypatch.setenv(CHECKPOINT, str(save(narrow, tmp_path)))
    (tmp_path / "labels.json").write_text(json.dumps(GENDERS))
    monkeypatch.setenv(LABELS, str(tmp_path / "labels.json"))

    found = se_resnet101.__wrapped__()

    assert isinstance(found, Classifier)
    assert found.name == "se_resnet101"
    assert found.preprocess == TEN_CROPS
