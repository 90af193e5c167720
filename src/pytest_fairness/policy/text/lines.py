"""Where a key stands in a TOML text: tomllib reads values but drops the lines they stood on."""

import re
from dataclasses import dataclass, field

__all__ = ["TomlLines"]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*(\"[^\"]+\"|'[^']+'|[A-Za-z0-9_.-]+)\s*=")
_MULTILINE = re.compile(r'"""|\'\'\'')


def _bare(key: str) -> str:
    return key.strip().strip("\"'")


@dataclass(slots=True)
class TomlLines:
    r"""Line numbers (from 1) of the tables and keys of a TOML text.

    Example:
        >>> lines = TomlLines("schema = 1\n[[rule]]\nid = 'a'\n[[rule]]\nid = 'b'\n")
        >>> lines.of(("rule", 1)), lines.of(("rule", 1, "id")), lines.of(("schema",))
        (4, 5, 1)
    """

    text: str
    _found: dict[tuple[str | int, ...], int] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        table: tuple[str | int, ...] = ()
        seen: dict[str, int] = {}
        inside_string = False
        for number, line in enumerate(self.text.splitlines(), start=1):
            opens = len(_MULTILINE.findall(line)) % 2 == 1
            if inside_string:
                inside_string = not opens
                continue
            if header := _HEADER.match(line):
                path = tuple(_bare(part) for part in header[2].split("."))
                if header[1] == "[[":
                    seen[header[2]] = seen.get(header[2], -1) + 1
                    table = (*path, seen[header[2]])
                else:
                    table = path
                self._found.setdefault(table, number)
            elif key := _KEY.match(line):
                self._found.setdefault((*table, *map(_bare, key[1].split("."))), number)
            inside_string = opens

    def of(self, path: tuple[str | int, ...]) -> int | None:
        """The line of a path such as `("rule", 0, "max")`, or of the nearest table around it."""
        while path:
            if path in self._found:
                return self._found[path]
            path = path[:-1]
        return None
