"""Attention of a model on an evaluation set: one number a sample, batch by batch."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_fairness.analyses.attention.maps import AttentionMaps, MapReader
from pytest_fairness.analyses.attention.scores import heatmap_score, mask_score
from pytest_fairness.analyses.attention.seen_masks import MaskReader
from pytest_fairness.analyses.attention.targets import Sign, Target
from pytest_fairness.errors import DataError, ModelError
from pytest_fairness.inference.prefetch import in_order
from pytest_fairness.statistics.arrays import Floats

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["AttentionObserved", "observe_attention"]

_BATCHES_AHEAD = 2


@dataclass(frozen=True, slots=True, eq=False)
class AttentionObserved:
    """Attention scores of every sample, in the order of the evaluation set.

    Args:
        mask_scores: Part -> Attention-IoU (N,) of the target's map and the part's mask; 0 where
            the map is 0 everywhere, nan where the image has no such part, or cannot be read.
        uniform: Part -> what a map without preference scores (N,); nan likewise.
        heatmap_scores: Label -> Attention-IoU (N,) of the target's map and the label's map; nan
            where one of them is 0 everywhere, or the image cannot be read.
        zero_map: (N,), where the target's map is 0 everywhere.
        unreadable: Ids of samples whose image cannot be read.
        layer: Name of the layer whose feature map was read.
    """

    mask_scores: Mapping[str, Floats]
    uniform: Mapping[str, Floats]
    heatmap_scores: Mapping[str, Floats]
    zero_map: NDArray[np.bool_]
    unreadable: tuple[str, ...]
    layer: str


class _Sample(NamedTuple):
    """One sample as the model sees it; nothing where its image cannot be read."""

    image: torch.Tensor | None
    masks: torch.Tensor | None


def observe_attention(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    *,
    parts: Sequence[str] = (),
    against: Sequence[str | int] = (),
    target: Target = None,
    sign: Sign = "positive",
    layer: str | None = None,
    heatmap_size: int | None = 224,
    device: str = "auto",
    batch_size: int = 64,
    autocast: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> AttentionObserved:
    """Return the mask scores of parts and the heatmap scores against labels, for every sample.

    All maps of a batch come from one forward pass; no more than a few batches are in memory. Masks
    go through the classifier's own preprocessing, so that a crop crops them too.

    Args:
        classifier: The model under test; it is left as it was found.
        evaluation_set: What it is run on.
        parts: Parts of the evaluation set's masks.
        against: Labels or classes whose maps the target's map is compared with, such as a
            protected attribute.
        target: What is explained: a class or label, or None for the predicted class.
        sign: As for `attention_maps`.
        layer: As for `attention_maps`.
        heatmap_size: Side to which maps are enlarged for heatmap scores; None for native size.
        device: `auto`, `cpu`, `cuda`, ...
        batch_size: Images in a batch, at least 1; halved when the device's memory runs out.
        autocast: Whether to compute in half precision where torch thinks it safe.
        progress: Called with the number of images done and of all images.

    Raises:
        DataError: The set has no masks or no such part; an image cannot be read and the
            evaluation does not bear it.
        ModelError: The model has no such layer or label, or no layers at all.
    """
    targets: list[Target] = [target, *against]
    reader = MapReader(
        classifier, target=targets, sign=sign, layer=layer, device=device, autocast=autocast
    )
    if batch_size < 1:
        msg = f"batch_size must be at least 1, got {batch_size}"
        raise ModelError(msg)
    masks = MaskReader.of(classifier, evaluation_set, parts) if parts else None
    found = _Found.empty(len(evaluation_set), parts, [str(label) for label in against])
    first = 0
    with reader.borrowed():
        for batch in _batches(classifier, evaluation_set, masks, batch_size=batch_size):
            readable = [i for i, sample in enumerate(batch) if sample.image is not None]
            places = np.array(readable, dtype=np.intp) + first
            for maps, part in reader.parts(_stacked(batch, classifier.name)):
                rows, places = places[: len(maps.maps)], places[len(maps.maps) :]
                chosen = [batch[i].masks for i in readable[part]]
                found.add(rows, maps, chosen, size=heatmap_size)
            first += len(batch)
            if progress is not None:
                progress(first, len(evaluation_set))
    unreadable = evaluation_set.samples["id"][~found.seen].tolist()
    return AttentionObserved(
        mask_scores=found.mask_scores,
        uniform=found.uniform,
        heatmap_scores=found.heatmap_scores,
        zero_map=found.zero_map,
        unreadable=tuple(unreadable),
        layer=reader.layer or "",
    )


@dataclass(slots=True)
class _Found:
    """The arrays that are filled batch by batch."""

    mask_scores: dict[str, Floats]
    uniform: dict[str, Floats]
    heatmap_scores: dict[str, Floats]
    zero_map: NDArray[np.bool_]
    seen: NDArray[np.bool_]

    @classmethod
    def empty(cls, n: int, parts: Sequence[str], labels: Sequence[str]) -> "_Found":
        return cls(
            mask_scores={part: np.full(n, np.nan) for part in parts},
            uniform={part: np.full(n, np.nan) for part in parts},
            heatmap_scores={label: np.full(n, np.nan) for label in labels},
            zero_map=np.zeros(n, dtype=bool),
            seen=np.zeros(n, dtype=bool),
        )

    def add(
        self,
        rows: NDArray[np.intp],
        maps: AttentionMaps,
        masks: Sequence[torch.Tensor | None],
        *,
        size: int | None,
    ) -> None:
        """Put in the scores of the samples at `rows`."""
        self.seen[rows] = True
        self.zero_map[rows] = maps.zero_map[:, 0].numpy()
        if self.mask_scores:
            stacked = torch.stack([mask for mask in masks if mask is not None])
            scores = mask_score(maps.maps[:, :1], stacked)
            values = scores.values.double().masked_fill(scores.empty_mask, torch.nan).numpy()
            uniform = scores.uniform.double().masked_fill(scores.empty_mask, torch.nan).numpy()
            for place, part in enumerate(self.mask_scores):
                self.mask_scores[part][rows] = values[:, place]
                self.uniform[part][rows] = uniform[:, place]
        if self.heatmap_scores:
            pairs = heatmap_score(maps.maps.double(), size=size).values[:, 0].numpy()
            for place, label in enumerate(self.heatmap_scores):
                self.heatmap_scores[label][rows] = pairs[:, place + 1]


def _batches(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    masks: MaskReader | None,
    *,
    batch_size: int,
) -> Iterator[list[_Sample]]:
    """Yield decoded samples, read ahead by threads."""

    def read(place: int) -> _Sample:
        try:
            picture = evaluation_set.images.read(place)
        except DataError:
            if evaluation_set.max_errors == 0:
                raise
            return _Sample(None, None)
        seen = None if masks is None else masks.read(place, size=picture.size)
        return _Sample(classifier.preprocess(picture), seen)

    ahead = (1 + _BATCHES_AHEAD) * batch_size
    with closing(in_order(read, len(evaluation_set), ahead=ahead)) as samples:
        while batch := list(islice(samples, batch_size)):
            yield batch


def _stacked(batch: list[_Sample], model: str) -> torch.Tensor:
    images = [sample.image for sample in batch if sample.image is not None]
    shapes = {tuple(image.shape) for image in images}
    if len(shapes) > 1 or any(len(shape) != 3 for shape in shapes):
        msg = (
            f"model {model!r}: attention maps need one image (C, H, W) a sample, all of one shape; "
            f"preprocessing gives {sorted(shapes)}"
        )
        raise ModelError(msg)
    return torch.stack(images) if images else torch.empty(0, 3, 1, 1)
