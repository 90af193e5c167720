"""Published criteria, each a readable TOML file beside this one with its source and its text."""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from pytest_fairness.policy.text.lines import TomlLines

__all__ = ["Preset", "preset_names", "read_preset"]


@dataclass(frozen=True, slots=True)
class Preset:
    """A published criterion as rules.

    Args:
        name: What a rule writes as `preset = "..."`.
        source: Where it was published.
        text: What it says: the source's own words, or a paraphrase.
        quoted: Whether `text` is the source's own words.
        note: How it is encoded, and what the source does not say.
        rules: The keys that it gives to a rule, one mapping a rule.
        lines: Lines of its file, for origins.
    """

    name: str
    source: str
    text: str
    quoted: bool
    note: str
    rules: tuple[dict[str, Any], ...]
    lines: TomlLines


@cache
def preset_names() -> tuple[str, ...]:
    """Return the names of the presets that this package ships."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


@cache
def read_preset(name: str) -> Preset:
    """Return the preset of this name.

    Raises:
        KeyError: There is no preset of this name.

    Example:
        >>> preset = read_preset("four-fifths")
        >>> preset.rules[0]["between"], preset.quoted
        ([0.8, 1.25], True)
    """
    if name not in preset_names():
        raise KeyError(name)
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    values = tomllib.loads(text)
    return Preset(
        name=name,
        source=values["source"],
        text=values["quote"] if "quote" in values else values["paraphrase"],
        quoted="quote" in values,
        note=values["note"],
        rules=tuple(values["rule"]),
        lines=TomlLines(text),
    )
