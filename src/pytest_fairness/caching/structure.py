"""The identity of an object: its type, the code of that type, and all values that it holds."""

import enum
import functools
import hashlib
import logging
import re
import sys
import types
from collections.abc import Iterable, Mapping
from pathlib import PurePath
from typing import Any

from pytest_fairness.caching.sources import (
    KNOWN_PACKAGES,
    PURE_STANDARD,
    Unidentified,
    is_project,
    source_files,
)

__all__ = ["Identity", "identity_of"]

_PLAIN = (type(None), bool, int, str, bytes, complex)
_BUILT_IN = (types.BuiltinFunctionType, types.WrapperDescriptorType, types.MethodDescriptorType)
# Objects of these modules keep their state outside of Python.
_IN_C = ("torch._C", "torch.jit", "torch.classes", "numpy.random")
# Built-in functions that reach files, or code that no text shows.
_OUTSIDE = frozenset(
    ["open", "eval", "exec", "compile", "__import__", "input", "breakpoint", "globals"]
)
# Within a class: what Python or torch keep there, which repeats what is looked at anyway.
_SKIPPED = ("__", "_abc_")
_RANDOM = re.compile("Random|Jitter|AutoAugment|RandAugment|TrivialAugment|AugMix")


def identity_of(*values: Any) -> bytes:
    """Return a hash of values: equal for equal values in another process, and for no others.

    Raises:
        Unidentified: A value holds something that cannot be told apart, such as an open file.

    Example:
        >>> identity_of({"size": 8}) == identity_of({"size": 8})
        True
        >>> identity_of(1) == identity_of(1.0)
        False
    """
    identity = Identity()
    for value in values:
        identity.add(value, "value")
    return identity.digest()


class Identity:
    """A hash that grows by the objects that are added."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()
        self._seen: dict[int, int] = {}
        self._alive: list[Any] = []  # an id may be used again after its object is gone
        self._sources: set[str] = set()
        self._checked: set[type] = set()
        self.packages: set[str] = set()
        """Packages whose code is called."""

    def digest(self) -> bytes:
        """Return the hash of all that was added."""
        return self._hash.digest()

    def token(self, kind: str, *texts: str | bytes) -> None:
        """Add texts, each with its length, so that no two sequences look alike."""
        for text in (kind, *texts):
            data = text.encode() if isinstance(text, str) else text
            self._hash.update(b"%d:" % len(data))
            self._hash.update(data)

    def add(self, value: Any, where: str) -> None:
        """Add an object and all that it refers to.

        Args:
            value: The object.
            where: What to call it in a reason.

        Raises:
            Unidentified: Something in it cannot be told apart.
        """
        if type(value) in _PLAIN:
            self.token(type(value).__name__, repr(value))
        elif type(value) is float:
            self.token("float", value.hex())
        elif id(value) in self._seen:
            self.token("again", str(self._seen[id(value)]))
        else:
            self._seen[id(value)] = len(self._seen)
            self._alive.append(value)
            self._object(value, where)

    def _object(self, value: Any, where: str) -> None:
        if isinstance(value, PurePath | logging.Logger | types.GenericAlias | types.UnionType):
            self.token(type(value).__name__, str(value))
        elif type(value).__module__ == "typing":  # an annotation
            self.token("typing", repr(value))
        elif isinstance(value, re.Pattern):
            self.token("pattern", repr(value.pattern), str(value.flags))
        elif isinstance(value, enum.Enum):
            self.token("enum", value.name)
            self._class(type(value), where)
        elif isinstance(value, types.FunctionType):
            self._function(value, where)
        elif isinstance(value, _BUILT_IN):
            self._built_in(value, where)
        elif isinstance(value, types.MethodType):
            self.token("method", value.__func__.__qualname__)
            self.add(value.__func__, where)
            self.add(value.__self__, where)
        elif isinstance(value, functools.partial):
            self.token("partial")
            self.add([value.func, list(value.args), dict(value.keywords)], where)
        elif isinstance(value, type):
            self._class(value, where)
        elif isinstance(value, types.ModuleType):
            self._module(value, where)
        elif not (self._array(value, where) or self._container(value, where)):
            self._instance(value, where)

    def _container(self, value: Any, where: str) -> bool:
        """Add what Python's own containers hold; their subclasses are instances."""
        if type(value) in (tuple, list):
            self.token(type(value).__name__, str(len(value)))
            self._all(value, where)
        elif type(value) in (set, frozenset):
            if not all(type(one) in (*_PLAIN, float) for one in value):
                msg = f"{where} is a set of objects, which has no order"
                raise Unidentified(msg)
            self.token("set", *sorted(repr(one) for one in value))
        elif type(value) in (dict, types.MappingProxyType):
            self._mapping(value, where)
        else:
            return False
        return True

    def _mapping(self, value: Mapping[Any, Any], where: str) -> None:
        self.token("mapping", str(len(value)))
        for key, inner in value.items():
            self.add(key, where)
            self.add(inner, f"{where}.{key}" if isinstance(key, str) else where)

    def _all(self, values: Iterable[Any], where: str) -> None:
        for place, inner in enumerate(values):
            self.add(inner, f"{where}[{place}]")

    def _array(self, value: Any, where: str) -> bool:
        """Add an array of numpy or a tensor, with its order in memory."""
        numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
        if numpy is not None and isinstance(value, numpy.ndarray | numpy.generic):
            if value.dtype.hasobject or type(value).__module__.split(".")[0] != "numpy":
                msg = f"{where} is an array of objects"
                raise Unidentified(msg)
            data = numpy.asarray(value)
            self.token("array", str(data.dtype), str(data.shape), str(data.strides), data.tobytes())
        elif torch is not None and isinstance(value, torch.dtype | torch.device | torch.Size):
            self.token("torch", str(value))
        elif torch is not None and isinstance(value, torch.Tensor):
            self._tensor(value, where)
        else:
            return False
        return True

    def _tensor(self, value: Any, where: str) -> None:
        import torch  # noqa: PLC0415  (whoever has a tensor has loaded it)

        plain = type(value) in (torch.Tensor, torch.nn.Parameter, torch.nn.Buffer)
        if not plain or value.layout != torch.strided or value.is_quantized or value.is_meta:
            msg = f"{where} is a tensor of a kind of its own ({type(value).__name__})"
            raise Unidentified(msg)
        self.token("tensor", str(value.dtype), str(tuple(value.shape)), str(value.stride()))
        flat = value.detach().cpu().resolve_conj().resolve_neg().contiguous().reshape(-1)
        self._hash.update(flat.view(torch.uint8).numpy().data)

    def _instance(self, value: Any, where: str) -> None:
        """Add an object of a class: the class, and its attributes."""
        kind = type(value)
        if _RANDOM.search(kind.__name__):
            msg = f"{where} is a {kind.__name__}, which draws by chance"
            raise Unidentified(msg)
        self._class(kind, where)
        slots = [name for part in kind.__mro__ for name in _slots(part) if hasattr(value, name)]
        state = getattr(value, "__dict__", None)
        payload = isinstance(value, dict | list | tuple | str | int | float | bytes)
        in_c = kind.__module__.startswith(_IN_C) or _is_script(value)
        if in_c or (state is None and not slots and not payload):
            msg = f"{where} is a {kind.__module__}.{kind.__qualname__}, whose state is not known"
            raise Unidentified(msg)
        self._mapping(dict(state or {}), where)
        for name in slots:
            self.add(getattr(value, name), f"{where}.{name}")
        if isinstance(value, dict):
            self._mapping(value, where)
        elif isinstance(value, list | tuple):
            self._all(value, where)
        elif payload:
            self.token("payload", repr(value))

    def _class(self, kind: type, where: str) -> None:
        """Add a class: its name and the version of its package, or its source."""
        for part in kind.__mro__[:-1]:
            root = part.__module__.split(".")[0]
            self.token("class", part.__module__, part.__qualname__)
            if root in KNOWN_PACKAGES:
                self.packages.add(root)
                self._as_installed(part, root, where)
            elif is_project(part.__module__) and "<locals>" not in part.__qualname__:
                self._source(part.__module__)
                self._attributes(part, where)
            elif root not in PURE_STANDARD and root != "builtins":
                msg = f"{where} is of the class {part.__module__}.{part.__qualname__}, whose code is not known"
                raise Unidentified(msg)

    def _as_installed(self, kind: type, root: str, where: str) -> None:
        """Refuse a class of a package into which somebody put another function."""
        if kind in self._checked:
            return
        self._checked.add(kind)
        for name, value in vars(kind).items():
            if isinstance(value, types.FunctionType):
                own = value.__globals__.get("__name__", "").split(".")[0]
                if own != root and own not in sys.stdlib_module_names and own not in KNOWN_PACKAGES:
                    msg = f"{where}: {kind.__qualname__}.{name} was replaced by a function of {own}"
                    raise Unidentified(msg)
        if "<locals>" in kind.__qualname__:
            msg = f"{where} is of a class that was made while running ({kind.__qualname__})"
            raise Unidentified(msg)

    def _attributes(self, kind: type, where: str) -> None:
        """Add what a class of the project holds: its methods as they run, and its values."""
        for name, value in vars(kind).items():
            descriptor = isinstance(value, types.MemberDescriptorType | types.GetSetDescriptorType)
            if descriptor or (name.startswith(_SKIPPED) and not callable(value)):
                continue
            if isinstance(value, staticmethod | classmethod):
                self.add(value.__func__, f"{where}.{name}")
            elif isinstance(value, property):
                self.add([value.fget, value.fset], f"{where}.{name}")
            else:
                self.token("attribute", name)
                self.add(value, f"{where}.{name}")

    def _function(self, function: types.FunctionType, where: str) -> None:
        """Add a function: its compiled code, defaults, what it encloses, and the module it sees."""
        module = str(function.__globals__.get("__name__", ""))
        self.token("function", module, function.__qualname__)
        self._code(function.__code__)
        self.add([function.__defaults__, function.__kwdefaults__, vars(function)], where)
        for cell in function.__closure__ or ():
            if cell.cell_contents is not None:
                self.add(cell.cell_contents, where)
        self._place(module, where)

    def _place(self, module: str, where: str) -> None:
        """Add the code of a module: by its version, or its source."""
        root = module.split(".", maxsplit=1)[0]
        if root in KNOWN_PACKAGES:
            self.packages.add(root)
        elif is_project(module):
            self._source(module)
        elif root not in PURE_STANDARD:
            msg = f"{where} is code of {module or 'no module'}, which is not known"
            raise Unidentified(msg)

    def _built_in(self, function: Any, where: str) -> None:
        owner = getattr(function, "__self__", None) or getattr(function, "__objclass__", None)
        named = owner if isinstance(owner, type | types.ModuleType) else type(owner)
        module = named.__name__ if isinstance(named, types.ModuleType) else named.__module__
        root = module.split(".")[0].removeprefix("_")
        if (
            root not in {*KNOWN_PACKAGES, *PURE_STANDARD, "builtins"}
            or function.__name__ in _OUTSIDE
        ):
            msg = f"{where} is the function {module}.{function.__name__}, which may do more than compute"
            raise Unidentified(msg)
        self.token("built-in", named.__name__, function.__qualname__)
        if owner is not None and not isinstance(owner, type | types.ModuleType):
            self.add(owner, where)

    def _module(self, module: types.ModuleType, where: str) -> None:
        self.token("module", module.__name__)
        self._place(module.__name__, where)

    def _code(self, code: types.CodeType) -> None:
        self.token("code", code.co_code, code.co_exceptiontable, " ".join(code.co_names))
        self.token("names", " ".join((*code.co_varnames, *code.co_freevars, *code.co_cellvars)))
        for constant in code.co_consts:
            if isinstance(constant, types.CodeType):
                self._code(constant)
            elif isinstance(constant, frozenset):  # in another order in every process
                self.token("constant", *sorted(repr(one) for one in constant))
            else:
                self.token("constant", repr(constant))

    def _source(self, module: str) -> None:
        """Add the text of a module of the project and of those that it imports, and what they hold now."""
        if module in self._sources:
            return
        for name, text in sorted(source_files(module).items()):
            if name in self._sources:
                continue
            self._sources.add(name)
            self.token("source", name, text)
            loaded = sys.modules.get(name)
            for key, value in sorted(vars(loaded).items()) if loaded is not None else ():
                own = isinstance(value, types.ModuleType)  # its imports tell which it is
                if not (own or key.startswith("__") or _is_fixture(value)):
                    self.token("global", key)
                    self.add(value, f"{name}.{key}")


def _is_fixture(value: Any) -> bool:
    return type(value).__module__.split(".")[0] == "_pytest"


def _slots(kind: type) -> tuple[str, ...]:
    slots = vars(kind).get("__slots__", ())
    names = (slots,) if isinstance(slots, str) else tuple(slots)
    return tuple(name for name in names if name not in ("__dict__", "__weakref__"))


def _is_script(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(
        value, torch.jit.ScriptModule | torch.jit.ScriptFunction
    )
