"""One step of labelling: read what was filled in, judge, and choose what to label next."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from pytest_fairness.errors import DataError
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.labelling.judged import Judging
from pytest_fairness.labelling.labels_file import (
    LabelRecord,
    Settled,
    read_record,
    with_labels,
    write,
)
from pytest_fairness.labelling.pool import read_pool
from pytest_fairness.policy import Policy

__all__ = ["LabelVerdict", "Labelling", "label"]

State: TypeAlias = Literal["settled", "open", "exhausted", "refused"]


@dataclass(frozen=True, slots=True)
class LabelVerdict:
    """A question and the answer that the labels so far give.

    Args:
        verdict: The verdict. A settled one is that of the round that settled it.
        state: settled; open: more labels may decide it; exhausted: all its images are labelled;
            refused: labels in rounds do not answer it.
        round: Number of the round that settled it, from 1; 0 where it is not settled.
    """

    verdict: Verdict
    state: State
    round: int = 0


@dataclass(frozen=True, slots=True)
class Labelling:
    """The verdicts and numbers of images after a step of labelling.

    Args:
        verdicts: One a question, in the order of the policy.
        rounds: The rounds with labels.
        labels: The labels that were read.
        pool: The images that there are.
        chosen: The images that were chosen in this step.
    """

    verdicts: Sequence[LabelVerdict]
    rounds: int
    labels: int
    pool: int
    chosen: int

    @property
    def finished(self) -> bool:
        """Whether no label could decide anything more."""
        return all(one.state != "open" for one in self.verdicts)


def label(
    policy: Policy,
    predictions: Path,
    labels: Path,
    *,
    evaluation: str | None = None,
    count: int = 50,
    seed: int | None = None,
) -> Labelling:
    """Read the labels so far, judge them, and choose the next images.

    Args:
        policy: The policy.
        predictions: Answers and scores of a model for images without labels.
        labels: The labels file, which is written at the first step.
        evaluation: Which `[evaluation.NAME]`; may be left out when there is one.
        count: Images to choose; 0 only judges.
        seed: Seed of the draws, fixed at the first step; 0 when absent.

    Raises:
        FairnessError: The policy asks nothing that labels in rounds can answer, or a file cannot be
            used.
    """
    chosen = policy.evaluation_named(evaluation)
    pool = read_pool(predictions, chosen)
    before = read_record(labels)
    record = LabelRecord(
        evaluation=chosen.name,
        policy_sha256=policy.sha256,
        pool_sha256=pool.sha256,
        seed=(0 if before is None else before.seed) if seed is None else seed,
    )
    if before is not None:
        _check_same(before, record, labels)
        record = with_labels(before, labels, pool.classes)
    judging = Judging(policy, chosen, pool, record)
    verdicts = [_state(judging, one) for one in judging.verdicts()]
    settled = {
        one.verdict.question: Settled(round=one.round, verdict=one.verdict)
        for one in verdicts
        if one.state == "settled"
    }
    rounds, read = len(record.rounds), sum(len(one.ids) for one in record.rounds)
    open_ = [one.verdict.question for one in verdicts if one.state == "open"]
    added = []
    if count and open_:
        added = [judging.drawn.next_round(judging.aims_for(open_), count, record)]
    update = {"rounds": (*record.rounds, *added), "settled": settled}
    write(record.model_copy(update=update), labels)
    return Labelling(verdicts, rounds, read, len(pool.ids), sum(len(one.ids) for one in added))


def _state(judging: Judging, verdict: Verdict) -> LabelVerdict:
    before = judging.record.settled.get(verdict.question)
    if before is not None:
        return LabelVerdict(before.verdict, "settled", before.round)
    if verdict.question in judging.refused:
        return LabelVerdict(verdict, "refused")
    if verdict.outcome != "inconclusive":
        return LabelVerdict(verdict, "settled", len(judging.record.rounds))
    return LabelVerdict(verdict, "open" if judging.can_go_on(verdict.question) else "exhausted")


def _check_same(before: LabelRecord, now: LabelRecord, labels: Path) -> None:
    """Raise where a step is not a step of the record that there is."""
    for name, what in (
        ("evaluation", "evaluation"),
        ("pool_sha256", "predictions file"),
        ("policy_sha256", "policy"),
        ("seed", "seed"),
    ):
        old, new = str(getattr(before, name)), str(getattr(now, name))
        if old != new:
            msg = (
                f"{labels}: the {what} is another one than in round 1 ({old[:12]} then, {new[:12]} "
                "now). What was chosen holds for that one only: use it again, or name a labels file "
                "that does not exist yet"
            )
            raise DataError(msg)
