"""`[[required]]`: what a policy wants judged with samples, whatever its rules ask."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pytest_fairness.gate.record.policy_records import RequiredRecord
from pytest_fairness.gate.record.run_record import JudgedRun, Verdict
from pytest_fairness.policy import Policy, Required
from pytest_fairness.policy.text.toml_text import toml_header
from pytest_fairness.wording import allowed_names, counted

__all__ = ["check_required", "samples_of"]


def check_required(
    policy: Policy,
    runs: Iterable[JudgedRun],
    verdicts: Iterable[Verdict],
    *,
    models: Sequence[str],
    evaluations: Sequence[str] | None = None,
) -> list[RequiredRecord]:
    """Return the answer to every `[[required]]`, one for each model and evaluation.

    Args:
        policy: Its requirements.
        runs: What was judged, with counts.
        verdicts: The answers.
        models: Models under test; each must meet every requirement.
        evaluations: Requirements on other evaluations are left out; all when absent.
    """
    check = _Check(policy, {(run.model, run.evaluation): run for run in runs}, list(verdicts))
    return [
        check.line(required, model, evaluation)
        for required in policy.required
        for model in models
        for evaluation in _targets(policy, required)
        if evaluations is None or evaluation in (None, *evaluations)
    ]


def _targets(policy: Policy, required: Required) -> list[str | None]:
    """Evaluations that must meet a requirement; None where no evaluation can."""
    if required.evaluation is not None:
        return [required.evaluation]
    found: list[str | None] = [
        name
        for name, evaluation in policy.evaluations.items()
        if all(
            level in evaluation.attributes.get(attribute, ())
            for attribute, level in required.group.items()
        )
    ]
    return found or [None]


@dataclass(frozen=True, slots=True)
class _Check:
    policy: Policy
    runs: Mapping[tuple[str, str], JudgedRun]
    verdicts: list[Verdict]

    def line(self, required: Required, model: str, evaluation: str | None) -> RequiredRecord:
        run = self.runs.get((model, evaluation or ""))
        n = samples_of(run, required.group)
        without = _without_prediction(run, required.group)
        missing = self.missing(required, model, evaluation, n) or _too_many(required, n, without)
        beside = f", {without:,} without a prediction" if without else ""
        return RequiredRecord(
            model=model,
            evaluation=evaluation,
            group=dict(required.group),
            outcome="fail" if missing else "pass",
            n=n,
            min_samples=required.min_samples,
            reason=missing or f"judged with {counted(n, 'sample')}{beside}",
            where=required.where,
            max_unpredicted=required.max_unpredicted,
        )

    def missing(self, required: Required, model: str, evaluation: str | None, n: int) -> str:
        """What is missing, in words; empty where nothing is."""
        if evaluation is None:
            return "no evaluation of the policy declares this group"
        if evaluation not in self.policy.evaluations:
            allowed = allowed_names(evaluation, self.policy.evaluations)
            return f"the policy has no {toml_header('evaluation', evaluation)}{allowed}"
        about = [v for v in self.verdicts if (v.model, v.evaluation) == (model, evaluation)]
        if not about:
            return "this evaluation was not judged"
        if not any(_is_about(verdict, required.group) for verdict in about):
            return f'no rule asks about this group; add by = ["{"*".join(required.group)}"] to one'
        if n < required.min_samples:
            return f"{counted(n, 'sample')}, at least {required.min_samples:,} are required"
        return ""


def _too_many(required: Required, n: int, without: int) -> str:
    """What is wrong with the share of samples without a prediction, or nothing."""
    allowed = required.max_unpredicted
    if allowed is None or without <= allowed * (n + without):
        return ""
    return (
        f"{without:,} of {counted(n + without, 'sample')} have no prediction ({without / (n + without):.1%}), and "
        f"max_unpredicted allows {allowed:.1%}"
    )


def _without_prediction(run: JudgedRun | None, group: Mapping[str, str]) -> int:
    """Samples of a group that have no prediction."""
    if run is None:
        return 0
    without: dict[str, dict[str, str]] = json.loads(run.metadata.get("without_prediction", "{}"))
    return sum(group.items() <= levels.items() for levels in without.values())


def samples_of(run: JudgedRun | None, group: Mapping[str, str]) -> int:
    """Return the samples of a group, 0 where it was not counted."""
    if run is None:
        return 0
    counts = run.counts.counted
    if any(level not in counts.levels.get(name, ()) for name, level in group.items()):
        return 0
    by = tuple(group)
    position = counts.groups(by).index(dict(group))
    return int(counts.confusion(by)[position].sum())


def _is_about(verdict: Verdict, group: Mapping[str, str]) -> bool:
    """Whether a verdict compares or measures a group, alone or crossed with other attributes."""
    if verdict.comparison is not None and set(group) <= set(verdict.by):
        return True
    named = (verdict.group, verdict.reference or {})
    return any(group.items() <= one.items() for one in named)
