"""What this package declares itself, through the same door as every other package."""

from typing import Any

__all__ = ["DECLARATIONS"]

DECLARATIONS: tuple[Any, ...] = ()
