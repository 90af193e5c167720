"""Words that error messages share: lists of allowed names, and the nearest spelling."""

from collections.abc import Iterable
from difflib import get_close_matches
from textwrap import wrap

__all__ = [
    "allowed_names",
    "counted",
    "drawn",
    "listed",
    "plural",
    "printable",
    "printable_lines",
    "singular",
    "suggest",
    "wrapped",
]

_SHOWN = 12
_NARROWEST = 40


def suggest(value: str, allowed: Iterable[object], *, most: int = 1) -> str:
    """Return a question to add to an error message, or nothing when no allowed name is close.

    Args:
        value: What was written.
        allowed: The names that may be written.
        most: How many of them to offer.

    Example:
        >>> suggest("ligth", ["light", "dark"])
        "; did you mean 'light'?"
    """
    close = get_close_matches(value, [str(name) for name in allowed], n=most)
    return f"; did you mean {' or '.join(map(repr, close))}?" if close else ""


def allowed_names(value: str, allowed: Iterable[object]) -> str:
    """Return all allowed names to add to an error message, after the nearest spelling.

    Example:
        >>> allowed_names("mni", ["min", "max"]), allowed_names("x", ["min", "max"])
        ("; did you mean 'min'? Allowed: min, max", '; allowed: min, max')
    """
    names = [str(name) for name in allowed]
    hint = suggest(value, names)
    return f"{hint} Allowed: {', '.join(names)}" if hint else f"; allowed: {', '.join(names)}"


def listed(words: Iterable[str]) -> str:
    """Return words for an error message, the first twelve when there are more.

    Example:
        >>> listed(["light", "dark"])
        "'light', 'dark'"
    """
    names = [repr(word) for word in words]
    more = f", … ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def plural(column: str) -> str:
    """Return what the values of a column name, in the plural.

    Args:
        column: A column of the manifest, such as the one of the clusters. Words with a blank are
            in the plural already.

    Example:
        >>> [plural(name) for name in ("design", "person_id", "identity", "patients", "class")]
        ['designs', 'people', 'identities', 'patients', 'classes']
    """
    if " " in column:
        return column
    words = column.removesuffix("_id").replace("_", " ")
    if words.endswith("person"):
        return f"{words.removesuffix('person')}people"
    if words.endswith(("ss", "x", "ch", "sh")):
        return f"{words}es"
    if words.endswith("s"):
        return words
    return f"{words[:-1]}ies" if words.endswith("y") else f"{words}s"


def counted(number: int, thing: str, things: str = "") -> str:
    """Return a number and what it counts, in the singular for one.

    Args:
        number: How many.
        thing: What is counted, such as `question`.
        things: Its plural; with an added s when empty.

    Example:
        >>> counted(1, "question"), counted(1_200, "question"), counted(0, "class", "classes")
        ('1 question', '1,200 questions', '0 classes')
    """
    return f"{number:,} {thing if number == 1 else things or f'{thing}s'}"


def printable(text: str) -> str:
    r"""Return a text in which control and bidirectional characters are written as escapes.

    Every name that a person reads goes through it: a terminal obeys such characters, and a reader
    cannot see them. They are those that `repr` escapes too.

    Args:
        text: One line.

    Example:
        >>> print(printable("dark\x1b[2Kfair \u202e sex\r\n"))
        dark\x1b[2Kfair \u202e sex\r\n
    """
    if text.isprintable():
        return text
    return "".join(
        one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text
    )


def drawn(name: str) -> str:
    r"""Return a name for a figure: printable, and no formula of matplotlib.

    Example:
        >>> print(drawn("$x^2$ dark\n"))
        \$x^2\$ dark\n
    """
    return printable(name).replace("$", r"\$")


def printable_lines(text: str) -> str:
    r"""Return a text of several lines, each of them printable.

    Example:
        >>> print(printable_lines("first\nsecond\a"))
        first
        second\x07
    """
    return "\n".join(map(printable, text.split("\n")))


def wrapped(text: str, width: int) -> list[str]:
    """Return a line as lines of a terminal, the further ones indented below the first.

    Args:
        text: One line; blanks within it are kept, since they align a table.
        width: Columns of the terminal. Below 40, the line stays whole.

    Example:
        >>> wrapped("  pass  sex female  1.000  271 wrong labels do not change it", 40)
        ['  pass  sex female  1.000  271 wrong', '      labels do not change it']
    """
    if len(text) <= width or width < _NARROWEST:
        return [text]
    indent = " " * (len(text) - len(text.lstrip(" ")) + 4)
    return wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def singular(column: str) -> str:
    """Return what one value of a column names.

    Args:
        column: As for `plural`. Words with a blank stay as they are.

    Example:
        >>> [singular(name) for name in ("design", "person_id", "negatives", "class")]
        ['design', 'person', 'negative', 'class']
    """
    words = column.removesuffix("_id").replace("_", " ")
    is_plural = plural(words) == words and words.endswith("s")
    return words[:-1] if is_plural and " " not in column else words
