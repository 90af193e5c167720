"""Whether a `.pt2` archive can be read without running code that its writer put there.

`torch.export.load` unpickles sample inputs, pickled tensors and opaque objects without limits,
evaluates the expressions of symbolic shapes, and runs the code of guards (torch 2.14). So all that is
in an archive must be of a known harmless shape before torch sees it.
"""

import ast
import io
import json
import pickle
import re
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_fairness.classifiers.files.zips import check_zip

__all__ = ["unsafe_parts"]

# Members of an archive, without its first folder. Everything else (compiled libraries, pickled
# objects) is not part of a plain exported model.
_MEMBERS = re.compile(
    r"data/weights/(weight_\d+|\w+_weights_config\.json|\w+\.pt)"
    r"|data/constants/(tensor_\d+|\w+_constants_config\.json|\w+\.pt)"
    r"|data/sample_inputs/\w+\.pt|models/\w+\.json|extra/.*"
    r"|serialized_(exported_program\.json|(state_dict|constants|example_inputs)\.(pt|json))"
    r"|version|archive_format|archive_version|byteorder|\.data/.*"
)
_OPERATORS = re.compile(
    r"torch\.ops\.(aten|prims|higher_order|torchvision|quantized|quantized_decomposed|_operator)\."
    r"\w+(\.\w+)?|_operator\.\w+|math\.\w+|torch\.sym_\w+|torch\._sym_\w+"
)
_FILE_OPERATORS = re.compile(r"torch\.ops\.(aten\.(from_file|save)|higher_order\.(triton|print))")
_TREES = re.compile(r"builtins\.(tuple|list|dict|NoneType)|collections\.(OrderedDict|namedtuple)")
_FUNCTIONS = frozenset(
    [
        "Symbol",
        "Integer",
        "Float",
        "Rational",
        "Add",
        "Mul",
        "Pow",
        "Mod",
        "Max",
        "Min",
        "Abs",
        "floor",
        "ceiling",
        "Eq",
        "Ne",
        "Lt",
        "Le",
        "Gt",
        "Ge",
        "And",
        "Or",
        "Not",
        "FloorDiv",
        "ModularIndexing",
        "Where",
        "PythonMod",
        "CleanDiv",
        "CeilDiv",
        "CeilToInt",
        "FloorToInt",
        "TruncToInt",
        "TruncToFloat",
        "RoundToInt",
        "RoundDecimal",
        "ToFloat",
        "FloatPow",
        "PowByNatural",
        "FloatTrueDiv",
        "IntTrueDiv",
        "LShift",
        "RShift",
        "Identity",
        "IsNonOverlappingAndDenseIndicator",
        "Piecewise",
        "ExprCondPair",
    ]
)
_METHODS = frozenset(
    {"size", "stride", "dim", "numel", "storage_offset", "sym_max", "sym_min", "sym_not", "sym_int"}
)
_NODES = (
    *(ast.Expression, ast.BoolOp, ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call, ast.keyword),
    *(ast.Name, ast.Constant, ast.Subscript, ast.Attribute, ast.Load, ast.Tuple),
    *(ast.boolop, ast.operator, ast.unaryop, ast.cmpop),
)
_KEY = re.compile(r"[A-Za-z]\w*")


def unsafe_parts(members: Mapping[str, bytes]) -> list[str]:
    """Return what in an archive could run code, in words, or nothing for a plain exported model.

    Args:
        members: Name -> content of each member.

    Raises:
        ValueError: It holds no exported program, or its JSON is malformed.
    """
    # Torch takes the first folder off; up to torch 2.7 there was none.
    prefixed = not any(name.startswith("serialized_") for name in members)
    inner = {
        name.split("/", 1)[-1] if prefixed else name: content for name, content in members.items()
    }
    if not any(name.startswith(("models/", "serialized_exported_program")) for name in inner):
        msg = "it holds no exported program"
        raise ValueError(msg)
    return [part for name, content in inner.items() for part in _of(name, content)]


def _of(inner: str, content: bytes) -> Iterator[str]:
    if not _MEMBERS.fullmatch(inner):
        yield f"the member {inner!r}"
    elif inner.endswith(".pt"):
        if not _holds_tensors_only(content):
            yield f"a pickle in {inner!r} that holds more than tensors"
    elif inner.endswith("_config.json"):
        for entry in json.loads(content).get("config", {}).values():
            if entry.get("use_pickle") or not _KEY.fullmatch(entry["path_name"]):
                yield f"a pickled tensor or object {entry['path_name']!r}"
    elif inner.endswith(".json") and inner.startswith(("models/", "serialized_exported")):
        yield from _of_program(json.loads(content))


def _of_program(program: Any) -> Iterator[str]:
    for key, value in _pairs(program):
        if key == "expr_str" and not _is_harmless(value, guard=False):
            yield f"the expression {value!r}"
        elif key == "target" and isinstance(value, str):
            if not _OPERATORS.fullmatch(value) or _FILE_OPERATORS.match(value):
                yield f"the operator {value!r}"
        elif key in ("in_spec", "out_spec") and value:
            for inner, kind in _pairs(json.loads(value)):
                if inner == "type" and kind is not None and not _TREES.fullmatch(str(kind)):
                    yield f"an input or output of type {kind!r}"
        elif key == "guards_code":
            yield from (f"the guard {g!r}" for g in value or () if not _is_harmless(g, guard=True))
        elif key == "range_constraints":
            yield from (f"the symbol {s!r}" for s in value if not _is_harmless(s, guard=False))


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield every key and value of nested JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key, inner
            yield from _pairs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _pairs(inner)


def _is_harmless(text: object, *, guard: bool) -> bool:
    """Whether a text is arithmetic on sizes and nothing else."""
    try:
        tree = ast.parse(str(text).strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(_is_harmless_node(node, guard=guard) for node in ast.walk(tree))


def _is_harmless_node(node: ast.AST, *, guard: bool) -> bool:
    known = isinstance(node, _NODES)
    match node:
        case ast.Call(func=ast.Name(id=name)):
            known = name in _FUNCTIONS
        case ast.Call(func=function):
            known = guard and isinstance(function, ast.Attribute)
        case ast.Attribute(attr=name):
            known = guard and name in _METHODS
        case ast.Subscript():
            known = guard
        case ast.Name(id=name):
            known = not name.startswith("_")
        case ast.Constant(value=str(text)):  # the name of a symbol or of an input
            known = _KEY.fullmatch(text) is not None
        case _:
            pass
    return known


def _holds_tensors_only(content: bytes) -> bool:
    import torch  # noqa: PLC0415  (a policy can be read without torch)

    if not content:  # a program without sample inputs; torch does not unpickle it
        return True
    held = io.BytesIO(content)
    try:
        check_zip(held)
        torch.load(held, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError, EOFError, ValueError, OSError):
        return False
    return True
