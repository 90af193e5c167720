"""What decides scores beside the model and its images: versions, machine, environment, settings."""

import functools
import hashlib
import os
import platform
import sys
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pytest_fairness.caching.sources import Unidentified

__all__ = [
    "engine_digest",
    "environment",
    "machine",
    "pillow_settings",
    "torch_settings",
    "versions",
]

_ROOMS = ("caching", "classifiers", "data", "inference")
_ALWAYS = ("torch", "torchvision", "numpy", "pillow", "safetensors", "scipy")
_DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "skimage": "scikit-image"}
_ENVIRONMENT = (
    *("TORCH", "PYTORCH", "CUDA", "CUDNN", "CUBLAS", "NVIDIA", "OMP_", "MKL_", "KMP_", "GOMP_"),
    *(
        "DNNL_",
        "ONEDNN_",
        "ATEN_",
        "OPENBLAS_",
        "BLIS_",
        "VECLIB_",
        "HIP_",
        "HSA_",
        "ROCM",
        "MIOPEN",
    ),
    *("LD_PRELOAD", "LD_LIBRARY_PATH", "DYLD_", "TIMM_", "FAIRNESS_"),
)
# Set by libraries themselves when they are loaded, or by us to find the cache.
_NOT_OF_SCORES = (
    *("CUDA_MODULE_LOADING", "KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK", "TORCHINDUCTOR_CACHE_DIR"),
    *("FAIRNESS_CACHE_DIR", "FAIRNESS_CACHE_SIZE"),
)
_CARDS = ("nvidia[0-9]*", "dxg", "kfd", "dri/renderD*")


@functools.cache
def engine_digest(*more: str) -> bytes:
    """Return a hash of the source of this package that computes scores.

    Its version alone would miss a change in place.

    Args:
        more: Other rooms that take part.
    """
    folder = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for file in sorted(file for room in (*_ROOMS, *more) for file in (folder / room).rglob("*.py")):
        text = file.read_bytes()
        digest.update(b"%s %d\n" % (file.relative_to(folder).as_posix().encode(), len(text)))
        digest.update(text)
    return digest.digest()


def versions(packages: Iterable[str] = ()) -> dict[str, str]:
    """Return the versions of Python and of the packages that compute scores.

    Args:
        packages: Import names of more packages.
    """
    names = {_DISTRIBUTIONS.get(name, name) for name in packages} | set(_ALWAYS)
    names -= {"pytest_fairness", "pytest"}
    return {"python": sys.version, **{name: _version(name) for name in sorted(names)}}


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "none"


@functools.cache
def machine() -> tuple[str, ...]:
    """Return what this machine computes with: its processor, the number of cores, its cards."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    cards = [str(path) for kind in _CARDS for path in sorted(Path("/dev").glob(kind))]
    return (platform.system(), platform.machine(), _processor(), str(cores), *cards, *_drivers())


def _processor() -> str:
    """The name of the processor and its instructions, which decide the last bits of a sum."""
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return platform.processor()
    first = text.split("\n\n")[0].splitlines()
    kept = [
        line for line in first if line.split(":")[0].strip() in ("model name", "flags", "Features")
    ]
    return "\n".join(kept) or platform.processor()


def _drivers() -> list[str]:
    file = Path("/proc/driver/nvidia/version")
    return [file.read_text(encoding="utf-8", errors="replace")] if file.is_file() else []


def environment() -> dict[str, str]:
    """Return the variables of the environment that libraries of numbers read."""
    return {
        name: value
        for name, value in sorted(os.environ.items())
        if name.startswith(_ENVIRONMENT) and name not in _NOT_OF_SCORES
    }


def pillow_settings() -> dict[str, Any]:
    """Return the settings of Pillow that decide which images can be read, and its libraries."""
    from PIL import Image, ImageFile, features  # noqa: PLC0415

    opened = {factory.__module__ for factory, _ in Image.OPEN.values()}
    libraries = {name: features.version(name) for name in ("jpg", "jpg_2000", "zlib")}
    return {
        "limit": Image.MAX_IMAGE_PIXELS,
        "truncated": ImageFile.LOAD_TRUNCATED_IMAGES,
        "plugins": sorted(name for name in opened if not name.startswith("PIL.")),
        **{name: str(found) for name, found in libraries.items()},
    }


def torch_settings() -> dict[str, Any]:
    """Return the settings of torch that change what it computes.

    Raises:
        Unidentified: A mode is active that could change any operation.
    """
    import torch  # noqa: PLC0415  (whoever asks has loaded it)

    stacks = (torch._C._len_torch_function_stack(), torch._C._len_torch_dispatch_stack())  # noqa: SLF001
    if any(stacks):
        msg = "a mode of torch is active that may change every operation"
        raise Unidentified(msg)
    backends: Any = torch.backends
    cudnn = backends.cudnn
    return {
        "dtype": str(torch.get_default_dtype()),
        "threads": torch.get_num_threads(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "cudnn": [cudnn.enabled, cudnn.benchmark, cudnn.deterministic],
        "mkldnn": backends.mkldnn.is_available() and backends.mkldnn.enabled,
        "flush": torch.tensor(1e-42).add(0).item() == 0,
        "reduced": [
            backends.cuda.matmul.allow_fp16_reduced_precision_reduction,
            backends.cuda.matmul.allow_bf16_reduced_precision_reduction,
        ],
        "attention": [
            backends.cuda.flash_sdp_enabled(),
            backends.cuda.mem_efficient_sdp_enabled(),
            backends.cuda.math_sdp_enabled(),
        ],
        "config": torch.__config__.show(),
    }
