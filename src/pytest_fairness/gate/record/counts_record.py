"""The counts of a record, checked when they are read."""

from math import prod
from typing import Annotated

from pydantic import Field, StrictInt, model_validator

from pytest_fairness.gate.record.details import FrozenRecord
from pytest_fairness.statistics.counts import GroupCounts

__all__ = ["CountsRecord"]

_MOST_CELLS = 100_000_000
_LARGEST = 2**53

_Number = Annotated[StrictInt, Field(ge=0, le=_LARGEST)]


class CountsRecord(FrozenRecord):
    """The counts of (group, true class, predicted class) that are not zero."""

    levels: dict[str, list[str]]
    """Attribute -> its levels, in the order of the cells."""
    classes: list[str]
    cells: list[list[_Number]]
    """[level of each attribute..., true class, predicted class, count], numbers counted from 0."""

    @model_validator(mode="after")
    def _consistent(self) -> "CountsRecord":
        """Refuse cells that are outside of the levels and classes, or appear twice."""
        axes = [*self.levels.values(), self.classes, self.classes]
        if any(len(set(names)) != len(names) for names in axes):
            msg = "a level or class appears twice"
            raise ValueError(msg)
        sizes = [len(names) for names in axes]
        if prod(sizes) > _MOST_CELLS:
            msg = f"{prod(sizes):,} cells of levels and classes, allowed are {_MOST_CELLS:,}"
            raise ValueError(msg)
        places = set()
        for cell in self.cells:
            *place, _ = cell or [-1]
            inside = all(i < size for i, size in zip(place, sizes, strict=False))
            if len(place) != len(sizes) or not inside or tuple(place) in places:
                msg = (
                    f"cell {cell} must be {len(sizes)} numbers of levels and classes "
                    f"(below {sizes}), each place once, and a count"
                )
                raise ValueError(msg)
            places.add(tuple(place))
        return self

    @classmethod
    def of(cls, counts: GroupCounts) -> "CountsRecord":
        """Return the record of counts."""
        return cls.model_validate(counts.to_dict())

    @property
    def counted(self) -> GroupCounts:
        """The counts, ready to be computed with."""
        return GroupCounts.from_dict(self.model_dump())
