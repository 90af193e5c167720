"""The end of a run, computed once: its record, what was not judged, and whether it is red."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pytest_fairness.wording import counted

if TYPE_CHECKING:
    from pytest_fairness.gate.questions import Question
    from pytest_fairness.gate.record.run_record import RunRecord
    from pytest_fairness.gate.record.stop import Stop
    from pytest_fairness.plugin.session import GateSession

__all__ = ["Ending", "end_run", "ending_lines", "last_line", "run_warnings", "write_ending"]

# What a part of the questions cannot tell, and a partial run is not asked for.
_NOT_OF_A_PART = frozenset({"no verdict", "not judged", "not checked", "vanished"})
_NO_VERDICT = "its test was skipped, failed early, or did not call fairness_gate"
# What a test that was run owes, in a partial run too.
_OF_A_TEST = frozenset({"no verdict", "not judged"})


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of a run: its record, and what makes it red.

    Args:
        record: The record of the run.
        asked: Every question that the policy asks.
        unjudged: Those that no test of the run answered.
        selected: Keys of the questions that have a test in this run.
        lacking: Evaluations of which no predictions were given, although others have some.
        narrowed: Whether the command line or an option left tests out.
        partial: Whether `--fairness-partial` asked for a part of the questions only.
        errors: Model and evaluation -> why they could not be judged.
    """

    record: "RunRecord"
    asked: "Sequence[Question]"
    unjudged: "Sequence[Question]"
    selected: frozenset[str]
    lacking: frozenset[str]
    narrowed: bool
    partial: bool
    errors: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def stops(self) -> "list[Stop]":
        """The reasons that make the run red: all that stops the release, as its record says."""
        stops = self.record.stops
        if not (self.partial and self.unjudged):
            return stops
        silent = any(question.key in self.selected for question in self.unjudged)
        excused = _NOT_OF_A_PART - _OF_A_TEST if silent else _NOT_OF_A_PART
        return [stop for stop in stops if stop.kind not in excused]


def end_run(gate: "GateSession", *, narrowed: bool) -> Ending:
    """Compute the end of the run, once, in the order of the policy.

    Args:
        gate: What the run asked and judged.
        narrowed: Whether tests were left out. Then waivers and requirements are not checked
            unless every question was judged all the same.
    """
    from pytest_fairness.gate.decision.required import check_required
    from pytest_fairness.gate.decision.waivers import waiver_problems
    from pytest_fairness.gate.former import former_records
    from pytest_fairness.gate.run import not_checked, record_of

    policy, asked = gate.policy, gate.everything
    # A verdict without the counts behind it came from a process that did not live to send them.
    judged = {q: v for q, v in gate.verdicts.items() if (v.model, v.evaluation) in gate.runs}
    unjudged = [question for question in asked if question.key not in judged]
    verdicts = [judged[question.key] for question in asked if question.key in judged]
    verdicts += gate.extras.values()
    required, problems = [], []
    is_a_part = narrowed and bool(unjudged)
    if not is_a_part:
        problems = waiver_problems(policy, asked, verdicts, today=gate.today)
        required = check_required(policy, gate.runs.values(), verdicts, models=gate.models)
    record = record_of(
        policy,
        list(gate.runs.values()),
        verdicts,
        complete=not unjudged,
        required=required,
        problems=problems,
        former=former_records(gate.settings.baseline.values(), written=gate.settings.record),
        models=gate.models,
        not_checked=not_checked(policy) if is_a_part else (),
    )
    return Ending(
        record,
        asked,
        unjudged,
        selected=frozenset(gate.selected or ()),
        lacking=frozenset(gate.without_predictions),
        narrowed=narrowed,
        partial=gate.settings.partial,
        errors=dict(gate.errors),
    )


def write_ending(gate: "GateSession", ending: Ending) -> "RunRecord":
    """Write the record if a file is named, and beside it the predictions and the signed statement.

    Returns:
        The record as it was written: with the names of the files beside it.

    Raises:
        OSError: A file cannot be written, such as on a full disk.
    """
    from pytest_fairness.gate.record.begun import end_record
    from pytest_fairness.gate.record.kept import write_record

    path, key = gate.settings.record, gate.settings.sign
    if path is None:
        return ending.record
    written = write_record(ending.record, path, predictions=gate.kept)
    if key is not None:
        from pytest_fairness.gate.audit.attestation import private_key, sign_record

        sign_record(written, path, private_key(key))
    end_record(path)
    return written


def ending_lines(ending: Ending, *, hidden: Collection[str]) -> list[str]:
    """Return what stops the release and no failed test shows, one line each.

    Args:
        ending: How the run ended.
        hidden: Keys of the questions whose test did not report a failure.
    """
    from pytest_fairness.report import describe

    own = {question.key for question in ending.asked}
    verdicts = {verdict.question: verdict for verdict in ending.record.verdicts}
    lines = _unjudged_lines(ending)
    for stop in ending.stops:
        if stop.kind in ("vanished", "problem"):
            lines.append(f"FAILED {stop.reason}")
        elif stop.kind == "verdict" and stop.name not in own:
            verdict = verdicts[stop.name]
            why = "the policy does not declare the level"
            if verdict.fails_by is not None:
                why = f"only {verdict.fails_by} asks the question"
            lines.append(f"FAILED without a test of its own, since {why}: {describe(verdict)}")
        elif stop.kind == "verdict" and stop.name in hidden:
            text = "FAILED although its test reported no failure: "
            lines.append(text + describe(verdicts[stop.name]))
    return lines


def _unjudged_lines(ending: Ending) -> list[str]:
    """Return one line a rule that has no answer; for a part of the tests, what to do."""
    if not ending.unjudged:
        return []
    if not ending.narrowed:
        return [*_unusable(ending), *_never_judged(ending)]
    if ending.partial:
        return []
    text = (
        "FAILED tests were left out: run all of them, or write --fairness-partial to ask a part of "
        "the questions, without a record"
    )
    return [text]


def last_line(ending: Ending) -> str:
    """Return what the last line of a run says that did not ask all questions, or nothing."""
    if not ending.unjudged:
        return ""
    left = sum(question.key not in ending.selected for question in ending.unjudged)
    number, what = (left, "asked") if left else (len(ending.unjudged), "judged")
    partial = " (--fairness-partial)" if ending.partial else ""
    of = f"{number} of {counted(len(ending.asked), 'question')}"
    return f"NOT A RELEASE RUN{partial}: {of} of the policy not {what}"


def _unusable(ending: Ending) -> list[str]:
    """Return one line for each error of a model, its data or its predictions."""
    keys: dict[str, list[tuple[str, str]]] = {}
    for key, text in ending.errors.items():
        keys.setdefault(text, []).append(key)
    lines = []
    for text, pairs in keys.items():
        number = sum((asked.model, asked.evaluation) in pairs for asked in ending.unjudged)
        lines.append(f"FAILED {counted(number, 'question')} not judged: {text.splitlines()[0]}")
    return lines


def _never_judged(ending: Ending) -> list[str]:
    by_rule: dict[tuple[str, str], list[Question]] = {}
    for question in ending.unjudged:
        if (question.model, question.evaluation) in ending.errors:
            continue
        by_rule.setdefault((question.rule.id, _why_not(question, ending)), []).append(question)
    return [
        f"FAILED {asked[0].rule.where}: rule {rule!r} was never judged for {len(asked)} of its "
        f"questions, e.g. {asked[0].name}; {why}"
        for (rule, why), asked in by_rule.items()
    ]


def _why_not(question: "Question", ending: Ending) -> str:
    if question.key in ending.selected:
        return _NO_VERDICT
    if question.evaluation in ending.lacking:
        name = question.evaluation
        return f"give its predictions: --fairness-predictions={name}=FILE"
    return f"add a test marked fairness({_marker(question)})"


def _marker(question: "Question") -> str:
    """What a marker says to ask a question."""
    against = "" if question.rule.against is None else f", against={question.rule.against!r}"
    return f"{question.rule.metric.name!r}{against}"


def run_warnings(gate: "GateSession") -> list[str]:
    """Return the waivers that end soon, and the rules that cannot fail."""
    from pytest_fairness.gate.decision.waivers import ending_waivers
    from pytest_fairness.gate.vacuous import rules_that_cannot_fail

    return [
        *ending_waivers(gate.policy, today=gate.today),
        *rules_that_cannot_fail(gate.policy),
    ]
