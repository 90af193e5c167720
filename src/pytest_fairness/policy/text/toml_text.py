"""Values as a policy file writes them; Python reads TOML but does not write it."""

import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

__all__ = ["toml_header", "toml_key", "toml_value"]


def toml_value(value: Any) -> str:
    """Return a value on one line.

    Example:
        >>> toml_value({"sex": "male", "old": [True, 1]})
        '{ sex = "male", old = [true, 1] }'
    """
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, Mapping):
        pairs = [f"{toml_key(key)} = {toml_value(inner)}" for key, inner in value.items()]
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(toml_value, value))}]"
    return str(value)


def toml_key(key: str) -> str:
    """Return a key, in quotes where TOML needs them."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml_value(key)


def toml_header(*path: str) -> str:
    """Return the header of a table.

    Example:
        >>> toml_header("evaluation", "celeba.v2")
        '[evaluation."celeba.v2"]'
    """
    return f"[{'.'.join(map(toml_key, path))}]"
