"""The key of a model: a hash of all that decides its scores beside the images."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pytest_fairness.caching.structure import Identity, identity_of
from pytest_fairness.caching.surroundings import (
    engine_digest,
    environment,
    machine,
    pillow_settings,
    torch_settings,
    versions,
)
from pytest_fairness.doors.registry import declared
from pytest_fairness.policy.model_specs import ModelSpec

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier

__all__ = ["key_of", "key_parts", "table_of", "told_by_file"]

# Kinds of which the file and the table tell everything. Those of other packages, and what is unpickled or
# made by the user's code, are looked at as they are in memory.
_BY_FILE = ("exported", "huggingface", "onnx", "timm", "torchscript", "torchvision", "zero_shot")
_PACKAGES = {
    "huggingface": "transformers",
    "zero_shot": "transformers",
    "timm": "timm",
    "onnx": "onnxruntime",
}
_OWN = "pytest_fairness."
# What a table says of how scores become answers, which happens after the cache, or of the model's name.
_NOT_OF_SCORES = frozenset(
    [
        "name",
        "where",
        "label_groups",
        "reduce",
        "activation",
        "tagging",
        "nondeterministic",
        "sha256",
        "path",
        "weights",
        "labels",
    ]
)


def key_of(
    classifier: "Classifier", settings: Mapping[str, str], spec: ModelSpec | None = None
) -> bytes:
    """Return the key of a model.

    Args:
        classifier: The model, loaded.
        settings: How it is run: device, batch size, precision.
        spec: Its table in the policy; None for a fixture without one.

    Raises:
        Unidentified: It cannot be told what decides its scores.
    """
    return identity_of(key_parts(classifier, settings, spec))


def key_parts(
    classifier: "Classifier", settings: Mapping[str, str], spec: ModelSpec | None = None
) -> dict[str, Any]:
    """Return the parts of a key by name. Their hash is what `key_of` returns."""
    model, packages = _model(classifier, spec)
    return {
        "form": 1,
        "model": model,
        "labels": list(classifier.labels),
        "score": classifier.score,
        # It decides what the first of two labels gets where the model gives one score an image.
        "activation": classifier.activation,
        "settings": dict(settings),
        "engine": engine_digest(),
        "versions": versions(packages),
        "machine": list(machine()),
        "environment": environment(),
        "pillow": pillow_settings(),
        "torch": torch_settings(),
    }


def told_by_file(spec: ModelSpec | None) -> bool:
    """Return whether the table of a model and its file tell all that decides its scores."""
    if spec is None or spec.kind not in _BY_FILE:
        return False
    return str(declared("models", spec.kind).load).startswith(_OWN)


def table_of(spec: ModelSpec) -> dict[str, Any]:
    """Return what a table says that decides scores, beside its files."""
    return {
        name: getattr(spec, name)
        for name in spec.__dataclass_fields__
        if name not in _NOT_OF_SCORES
    }


def _model(classifier: "Classifier", spec: ModelSpec | None) -> tuple[bytes, set[str]]:
    """Return the identity of module and preprocessing, and the packages that compute."""
    notes = classifier.notes
    file = notes.get("model_sha256")
    if spec is not None and told_by_file(spec) and file and "unpickled" not in notes:
        files = [file, classifier.weights_sha256]
        packages = {_PACKAGES[spec.kind]} if spec.kind in _PACKAGES else set()
        return identity_of("file", files, table_of(spec)), packages
    identity = Identity()
    identity.add(classifier.module, "model")
    identity.add(classifier.preprocess, "preprocessing")
    return identity.digest(), identity.packages
