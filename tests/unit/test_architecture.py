"""The shape of the source: layers import downwards only, and the gate uses public names only."""

import ast
from collections import Counter
from graphlib import CycleError, TopologicalSorter
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "pytest_fairness"
MODULES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

ORDER = (
    "wording",
    "errors",
    "hashing",
    "files",
    "statistics",
    "doors",
    "policy",
    "data",
    "classifiers",
    "caching",
    "inference",
    "analyses",
    "gate",
    "planning",
    "labelling",
    "report",
    "plugin",
)
"""The rooms from the ground up: each may import those before it."""
MAY_IMPORT = {room: set(ORDER[: place + 1]) for place, room in enumerate(ORDER)}
BESIDE = {
    "strategies": MAY_IMPORT["analyses"],
    "commands": {"commands", *MAY_IMPORT["report"]},
    "cli": {"cli", "commands", "errors", "wording"},
}
"""Rooms that no room of ORDER may import."""
MAY_IMPORT |= BESIDE
NEVER = {
    "gate.record": ("gate.estimates", "gate.baseline", "gate.decision", "gate.audit"),
    "gate.estimates": ("gate.baseline", "gate.decision", "gate.audit"),
    "gate.baseline": ("gate.decision", "gate.audit"),
    "gate.decision": ("gate.baseline", "gate.audit"),
    "statistics.metrics": ("statistics", "errors"),
    "statistics.intervals": (
        "statistics.metrics",
        "statistics.estimators",
        "statistics.comparisons",
        "statistics.power",
    ),
    "statistics.estimators": ("statistics.comparisons", "statistics.power"),
    "policy.text": ("policy.tables", "policy.rules", "policy.tightening"),
    "policy.tables": ("policy.rules", "policy.tightening"),
    "policy.rules": ("policy.tightening",),
    "classifiers.files": (
        "classifiers.sources",
        "classifiers.preprocessing",
        "classifiers.labels",
    ),
    "classifiers.labels": ("classifiers.sources", "classifiers.preprocessing"),
    "classifiers.preprocessing": ("classifiers.sources", "classifiers.labels"),
}
"""Within a room: what its parts never import, not even lazily or for types."""
FACADE = "pytest_fairness"
"""`pytest_fairness/__init__.py` only hands out what the rooms make public."""

GATE_FILES = sorted(
    [ROOT / "conftest.py"]
    + [
        file
        for folder in ("fairness_tests", "fixtures", "models")
        for file in (ROOT / folder).rglob("*.py")
    ]
)


class Import(NamedTuple):
    """`from module import name`, or `import module` with no name."""

    module: str
    name: str | None
    line: int


def imports_of(text: str, package: str = "") -> list[Import]:
    """Every import of a source text: at the top, in functions and under TYPE_CHECKING."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            found += [Import(alias.name, None, node.lineno) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) - node.level + 1]
            inside = ".".join(parents) if node.level else ""
            module = ".".join(part for part in (inside, node.module) if part)
            found += [Import(module, alias.name, node.lineno) for alias in node.names]
    return found


def room_of(module: str) -> str:
    """`gate` of `pytest_fairness.gate.run`; the package itself is the facade."""
    return module.split(".")[1] if "." in module else FACADE


def rooms_imported(text: str, package: str) -> dict[str, int]:
    """Rooms of the engine that a source text imports, each with a line."""
    rooms = {}
    for imported in imports_of(text, package):
        if imported.module.split(".")[0] == FACADE:
            whole = f"{imported.module}.{imported.name}"
            is_room = imported.module == FACADE and room_of(whole) in MAY_IMPORT
            rooms[room_of(whole if is_room else imported.module)] = imported.line
    return rooms


def upward(room: str, text: str, package: str) -> list[str]:
    """`line 7: gate` for each import that leads upwards, or through the facade."""
    rooms = rooms_imported(text, package)
    return [f"line {rooms[found]}: {found}" for found in rooms.keys() - MAY_IMPORT[room]]


def module_name(file: Path) -> str:
    parts = file.relative_to(SOURCE.parent).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


NAMES = {module_name(file) for file in MODULES}


def package_name(file: Path) -> str:
    return ".".join(file.relative_to(SOURCE.parent).parent.parts)


def names_in_all(module: str) -> set[str]:
    """`__all__` of a room of the engine, or of the engine itself; nothing where there is none."""
    folder = SOURCE.parent.joinpath(*module.split("."))
    file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
    if not file.is_file():
        return set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


def private_names(text: str) -> list[str]:
    """`line 7: pytest_fairness.gate.run` for each import that is not of a public name."""
    return [
        f"line {imported.line}: {imported.module} {imported.name or ''}".rstrip()
        for imported in imports_of(text)
        if imported.module.split(".")[0] == FACADE and not is_public(imported)
    ]


def is_public(imported: Import) -> bool:
    if imported.module.count(".") > 1:
        return False
    if imported.name is None:
        return imported.module == FACADE or bool(names_in_all(imported.module))
    return imported.name in names_in_all(imported.module)


def relative(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@pytest.mark.parametrize(
    "file",
    [file for file in MODULES if file.parent != SOURCE or file.stem != "__init__"],
    ids=relative,
)
def test_layers_import_downwards_only(file):
    room = room_of(module_name(file))
    assert room in MAY_IMPORT, f"say in ORDER where the room {room!r} stands"
    assert upward(room, file.read_text(encoding="utf-8"), package_name(file)) == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param("from pytest_fairness.gate.run import judge", ["line 1: gate"], id="deep"),
        pytest.param("import pytest_fairness.gate", ["line 1: gate"], id="plain"),
        pytest.param("from pytest_fairness import gate", ["line 1: gate"], id="room"),
        pytest.param("from pytest_fairness import judge", ["line 1: pytest_fairness"], id="facade"),
        pytest.param("from ..gate import run", ["line 1: gate"], id="relative"),
        pytest.param(
            "def f():\n    import pytest_fairness.plugin.hooks", ["line 2: plugin"], id="lazy"
        ),
        pytest.param(
            "from pytest_fairness.strategies import x", ["line 1: strategies"], id="beside"
        ),
        pytest.param("from pytest_fairness.policy import Policy", [], id="downwards"),
        pytest.param("from . import manifest", [], id="same room"),
        pytest.param("import gate, torch", [], id="other packages"),
    ],
)
def test_an_upward_import_is_found_in_any_spelling(line, found):
    assert upward("data", line, "pytest_fairness.data") == found


def modules_imported(text: str, package: str) -> dict[str, int]:
    """Modules of the engine that a source text imports, each with a line."""
    found = {}
    for imported in imports_of(text, package):
        if imported.module.split(".")[0] == FACADE:
            whole = f"{imported.module}.{imported.name}"
            found[whole if whole in NAMES else imported.module] = imported.line
    return found


def forbidden(part: str, text: str, package: str) -> list[str]:
    """`line 7: gate.audit` for each import of what this part of a room never imports."""
    never = {f"{FACADE}.{name}" for name in NEVER.get(part, ())}
    own = f"{FACADE}.{part}"
    return [
        f"line {line}: {wrong.removeprefix(f'{FACADE}.')}"
        for module, line in modules_imported(text, package).items()
        for wrong in sorted(never)
        if f"{module}.".startswith(f"{wrong}.") and not f"{module}.".startswith(f"{own}.")
    ]


@pytest.mark.parametrize("part", NEVER)
def test_a_part_of_a_room_never_imports_what_stands_above_it(part):
    folder = SOURCE.joinpath(*part.split("."))
    files = sorted(folder.rglob("*.py"))
    assert len(files) > 1
    found = {
        relative(file): wrong
        for file in files
        if (wrong := forbidden(part, file.read_text(encoding="utf-8"), package_name(file)))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(
            "from pytest_fairness.gate.audit.accept import why_not",
            ["line 1: gate.audit"],
            id="from",
        ),
        pytest.param("import pytest_fairness.gate.audit", ["line 1: gate.audit"], id="plain"),
        pytest.param(
            "def f():\n    from pytest_fairness.gate import audit",
            ["line 2: gate.audit"],
            id="room, lazily",
        ),
        pytest.param("from pytest_fairness.gate.estimates.counted import x", [], id="below"),
    ],
)
def test_an_import_that_must_never_be_is_found_in_any_spelling(line, found):
    assert forbidden("gate.decision", line, "pytest_fairness.gate.decision") == found


def circles(imports: dict[str, set[str]]) -> list[str]:
    """`a -> b -> a` for the first circle of imports; nothing where there is none."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return [" -> ".join(reversed(error.args[1]))]
    return []


def test_no_modules_import_each_other_in_a_circle():
    imports = {
        module_name(file): set(
            modules_imported(file.read_text(encoding="utf-8"), package_name(file))
        )
        - {module_name(file)}
        for file in MODULES
        # A package's face hands on names of its own modules, which never ask it for any.
        if file.stem != "__init__"
    }
    assert circles(imports) == []


def test_a_circle_of_imports_is_found():
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a -> b -> c -> a"]
    assert circles({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_room_is_flat():
    modules = Counter(file.parent for file in MODULES if file.stem != "__init__")
    assert {relative(room): count for room, count in modules.items() if count > 17} == {}


@pytest.mark.parametrize("file", sorted((SOURCE / "statistics").rglob("*.py")), ids=relative)
def test_statistics_knows_no_pytest_torch_or_files(file):
    text = file.read_text(encoding="utf-8")
    packages = {imported.module.split(".")[0] for imported in imports_of(text)}
    called = {
        ast.unparse(node.func).split(".")[-1]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call)
    }
    assert packages.isdisjoint({"_pytest", "io", "os", "pathlib", "pytest", "torch", "torchvision"})
    assert called.isdisjoint({"open", "read_csv", "read_parquet", "to_csv", "to_parquet"})


@pytest.mark.parametrize("file", GATE_FILES, ids=relative)
def test_the_reference_gate_uses_public_names_only(file):
    text = file.read_text(encoding="utf-8")
    assert private_names(text) == []
    assert "pytest_fairness._" not in text


@pytest.mark.parametrize(
    ("line", "found"),
    [
        pytest.param(
            "from pytest_fairness.gate.run import judge",
            ["line 1: pytest_fairness.gate.run judge"],
            id="too deep",
        ),
        pytest.param(
            "from pytest_fairness.data import manifest",
            ["line 1: pytest_fairness.data manifest"],
            id="not in all",
        ),
        pytest.param(
            "import pytest_fairness.nowhere", ["line 1: pytest_fairness.nowhere"], id="no such room"
        ),
        pytest.param("import pytest_fairness", [], id="the engine"),
        pytest.param("from pytest_fairness import judge", [], id="public name"),
        pytest.param("from pytest_fairness.data import EvaluationSet", [], id="name of a room"),
    ],
)
def test_a_private_name_is_found_in_any_spelling(line, found):
    assert private_names(line) == found


@pytest.mark.parametrize("file", MODULES, ids=relative)
def test_every_name_that_a_module_makes_public_is_there(file):
    module = import_module(module_name(file))
    assert [name for name in getattr(module, "__all__", ()) if not hasattr(module, name)] == []


@pytest.mark.parametrize("file", [*MODULES, *TESTS], ids=relative)
def test_a_module_stays_small_and_is_named_after_what_it_does(file):
    assert len(file.read_text(encoding="utf-8").splitlines()) <= 400
    assert file.stem not in {"common", "helpers", "misc", "util", "utils"}


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body of a function, its docstring not counted."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("file", MODULES, ids=relative)
def test_a_function_fits_on_a_screen(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    functions = (
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    assert {node.name: n for node in functions if (n := body_lines(node)) > 40} == {}
