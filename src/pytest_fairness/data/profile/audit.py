"""Labels beside what the images show: is the named order of levels the measured one?"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.profile.matched import MatchedSets
from pytest_fairness.data.profile.proxies import PROXIES, Proxy, shared_skin
from pytest_fairness.data.profile.record import AuditPair, AuditRecord, MeasuredOrder
from pytest_fairness.data.profile.request import AuditRequest, ProfileRequest
from pytest_fairness.data.profile.scan import Pixels
from pytest_fairness.data.profile.source import Table
from pytest_fairness.statistics.intervals.chosen import rate_interval

__all__ = ["Measurement", "audit_labels", "measure_set"]

# Fewer pixels than this share of an image, or than this number, are not measured.
_LEAST_SHARE, _LEAST_PIXELS = 0.001, 16
# Inversions that are shown to be more frequent than this are more than slips.
_OFTEN = 0.05
_MOST_SUSPECTS = 100


@dataclass(frozen=True, slots=True)
class Measurement:
    """Measurements of one matched set.

    Args:
        number: Which set.
        by_level: Position of the level -> value; empty when it could not be measured.
        reason: Why not; empty when it could.
    """

    number: int
    by_level: Mapping[int, float]
    reason: str = ""


def measure_set(
    matched: MatchedSets, proxy: Proxy
) -> Callable[[int, Mapping[int, Pixels]], Measurement]:
    """Return what measures the images of one set: its number, and pixels by position."""

    def measure(number: int, pixels: Mapping[int, Pixels]) -> Measurement:
        positions = matched.positions[number]
        if any(position not in pixels for position in positions):
            return Measurement(number, {}, "an image cannot be read")
        if len({pixels[position].shape for position in positions}) > 1:
            return Measurement(number, {}, "images of different sizes")
        stack = np.stack([pixels[position] for position in positions])
        mask = shared_skin(stack)
        if mask.sum() < max(_LEAST_PIXELS, _LEAST_SHARE * mask.size):
            return Measurement(number, {}, "too few pixels that are skin in every image")
        values = (proxy.measure(image[mask].astype(np.float64)) for image in stack)
        return Measurement(number, dict(zip(matched.places[number], values, strict=True)))

    return measure


@dataclass(frozen=True, slots=True, eq=False)
class _Stratum:
    """The measured sets of one stratum."""

    name: str
    found: Sequence[Measurement]


def audit_labels(
    table: Table,
    audit: AuditRequest,
    matched: MatchedSets,
    measurements: Sequence[Measurement],
    request: ProfileRequest,
) -> AuditRecord:
    """Return how often the measured order of two levels is not the named one.

    Args:
        table: The table.
        audit: What is audited.
        matched: The matched sets.
        measurements: What was measured in each of them.
        request: Its level.
    """
    reasons = Counter(matched.left_out)
    reasons.update(one.reason for one in measurements if one.reason)
    measured = [one for one in measurements if not one.reason]
    names = sorted({matched.strata[one.number] for one in measured}) or [""]
    strata = [
        _Stratum(name, [one for one in measured if matched.strata[one.number] == name])
        for name in names
    ]
    auditor = _Auditor(table, audit, matched, request.confidence)
    return AuditRecord(
        attribute=audit.attribute,
        proxy=audit.proxy,
        rising=audit.rising,
        levels=matched.levels,
        match=matched.columns,
        by=audit.by,
        cluster=None if table.cluster is None else table.cluster.name,
        level=request.confidence,
        sets=len(matched.positions) + sum(matched.left_out.values()),
        measured=len(measured),
        unmeasured=dict(reasons.most_common()),
        pairs=tuple(
            auditor.pair(stratum, first, second)
            for stratum in strata
            for first, second in combinations(range(len(matched.levels)), 2)
        ),
        orders=tuple(order for one in strata if (order := auditor.order(one)) is not None),
        median={stratum.name: auditor.medians(stratum) for stratum in strata},
    )


Verdict: TypeAlias = Literal["as named", "a few inverted", "often inverted", "swapped", "undecided"]


class _Mean(NamedTuple):
    """Share of inverted sets: clusters, mean over them, and both ends of its interval."""

    clusters: int
    share: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True, eq=False)
class _Auditor:
    """Compares named with measured orders."""

    table: Table
    audit: AuditRequest
    matched: MatchedSets
    confidence: float

    def pair(self, stratum: _Stratum, first: int, second: int) -> AuditPair:
        both = [one for one in stratum.found if first in one.by_level and second in one.by_level]
        steps = np.array([one.by_level[second] - one.by_level[first] for one in both], dtype=float)
        told = np.abs(steps) >= PROXIES[self.audit.proxy].tie
        inverted = (steps < 0 if self.audit.rising else steps > 0) & told
        n, count = int(told.sum()), int(inverted.sum())
        mean = self._mean(inverted[told], [both[i].number for i in told.nonzero()[0]])
        return AuditPair(
            stratum=stratum.name,
            first=self.matched.levels[first],
            second=self.matched.levels[second],
            adjacent=second == first + 1,
            sets=n,
            inverted=count,
            ties=len(both) - n,
            clusters=mean.clusters,
            share=mean.share,
            low=mean.low,
            high=mean.high,
            verdict=_verdict(count, mean),
            suspects=tuple(
                self._ids(both[i].number, first, second)
                for i in inverted.nonzero()[0][:_MOST_SUSPECTS]
            ),
        )

    def order(self, stratum: _Stratum) -> MeasuredOrder | None:
        """The order measured most often among the sets that have every level."""
        sign = 1 if self.audit.rising else -1
        size = len(self.matched.levels)
        orders = Counter(
            tuple(sorted(one.by_level, key=lambda place: sign * one.by_level[place]))
            for one in stratum.found
            if len(one.by_level) == size
        )
        if not orders:
            return None
        ((most, sets),) = orders.most_common(1)
        levels = tuple(self.matched.levels[place] for place in most)
        return MeasuredOrder(stratum=stratum.name, order=levels, sets=sets, of=orders.total())

    def medians(self, stratum: _Stratum) -> dict[str, float | None]:
        found: dict[str, float | None] = {}
        for place, level in enumerate(self.matched.levels):
            values = [one.by_level[place] for one in stratum.found if place in one.by_level]
            found[level] = round(float(np.median(values)), 3) if values else None
        return found

    def _mean(self, inverted: NDArray[np.bool_], numbers: Sequence[int]) -> _Mean:
        """Mean share of the clusters, on the exact interval of as many independent images.

        A share between 0 and 1 varies less than the 0 and 1 that the interval is for.
        """
        if not len(inverted):
            return _Mean(0, None, None, None)
        own = range(len(inverted)) if self.matched.clusters is None else None
        named = own or [self.matched.clusters[i] for i in numbers]  # type: ignore[index]
        shares = pd.Series(inverted, dtype=float).groupby(list(named)).mean()
        low, high = rate_interval(float(shares.sum()), len(shares), confidence=self.confidence)
        return _Mean(len(shares), float(shares.mean()), float(low), float(high))

    def _ids(self, number: int, first: int, second: int) -> tuple[str, str]:
        positions, places = self.matched.positions[number], self.matched.places[number]
        one, other = (self.table.ids[positions[places.index(i)]] for i in (first, second))
        return one, other


def _verdict(count: int, mean: _Mean) -> Verdict:
    if mean.low is None or mean.high is None:
        return "undecided"
    if mean.low > 0.5:
        return "swapped"
    if mean.low > _OFTEN:
        return "often inverted"
    if mean.high >= 0.5:
        return "undecided"
    return "a few inverted" if count else "as named"
