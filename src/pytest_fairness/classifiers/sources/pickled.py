"""Whole models that were pickled: refused, unless one run allows the code in them."""

import pickle
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from pytest_fairness.classifiers.files.checkpoint import check_sha256
from pytest_fairness.classifiers.files.pickles import refuse_pickle
from pytest_fairness.classifiers.files.zips import check_zip, is_torchscript
from pytest_fairness.classifiers.found import Found, Loading
from pytest_fairness.classifiers.sources.factory import found_in
from pytest_fairness.classifiers.sources.torchscript import load_torchscript
from pytest_fairness.doors.registry import declared
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from pytest_fairness.classifiers.classifier import Classifier
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["load_pickle", "load_torch_file"]

_CONVERT_TORCH = """\
  python -c "import torch; model = torch.load('{path}', weights_only=False, map_location='cpu').eval(); \\
    images = torch.zeros(2, 3, 224, 224); free = ({{0: torch.export.Dim('batch')}},); \\
    torch.export.save(torch.export.export(model, (images,), dynamic_shapes=free), '{stem}.pt2')\""""
_CONVERT_SKLEARN = """\
  pip install skl2onnx
  python -c "import joblib, numpy; from skl2onnx import to_onnx; model = joblib.load('{path}'); \\
    onnx = to_onnx(model, numpy.zeros((1, model.n_features_in_), 'float32'), options={{'zipmap': False}}); \\
    open('{stem}.onnx', 'wb').write(onnx.SerializeToString())\""""
_PYTHON: tuple[str, ...] = declared("models", "pickle").endings


def load_torch_file(spec: "ModelSpec", loading: Loading) -> "Found | Classifier":
    """Read a file that torch wrote: a TorchScript archive, or a pickled model.

    Raises:
        ModelError: As for the kind that its content tells.
    """
    load = load_torchscript if is_torchscript(spec.path or Path()) else load_pickle
    return load(spec, loading)


def load_pickle(spec: "ModelSpec", loading: Loading) -> "Found | Classifier":
    """Read a pickled model where that is allowed.

    Raises:
        ModelError: It is not allowed, the file is missing or broken, or it holds no model.
    """
    path = spec.path or Path()
    sha256 = check_sha256(path, spec.sha256)
    if not loading.allow_pickle:
        raise _refusal(path)
    try:
        made = _read(path)
    except Exception as error:  # a pickle can raise anything
        msg = f"{path}: unpickling it was allowed, and failed: {type(error).__name__}: {error}"
        raise ModelError(msg) from error
    notes = {
        "model_file": path.name,
        "model_sha256": sha256,
        "unpickled": f"{path.name} (allowed by --fairness-allow-pickle)",
    }
    found = found_in(made, spec, notes=notes)
    if isinstance(found, Found) and not isinstance(found.module, torch.nn.Module):
        return Found(
            found.module,
            found.labels,
            found.preprocess,
            found.score,
            weights_sha256=sha256,
            notes=notes,
        )
    return found


def _refusal(path: Path) -> ModelError:
    stem = path.with_suffix("")
    if path.suffix.lower() in _PYTHON:
        convert = _CONVERT_SKLEARN.format(path=path, stem=stem)
        return refuse_pickle(path, what="a pickled model", convert=convert)
    try:
        check_zip(path)
        torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError):
        convert = _CONVERT_TORCH.format(path=path, stem=stem)
        return refuse_pickle(path, what="a pickled module", convert=convert)
    return ModelError(
        f"{path}: holds weights without their network; name it (factory, or kind and architecture), "
        "with this file as weights"
    )


def _read(path: Path) -> Any:
    if path.suffix.lower() not in _PYTHON:
        return torch.load(path, map_location="cpu", weights_only=False)
    if path.suffix.lower() == ".joblib":
        return import_module("joblib").load(path)  # comes with scikit-learn, as the model does
    with path.open("rb") as file:
        return pickle.load(file)  # noqa: S301  (allowed for this run, and the record says so)
