"""ONNX files through onnxruntime (extra `onnx`): a graph of known operators and no code."""

import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import torch

from pytest_fairness.classifiers.files.checkpoint import check_sha256
from pytest_fairness.classifiers.found import Found, Loading, import_extra, pick_output
from pytest_fairness.classifiers.preprocessing.batches import in_fixed_batches
from pytest_fairness.classifiers.preprocessing.casts import as_tensor
from pytest_fairness.classifiers.preprocessing.layouts import laid_out
from pytest_fairness.classifiers.sources.inputs import as_input, check_pixels
from pytest_fairness.errors import ModelError
from pytest_fairness.hashing import sha256_of

if TYPE_CHECKING:
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["load_onnx"]

_TYPES = {
    "tensor(float)": torch.float32,
    "tensor(float16)": torch.float16,
    "tensor(double)": torch.float64,
    "tensor(uint8)": torch.uint8,
    "tensor(uint16)": torch.uint16,
    "tensor(int8)": torch.int8,
    "tensor(int16)": torch.int16,
    "tensor(int32)": torch.int32,
    "tensor(int64)": torch.int64,
}
_CPU = "CPUExecutionProvider"


def load_onnx(spec: "ModelSpec", _: Loading) -> Found:
    """Read an ONNX file and the data files that it names beside it.

    Raises:
        ModelError: onnxruntime is missing; the file is missing or broken, or names data outside of
            its folder; a provider is not available; it has several inputs.
    """
    onnx, onnxruntime = (import_extra(package, spec) for package in ("onnx", "onnxruntime"))
    path = spec.path or Path()
    sha256 = check_sha256(path, spec.sha256)
    data = _data_files(path, onnx)
    session = _session(spec, path, onnxruntime)
    whole = hashlib.sha256("".join([sha256, *map(sha256_of, data)]).encode()).hexdigest()
    notes = {
        "model_file": path.name,
        "model_sha256": sha256,
        "onnxruntime": onnxruntime.__version__,
        "providers": ", ".join(session.get_providers()),
    }
    return Found(OnnxModel(session, spec), weights_sha256=whole if data else sha256, notes=notes)


def _data_files(path: Path, onnx: Any) -> list[Path]:
    """Return the files beside an ONNX file that hold its tensors; a path out of the folder is refused."""
    try:
        graph = onnx.load(path, load_external_data=False).graph
    except Exception as error:  # protobuf's own error is no subclass of a common one
        msg = f"{path}: not an ONNX file ({type(error).__name__}); export the model again"
        raise ModelError(msg) from error
    names = {
        entry.value
        for tensor in graph.initializer
        for entry in tensor.external_data
        if entry.key == "location"
    }
    for name in sorted(names):
        parts = PurePosixPath(name.replace("\\", "/"))
        if parts.is_absolute() or ".." in parts.parts or not (path.parent / name).is_file():
            msg = (
                f"{path}: names the data file {name!r}, which is not in its folder; put it beside the "
                "model, or save the model with its data inside"
            )
            raise ModelError(msg)
    return [path.parent / name for name in sorted(names)]


def _session(spec: "ModelSpec", path: Path, onnxruntime: Any) -> Any:
    available = onnxruntime.get_available_providers()
    for provider in spec.providers:
        if provider not in available:
            msg = (
                f"{spec.title}: provider {provider!r} is not available here; "
                f"available are {', '.join(available)}"
            )
            raise ModelError(msg)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3  # errors: warnings are about speed
    try:
        providers = [_strict(provider) for provider in spec.providers or [_CPU]]
        return onnxruntime.InferenceSession(path, options, providers=providers)
    except Exception as error:  # onnxruntime's errors share no base class
        msg = f"{path}: onnxruntime cannot load it: {error}; check the operators and the opset"
        raise ModelError(msg) from error


def _strict(provider: str) -> str | tuple[str, dict[str, str]]:
    """Return a provider that computes 32-bit numbers as such: on cards, TF32 is its default."""
    return (provider, {"use_tf32": "0"}) if provider == "CUDAExecutionProvider" else provider


class OnnxModel:
    """An ONNX session called like a module: (N, C, H, W) float32 -> (N, K)."""

    def __init__(self, session: Any, spec: "ModelSpec") -> None:
        inputs = session.get_inputs()
        if len(inputs) != 1 or inputs[0].type not in _TYPES:
            shown = ", ".join(f"{one.name}: {one.type}" for one in inputs)
            msg = (
                f"{spec.path}: expected one input of numbers, got {shown}; export the model with its "
                "image as the only input"
            )
            raise ModelError(msg)
        self._session = session
        self._spec = spec
        self._input = inputs[0]
        self._dtype = _TYPES[inputs[0].type]
        check_pixels(spec, self._dtype)
        self._names = [one.name for one in session.get_outputs()]

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores (N, K).

        Raises:
            ModelError: The images do not fit the model's input.
        """
        images = as_input(laid_out(images.cpu(), self._spec.layout), self._dtype, self._spec)
        batch = self._input.shape[0] if self._input.shape else None
        if isinstance(batch, int) and batch > 0:
            return in_fixed_batches(self._run, images, size=batch)
        return self._run(images)

    def _run(self, images: torch.Tensor) -> torch.Tensor:
        try:
            found = self._session.run(None, {self._input.name: images.numpy()})
        except Exception as error:  # onnxruntime's errors share no base class
            msg = (
                f"model {self._spec.name!r} takes {self._input.shape} and got images of shape "
                f"{tuple(images.shape)}: {error}; correct preprocessing or layout"
            )
            raise ModelError(msg) from error
        outputs = dict(zip(self._names, found, strict=True))
        scores = pick_output(outputs, self._spec.output, name=self._spec.name)
        return as_tensor(scores, title=f"model {self._spec.name!r}: the output with its scores")
