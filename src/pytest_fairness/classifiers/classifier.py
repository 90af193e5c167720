"""The model under test as the gate sees it: a module plus everything needed to read its scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from pytest_fairness.classifiers.tagging import LabelRule
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

__all__ = ["Classifier", "Preprocessing", "ScoreMeaning"]

ScoreMeaning = Literal["logit", "probability", "log_probability"]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """Resize an RGB image to a square and normalise it, channel by channel.

    Args:
        size: Side of the square in pixels.
        mean: Mean of each RGB channel on the 0 to 1 scale.
        std: Standard deviation of each RGB channel on the 0 to 1 scale.

    Example:
        >>> from PIL import Image
        >>> Preprocessing(size=8)(Image.new("RGB", (64, 64))).shape
        torch.Size([3, 8, 8])
    """

    size: int
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)

    def __call__(self, image: "Image") -> "torch.Tensor":
        """Return the image as (3, size, size) float32."""
        import numpy as np  # noqa: PLC0415  (a policy can be read without numpy and torch)
        import torch  # noqa: PLC0415
        from PIL.Image import Resampling  # noqa: PLC0415

        if image.size != (self.size, self.size):
            image = image.resize((self.size, self.size), Resampling.BILINEAR)
        pixels = np.asarray(image, dtype=np.float32) / 255.0
        mean, std = (np.asarray(part, dtype=np.float32) for part in (self.mean, self.std))
        pixels = (pixels - mean) / std
        return torch.from_numpy(np.ascontiguousarray(pixels.transpose(2, 0, 1)))


@dataclass(frozen=True, slots=True)
class Classifier:
    """A model under test: its scores, what they mean, and which class each label speaks for.

    Args:
        name: Name in reports, the same as the pytest fixture's.
        module: Called with images (N, C, H, W) float32, returns scores (N, K).
        labels: The K names of the score columns, in order.
        preprocess: One RGB `PIL.Image` -> one (C, H, W) float32 tensor.
        score: What a score means; never guessed from its values.
        classes: Class of the target -> the labels that speak for it; None when the labels are
            the classes. The class with the highest score is predicted.
        tagging: Which of the labels an image is given, of a multi-label model; written beside the
            class as `predicted_labels`.
        reduce: How the scores of a class's labels become one: the largest (`max`), the sum of
            probabilities (`sum`), or of exponentials on the scale of logits (`logsumexp`).
        activation: What turns logits into probabilities, `softmax` or `sigmoid`.
        nondeterministic: Whether a model whose answers are no function of the image is refused
            (`refuse`), or judged, and the record and the summary say so (`tell`).
        weights_sha256: Hash of what decides the scores; that of the module's weights when empty.
        notes: What the run record says beside: the file of the model, its hash.

    Raises:
        ModelError: Labels repeat, `classes` names a label that the model does not have,
            `tagging` is given and the scores are no logits, or `reduce` needs an `activation`.
    """

    name: str
    module: "Callable[[torch.Tensor], torch.Tensor]"
    labels: tuple[str, ...]
    preprocess: "Callable[[Image], torch.Tensor]"
    score: ScoreMeaning = "logit"
    classes: Mapping[str, tuple[str, ...]] | None = None
    tagging: LabelRule | None = None
    reduce: Literal["max", "sum", "logsumexp"] = "max"
    activation: Literal["softmax", "sigmoid"] | None = None
    nondeterministic: Literal["refuse", "tell"] = "refuse"
    weights_sha256: str = ""
    notes: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(set(self.labels)) != len(self.labels):
            repeated = sorted({label for label in self.labels if self.labels.count(label) > 1})
            msg = f"model {self.name!r}: labels must be unique, got {repeated} more than once"
            raise ModelError(msg)
        if self.tagging is not None and self.score != "logit":
            msg = (
                f"model {self.name!r}: tagging reads logits, got score = {self.score!r}; give the "
                "logits of the labels"
            )
            raise ModelError(msg)
        if self.reduce == "sum" and self.score == "logit" and self.activation is None:
            msg = (
                f"model {self.name!r}: reduce = 'sum' adds probabilities, and the scores are logits; "
                "give activation = 'softmax' (one label an image) or 'sigmoid' (several)"
            )
            raise ModelError(msg)
        for target, labels in (self.classes or {}).items():
            unknown = [label for label in labels if label not in self.labels]
            if unknown or not labels:
                msg = (
                    f"model {self.name!r}: class {target!r} reads labels {list(labels)}, but the "
                    f"model has no label {unknown}; its labels are {_shorten(self.labels)}"
                )
                raise ModelError(msg)

    @property
    def class_labels(self) -> dict[str, tuple[str, ...]]:
        """The labels of each class of the target."""
        if self.classes is None:
            return {label: (label,) for label in self.labels}
        return {name: tuple(labels) for name, labels in self.classes.items()}


def _shorten(names: tuple[str, ...], limit: int = 12) -> str:
    shown = ", ".join(repr(name) for name in names[:limit])
    return f"{shown}, … ({len(names)} in all)" if len(names) > limit else shown
