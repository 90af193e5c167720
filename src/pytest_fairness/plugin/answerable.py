"""The questions of a run that its evaluation sets cannot answer, told before a model runs."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_fairness.errors import FairnessError
from pytest_fairness.plugin.session import GateSession

if TYPE_CHECKING:
    from pytest_fairness.gate.questions import Question
    from pytest_fairness.gate.record.details import UnanswerableRecord

__all__ = ["answerable_lines", "questions_of"]


def answerable_lines(gate: GateSession, selected: set[str]) -> list[str]:
    """Return how many questions no model can pass and what is missing, or nothing where each can be.

    Args:
        gate: The session.
        selected: Keys of the questions that this run asks.
    """
    if not selected or gate.problem is not None:
        return []
    from pytest_fairness.report.needed import unanswerable_lines

    never = [pair for pair in _unanswerable(gate) if pair[0].key in selected]
    lines = unanswerable_lines(never, asked=len(selected))
    return [f"fairness: {lines[0]}", *lines[1:]] if lines else []


def _unanswerable(gate: GateSession) -> "list[tuple[Question, UnanswerableRecord]]":
    """The questions of the policy that no model can pass on its evaluation set.

    Samples are listed and no image is read. An evaluation set that cannot be read is left out: its
    tests say why.
    """
    from pytest_fairness.planning.answerable import unanswerable_of
    from pytest_fairness.planning.at_hand import read_at_hand

    found = []
    files = gate.settings.predictions
    for name in dict.fromkeys(question.evaluation for question in gate.asked):
        file = files.get(name, files.get(None)) if files else None
        try:
            at_hand = read_at_hand(gate.policy.evaluations[name], predictions=file)
        except FairnessError:
            continue
        if (evidence := at_hand.evidence) is None:
            continue
        of_models = [
            [one for one in gate.asked if (one.model, one.evaluation) == (model, name)]
            for model in gate.models
        ]
        never = unanswerable_of(gate.policy, of_models[0], evidence)
        found += [(asked[i], record) for asked in of_models for i, record in never.items()]
    return found


def questions_of(gate: GateSession, ids: Sequence[str]) -> set[str]:
    """Return the keys of the questions that collected tests ask.

    Args:
        gate: The session.
        ids: Ids of all tests, such as `test_rates.py::test_rate[floor:ads-faces-age-old]`.
    """
    asked = {one.rpartition("[")[2].removesuffix("]") for one in ids}
    return {question.key for question in gate.asked if question.test_id in asked}
