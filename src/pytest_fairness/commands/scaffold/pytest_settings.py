"""Where a repository keeps its pytest settings, and whether they name the policy already."""

import configparser
import tomllib
from dataclasses import dataclass
from pathlib import Path

from pytest_fairness.commands.scaffold.problem import InitError

__all__ = ["PytestSettings", "find_settings"]

# In the order in which pytest looks; the first four count even when they are empty.
_TOML = ("pytest.toml", ".pytest.toml")
_INI = ("pytest.ini", ".pytest.ini")


@dataclass(frozen=True, slots=True)
class PytestSettings:
    """The file with the pytest settings of a repository.

    Args:
        file: The file.
        table: Header of its table, `[tool.pytest]`.
        policy: What it says as `fairness_policy`; empty where it is silent.
    """

    file: Path
    table: str
    policy: str = ""

    def line(self, policy: str) -> str:
        """Return the line to add, in the format of the file."""
        quoted = f'"{policy}"' if self.file.suffix == ".toml" else policy
        return f"fairness_policy = {quoted}"


def find_settings(root: Path) -> PytestSettings | None:
    """Return the settings that pytest reads in a folder, or None where there are none.

    Raises:
        InitError: A file cannot be read.
    """
    for name in (*_TOML, *_INI, "pyproject.toml", "tox.ini", "setup.cfg"):
        path = root / name
        if not path.is_file():
            continue
        try:
            found = _of_toml(path) if path.suffix == ".toml" else _of_ini(path)
        except (tomllib.TOMLDecodeError, configparser.Error, UnicodeDecodeError) as error:
            msg = f"{path}: cannot be read, so the settings of pytest are not known: {error}"
            raise InitError(msg) from error
        if found is not None:
            return found
    return None


def _of_toml(path: Path) -> PytestSettings | None:
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    if path.name in _TOML:
        return PytestSettings(path, "[pytest]", _policy(values.get("pytest", {})))
    pytest = values.get("tool", {}).get("pytest")
    if pytest is None:
        return None
    old = pytest.get("ini_options")
    if old is None:
        return PytestSettings(path, "[tool.pytest]", _policy(pytest))
    return PytestSettings(path, "[tool.pytest.ini_options]", _policy(old))


def _of_ini(path: Path) -> PytestSettings | None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    parser.read(path, encoding="utf-8")
    section = "tool:pytest" if path.suffix == ".cfg" else "pytest"
    if parser.has_section(section):
        return PytestSettings(path, f"[{section}]", _policy(dict(parser[section])))
    return PytestSettings(path, "[pytest]") if path.name in _INI else None


def _policy(table: dict[str, object]) -> str:
    return str(table.get("fairness_policy", "")).strip()
