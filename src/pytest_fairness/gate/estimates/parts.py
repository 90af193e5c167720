"""The rates that a composite measure is made of, by name."""

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_fairness.gate.record.details import PartRecord
from pytest_fairness.statistics.estimators.composites import Composite
from pytest_fairness.statistics.estimators.measure import parts_of
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.metrics.names import CompositeDefinition, Measure

__all__ = ["NamedPart", "lacking", "named", "named_parts"]


@dataclass(frozen=True, slots=True)
class NamedPart:
    """A rate that a measure of G groups is made of.

    Args:
        name: Name in messages.
        among: What it is counted among, in words.
        successes: What was counted, G numbers.
        n: What it was counted among.
    """

    name: str
    among: str
    successes: list[int]
    n: list[int]

    def record(self, both: list[int]) -> PartRecord:
        """Return the counts of a group, and of its reference where there is one."""
        group, *other = both
        return PartRecord(
            name=self.name,
            successes=self.successes[group],
            n=self.n[group],
            reference_successes=self.successes[other[0]] if other else None,
            reference_n=self.n[other[0]] if other else None,
        )

    def lacking(self, positions: list[int], groups: list[dict[str, str]]) -> str:
        """Return the groups without samples to count among, in words, or nothing."""
        empty = [position for position in positions if self.n[position] == 0]
        return lacking(self.among, empty, groups) if empty else ""


def named_parts(
    definition: Measure, classes: tuple[str, ...], measured: Measured
) -> list[NamedPart]:
    """Return the rates that a measure is made of, or none where it is one rate itself."""
    if not isinstance(definition, CompositeDefinition) or not isinstance(measured, Composite):
        return []
    found = []
    for (rate, index), part in zip(
        parts_of(definition, len(classes), None), measured.parts, strict=True
    ):
        name, among = rate.short, rate.counted_among
        if index is not None:
            name, among = f"{name} of {classes[index]}", rate.counted_among_class(classes[index])
        counts = (count.tolist() for count in part.counts)
        found.append(NamedPart(name, among, *counts))
    return found


def lacking(what: str, positions: list[int], groups: list[dict[str, str]]) -> str:
    """Return the empty groups as text, such as `no positives in skin_tone dark`."""
    return f"no {what} in {'; '.join(named(groups[position]) for position in positions)}"


def named(group: Mapping[str, str]) -> str:
    """Return a group in words: `skin_tone dark, gender woman`."""
    return ", ".join(f"{attribute} {level}" for attribute, level in group.items())
