"""TorchScript archives: legacy, since PyTorch replaced it by `torch.export`.

An archive is a program in a language of its own. Its pickles are read by torch in C++, which calls no
Python, but its operators can read and write files; those are refused.
"""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers.files.checkpoint import check_sha256
from pytest_fairness.classifiers.files.zips import is_torchscript, read_zip, written_zip
from pytest_fairness.classifiers.found import Found, Loading, pick_output
from pytest_fairness.classifiers.preprocessing.layouts import Layout, laid_out
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["load_torchscript"]

_TOUCHES_FILES = re.compile(r"\btorch\.(save|from_file)\s*\(")
# Operators of other libraries print as ops.<library>.<name>; only these are known to be harmless.
_LIBRARY = re.compile(r"\bops\.(?!(?:prim|prims|aten|torchvision|quantized)\b)(\w+\.\w+)")


def load_torchscript(spec: "ModelSpec", loading: Loading) -> Found:
    """Read a TorchScript archive. Operators that touch files must be allowed.

    Raises:
        ModelError: The file is missing, is no such archive, or its code reads or writes files.
    """
    path = spec.path or Path()
    sha256 = check_sha256(path, spec.sha256)
    if not is_torchscript(path):
        msg = (
            f"{path}: not a TorchScript archive; for weights name their network (factory, or kind "
            "and architecture), and give them as weights"
        )
        raise ModelError(msg)
    try:
        members = read_zip(path)
    except ValueError as error:
        msg = f"{path}: not a whole TorchScript archive ({error}); build it anew"
        raise ModelError(msg) from error
    found = _file_operators(members)
    if found and not loading.allow_pickle:
        msg = (
            f"{path}: its TorchScript code calls {', '.join(found)}, which can read or write files or "
            "run what another library brings; export the model without it, or allow it for one run "
            "with --fairness-allow-pickle, which the record then says"
        )
        raise ModelError(msg)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that TorchScript is deprecated is in the record
            module = torch.jit.load(written_zip(members), map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        msg = (
            f"{path}: not a whole TorchScript archive ({error}); export the model with torch.export"
        )
        raise ModelError(msg) from error
    notes = {
        "model_file": path.name,
        "model_sha256": sha256,
        "legacy": "TorchScript is deprecated by PyTorch; export the model with torch.export (.pt2)",
    }
    notes |= {"unpickled": f"{path.name} (allowed by --fairness-allow-pickle)"} if found else {}
    return Found(_Scripted(module, spec=spec).eval(), notes=notes)


def _file_operators(members: Mapping[str, bytes]) -> list[str]:
    """Operators in the code of an archive that can read or write files, or are of other libraries."""
    found: set[str] = set()
    for name, content in members.items():
        if name.endswith(".py"):
            code = content.decode("utf-8", errors="replace")
            found |= {f"torch.{match[1]}" for match in _TOUCHES_FILES.finditer(code)}
            found |= {f"ops.{match[1]}" for match in _LIBRARY.finditer(code)}
    return sorted(found)


class _Scripted(nn.Module):
    """A script with its layout and output."""

    def __init__(self, script: nn.Module, *, spec: "ModelSpec") -> None:
        super().__init__()
        self.script = script
        self.name = spec.name
        self.output = spec.output
        self.layout: Layout | None = spec.layout

    @override
    def forward(self, images: torch.Tensor) -> Any:
        return pick_output(self.script(laid_out(images, self.layout)), self.output, name=self.name)
