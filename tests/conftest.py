"""Heavy imports happen once, before pytester runs pytest inside this process.

A second import of torch in one process crashes, and pytester forgets modules it saw imported.
"""

import itertools
from pathlib import Path

import numpy as np  # noqa: F401
import pandas as pd  # noqa: F401
import pytest
import torch
import torchvision  # noqa: F401

torch.set_num_threads(1)
_NUMBER = itertools.count()


@pytest.fixture(scope="session")
def _caches(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("caches")


@pytest.fixture(autouse=True)
def cache_dir(_caches: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test a cache of its own: none finds what another one computed, or a user did."""
    folder = _caches / str(next(_NUMBER))
    monkeypatch.setenv("FAIRNESS_CACHE_DIR", str(folder))
    return folder
