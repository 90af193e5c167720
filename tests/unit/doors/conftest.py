"""Packages that are installed for one test: a module and its entry points."""

import sys

import pytest

from pytest_fairness.doors import registry


@pytest.fixture
def install(tmp_path, monkeypatch):
    """Put a package on the path: `install("acme", {"readers": {"acme": "acme_doors:READER"}}, code)`."""
    monkeypatch.setattr(registry, "_SHELVES", {})
    registry.touch()
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(package: str, points: dict[str, dict[str, str]], code: str = "") -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        groups = [
            f"[pytest_fairness.{door}]\n" + "".join(f"{name} = {at}\n" for name, at in some.items())
            for door, some in points.items()
        ]
        (info / "entry_points.txt").write_text("\n".join(groups))
        (tmp_path / f"{package}_doors.py").write_text(code)

    yield put
    registry.touch()
    for name in [name for name in sys.modules if name.endswith("_doors")]:
        del sys.modules[name]
