"""`torch.export` archives (.pt2): the graph, its weights, and no Python of the model."""

import logging
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers.files.checkpoint import check_sha256
from pytest_fairness.classifiers.files.zips import read_zip, written_zip
from pytest_fairness.classifiers.found import Found, Loading, pick_output
from pytest_fairness.classifiers.preprocessing.batches import in_fixed_batches
from pytest_fairness.classifiers.preprocessing.layouts import Layout, laid_out
from pytest_fairness.classifiers.sources.exported_check import unsafe_parts
from pytest_fairness.classifiers.sources.inputs import as_input, check_pixels
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["load_exported"]

_CONVERT = """\
  python -c "import torch; program = torch.export.load('{path}'); \\
    program.example_inputs = None; torch.export.save(program, 'plain.pt2')\""""
_SHOWN = 3
# Operators that compute something else while training, and the place of the argument that says so.
_TRAINING = ("batch_norm", "dropout", "instance_norm", "native_dropout")


def load_exported(spec: "ModelSpec", loading: Loading) -> Found:
    """Read a `.pt2` file after checking that nothing in it can run.

    Raises:
        ModelError: The file is missing, broken, was exported while training, or could run code.
    """
    path = spec.path or Path()
    sha256 = check_sha256(path, spec.sha256)
    members, unsafe = _checked(path, allow_pickle=loading.allow_pickle)
    try:
        with warnings.catch_warnings(), _without_log():
            warnings.simplefilter("ignore")
            program = torch.export.load(written_zip(members))
            graph = program.module()
    except (RuntimeError, ValueError, AssertionError, KeyError, TypeError, OSError) as error:
        msg = f"{path}: not a whole torch.export archive ({error}); export the model again"
        raise ModelError(msg) from error
    _refuse_training(program, path)
    inputs = _inputs(program)
    dtype = inputs[0].dtype if inputs else torch.float32
    check_pixels(spec, dtype)
    module = _Exported(graph, spec=spec, batch=_batch_size(inputs), dtype=dtype)
    notes = {"model_file": path.name, "model_sha256": sha256}
    return Found(
        module,
        notes=notes
        | ({"unpickled": f"{path.name} (allowed by --fairness-allow-pickle)"} if unsafe else {}),
    )


def _checked(path: Path, *, allow_pickle: bool) -> tuple[dict[str, bytes], bool]:
    """Return the members of an archive, and whether it could run code and is allowed to."""
    try:
        members = read_zip(path)
        unsafe = unsafe_parts(members)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        msg = f"{path}: not a torch.export archive ({error}); export the model again"
        raise ModelError(msg) from error
    if unsafe and not allow_pickle:
        more = f" and {len(unsafe) - _SHOWN} more" if len(unsafe) > _SHOWN else ""
        msg = (
            f"{path}: this archive could run code when it is read: {'; '.join(unsafe[:_SHOWN])}{more}. "
            "Where you trust it, write it anew without that:\n"
            f"{_CONVERT.format(path=path)}\n"
            "or allow it for one run with --fairness-allow-pickle, which the record then says"
        )
        raise ModelError(msg)
    return members, bool(unsafe)


@contextmanager
def _without_log() -> Iterator[None]:
    """Without torch's remarks on a file that was checked before, or allowed."""
    logger = logging.getLogger("torch")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def _refuse_training(program: Any, path: Path) -> None:
    """Refuse a graph with batch statistics or dropout: its scores would depend on the batch."""
    for node in program.graph.nodes:
        schema = getattr(node.target, "_schema", None)
        if schema is None or not schema.name.split("::")[-1].startswith(_TRAINING):
            continue
        names = [argument.name for argument in schema.arguments]
        values = dict(zip(names, node.args, strict=False)) | node.kwargs
        if any(values.get(key) is True for key in ("training", "train", "use_input_stats")):
            msg = (
                f"{path}: exported while training ({schema.name.split('::')[-1]}), so scores depend on "
                "the batch and on chance; call model.eval() before torch.export.export"
            )
            raise ModelError(msg)


def _inputs(program: Any) -> list[torch.Tensor]:
    """The inputs of the graph that are tensors: their shapes and types, without values."""
    names = program.graph_signature.user_inputs
    found = [node.meta["val"] for node in program.graph.nodes if node.name in names]
    return [value for value in found if isinstance(value, torch.Tensor)]


def _batch_size(inputs: Sequence[torch.Tensor]) -> int | None:
    """Images in a batch where the archive fixes it; None where it is free."""
    fixed = inputs and inputs[0].shape and isinstance(inputs[0].shape[0], int)
    return int(inputs[0].shape[0]) if fixed else None


class _Exported(nn.Module):
    """The graph of an archive as a module that may be put into evaluation mode."""

    def __init__(
        self, graph: nn.Module, *, spec: "ModelSpec", batch: int | None, dtype: torch.dtype
    ) -> None:
        super().__init__()
        self.graph = graph
        self.spec = spec
        self.dtype = dtype
        self.name = spec.name
        self.output = spec.output
        self.layout: Layout | None = spec.layout
        self.batch = batch

    @override
    def train(self, mode: bool = True) -> Self:
        """Set the flag only: an exported graph has one mode, that of its export."""
        self.training = mode
        return self

    @override
    def forward(self, images: torch.Tensor) -> Any:
        images = as_input(laid_out(images, self.layout), self.dtype, self.spec)
        if self.batch is None:
            return self._run(images)
        return in_fixed_batches(self._run, images, size=self.batch)

    def _run(self, images: torch.Tensor) -> Any:
        return pick_output(self.graph(images), self.output, name=self.name)
