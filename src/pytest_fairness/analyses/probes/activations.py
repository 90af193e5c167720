"""What the layers of a model hold while it looks at an evaluation set."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from pytest_fairness.analyses.probes.layers import choose_layers, named_layers
from pytest_fairness.analyses.probes.pooling import Pooling, pool_activations
from pytest_fairness.errors import DataError, ModelError
from pytest_fairness.inference.as_found import left_as_found
from pytest_fairness.inference.device import choose_device
from pytest_fairness.inference.forward import Forward

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["Activations", "capture_activations"]


@dataclass(frozen=True, slots=True, eq=False)
class Activations:
    """Pooled activations of N images.

    Args:
        model: Name of the model.
        ids: The N sample ids.
        positions: Where each of them is in the evaluation set, (N,): all but unreadable images,
            where the set allows for some.
        layers: Layer -> (N, C, h, w) or (N, C) float32 on the CPU, in the order of the network.
        calls: Layer -> how often it ran in one pass; its first run is what is kept.
        silent: Layers that were chosen automatically but gave no tensor (N, ...).
    """

    model: str
    ids: tuple[str, ...]
    positions: NDArray[np.int64]
    layers: Mapping[str, torch.Tensor]
    calls: Mapping[str, int]
    silent: tuple[str, ...] = ()


def capture_activations(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    *,
    layers: Sequence[str] | int = 12,
    pool: int = 8,
    pooling: Pooling = "average",
    device: str = "auto",
    batch_size: int = 64,
) -> Activations:
    """Run a model over an evaluation set and keep what its layers give.

    The hooks are removed and the model is left as found, also after an error. Maps are pooled
    within the pass, so that memory is that of the pooled maps and of one batch. Where a layer
    runs several times a pass (mirrored crops), its first run counts.

    Args:
        classifier: The model; its module must be an `nn.Module`.
        evaluation_set: The images.
        layers: Names of submodules, or how many automatically chosen ones at most.
        pool: Most positions of a map along each axis; 8 in the paper, 1 for channel means.
        pooling: `average` or `subsample`.
        device: As in `predict`.
        batch_size: Images in a batch; halved when the device's memory runs out.

    Raises:
        ModelError: The module is no `nn.Module`, a name is unknown, or a named layer gives no
            tensor (N, ...).
        DataError: An image cannot be decoded, and the evaluation set allows for none.
    """
    module = classifier.module
    if not isinstance(module, nn.Module):
        msg = (
            f"model {classifier.name!r}: activations are read from an nn.Module, got "
            f"{type(module).__name__}; wrap the network in one"
        )
        raise ModelError(msg)
    chosen = choose_layers(module, layers) if isinstance(layers, int) else list(layers)
    recorder = _Recorder(named_layers(module, chosen), pool, pooling)
    where = choose_device(device)
    forward = Forward(classifier, device=where, batch_size=batch_size)
    broken: dict[int, DataError] | None = {} if evaluation_set.max_errors else None
    with left_as_found(module, where), recorder.attached(module):
        for scores in forward.scores(evaluation_set.images, broken=broken):
            recorder.keep(len(scores), len(evaluation_set))
    silent = tuple(name for name in chosen if name not in recorder.stored)
    if silent and not isinstance(layers, int):
        msg = (
            f"model {classifier.name!r}: layer {silent[0]!r} gives no tensor with one row an image "
            "when the model runs; name another layer"
        )
        raise ModelError(msg)
    read = np.setdiff1d(np.arange(len(evaluation_set)), list(broken or ()))
    return Activations(
        model=classifier.name,
        ids=tuple(evaluation_set.samples["id"].iloc[read]),
        positions=read,
        layers={name: recorder.stored[name][: len(read)] for name in chosen if name not in silent},
        calls=dict(recorder.calls),
        silent=silent,
    )


class _Recorder:
    """Pools what watched modules give in one pass, and files it when the pass has succeeded."""

    def __init__(self, watched: Mapping[str, nn.Module], pool: int, pooling: Pooling) -> None:
        self.watched = watched
        self.pool = pool
        self.pooling: Pooling = pooling
        self.stored: dict[str, torch.Tensor] = {}
        self.calls: dict[str, int] = {}
        self._pass: dict[str, torch.Tensor] = {}
        self._count: dict[str, int] = {}
        self._done = 0

    @contextmanager
    def attached(self, root: nn.Module) -> Iterator[None]:
        handles = [root.register_forward_pre_hook(self._begin)]
        try:
            for name, module in self.watched.items():
                handles.append(module.register_forward_hook(self._hook(name)))
            yield
        finally:
            for handle in handles:
                handle.remove()

    def keep(self, n: int, total: int) -> None:
        """File the pass over the next n images of `total`."""
        for name, values in self._pass.items():
            if values.ndim < 2 or len(values) != n:
                continue
            if name not in self.stored:
                if self._done:
                    continue
                self.stored[name] = torch.empty(total, *values.shape[1:])
            self.stored[name][self._done : self._done + n] = values
        self.calls = dict(self._count)
        self._done += n

    def _begin(self, *_: object) -> None:
        self._pass.clear()
        self._count.clear()

    def _hook(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(_module: nn.Module, _inputs: object, output: object) -> None:
            self._count[name] = self._count.get(name, 0) + 1
            fits = isinstance(output, torch.Tensor) and 2 <= output.ndim <= 4
            if fits and isinstance(output, torch.Tensor) and self._count[name] == 1:
                pooled = pool_activations(output, self.pool, pooling=self.pooling)
                self._pass[name] = pooled.cpu()

        return hook
