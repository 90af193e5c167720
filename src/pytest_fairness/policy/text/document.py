"""The effective text of a policy: its values, and the file and line that each came from."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

__all__ = ["LIMIT_KEYS", "Document", "KeyPath"]

KeyPath: TypeAlias = tuple[str | int, ...]
LIMIT_KEYS = ("min", "max", "between", "max_drop", "max_widening")


@dataclass(slots=True)
class Document:
    """A policy after inheritance and presets, before it is resolved into records.

    Args:
        name: File name, as a person wrote it.
        raw: Tables and keys in the shape of a policy file.
        origins: Path of a table or key -> `file:line`.
        inherits: Whether it extends another policy.
    """

    name: str
    raw: dict[str, Any] = field(default_factory=dict)
    origins: dict[KeyPath, str] = field(default_factory=dict)
    inherits: bool = False

    def place(self, path: KeyPath) -> str:
        """Return `file.toml:23` of a key, else of the nearest table around it, else the file."""
        while path:
            if path in self.origins:
                return self.origins[path]
            path = path[:-1]
        return self.name

    def table(self, key: str) -> dict[str, Any]:
        """Return the `[key]` table, or empty where it is absent."""
        found: dict[str, Any] = self.raw.get(key, {})
        return found

    def tables(self, key: str) -> list[dict[str, Any]]:
        """Return the `[[key]]` tables, or none where they are absent."""
        found: list[dict[str, Any]] = self.raw.get(key, [])
        return found
