"""Why a test failed, in pictures: the worst samples, where the model looked, what spoke for what."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from pytest_fairness.analyses.attention import attention_maps
from pytest_fairness.analyses.attribution import attribute
from pytest_fairness.analyses.lime import LimeExplanation, lime_explain
from pytest_fairness.errors import ModelError
from pytest_fairness.files import file_name
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.report.contact_sheet import Panel, SheetRow, write_sheet
from pytest_fairness.report.messages import describe
from pytest_fairness.report.worst import worst_samples

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.inference import Predictions

__all__ = ["Explainer"]

_LIME_SAMPLES = 1000
_GRID = 8


@dataclass(slots=True)
class Explainer:
    """Explanations of the failures of one model on one evaluation set. A sample is explained once.

    Args:
        classifier: The model under test.
        samples: What it was run on.
        predictions: What it answered.
        positive: The positive class; None where there is none.
        device: As for `predict`.
    """

    classifier: "Classifier"
    samples: "EvaluationSet"
    predictions: "Predictions"
    positive: str | None = None
    device: str = "auto"
    _rows: dict[str, SheetRow] = field(default_factory=dict)

    def explain(self, verdict: Verdict, folder: Path, *, most: int) -> Path | None:
        """Write a contact sheet of the worst samples of a failing group.

        Args:
            verdict: The failure.
            folder: Where the PNG is written; made when it is missing.
            most: Samples on the sheet.

        Returns:
            The file; None where no sample counts against the group.
        """
        ids = worst_samples(verdict, self.predictions, most=most, positive=self.positive)
        place = {name: i for i, name in enumerate(self.samples.samples["id"])}
        rows = [self._row(name, place[name]) for name in ids if name in place]
        if not rows:
            return None
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / file_name(verdict.question, ending=".png")
        write_sheet(path, title=describe(verdict), rows=rows)
        return path

    def _row(self, name: str, position: int) -> SheetRow:
        if name not in self._rows:
            self._rows[name] = self._explained(name, position)
        return self._rows[name]

    def _explained(self, name: str, position: int) -> SheetRow:
        image = self.samples.images.read(position)
        pixels = np.asarray(image)
        classes = tuple(self.classifier.class_labels)
        true = str(self.samples.samples["target"].iloc[position])
        found, note = self._lime(pixels)
        called = classes[int(found.probabilities.argmax())]
        panels = [
            Panel("image", pixels),
            self._attention(pixels, position, called),
            *(
                Panel(
                    f"LIME, {one}",
                    pixels,
                    for_=found.mask(i),
                    against=found.mask(i, positive=False),
                )
                for i, one in enumerate(classes)
                if one in (called, true)
            ),
        ]
        chance = found.probabilities[classes.index(called)]
        text = f"{name}\ntrue: {true}\npredicted: {called} ({chance:.2f})"
        return SheetRow(f"{text}\n{note}" if note else text, tuple(panels))

    def _lime(self, pixels: "NDArray[np.uint8]") -> tuple[LimeExplanation, str]:
        note, segments = "", None
        try:
            import skimage  # noqa: F401, PLC0415  (an extra)
        except ImportError:
            note = "no scikit-image: a grid instead of superpixels"
            segments = _grid(pixels.shape[:2])
        rng = np.random.default_rng(0)
        found = lime_explain(
            self.classifier,
            pixels,
            top_labels=len(self.classifier.class_labels),
            samples=_LIME_SAMPLES,
            segments=segments,
            rng=rng,
            device=self.device,
        )
        return found, note

    def _attention(self, pixels: "NDArray[np.uint8]", position: int, called: str) -> Panel:
        images = self.classifier.preprocess(self.samples.images.read(position))[None]
        try:
            maps = attention_maps(self.classifier, images, target=called, device=self.device)
        except ModelError as error:
            return self._occluded(pixels, images, called) or Panel(
                f"no Grad-CAM: {error}", pixels, grey=True
            )
        heat = torch.nn.functional.interpolate(
            maps.maps[:, :1], size=pixels.shape[:2], mode="bilinear", align_corners=False
        )
        return Panel(f"Grad-CAM, {called}", pixels, heat=heat[0, 0].numpy())

    def _occluded(
        self, pixels: "NDArray[np.uint8]", images: torch.Tensor, called: str
    ) -> Panel | None:
        """What hiding squares costs the class, for models without a map to look at."""
        label = self.classifier.class_labels[called][0]
        column = torch.tensor([self.classifier.labels.index(label)])
        side = max(min(images.shape[2:]) // _GRID, 1)
        try:
            found = attribute(
                self.classifier,
                images,
                column,
                method="occlusion",
                window=2 * side,
                stride=side,
                device=self.device,
            )
        except (ModelError, ModuleNotFoundError):
            return None
        heat = found.clamp(min=0)[:, None]
        heat = heat / heat.amax().clamp(min=1e-7)
        heat = torch.nn.functional.interpolate(heat, size=pixels.shape[:2], mode="bilinear")
        return Panel(
            f"occlusion, {called}: no layers for Grad-CAM", pixels, heat=heat[0, 0].numpy()
        )


def _grid(shape: tuple[int, ...]) -> "NDArray[np.int64]":
    """Numbers of square segments."""
    rows, columns = (np.minimum(np.arange(side) * _GRID // side, _GRID - 1) for side in shape)
    return rows[:, None] * _GRID + columns[None, :]
