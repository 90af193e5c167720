"""`load_model`: from a file, a name or a table of a policy to the `Classifier` that is judged."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.classifiers.classifier import Classifier
from pytest_fairness.classifiers.found import Found, Loading
from pytest_fairness.classifiers.labels.labels import Labels, named_labels, read_labels
from pytest_fairness.classifiers.preprocessing.pixels import preprocessing_of
from pytest_fairness.classifiers.tagging import LabelRule
from pytest_fairness.doors.registry import load_object
from pytest_fairness.errors import ModelError
from pytest_fairness.policy.model_specs import (
    LabelFile,
    ModelSpec,
    PixelSpec,
    kind_of,
    parse_model,
)

if TYPE_CHECKING:
    from pytest_fairness.classifiers.classifier import ScoreMeaning

__all__ = ["describe_model", "load_model"]

_OWN = ("labels", "label_groups", "score", "activation", "tagging", "preprocessing")


def load_model(
    spec: str | Path | Mapping[str, Any] | ModelSpec,
    *,
    name: str = "model",
    folder: str | Path = ".",
    allow_pickle: bool = False,
) -> Classifier:
    """Return the model under test that a file, a name or a table describes.

    Args:
        spec: A file or folder of a model; `package.module:function`; a TOML file with the keys of
            `[model.NAME]`, or a mapping of them; an entry of `Policy.models`.
        name: Name in reports; an entry of a policy brings its own.
        folder: Folder that relative paths start from.
        allow_pickle: Whether to read files that could run code; the record then says so.

    Raises:
        ModelError: The file is missing, broken, has another hash, could run code, or does not fit
            what is said about it; a package is not installed.
        PolicyError: Keys are missing or not allowed.

    Example:
        >>> made = load_model({
        ...     "factory": "torch.nn:Flatten", "labels": ["no", "yes"], "score": "logit",
        ...     "preprocessing": {"size": 8}}, name="release")
        >>> made.name, made.labels, made.score
        ('release', ('no', 'yes'), 'logit')
    """
    if not isinstance(spec, ModelSpec):
        spec = parse_model(spec, name=name, folder=Path(folder))
    labels = _labels(spec)
    found = _load(spec, labels, allow_pickle=allow_pickle)
    return _classifier(found, spec, labels)


def describe_model(made: Any, spec: ModelSpec) -> Classifier:
    """Return the classifier that an object of the user's is, read as a table says.

    Args:
        made: What a fixture returned: an `nn.Module`, a function, something with `predict_proba`.
        spec: `[model.NAME]` with `kind = "fixture"`.

    Raises:
        ModelError: It is none of those, or the table does not say what it must.
    """
    from pytest_fairness.classifiers.sources.factory import found_in  # noqa: PLC0415  (torch)

    return _classifier(found_in(made, spec, notes={}), spec, _labels(spec))


def _load(spec: ModelSpec, labels: Labels | None, *, allow_pickle: bool) -> "Found | Classifier":
    load = kind_of(spec).load
    if not load:
        msg = (
            f"{spec.title}: kind {spec.kind!r} is what a fixture of this name "
            "returns; it is known to pytest only"
        )
        raise ModelError(msg)
    made = load_object(load)(spec, Loading(labels, allow_pickle=allow_pickle))
    if not isinstance(made, Found | Classifier):
        msg = (
            f"{spec.title}: {load} of kind {spec.kind!r} returned {type(made).__name__}; it must "
            "return a Found or a Classifier"
        )
        raise ModelError(msg)
    return made


def _labels(spec: ModelSpec) -> Labels | None:
    if isinstance(spec.labels, LabelFile):
        return read_labels(spec.labels)
    return None if spec.labels is None else named_labels(list(spec.labels))


def _classifier(found: "Found | Classifier", spec: ModelSpec, labels: Labels | None) -> Classifier:
    """Put together what the source knows and what the policy says; the policy goes first."""
    if isinstance(found, Classifier):
        return _with_views(_own(found, spec), spec)
    labels = _agreed(labels, found.labels, spec)
    score = _meaning(found.score, spec)
    groups = labels.grouped(spec.label_groups, where=f"{spec.title}")
    classifier = Classifier(
        name=spec.name,
        module=found.module,
        labels=labels.names,
        preprocess=_preprocess(found, spec),
        score=score,
        classes=groups or None,
        reduce=spec.reduce,
        activation=spec.activation or found.activation,
        tagging=_tagging(spec),
        nondeterministic=spec.nondeterministic,
        weights_sha256=found.weights_sha256,
        notes={"model_kind": spec.kind, **found.notes},
    )
    return _with_views(classifier, spec)


def _tagging(spec: ModelSpec) -> LabelRule | None:
    try:
        return LabelRule(**spec.tagging) if spec.tagging else None
    except ValueError as problem:
        msg = f"{spec.title}: tagging: {problem}"
        raise ModelError(msg) from problem


def _own(classifier: Classifier, spec: ModelSpec) -> Classifier:
    """A `Classifier` that the user's code made says all itself."""
    said = [key for key in _OWN if getattr(spec, key)]
    if said:
        msg = (
            f"{spec.title}: it returns a Classifier, which says {said[0]} itself; "
            f"drop {', '.join(said)}, or return the module alone"
        )
        raise ModelError(msg)
    return replace(classifier, name=spec.name, nondeterministic=spec.nondeterministic)


def _agreed(labels: Labels | None, own: Labels | None, spec: ModelSpec) -> Labels:
    """The labels of the policy, else those of the model; both must count the same columns."""
    if labels is None and own is None:
        msg = (
            f"{spec.title}: `labels` is missing. Add labels = [...], the names of the score "
            "columns in order, or the name of a file with them."
        )
        raise ModelError(msg)
    numbers = [len(one.names) for one in (labels, own) if one is not None]
    # Two labels of one output: it scores the second.
    if numbers != [2, 1] and len(set(numbers)) > 1 and labels is not None and own is not None:
        msg = (
            f"{spec.title}: labels has {len(labels.names)} names, but the model has "
            f"{len(own.names)} outputs ({', '.join(own.names[:6])}…); name each output"
        )
        raise ModelError(msg)
    return labels or own or Labels(())


def _meaning(known: "ScoreMeaning | None", spec: ModelSpec) -> "ScoreMeaning":
    if (
        known is not None
        and spec.score not in (None, known)
        and spec.kind not in ("timm", "torchvision")
    ):
        msg = (
            f"{spec.title}: score = {spec.score!r}, but this kind of model gives "
            f"{known!r}; drop score"
        )
        raise ModelError(msg)
    found = spec.score or known
    if found is None:
        msg = (
            f"{spec.title}: `score` is missing. Add one of: "
            'score = "logit", "probability", "log_probability".'
        )
        raise ModelError(msg)
    return found


def _preprocess(found: Found, spec: ModelSpec) -> Any:
    if isinstance(spec.preprocessing, PixelSpec):
        return preprocessing_of(spec.preprocessing)
    if found.preprocess is None:
        msg = (
            f"{spec.title}: `preprocessing` is missing. Add preprocessing = "
            "{ size = 224, mean = [...], std = [...] }."
        )
        raise ModelError(msg)
    return found.preprocess


def _with_views(classifier: Classifier, spec: ModelSpec) -> Classifier:
    if spec.views == "one":
        return classifier
    from pytest_fairness.classifiers.preprocessing.views import (  # noqa: PLC0415  (torch)
        flip_averaged,
        ten_crop_averaged,
    )

    return (flip_averaged if spec.views == "flip" else ten_crop_averaged)(classifier)
