"""Grad-CAM maps of any classifier: the trunk runs once, without gradients, for all targets."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from pytest_fairness.analyses.attention.capture import Pass, run_pass, to_map
from pytest_fairness.analyses.attention.heads import closed_form_weights, find_head, holds
from pytest_fairness.analyses.attention.layers import find_layer, named_layer, traced
from pytest_fairness.analyses.attention.targets import (
    Sign,
    Target,
    Targets,
    chosen_columns,
    read_targets,
)
from pytest_fairness.classifiers.scores import evidence_columns
from pytest_fairness.errors import ModelError
from pytest_fairness.inference.as_found import left_as_found
from pytest_fairness.inference.device import choose_device

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier

__all__ = ["AttentionMaps", "MapReader", "attention_maps"]

_EPSILON = 1e-7


@dataclass(frozen=True, slots=True, eq=False)
class AttentionMaps:
    """Attention maps of images, on the CPU.

    Args:
        maps: (N, T, h, w) float32, one map a target; 0 to 1 unless they were left unscaled.
        scores: (N, K) float32 scores of the model.
        columns: (N, T), the score column that each map explains.
        targets: Names of the targets.
        layer: Name of the layer whose feature map was read.
        closed_form: Whether no backward pass was needed.
    """

    maps: torch.Tensor
    scores: torch.Tensor
    columns: torch.Tensor
    targets: tuple[str, ...]
    layer: str
    closed_form: bool

    @property
    def zero_map(self) -> torch.Tensor:
        """The mask (N, T) of maps that are 0 everywhere: nothing in the image speaks for the target."""
        return (self.maps == 0).all(dim=-1).all(dim=-1)


def attention_maps(
    model: "Classifier | nn.Module",
    images: torch.Tensor,
    *,
    target: Target | Sequence[Target] = None,
    sign: Sign = "positive",
    layer: str | None = None,
    batch_size: int = 64,
    device: str | None = None,
    autocast: bool = False,
    scaled: bool = True,
    closed_form: bool = True,
) -> AttentionMaps:
    """Return the Grad-CAM maps of images, at the native size of the layer's feature map.

    A map is the ReLU of the feature maps' sum, each weighted by the mean gradient of the score
    before softmax; scaled, its minimum is taken off and it is divided by its maximum + 1e-7.

    Args:
        model: The model under test, left as it was found; a bare module has no labels.
        images: (N, C, H, W) float, preprocessed.
        target: Class, label or column of the scores, None for the predicted class, or several.
            Of a class with several labels the highest is explained.
        sign: `positive` explains the score, `absolute` its distance from 0.
        layer: Name as in `named_modules`; None for the last feature map, or for the last tokens
            that the class token reads.
        batch_size: Images in a batch, at least 1.
        device: `auto`, `cpu`, `cuda`, ...; None for where the model is.
        autocast: Whether to compute in half precision where torch thinks it safe.
        scaled: Whether to bring maps to 0 to 1, as the paper does.
        closed_form: Whether a linear or two-layer head is done without a backward pass.

    Raises:
        ModelError: No such layer, class or label; or the scores do not depend on the layer.

    Source: Selvaraju et al., "Grad-CAM", ICCV 2017; options of Serianni et al., CVPR 2025.

    Example:
        >>> net = nn.Sequential(nn.Conv2d(1, 1, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
        >>> _ = nn.init.ones_(net[0].weight), nn.init.zeros_(net[0].bias)
        >>> attention_maps(net, torch.eye(2)[None, None]).maps.squeeze()
        tensor([[1.0000, 0.0000],
                [0.0000, 1.0000]])
    """
    if images.ndim != 4 or not len(images):
        msg = f"images must be (N, C, H, W) with N of at least 1, got {tuple(images.shape)}"
        raise ValueError(msg)
    if batch_size < 1:
        msg = f"batch_size must be at least 1, got {batch_size}"
        raise ValueError(msg)
    reader = MapReader(
        model,
        target=target,
        sign=sign,
        layer=layer,
        device=device,
        autocast=autocast,
        scaled=scaled,
        closed_form=closed_form,
    )
    starts = range(0, len(images), batch_size)
    with reader.borrowed():
        parts = [
            maps for start in starts for maps, _ in reader.parts(images[start : start + batch_size])
        ]
    return AttentionMaps(
        maps=torch.cat([part.maps for part in parts]),
        scores=torch.cat([part.scores for part in parts]),
        columns=torch.cat([part.columns for part in parts]),
        targets=parts[0].targets,
        layer=parts[0].layer,
        closed_form=all(part.closed_form for part in parts),
    )


class MapReader:
    """Reads the maps of one batch after the other. The arguments are those of `attention_maps`."""

    def __init__(
        self,
        model: "Classifier | nn.Module",
        *,
        target: Target | Sequence[Target],
        sign: Sign = "positive",
        layer: str | None = None,
        device: str | None = None,
        autocast: bool = False,
        scaled: bool = True,
        closed_form: bool = True,
    ) -> None:
        self.classifier = None if isinstance(model, nn.Module) else model
        self.name = "module" if isinstance(model, nn.Module) else model.name
        self.module = _module_of(model)
        self.targets: Targets = read_targets(model, target, sign=sign)
        self.sign = sign
        self.device = _device_of(self.module, device)
        self.autocast = autocast
        self.scaled = scaled
        self.layer: str | None = None
        self.head: tuple[nn.Linear, ...] = ()
        self._asked = layer
        self._fits: int | None = None
        self._closed_form = closed_form

    @contextmanager
    def borrowed(self) -> Iterator[None]:
        """Put the model on the device, and leave it as it was afterwards."""
        # Tensors made in inference mode can take no part in a backward pass.
        with (
            left_as_found(self.module, self.device),
            torch.inference_mode(mode=False),
            torch.no_grad(),
        ):
            yield

    def parts(self, batch: torch.Tensor) -> Iterator[tuple[AttentionMaps, slice]]:
        """Yield the maps of a batch and which of its images they are, in halves where memory ends.

        Raises:
            ModelError: One image does not fit into memory.
        """
        first, size = 0, min(len(batch), self._fits or len(batch))
        while first < len(batch):
            part = slice(first, min(first + size, len(batch)))
            try:
                maps = self.read(batch[part])
            except torch.OutOfMemoryError as problem:
                if size == 1:
                    msg = f"model {self.name!r}: one image does not fit into {self.device}"
                    raise ModelError(msg) from problem
                size = self._fits = size // 2
                torch.cuda.empty_cache()  # does nothing where CUDA was never used
                continue
            yield maps, part
            first = part.stop

    def read(self, batch: torch.Tensor) -> AttentionMaps:
        """Return the maps of a batch (N, C, H, W). Call it within `borrowed`."""
        images = batch.to(self.device)
        layer = self.layer or self._look(images)
        with torch.autocast(self.device.type, enabled=self.autocast):
            done = self._run(images, layer, gradients=not self.head)
            if self.head and not holds(self.head, done, half=self.autocast):
                self.head = ()
                done = self._run(images, layer, gradients=True)
        columns = chosen_columns(done.scores, self.targets)
        weights = self._weights(done, columns, (images.shape[2], images.shape[3]))
        maps = _summed(done, weights, (images.shape[2], images.shape[3]))
        return AttentionMaps(
            maps=(_to_unit(maps) if self.scaled else maps).cpu(),
            scores=done.scores.detach().float().cpu(),
            columns=columns.cpu(),
            targets=self.targets.names,
            layer=layer,
            closed_form=bool(self.head),
        )

    def _run(self, images: torch.Tensor, layer: str, *, gradients: bool) -> Pass:
        done = run_pass(
            self.module, layer, images, heads=self.head, gradients=gradients, model=self.name
        )
        with torch.enable_grad():
            scores = self._columns(done.scores, len(images))
        shape = tuple(scores.shape) if isinstance(scores, torch.Tensor) else None
        if shape is None or len(shape) != 2 or shape[0] != len(images):
            got = type(scores).__name__ if shape is None else f"shape {shape}"
            msg = f"model {self.name!r}: expected scores ({len(images)}, K), got {got}"
            raise ModelError(msg)
        return done._replace(scores=scores)

    def _columns(self, outputs: Any, n: int) -> Any:
        """Return a column for each label; a module without labels keeps what it gives."""
        if self.classifier is None:
            return outputs
        return evidence_columns(self.classifier, outputs, n=n)

    def _look(self, images: torch.Tensor) -> str:
        """Run one image to see which layer to read, and whether the head is a simple one."""
        height, width = images.shape[2:]
        with traced(self.module, (height, width)) as trace, torch.no_grad():
            outputs = self.module(images[:1])
        if self._asked is None:
            self.layer = find_layer(trace, model=self.name)
        else:
            self.layer = named_layer(self.module, self._asked, trace, model=self.name)
        as_given = self._columns(outputs, 1) is outputs
        self.head = find_head(trace, self.layer) if self._closed_form and as_given else ()
        return self.layer

    def _weights(
        self, done: Pass, columns: torch.Tensor, image: tuple[int, int]
    ) -> list[torch.Tensor]:
        """Return the mean gradient (N, T, C) of each target over the map of each view."""
        sign = torch.ones_like(done.scores.detach()).float()
        if self.sign == "absolute":
            sign = done.scores.detach().float().sign()
        factor = sign.gather(1, columns)[..., None]
        if self.head:
            return [factor * weight for weight in closed_form_weights(self.head, done, columns)]
        found = _backward(done, columns, image, model=self.name, layer=str(self.layer))
        return [factor * weight for weight in found]


def _module_of(model: "Classifier | nn.Module") -> nn.Module:
    module = model if isinstance(model, nn.Module) else model.module
    if not isinstance(module, nn.Module):
        msg = (
            f"attention maps read the layers of an nn.Module, but the module of model "
            f"{getattr(model, 'name', '')!r} is a {type(module).__name__}"
        )
        raise ModelError(msg)
    return module


def _device_of(module: nn.Module, device: str | None) -> torch.device:
    if device is not None:
        return choose_device(device)
    tensors = (*module.parameters(), *module.buffers())
    return tensors[0].device if tensors else torch.device("cpu")


def _backward(
    done: Pass, columns: torch.Tensor, image: tuple[int, int], *, model: str, layer: str
) -> list[torch.Tensor]:
    """Differentiate the part after the layer, once for each target."""
    features = [view.features for view in done.views]
    with torch.enable_grad():
        chosen = done.scores.gather(1, columns).sum(dim=0).unbind()
    if not chosen[0].requires_grad:
        msg = f"model {model!r}: the scores do not depend on layer {layer!r}; name another layer"
        raise ModelError(msg)
    means: list[list[torch.Tensor]] = [[] for _ in features]
    for place, score in enumerate(chosen):
        more = place + 1 < len(chosen)
        for mean, grad in zip(
            means, torch.autograd.grad(score, features, retain_graph=more), strict=True
        ):
            mean.append(to_map(grad, image).mean(dim=(2, 3)))
    return [torch.stack(mean, dim=1) for mean in means]


def _summed(done: Pass, weights: Sequence[torch.Tensor], image: tuple[int, int]) -> torch.Tensor:
    """Return the maps (N, T, h, w): what the views say together, turned back, above 0."""
    total: torch.Tensor | None = None
    for view, weight in zip(done.views, weights, strict=True):
        features = to_map(view.features.detach(), image)
        one = torch.einsum("ntc,nchw->nthw", weight, features).flip(view.flip)
        total = one if total is None else total + one
    if total is None:
        msg = "a forward pass without the layer has no map"
        raise ModelError(msg)
    return total.relu()


def _to_unit(maps: torch.Tensor) -> torch.Tensor:
    """Take off each map's minimum and divide by its maximum; a zero map stays one."""
    maps = maps - maps.amin(dim=(-2, -1), keepdim=True)
    return (maps / (maps.amax(dim=(-2, -1), keepdim=True) + _EPSILON)).clamp(0, 1)
