"""Every key of a TOML text is found on the line where it was written, however it is spelled."""

import json
import re
import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, strategies as st

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import load_policy
from pytest_fairness.policy.text.lines import TomlLines

# What a name may hold: all that means something else in TOML.
NAMES = st.text(alphabet="ab1-_.\"'#=[]{},\\ é\n\t", max_size=4)
SCALARS = ("1", "-1.5e3", "true", "1979-05-27 07:32:00", "'[a]'", '"a = 1 # \\""', "'''x''''", '""')
LONG = ('"""\n[a]\nb = 1\n"""', "'''\n#'''''", '"""\\\n  x\\""""""')


def spellings(name: str) -> list[str]:
    """Return every way to write a key."""
    spelled = [
        json.dumps(name, ensure_ascii=False),
        '"' + "".join(f"\\u{ord(letter):04x}" for letter in name) + '"',
    ]
    if not re.search(r"['\n]", name):
        spelled.append(f"'{name}'")
    if re.fullmatch(r"[A-Za-z0-9_-]+", name):
        spelled.append(name)
    return spelled


class Writer:
    """A TOML document that is written and, with it, the line of every key."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.text = ""
        self.lines: dict[tuple[str | int, ...], int] = {}

    def write(self, text: str) -> None:
        self.text += text

    def note(self, path: tuple[str | int, ...]) -> None:
        self.lines.setdefault(path, self.text.count("\n") + 1)

    def one_of(self, *options: Any) -> Any:
        return self.draw(st.sampled_from(options))

    def coin(self) -> bool:
        return self.draw(st.booleans())

    def names(self, most: int = 3) -> list[str]:
        return self.draw(st.lists(NAMES, min_size=1, max_size=most, unique=True))

    def end_line(self) -> None:
        self.write(self.one_of("\n", "  # [a]\n", " # b = '\n\n", "\r\n", '\n\n# """\n'))

    def key(self, names: list[str], table: tuple[str | int, ...]) -> tuple[str | int, ...]:
        """Write a dotted key or what stands between the brackets of a header."""
        path = table
        for number, name in enumerate(names):
            self.write(self.one_of(".", " . ", "\t.") if number else "")
            path = (*path, name)
            self.note(path)
            self.write(self.one_of(*spellings(name)))
        return path

    def pairs(self, table: tuple[str | int, ...], *, depth: int, between: str = "") -> None:
        for number, name in enumerate(self.names()):
            if between and number:
                self.write(between)
            rest = self.names(2) if self.coin() else []
            path = self.key([name, *rest], table)
            self.write(self.one_of("=", " = "))
            self.value(path, depth=depth)
            if not between:
                self.end_line()

    def value(self, path: tuple[str | int, ...], *, depth: int) -> None:
        kind = self.one_of("scalar", "long", *(("array", "table") if depth else ()))
        if kind == "scalar":
            self.write(self.one_of(*SCALARS))
        elif kind == "long":
            self.write(self.one_of(*LONG))
        elif kind == "array":
            self.write("[")
            for number in range(self.one_of(0, 1, 3)):
                self.write(self.one_of("", "\n ", " # ]\n"))
                self.note((*path, number))
                self.value((*path, number), depth=depth - 1)
                self.write(self.one_of(",", "\n,", " ,\n"))
            self.write("]")
        else:
            self.write("{ ")
            self.pairs(path, depth=depth - 1, between=", ")
            self.write(" }")

    def document(self) -> None:
        self.end_line()
        names = self.names(6)
        # A first letter of their own keeps the keys before the first header apart from the tables.
        self.key(["root", *names], ())
        self.write(" = ")
        self.value(("root", *names), depth=2)
        self.end_line()
        for name in names:
            if name != "root":
                self.table((f"x{name}",))

    def table(self, outer: tuple[str]) -> None:
        if self.coin():
            self.write(self.one_of("[", "  [ "))
            path = self.key([*outer, *(self.names(2) if self.coin() else [])], ())
            self.write("]")
            self.end_line()
            self.pairs(path, depth=2)
            return
        for number in range(self.one_of(1, 3)):
            self.write("[[")
            path = (*self.key(list(outer), ()), number)
            self.note(path)
            self.write(" ]]")
            self.end_line()
            if self.coin():
                self.pairs(path, depth=1)
            if self.coin():
                self.inner_table(path)

    def inner_table(self, item: tuple[str | int, ...]) -> None:
        """Write a table, or two of an array, that belong to the last item of an array."""
        array = self.coin()
        for number in range(2 if array else 1):
            self.write("[[" if array else "[")
            self.write(f"{self.one_of(*spellings(str(item[0])))}.")
            path = self.key(["in.ner"], item)
            path = (*path, number) if array else path
            self.note(path)
            self.write("]]" if array else "]")
            self.end_line()
            self.pairs(path, depth=1)


@st.composite
def documents(draw: st.DrawFn) -> tuple[str, dict[tuple[str | int, ...], int]]:
    writer = Writer(draw)
    writer.document()
    return writer.text, writer.lines


def paths(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Walk over what tomllib read."""
    if path:
        yield path
    if not isinstance(value, dict | list):
        return
    items = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in items:
        yield from paths(item, (*path, key))


@given(documents())
def test_every_key_is_found_on_the_line_where_it_was_written(document):
    text, written = document
    read = tomllib.loads(text)
    assert set(paths(read)) == set(written)
    lines = TomlLines(text)
    assert {path: lines.of(path) for path in written} == written


def test_a_key_that_is_not_written_has_the_line_of_the_table_around_it():
    lines = TomlLines('a = 1\n\n[evaluation."celeba.v2"]\nmanifest = "x"\n')
    assert lines.of(("evaluation", "celeba.v2", "target")) == 3
    assert lines.of(("evaluation", "celeba")) == 3
    assert lines.of(("model",)) is None


def test_a_table_that_comes_after_its_inner_tables_has_its_own_line():
    lines = TomlLines("[a.b]\nx = 1\n[a]\ny = 1\n")
    assert [lines.of(path) for path in [("a",), ("a", "b"), ("a", "y")]] == [3, 1, 4]


POLICY = """\
schema = 1
decision.inconclusive = "warn"

{evaluation}

[[rule]]  # one of several
id = "floor"
metric = "accuracy"
min = 0.7
{rule}
"""
NAMES_OF_SETS = (
    "faces",
    "celeba.v2",
    'say "x"',
    "a]b[",
    "# no",
    "a = b",
    "é'ü",
    "dict[str",
    "two words",
)
# Lines of an evaluation table or a rule; the error is on the one with HERE.
MISTAKES = {
    "unknown key": ("manifesto = 1 # HERE", "", "unknown key 'manifesto'"),
    "value": ("manifest = 1 # HERE", "", "manifest"),
    "item": ('classes = [\n  "a", # [x]\n  {}, # HERE\n]', "", "classes.1 = {}"),
    "reference": ('reference = { "s.x" = "x" } # HERE', "", "reference s.x = 'x'"),
    "reference attribute": ('reference."s.y" = "x" # HERE', "", "attribute 's.y'"),
    "cluster": ('cluster = "s.x" # HERE', "", "cluster = 's.x'"),
    "positive": ('classes = ["a", "c"]\npositive = "b" # HERE', "", "positive = 'b'"),
    "derive": ("derive.'a.b'.from = ['a'] # HERE", "", "derive.a.b"),
    "derive key": ("derive.\"a.b\" = { from = 'a', form = 1 } # HERE", "", "unknown key 'form'"),
    "reader": ('reader = "celeba" # HERE', "", "reader 'celeba' needs root"),
    "max_errors": ("# [x]\nmax_errors = 0.1 # HERE", "", "max_errors needs"),
    "rule key": ("", '"minn" = 0.7 # HERE', "unknown key 'minn'"),
    "rule limit": ("", '[[ rule ]]\nmetric = "error_rate"\nmax = 7 # HERE', "max = 7"),
    "rule by": ("", "by = [ # HERE\n'no.no']", "by names attribute 'no.no'"),
    "rule reference": ("", '[rule.reference] # HERE\n"s.x" = "b"', "compares no groups"),
    "required": ("", "[[required]] # HERE", r"\[\[required\]\]"),
    "waiver": ("", "[[waiver]] # HERE\nrule = 'floor'", r"\[\[waiver\]\] needs the key"),
    "model": ("", '[model."resnet.v1"] # HERE', "model 'resnet.v1'"),
    "model key": ("", '[model]\n"resnet.v1" = { path = "a.pt2", paht = 1 } # HERE', "'paht'"),
    "model kind": ("", "[model.'a.b']\npath='x.pt2'\narchitecture='b' # HERE", "architecture"),
}


def one_line(text: str) -> int:
    """Return the line that ends in HERE."""
    return next(n for n, line in enumerate(text.split("\n"), 1) if "HERE" in line)


@pytest.mark.parametrize("mistake", MISTAKES)
@pytest.mark.parametrize("name", NAMES_OF_SETS)
def test_an_error_cites_the_line_of_the_key_whatever_the_set_is_called(tmp_path, name, mistake):
    inside, rule, message = MISTAKES[mistake]
    attributes = 'attributes = { "s.x" = ["a", "b"] }'
    cited = set()
    for spelled in spellings(name):
        table = f"[evaluation . {spelled}]\n{attributes}\n{inside}"
        text = POLICY.format(evaluation=table, rule=rule)
        path = tmp_path / "policy.toml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(PolicyError, match=message) as caught:
            load_policy(path)
        where = f"{path}:{one_line(text)}: "
        assert any(line.startswith(where) for line in str(caught.value).splitlines()), caught.value
        cited.add(str(caught.value))
    assert len(cited) == 1
