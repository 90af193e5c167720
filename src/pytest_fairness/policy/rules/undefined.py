"""Questions that no data can answer: the false positive rate of those who are all positive."""

from collections.abc import Callable, Iterable, Mapping
from typing import NoReturn

from pytest_fairness.policy.records import EACH, Evaluation, Rule
from pytest_fairness.statistics.metrics.cells import FN, FP, TN, TP, Cells, in_words
from pytest_fairness.statistics.metrics.definitions import CompositeDefinition, Rate

__all__ = ["check_defined"]

Fail = Callable[[str, str], NoReturn]


def check_defined(rule: Rule, evaluations: Mapping[str, Evaluation], *, fail: Fail) -> None:
    """Refuse a rule by the target or the prediction that is undefined in one of its groups.

    Args:
        rule: The rule, resolved.
        evaluations: Evaluations that it is asked of.
        fail: Called with the key to blame and the problem; does not return.

    Example:
        By its own target, the false positive rate of the group "yes" is a share of no samples.
    """
    rates = _rates(rule)
    asked = {attribute for by in rule.by for attribute in by}
    for evaluation in evaluations.values():
        read = {evaluation.target: "target"}
        if evaluation.score is None:
            read[evaluation.prediction] = "prediction"
        for attribute in sorted(asked & set(read)):
            for level in evaluation.attributes.get(attribute, ()):
                for positive in _positives(rule, evaluation, attribute):
                    possible = _cells(read[attribute], is_positive=level == positive)
                    empty = next((rate for rate in rates if not rate.among & possible), None)
                    if empty is not None:
                        fail(
                            "by",
                            f"{rule.metric.name!r} by {attribute!r}, the {read[attribute]} itself, "
                            f"is undefined in the group {level!r}: it has no "
                            f"{in_words(empty.among)}; remove {attribute!r} from by",
                        )


def _rates(rule: Rule) -> tuple[Rate, ...]:
    """The rates that a metric is made of, which depend on a positive class."""
    measure = rule.metric.measure
    rates: Iterable[Rate] = ()
    if isinstance(measure, CompositeDefinition):
        rates = measure.parts
    elif isinstance(measure, Rate):
        rates = (measure,)
    return tuple(rate for rate in rates if not rate.among & Cells.ANSWERS)


def _positives(rule: Rule, evaluation: Evaluation, attribute: str) -> tuple[str | None, ...]:
    """The classes that take the part of the positive one."""
    measure = rule.metric.measure
    in_turn = isinstance(measure, CompositeDefinition) and measure.each_class
    if rule.positive == EACH or in_turn:
        return evaluation.classes or evaluation.attributes[attribute]
    return (rule.positive or evaluation.positive,)


def _cells(read: str, *, is_positive: bool) -> Cells:
    """The cells that a group of one true class, or of one answer, can have."""
    if read == "target":
        return TP | FN if is_positive else FP | TN
    return TP | FP if is_positive else FN | TN
