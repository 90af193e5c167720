"""Which values of a record are not what they were computed to be again."""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pytest_fairness.gate.record.run_record import SCHEMA_VERSION, RunRecord

__all__ = ["Difference", "differences", "different_fields"]

# Other versions of numpy and scipy may round the last digits otherwise.
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12


class Difference(NamedTuple):
    """A value of a record that is not what it was computed to be again."""

    place: str
    recorded: object
    recomputed: object

    @property
    def text(self) -> str:
        """The difference as text: `verdicts[floor[ads-faces-sex-male]].value: recorded 0.91, recomputed 0.87`."""
        return f"{self.place}: recorded {self.recorded!r}, recomputed {self.recomputed!r}"


def different_fields(
    place: str, record: RunRecord, recorded: Any, recomputed: Any
) -> Iterator[Difference]:
    """Compare two parts of a record, field by field.

    A field that is unset in a record of an older schema is not compared: it was not known then.

    Args:
        place: Where the part stands.
        record: The whole record.
        recorded: The part as it was recorded.
        recomputed: The part as it was computed again.
    """
    for name, definition in type(recorded).model_fields.items():
        value = getattr(recorded, name)
        unset = not definition.is_required() and value == definition.get_default(
            call_default_factory=True
        )
        if record.schema_version == SCHEMA_VERSION or not unset:
            before, after = (part.model_dump()[name] for part in (recorded, recomputed))
            yield from differences(f"{place}.{name}", before, after)


def differences(place: str, recorded: Any, recomputed: Any) -> Iterator[Difference]:
    """Compare values of any shape, numbers to the last digits but a few.

    Example:
        >>> [one.text for one in differences("n", {"light": 3, "dark": [1, 2]}, {"dark": [1, 4]})]
        ['n.light: recorded 3, recomputed None', 'n.dark[1]: recorded 2, recomputed 4']
    """
    if isinstance(recorded, Mapping) and isinstance(recomputed, Mapping):
        for key in dict.fromkeys((*recorded, *recomputed)):
            yield from differences(f"{place}.{key}", recorded.get(key), recomputed.get(key))
    elif isinstance(recorded, float) and isinstance(recomputed, float | int):
        if not math.isclose(recorded, recomputed, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE):
            yield Difference(place, recorded, recomputed)
    elif isinstance(recorded, list | tuple) and isinstance(recomputed, list | tuple):
        if len(recorded) != len(recomputed):
            yield Difference(place, recorded, recomputed)
            return
        for number, pair in enumerate(zip(recorded, recomputed, strict=True)):
            yield from differences(f"{place}[{number}]", *pair)
    elif recorded != recomputed:
        yield Difference(place, recorded, recomputed)
