"""Is a record what its policy makes of its counts? Every verdict is computed again."""

import datetime as dt
import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pytest_fairness.errors import FairnessError, PolicyError
from pytest_fairness.files import read_regular
from pytest_fairness.gate.audit.changed_fields import Difference, differences, different_fields
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.decision.required import check_required
from pytest_fairness.gate.decision.waivers import apply_waivers, waiver_problems
from pytest_fairness.gate.estimates.estimate import Counted, Estimate
from pytest_fairness.gate.evidence import Evidence, gather_evidence
from pytest_fairness.gate.precision import precision_problem
from pytest_fairness.gate.questions import Question, asked_of, questions
from pytest_fairness.gate.record.kept import find_predictions
from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord, Verdict
from pytest_fairness.gate.run import count_predictions, record_of
from pytest_fairness.gate.since import describe_baseline
from pytest_fairness.hashing import sha256_of, sha256_of_text
from pytest_fairness.inference import Predictions
from pytest_fairness.policy import Evaluation, Policy, PolicyText, restore_policy
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.wording import counted

__all__ = ["Verification", "verify"]


@dataclass(slots=True)
class Verification:
    """The result of checking a record.

    Args:
        record: The record.
        sha256: Hash of the bytes that it was read from.
        differences: Values that are not what they should be.
        unchecked: What could not be checked, and why.
        checked: Number of verdicts that were computed again.
    """

    record: RunRecord
    sha256: str
    differences: list[Difference] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)
    checked: int = 0


def verify(path: Path) -> Verification:
    """Compute every verdict of a record again, from its policy and its counts.

    What needs images is computed again from the predictions beside the record, and what needs the
    baseline from its file, where these are there and unchanged.

    Args:
        path: File of the record.

    Raises:
        FairnessError: The record cannot be read, or holds no policy that can be read.
    """
    try:
        text = read_regular(path)  # once, so that what is hashed is what is checked
    except OSError as error:
        msg = f"{path}: the record cannot be read: {error.strerror}"
        raise FairnessError(msg) from error
    record = RunRecord.from_bytes(text, path)
    found = Verification(record, hashlib.sha256(text).hexdigest())
    policy = _policy(record, path, found)
    verdicts: list[Verdict] = []
    for run in record.runs:
        verdicts += _Run(record, run, policy, path.parent, found).verdicts()
    _compare_verdicts(record, verdicts, found)
    asked = questions(policy, _models(record))
    _compare_completeness(record, asked, found)
    _compare_required(record, policy, found)
    _compare_problems(record, policy, asked, found)
    return found


def _models(record: RunRecord) -> list[str]:
    """The models under test; those that were judged, in a record that does not say them."""
    return record.models or list(dict.fromkeys(run.model for run in record.runs))


def _policy(record: RunRecord, path: Path, found: Verification) -> Policy:
    """The policy of the record's own texts."""
    kept = record.policy
    texts = [PolicyText(file.source, file.text, file.sha256) for file in kept.files]
    try:
        policy = restore_policy(
            texts or [PolicyText(kept.source, kept.text, kept.sha256)],
            today=dt.datetime.fromisoformat(record.created).date(),
        )
    except PolicyError as error:
        msg = f"{path}: the policy in the record cannot be read: {error}"
        raise FairnessError(msg) from error
    for file in kept.files:
        digest = sha256_of_text(file.text)
        found.differences += differences(f"policy.files[{file.source}].sha256", file.sha256, digest)
    again = record_of(policy, [], [], complete=True).policy
    found.differences += different_fields("policy", record, kept, again)
    return policy


@dataclass(frozen=True, slots=True)
class _Run:
    """One model on one evaluation set of a record, being judged again."""

    record: RunRecord
    run: JudgedRun
    policy: Policy
    folder: Path
    found: Verification

    @property
    def place(self) -> str:
        return f"runs[{self.run.model} on {self.run.evaluation}]"

    def verdicts(self) -> list[Verdict]:
        """All verdicts, waivers applied as of the day of the record."""
        evaluation = self.policy.evaluations.get(self.run.evaluation)
        if evaluation is None:
            known = ", ".join(self.policy.evaluations)
            self.found.differences.append(
                Difference(f"{self.place}.evaluation", self.run.evaluation, known)
            )
            return []
        if problem := precision_problem(self.policy, self.run.metadata):
            self.found.differences.append(Difference(f"{self.place}.precision", problem, "allowed"))
        counts = self.run.counts.counted
        self.found.differences += differences(f"{self.place}.n", self.run.n, counts.n)
        evidence = self._evidence(counts, evaluation)
        judged = judge_counts(
            self.policy, counts, evaluation=evaluation, model=self.run.model, evidence=evidence
        )
        unknown = set(evidence.recalled)
        today = dt.datetime.fromisoformat(self.record.created).date()
        waived = apply_waivers(self.policy, judged, today=today)
        return [verdict for verdict in waived if verdict.question not in unknown]

    def _evidence(self, counts: GroupCounts, evaluation: Evaluation) -> Evidence:
        predictions = self._predictions(counts, evaluation)
        baseline = self._baseline()
        known = Evidence(counts, evaluation, predictions)
        if predictions is not None:
            known = gather_evidence(predictions, counts, evaluation, baseline=baseline)
        self._compare_baseline(known)
        recorded = {verdict.question: verdict for verdict in self.record.verdicts}
        recalled = {}
        for question in self._asked(evaluation, counts):
            lacking = self._lacking(question, predictions, baseline)
            if lacking and question.key in recorded:
                self.found.unchecked.append(f"{question.key}: not checked: needs {lacking}")
                recalled[question.key] = _recalled(recorded[question.key])
        return Evidence(counts, evaluation, predictions, known.baseline, known.comparison, recalled)

    def _asked(self, evaluation: Evaluation, counts: GroupCounts) -> list[Question]:
        """The questions of the policy, and of the policies that it extends."""
        asked: dict[str, Question] = {}
        for policy in (self.policy, *self.policy.alone):
            if (own := policy.evaluations.get(evaluation.name)) is not None:
                for one in asked_of(policy, own, model=self.run.model, levels=counts.levels):
                    asked.setdefault(one.key, one)
        return list(asked.values())

    def _compare_baseline(self, known: Evidence) -> None:
        """Compare all that changed since the baseline, whatever the rules ask."""
        kept = self.run.baseline
        if kept is None:
            return
        again = describe_baseline(self.policy, known)
        if again is None:
            self.found.unchecked.append(
                f"{self.place}.baseline: not checked: needs the predictions beside the record and "
                f"{kept.source}"
            )
            return
        moved = again.model_copy(update={"source": kept.source})
        place = f"{self.place}.baseline"
        self.found.differences += different_fields(place, self.record, kept, moved)

    def _lacking(
        self, question: Question, predictions: Predictions | None, baseline: Path | None
    ) -> str:
        rule, kept = question.rule, self.run.baseline
        compares = rule.against is not None and kept is not None
        needs_samples = rule.metric.matched or rule.metric.observed is not None
        if (needs_samples or compares) and predictions is None:
            name = self.run.predictions.file if self.run.predictions else "they were not kept"
            return f"the predictions beside the record ({name})"
        if compares and baseline is None and kept is not None:
            return f"the baseline {kept.source} with sha256 {kept.sha256}"
        return ""

    def _predictions(self, counts: GroupCounts, evaluation: Evaluation) -> Predictions | None:
        """The predictions beside the record, whose counts must be those of the record."""
        try:
            file = find_predictions(self.run, self.folder)
        except FairnessError as error:
            kept = self.run.predictions.sha256 if self.run.predictions else None
            self.found.differences.append(
                Difference(f"{self.place}.predictions.sha256", kept, str(error))
            )
            return None
        if file is None:
            return None
        predictions = Predictions.from_parquet(file)
        again = count_predictions(predictions, evaluation)
        if again != counts:
            what = f"those of {file.name}, {counted(again.n, 'sample')}"
            self.found.differences.append(
                Difference(f"{self.place}.counts", f"{counted(counts.n, 'sample')}", what)
            )
        return predictions

    def _baseline(self) -> Path | None:
        """The file of the baseline, where it is still there and unchanged."""
        kept = self.run.baseline
        if kept is None or kept.sha256 is None:
            return None
        for file in (Path(kept.source), self.folder / kept.source):
            if file.is_file() and sha256_of(file) == kept.sha256:
                return file
        return None


def _recalled(verdict: Verdict) -> Estimate:
    """The answer that a record gives, so that the others are corrected for as many questions."""

    def bounds(confidence: float, _size: float = 0.0) -> tuple[float, float]:
        corrected = verdict.correction
        if corrected is not None and math.isclose(confidence, corrected.level, rel_tol=1e-9):
            return corrected.low, corrected.high
        return -math.inf, math.inf

    reference = None
    if verdict.reference_successes is not None and verdict.reference_n is not None:
        reference = Counted(verdict.reference_successes, verdict.reference_n)
    return Estimate(
        group=verdict.group,
        reference=verdict.reference,
        value=verdict.value,
        low=verdict.low,
        high=verdict.high,
        counted=Counted(verdict.successes, verdict.n),
        reference_counted=reference,
        effective_n=float(verdict.n),
        reason=None if verdict.value is not None else verdict.reason,
        bounds=bounds,
        unasked=verdict.value is None,
    )


def _compare_verdicts(
    record: RunRecord, recomputed: Sequence[Verdict], found: Verification
) -> None:
    unchecked = {text.split(": not checked")[0] for text in found.unchecked}
    recorded = {verdict.question: verdict for verdict in record.verdicts}
    again = {verdict.question: verdict for verdict in recomputed}
    for question, verdict in recorded.items():
        place = f"verdicts[{question}]"
        if question in again:
            found.checked += 1
            found.differences += different_fields(place, record, verdict, again[question])
        elif question not in unchecked:
            found.differences.append(Difference(place, verdict.outcome, "no such question"))
    for question, verdict in again.items():
        if question not in recorded and record.complete:
            found.differences.append(
                Difference(f"verdicts[{question}]", "no verdict", verdict.outcome)
            )


def _compare_completeness(
    record: RunRecord, asked: Sequence[Question], found: Verification
) -> None:
    """Compare whether all questions of the policy were judged with what the record holds."""
    have = {verdict.question for verdict in record.verdicts}
    lacking = [question.key for question in asked if question.key not in have]
    if record.complete and lacking:
        again = (
            counted(len(lacking), "question of the policy has", "questions of the policy have")
            + f" no verdict, e.g. {lacking[0]}"
        )
        found.differences.append(Difference("complete", "True", again))


def _compare_required(record: RunRecord, policy: Policy, found: Verification) -> None:
    """Compare what the policy requires; a run of a part of the questions may say nothing of it."""
    again = check_required(policy, record.runs, record.verdicts, models=_models(record))
    known = {(one.model, one.evaluation, one.where): one for one in again}
    recorded = {(one.model, one.evaluation, one.where): one for one in record.required}
    for key in recorded | known if _is_checked(record, "[[required]]") else recorded:
        place = f"required[{key[0]} on {key[1]}, {key[2]}]"
        if key not in known:
            found.differences.append(Difference(place, recorded[key].outcome, "not required"))
        elif key not in recorded:
            found.differences.append(Difference(place, "not checked", known[key].outcome))
        else:
            found.differences += different_fields(place, record, recorded[key], known[key])
    if policy.required and not record.required and not _is_checked(record, "[[required]]"):
        found.unchecked.append("required: the record does not say whether it was judged")


def _compare_problems(
    record: RunRecord, policy: Policy, asked: Sequence[Question], found: Verification
) -> None:
    """Compare what is wrong with waivers, as of the day of the record."""
    if not _is_checked(record, "[[waiver]]"):
        return
    today = dt.datetime.fromisoformat(record.created).date()
    again = waiver_problems(policy, asked, record.verdicts, today=today)
    if set(again) != set(record.problems):
        found.differences += differences("problems", record.problems, again)


def _is_checked(record: RunRecord, table: str) -> bool:
    """Whether a run checked a table of its policy; one that asked a part of the questions did not."""
    return record.complete and table not in record.not_checked
