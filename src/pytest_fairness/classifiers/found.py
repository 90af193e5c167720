"""What a source of models gives: a module, and all that it knows of labels, pixels and scores."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

from pytest_fairness.doors.registry import declared
from pytest_fairness.errors import ModelError
from pytest_fairness.wording import suggest

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from pytest_fairness.classifiers.labels.labels import Labels
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["Found", "Loading", "import_extra", "pick_output", "unknown_name"]

_SHOWN = 6


@dataclass(frozen=True, slots=True)
class Found:
    """A module with what its source knows about it, or None where the policy must say it.

    Args:
        module: Called with images (N, C, H, W) float32, returns scores (N, K).
        labels: Names of the score columns.
        preprocess: From an image to a tensor.
        score: What a score means.
        activation: What turns logits into probabilities.
        weights_sha256: Hash of what decides the scores, where the module's own weights do not.
        notes: What the record says beside: the file, its hash, whether code in it could run.
    """

    module: "Callable[[torch.Tensor], torch.Tensor]"
    labels: "Labels | None" = None
    preprocess: "Callable[[Image], torch.Tensor] | None" = None
    score: Literal["logit", "probability", "log_probability"] | None = None
    activation: Literal["softmax", "sigmoid"] | None = None
    weights_sha256: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Loading:
    """Settings that a source needs beside the table of its model.

    Args:
        labels: Those that the policy names.
        allow_pickle: Whether files that could run code may be read.
    """

    labels: "Labels | None" = None
    allow_pickle: bool = False


def pick_output(outputs: Any, output: str | int | None, *, name: str) -> Any:
    """Return the scores of what a model returned: a tensor, or one of several outputs.

    Args:
        outputs: What it returned.
        output: Name or number of the output; needed where there are several.
        name: Name of the model.

    Raises:
        ModelError: There are several outputs and none is named, or not this one.

    Example:
        >>> pick_output({"logits": 1, "hidden": 2}, "logits", name="release")
        1
    """
    if not isinstance(outputs, Mapping | tuple | list):
        return outputs
    named: Mapping[Any, Any] = outputs if isinstance(outputs, Mapping) else dict(enumerate(outputs))
    # `None` stands for an output that was not asked for, such as a loss.
    names = [name for name, value in named.items() if value is not None]
    if output is None and len(names) == 1:
        output = names[0]
    if output not in names:
        shown = ", ".join(repr(known) for known in names[:_SHOWN])
        got = "names none" if output is None else f"names {output!r}"
        msg = (
            f"model {name!r} has the outputs {shown}, and its table {got}; add output = one of them"
        )
        raise ModelError(msg)
    return named[output]


def import_extra(package: str, spec: "ModelSpec") -> Any:
    """Return a package that comes with the extra of this kind of model.

    Raises:
        ModelError: It is not installed; the message says how to install it.
    """
    try:
        return import_module(package)
    except ImportError as error:
        extra = declared("models", spec.kind).extra
        msg = (
            f"{spec.title}: kind {spec.kind!r} needs {package}, which cannot be "
            f'imported ({error}); install it with: pip install "pytest-fairness[{extra}]"'
        )
        raise ModelError(msg) from error


def unknown_name(what: str, name: str, allowed: Sequence[str]) -> str:
    """Return a complaint about a name, with the closest ones that are allowed."""
    return f"{what} {name!r} is not one of the {len(allowed):,} known ones{suggest(name, allowed, most=3)}"
