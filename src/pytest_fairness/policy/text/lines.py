"""Lines of the tables and keys of a TOML text, which tomllib drops when it reads the values."""

import re
import tomllib
from dataclasses import dataclass, field

__all__ = ["TomlLines"]

_Path = tuple[str | int, ...]

_TOKEN = re.compile(
    r'''
    (?P<text>
        """(?:\\.|[^\\])*?"""(?:"{0,2})     # may end in one or two quotes of its own
      | \'\'\'.*?\'\'\'(?:'{0,2})
      | "(?:\\.|[^"\\])*"
      | '[^']*'
    )
  | (?P<blank>[ \t\r]+|\#[^\n]*)
  | (?P<mark>[][{},=.\n])
  | (?P<bare>[^][{},=.\s"'\#]+)
    ''',
    re.VERBOSE | re.DOTALL,
)
_ENDS_VALUE = frozenset(",]}\n")


@dataclass(slots=True)
class TomlLines:
    r"""Line numbers (from 1) of the tables, keys and array items of a valid TOML text.

    Example:
        >>> lines = TomlLines("schema = 1\n[[rule]]\nid = 'a'\n[[rule]]\nid = 'b'\n")
        >>> lines.of(("rule", 1)), lines.of(("rule", 1, "id")), lines.of(("schema",))
        (4, 5, 1)
        >>> TomlLines('\n[evaluation."celeba.v2"]').of(("evaluation", "celeba.v2"))
        2
    """

    text: str
    _lines: dict[_Path, int] = field(init=False)

    def __post_init__(self) -> None:
        self._lines = _Scanner(self.text).lines

    def of(self, path: _Path) -> int | None:
        """Return the line of a path such as `("rule", 0, "max")`, or of the nearest table around it."""
        while path:
            if path in self._lines:
                return self._lines[path]
            path = path[:-1]
        return None


class _Scanner:
    """One walk over the tokens of a TOML text.

    Source: the grammar of TOML 1.0.0 (toml.io); inline tables may span lines, as in TOML 1.1.
    """

    def __init__(self, text: str) -> None:
        self.lines: dict[_Path, int] = {}
        self.last_item: dict[_Path, int] = {}  # of each array of tables
        self.tokens = _tokens(text)[::-1]
        table: _Path = ()
        while self.tokens:
            if self.accept("["):
                table = self.header()
            elif not self.accept("\n"):
                self.pair(table)

    @property
    def next(self) -> str:
        return self.tokens[-1][0] if self.tokens else "\n"

    def accept(self, *marks: str) -> bool:
        """Step over the next token if it is one of the marks."""
        if accepted := self.next in marks and bool(self.tokens):
            self.tokens.pop()
        return accepted

    def header(self) -> _Path:
        """Note a table after its first bracket, and return its path."""
        is_item = self.accept("[")
        *outer, name = self.key()
        line = self.tokens.pop()[1]
        path: _Path = ()
        for part in outer:
            path = (*path, part)
            self.lines.setdefault(path, line)
            if path in self.last_item:
                path = (*path, self.last_item[path])
        path = (*path, name)
        if is_item:
            self.lines.setdefault(path, line)
            self.last_item[path] = self.last_item.get(path, -1) + 1
            path = (*path, self.last_item[path])
            self.accept("]")
        self.lines[path] = line
        return path

    def pair(self, table: _Path) -> None:
        """Note a key with its value, in a table or an inline table."""
        path = table
        parts = self.key()
        line = self.tokens.pop()[1]
        for part in parts:
            path = (*path, part)
            self.lines.setdefault(path, line)
        self.value(path)

    def key(self) -> list[str]:
        """Return the parts of a dotted key."""
        parts = [_name(self.tokens.pop()[0])]
        while self.accept("."):
            parts.append(_name(self.tokens.pop()[0]))
        return parts

    def value(self, path: _Path) -> None:
        if self.accept("["):
            number = 0
            while not self.accept("]"):
                if not self.accept("\n", ","):
                    self.lines[(*path, number)] = self.tokens[-1][1]
                    self.value((*path, number))
                    number += 1
        elif self.accept("{"):
            while not self.accept("}"):
                if not self.accept("\n", ","):
                    self.pair(path)
        else:
            while self.next not in _ENDS_VALUE:
                self.tokens.pop()


def _tokens(text: str) -> list[tuple[str, int]]:
    """Return the tokens of a text, each with its line; comments and blanks are left out."""
    tokens = []
    line = 1
    for match in _TOKEN.finditer(text):
        if match.lastgroup != "blank":
            tokens.append((match[0], line))
        line += match[0].count("\n")
    return tokens


def _name(token: str) -> str:
    """Return the part of a key that a token spells."""
    if token[0] not in "\"'":
        return token
    name: str = tomllib.loads(f"name = {token}")["name"]
    return name
