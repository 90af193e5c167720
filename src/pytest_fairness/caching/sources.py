"""The source code that a module of the project runs, followed through its imports without running it.

Code is part of what decides a score. It is identified where it can only compute: it may import packages
whose version tells what they do, and other modules of the project, and may not ask for files, times,
the environment or chance outside of torch. What may is not identified, and its scores are not kept.
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path

__all__ = ["KNOWN_PACKAGES", "PURE_STANDARD", "Unidentified", "is_project", "source_files"]

KNOWN_PACKAGES = frozenset(
    [
        "PIL",
        "einops",
        "numpy",
        "pytest",
        "pytest_fairness",
        "safetensors",
        "scipy",
        "skimage",
        "sklearn",
        "timm",
        "torch",
        "torchvision",
        "transformers",
        "typing_extensions",
    ]
)
"""Packages whose version tells what they compute."""
PURE_STANDARD = frozenset(
    [
        "__future__",
        "abc",
        "collections",
        "contextlib",
        "copy",
        "dataclasses",
        "decimal",
        "enum",
        "fractions",
        "functools",
        "itertools",
        "json",
        "logging",
        "math",
        "numbers",
        "operator",
        "pathlib",
        "re",
        "statistics",
        "string",
        "struct",
        "types",
        "typing",
        "warnings",
    ]
)
"""Modules of the standard library that only compute, as long as no name of `_OUTSIDE` is used."""
# Names by which code reaches files, the environment, time, or code that its text does not show.
_OUTSIDE = frozenset(
    [
        "__builtins__",
        "__import__",
        "__subclasses__",
        "breakpoint",
        "compile",
        "environ",
        "eval",
        "exec",
        "fromfile",
        "from_file",
        "from_pretrained",
        "genfromtxt",
        "getenv",
        "glob",
        "globals",
        "hub",
        "input",
        "iterdir",
        "load",
        "load_file",
        "load_state_dict_from_url",
        "loadtxt",
        "locals",
        "memmap",
        "open",
        "read_bytes",
        "read_file",
        "read_image",
        "read_text",
        "rglob",
        "safe_open",
        "stat",
        "os",
        "sys",
        "time",
        "urlopen",
    ]
)


class Unidentified(Exception):  # noqa: N818  (it ends no run)
    """A model of which it cannot be told what decides its scores. The message says why."""


def is_project(module: str) -> bool:
    """Return whether a module is of the user's project: neither a package that is installed nor Python's.

    Example:
        >>> is_project("torch.nn"), is_project("collections.abc")
        (False, False)
    """
    root = module.split(".", maxsplit=1)[0]
    if root in KNOWN_PACKAGES or root in sys.stdlib_module_names:
        return False
    file = _file(module)
    return file is not None and not {"site-packages", "dist-packages"} & set(file.parts)


def source_files(module: str) -> dict[str, bytes]:
    """Return the modules of the project that a module imports, itself included, with hashes of their text.

    Imports within functions count, as do the packages that a module is in.

    Raises:
        Unidentified: One of them imports or uses what its text does not determine.
    """
    hashes: dict[str, bytes] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in hashes:
            continue
        file = _file(name)
        if file is None or file.suffix != ".py":
            msg = f"the source of module {name} is not at hand"
            raise Unidentified(msg)
        try:
            text = file.read_bytes()
            tree = ast.parse(text)
        except (OSError, ValueError, SyntaxError) as error:
            msg = f"the source of module {name} cannot be read: {error}"
            raise Unidentified(msg) from error
        hashes[name] = hashlib.sha256(text).digest()
        _refuse_outside(tree, file)
        package = name if file.name == "__init__.py" else name.rpartition(".")[0]
        parents = [name.rsplit(".", i)[0] for i in range(1, name.count(".") + 1)]
        waiting += [one for one in parents if _file(one) is not None]
        waiting += _imported(tree, package, file)
    return hashes


def _imported(tree: ast.AST, package: str, file: Path) -> Iterator[str]:
    """Yield the modules of the project that a text imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            kept = package.split(".")[: package.count(".") + 2 - node.level] if node.level else []
            base = ".".join([*kept, *([node.module] if node.module else [])])
            names = [(base, alias.name) for alias in node.names]
        else:
            continue
        for module, name in names:
            root = module.split(".")[0]
            if root in KNOWN_PACKAGES or root in PURE_STANDARD:
                continue
            if not is_project(module):
                msg = f"{file.name}, line {node.lineno}: {module} may decide scores by other means"
                raise Unidentified(msg)
            yield module
            if name and _file(f"{module}.{name}") is not None:
                yield f"{module}.{name}"


def _refuse_outside(tree: ast.AST, file: Path) -> None:
    for node in ast.walk(tree):
        name = {ast.Name: "id", ast.Attribute: "attr"}.get(type(node))
        used = getattr(node, name) if name else None
        if isinstance(node, ast.ImportFrom):
            used = next((one.name for one in node.names if one.name in _OUTSIDE), None)
        if used in _OUTSIDE:
            where = f"{file.name}, line {getattr(node, 'lineno', 0)}"
            msg = f"{where}: {used} may read what is not known to stay the same"
            raise Unidentified(msg)


def _file(module: str) -> Path | None:
    """Return the file of a module; None where there is none. Nothing is imported."""
    loaded = sys.modules.get(module)
    if loaded is not None:
        file = getattr(loaded, "__file__", None)
        return None if file is None else Path(file)
    parent, _, name = module.rpartition(".")
    if not parent:
        try:
            spec = importlib.util.find_spec(module)
        except (ImportError, ValueError):
            return None
        return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None
    for folder in _folders(parent):
        for file_path in (folder / name / "__init__.py", folder / f"{name}.py"):
            if file_path.is_file():
                return file_path
    return None


def _folders(package: str) -> list[Path]:
    loaded = sys.modules.get(package)
    if loaded is not None:
        return [Path(path) for path in getattr(loaded, "__path__", ())]
    file = _file(package)
    return [file.parent] if file is not None and file.name == "__init__.py" else []
