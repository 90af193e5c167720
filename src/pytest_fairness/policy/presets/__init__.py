"""Limits with a published source, each a readable TOML file beside this one."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

__all__ = ["preset_names", "preset_rule"]


@cache
def preset_names() -> tuple[str, ...]:
    """Names of the presets that this package ships."""
    found = (entry.name for entry in files(__name__).iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in found if name.endswith(".toml")))


def preset_rule(name: str) -> dict[str, Any]:
    """The keys that a preset gives to a rule.

    Raises:
        KeyError: There is no preset of this name.

    Example:
        >>> preset_rule("four-fifths")["between"]
        [0.8, 1.25]
    """
    if name not in preset_names():
        raise KeyError(name)
    text = files(__name__).joinpath(f"{name}.toml").read_text(encoding="utf-8")
    rule: dict[str, Any] = tomllib.loads(text)["rule"]
    return rule
