"""The audited system itself: SE-ResNet-101 over many labels, for whoever has a checkpoint of it.

No weights come with this repository. `FAIRNESS_SE_RESNET101` and `FAIRNESS_SE_RESNET101_LABELS`
name the checkpoint and its label list; the fixture is an error without them.
"""

import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from models.label_lists import read_label_list
from pytest_fairness.classifiers import Classifier, Crops, LabelRule, Pixels, load_weights
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    import torch

    from models.se_resnet101_network import Pool, SEResNet101

__all__ = ["RULE", "load_se_resnet101", "read_checkpoint", "se_resnet101"]

RULE = LabelRule(top=150, threshold=0.55, least=2, most=5)
IMAGENET = Pixels(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
PREPROCESSING = Crops(resize=256, crop=224, pixels=IMAGENET)
CHECKPOINT, LABELS = "FAIRNESS_SE_RESNET101", "FAIRNESS_SE_RESNET101_LABELS"
# The four labels that gender is read from: display name -> Open Images id.
_MIDS = {"Man": "/m/04yx4", "Boy": "/m/01bl7v", "Woman": "/m/03bt1vf", "Girl": "/m/05r655"}
_CLASSES = {"Male": ("Man", "Boy"), "Female": ("Woman", "Girl")}
_SHOWN = 3


@pytest.fixture(scope="session")
def se_resnet101() -> Classifier:
    """SE-ResNet-101 of the Inclusive Images Challenge, from a checkpoint that you give."""
    lacking = [name for name in (CHECKPOINT, LABELS) if not os.environ.get(name)]
    if lacking:
        msg = (
            f"model 'se_resnet101' needs a checkpoint and its label list, got no {lacking[0]}: set "
            f"{CHECKPOINT} to the checkpoint (.safetensors, or the .pth.tar of the original "
            f"training) and {LABELS} to its labels (.txt, .json or name_to_label.pkl); no "
            "weights come with this repository"
        )
        raise ModelError(msg)
    return load_se_resnet101(os.environ[CHECKPOINT], labels=os.environ[LABELS])


def load_se_resnet101(
    weights: str | Path,
    *,
    labels: str | Path,
    pool: "Pool" = "corner",
    crops: Literal["ten", "centre"] = "ten",
    classes: Mapping[str, tuple[str, ...]] | None = None,
) -> Classifier:
    """Read a checkpoint and its label list; K is the number of labels.

    Gender is read from the logits of four labels, whether or not they are among the best 150: the
    original's own scores leave every other label without one.

    Args:
        weights: `.safetensors`, or what `torch.save` wrote; read without running any code.
        labels: See `read_label_list`.
        pool: `corner` as trained, or `full`; see `models.se_resnet101_network`.
        crops: `ten` as for the challenge, their logits averaged, or only the `centre`.
        classes: Class of the target -> its labels; Male and Female when absent.

    Raises:
        ModelError: A file is missing or does not fit, or a label of `classes` is not in the list.
    """
    from models.se_resnet101_network import SEResNet101
    from pytest_fairness.classifiers import ten_crop_averaged

    names = read_label_list(labels)
    network = _filled(SEResNet101(len(names), pool=pool), Path(weights), labels=labels)
    centre = Classifier(
        name="se_resnet101",
        module=network.eval(),
        labels=names,
        preprocess=PREPROCESSING,
        score="logit",
        classes=_spelt(names) if classes is None else classes,
        tagging=RULE,
    )
    return ten_crop_averaged(centre) if crops == "ten" else centre


def read_checkpoint(path: str | Path) -> "dict[str, torch.Tensor]":
    """Return the weights of a checkpoint that `torch.save` wrote, under the network's own names.

    The original wraps its network (`{"model": {"classifier.features.conv1.weight": …}}`), and
    `nn.DataParallel` puts `module.` before every name; both are taken off.

    Raises:
        ModelError: The file is missing, is no checkpoint, or holds more than tensors and numbers.
    """
    import torch

    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        msg = f"{path}: no such checkpoint; correct the path"
        raise ModelError(msg) from error
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError) as error:
        msg = (
            f"{path}: not a checkpoint that can be read without running code in it "
            f"({str(error).splitlines()[0] if str(error) else type(error).__name__}); load it where "
            "you trust it, and save its state dict with safetensors.torch.save_file"
        )
        raise ModelError(msg) from error
    for key in ("model", "state_dict"):
        if isinstance(found, dict) and isinstance(found.get(key), dict):
            found = found[key]
    if not isinstance(found, dict) or not all(isinstance(x, torch.Tensor) for x in found.values()):
        msg = f"{path}: holds no state dict; save {{'model': module.state_dict()}}"
        raise ModelError(msg)
    weights = {name.removeprefix("module."): tensor for name, tensor in found.items()}
    if any(name.startswith("classifier.features.") for name in weights):
        weights = {name.removeprefix("classifier."): tensor for name, tensor in weights.items()}
    return weights


def _filled(network: "SEResNet101", path: Path, *, labels: str | Path) -> "SEResNet101":
    if path.suffix == ".safetensors":
        return load_weights(network, path)
    weights = read_checkpoint(path)
    expected = network.state_dict()
    # torch 0.4.0 did not count the batches yet; inference does not need the count.
    counted = {name: value for name, value in expected.items() if name.endswith("batches_tracked")}
    weights = counted | weights
    missing, unexpected = sorted(expected.keys() - weights), sorted(weights.keys() - expected)
    if missing or unexpected:
        msg = (
            f"{path}: not a checkpoint of this network: {len(missing)} names missing "
            f"{missing[:_SHOWN]}, {len(unexpected)} unexpected {unexpected[:_SHOWN]}; other "
            "libraries' SE-ResNet-101 has other layers"
        )
        raise ModelError(msg)
    trained = len(weights["classifier.weight"])
    if trained != network.classifier.out_features:
        msg = (
            f"{path}: the checkpoint has {trained} labels, but {labels} lists "
            f"{network.classifier.out_features}; give the list that it was trained with"
        )
        raise ModelError(msg)
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            msg = (
                f"{path}: weight {name!r} has shape {tuple(tensor.shape)}, but the network has "
                f"{tuple(expected[name].shape)}"
            )
            raise ModelError(msg)
    network.load_state_dict(weights)
    return network


def _spelt(labels: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the labels of each gender as the list spells them: by name, or by Open Images id."""
    known = set(labels)
    spelling = {name: name if name in known else mid for name, mid in _MIDS.items()}
    lacking = [name for name, used in spelling.items() if used not in known]
    if lacking:
        msg = (
            f"model 'se_resnet101': its label list has neither {lacking[0]!r} nor its Open Images id "
            f"{_MIDS[lacking[0]]!r}; give `classes`, the labels that speak for each class"
        )
        raise ModelError(msg)
    return {name: tuple(spelling[label] for label in used) for name, used in _CLASSES.items()}
