"""The paper's baseline: trained on a tiny CelebA in the real layout, saved, loaded, and judged."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from typing_extensions import override

from models.resnet18_celeba import (
    ENVIRONMENT,
    LABELS,
    PREPROCESSING,
    load_resnet18_celeba,
    resnet18,
    resnet18_celeba,
)
from models.train_celeba import Recipe, _moved, accuracy, faces, main, start, tune
from pytest_fairness import judge_model
from pytest_fairness.errors import DataError, ModelError

SMALL = Recipe(epochs=1, batch=8, resize=24, crop=20)
PARTS = {"0": 16, "1": 4, "2": 8}  # train, valid, test


@pytest.fixture(scope="module")
def celeba(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 photographs of 178x218 pixels: women are reddish, men bluish."""
    folder = tmp_path_factory.mktemp("celeba")
    (folder / "img_align_celeba").mkdir()
    rng = np.random.default_rng(21)
    attributes, parts = [], []
    split = [name for name, count in PARTS.items() for _ in range(count)]
    for number, part in enumerate(split, start=1):
        name, is_man = f"{number:06}.jpg", number % 2 == 0
        tint = np.array([-60, 0, 60]) * (1 if is_man else -1)
        blocks = (rng.normal(125, 40, (7, 6, 3)) + tint).clip(0, 255).astype(np.uint8)
        image = Image.fromarray(blocks).resize((178, 218))
        image.save(folder / "img_align_celeba" / name, quality=90)
        attributes.append(f"{name} {'1' if is_man else '-1'}  1 -1")
        parts.append(f"{name} {part}")
    head = [str(len(split)), "Male Young Smiling"]
    (folder / "list_attr_celeba.txt").write_text("\n".join([*head, *attributes]) + "\n")
    (folder / "list_eval_partition.txt").write_text("\n".join(parts) + "\n")
    return folder


@pytest.fixture(scope="module")
def trained(celeba: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Weights of the script, run as from the command line, and what it printed."""
    folder = tmp_path_factory.mktemp("weights")
    torch.manual_seed(0)  # not what an earlier test of this process left behind
    save_file(resnet18(1000).state_dict(), folder / "imagenet.safetensors")
    with pytest.MonkeyPatch.context() as patch:
        printed: list[str] = []
        patch.setattr("builtins.print", lambda *words, **_: printed.append(" ".join(words)))
        main(
            f"{celeba} --imagenet {folder / 'imagenet.safetensors'} --to {folder / 'out.safetensors'} "
            "--epochs 12 --batch 8 --learning-rate 0.005 --resize 40 --crop 32 --device cpu".split()
        )
    return folder / "out.safetensors", "\n".join(printed)


def test_the_script_trains_on_the_published_layout_and_the_loss_falls(trained):
    weights, printed = trained
    losses = [float(text) for text in re.findall(r"loss (\d\.\d+)", printed)]

    assert len(losses) == 12
    assert losses[-1] < losses[0] / 2
    assert "accuracy 1.0000 on test; wrote" in printed
    assert weights.is_file()


def test_the_fixture_loads_the_weights_and_predicts(trained, celeba, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(trained[0]))

    classifier = resnet18_celeba.__wrapped__()
    images = [Image.open(path) for path in sorted((celeba / "img_align_celeba").glob("*.jpg"))[-4:]]
    with torch.inference_mode():
        scores = classifier.module(torch.stack([classifier.preprocess(image) for image in images]))

    assert classifier.preprocess == replace(PREPROCESSING, resize=40, crop=32)
    assert classifier.labels == LABELS == ("Female", "Male")
    assert not classifier.module.training
    assert [LABELS[i] for i in scores.argmax(1)] == ["Female", "Male", "Female", "Male"]


def test_the_gate_judges_the_trained_model_on_celeba(trained, celeba):
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "fail", "decide": "estimate"},
        "evaluation": {
            "celeba": {
                "reader": "celeba",
                "root": str(celeba),
                "split": ["test"],
                "target": "gender",
                "attributes": {"gender": ["Female", "Male"]},
                "derive": {
                    "gender": {"from": "Male", "merge": {"Male": ["yes"], "Female": ["no"]}}
                },
            }
        },
        "rule": [{"metric": "accuracy", "min": 0.9}],
    }

    record = judge_model(policy, load_resnet18_celeba(trained[0]), device="cpu")

    assert record.passed
    assert [(v.group["gender"], v.value, v.n) for v in record.verdicts] == [
        ("Female", 1, 4),
        ("Male", 1, 4),
    ]


def test_tuning_from_random_weights_is_the_same_for_the_same_seed(celeba):
    ends = []
    samples = faces(celeba, "train")
    for _ in range(2):
        torch.manual_seed(3)
        network = start(None)
        losses = list(tune(network, samples, SMALL, generator=torch.Generator().manual_seed(5)))
        ends.append((losses, network.fc.weight.detach().clone()))

    assert ends[0][0] == ends[1][0]
    assert torch.equal(ends[0][1], ends[1][1])
    assert not network.training


@pytest.mark.parametrize("suffix", ["safetensors", "pth"])
def test_tuning_starts_from_local_imagenet_weights_but_for_the_last_layer(tmp_path, suffix):
    torch.manual_seed(22)
    published = resnet18(1000).state_dict()
    save = save_file if suffix == "safetensors" else torch.save
    save(published, tmp_path / f"imagenet.{suffix}")

    weights = start(tmp_path / f"imagenet.{suffix}").state_dict()

    assert weights["fc.weight"].shape == (2, 512)
    kept = [name for name in weights if not name.startswith("fc.")]
    assert len(kept) == len(published) - 2
    assert all(torch.equal(weights[name], published[name]) for name in kept)


def test_other_weights_are_refused(tmp_path):
    save_file(resnet18(2).state_dict(), tmp_path / "two.safetensors")

    with pytest.raises(ModelError, match=r"'fc\.(weight|bias)' has shape \(2.*expects \(1000"):
        start(tmp_path / "two.safetensors")


def test_faces_are_those_of_the_partition(celeba):
    for split, count in zip(("train", "valid", "test"), PARTS.values(), strict=True):
        samples = faces(celeba, split)
        assert len(samples) == count
        assert (samples.samples["target"] == "yes").sum() == count // 2


def test_a_folder_that_is_no_celeba_is_named(tmp_path):
    with pytest.raises(DataError, match="the list of attributes is missing"):
        faces(tmp_path, "train")


def test_accuracy_is_the_share_of_right_answers(celeba):
    class AllMen(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.bias = torch.nn.Parameter(torch.tensor([0.0, 1.0]))

        @override
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            return self.bias.expand(len(images), 2)

    assert accuracy(AllMen(), faces(celeba, "valid"), SMALL) == 0.5


def test_training_crops_lie_at_random_places_and_half_are_mirrored():
    columns = torch.arange(40.0).expand(600, 1, 40, 40)

    cut = _moved(columns, 32, torch.Generator().manual_seed(6))
    steps = cut[:, 0, 0, 1] - cut[:, 0, 0, 0]
    left = cut[:, 0, 0].min(dim=1).values

    assert cut.shape == (600, 1, 32, 32)
    assert 0.4 < (steps == -1).float().mean() < 0.6
    assert set(left.tolist()) == set(range(9))


def test_without_weights_the_fixture_says_how_to_train_them(tmp_path, monkeypatch):
    monkeypatch.setenv(ENVIRONMENT, str(tmp_path / "none.safetensors"))

    with pytest.raises(
        ModelError, match=r"none\.safetensors; train them with python -m models\.train"
    ):
        resnet18_celeba.__wrapped__()


def test_the_saved_weights_are_a_plain_resnet18_of_two_classes(trained, tmp_path):
    found = load_file(trained[0])
    usual = tmp_path / "usual.safetensors"
    save_file(found, usual)  # without the sizes of the training

    assert load_resnet18_celeba(usual).preprocess == PREPROCESSING
    assert {k: v.shape for k, v in found.items()} == {
        k: v.shape for k, v in resnet18(2).state_dict().items()
    }
