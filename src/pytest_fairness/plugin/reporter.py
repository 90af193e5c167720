"""What a run shows and leaves at its end; under xdist it runs on the controller."""

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import pytest

from pytest_fairness.plugin.session import GateSession

if TYPE_CHECKING:
    from pytest_fairness.gate.questions import Question

__all__ = ["VERDICT_PROPERTY", "GateReporter"]

VERDICT_PROPERTY = "fairness_verdict"
# A line of progress every so many seconds; short runs print none.
_PROGRESS_SECONDS = 10.0
_COLOURS: dict[str | None, dict[str, bool]] = {
    "fail": {"red": True},
    "inconclusive": {"yellow": True},
    "pass": {"green": True},
    None: {},
}


class GateReporter:
    """Collects verdicts from the reports, writes the record, prints the summary."""

    def __init__(self, config: pytest.Config, gate: GateSession) -> None:
        self.config = config
        self.gate = gate
        self.missing: list[Question] = []
        self._shown_at = time.monotonic()
        gate.progress = self.show_progress

    def pytest_report_header(self) -> str | None:
        """Name the policy and the models under test."""
        if self.gate.settings.policy is None:
            return None
        policy, settings = self.gate.policy, self.gate.settings
        names = settings.models or (() if settings.predictions else tuple(policy.models))
        models = ", ".join(names) or "none"
        return f"fairness: policy {policy.source} (sha256 {policy.sha256[:12]}), models: {models}"

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Remember that the run is not a full one."""
        self.gate.deselected += len(items)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the verdict from the report of a test."""
        text = dict(report.user_properties).get(VERDICT_PROPERTY)
        if report.when == "call" and isinstance(text, str):
            from pytest_fairness.gate.record.run_record import Verdict

            verdict = Verdict.model_validate_json(text)
            self.gate.verdicts[verdict.question] = verdict

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Show an inconclusive question as neither passed nor failed."""
        undecided = ("fairness_outcome", "inconclusive")
        passed = isinstance(report, pytest.TestReport) and report.when == "call" and report.passed
        if passed and undecided in report.user_properties:
            return "inconclusive", "?", ("INCONCLUSIVE", {"yellow": True})
        return None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what an xdist worker sent."""
        if payload := getattr(node, "workeroutput", {}).get("fairness"):
            self.gate.merge(payload)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the worker's part, or write the record and fail a full run that left rules out."""
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["fairness"] = self.gate.payload()
            return
        if not self.gate.collected or self.gate.problem is not None:
            return
        self.gate.full = self._is_full_run(session)
        if self.gate.full:
            self.missing = self.gate.unjudged()
        unmet = [one for one in self.gate.required() if one.outcome == "fail"]
        red = self.missing or self.gate.blocking_extras() or unmet or self.gate.waiver_problems()
        red = red or self.gate.vanished()
        if red and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        if self.gate.settings.record is not None:
            self.gate.write_record(self.gate.settings.record)

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table of verdicts and what was left unjudged."""
        if not self.gate.verdicts and not self.missing:
            return
        from pytest_fairness.report import describe, since_lines, table_lines

        record = self.gate.record()
        terminalreporter.section("fairness gate")
        for line in table_lines(record):
            terminalreporter.write_line(line.text, **_COLOURS[line.outcome])
        for line in since_lines(record):
            terminalreporter.write_line(line.text, **_COLOURS[line.outcome])
        if self.gate.not_asked:
            names = ", ".join(self.gate.not_asked)
            terminalreporter.write_line(f"no rule of this policy asks: {names}")
        for text in self.gate.vanished():
            terminalreporter.write_line(f"FAILED gone since the baseline: {text}", red=True)
        for text in _never_judged(self.missing):
            terminalreporter.write_line(text, red=True)
        for verdict in self.gate.blocking_extras():
            text = "FAILED without a test of its own, since the policy does not declare the level: "
            terminalreporter.write_line(text + describe(verdict), red=True)
        for text in record.problems:
            terminalreporter.write_line(f"FAILED {text}", red=True)
        for text in self.gate.ending_waivers():
            terminalreporter.write_line(f"WARNING {text}", yellow=True)
        if self.gate.settings.record is not None:
            signed = ", signed" if self.gate.settings.sign is not None else ""
            terminalreporter.write_line(f"record: {self.gate.settings.record}{signed}")

    def show_progress(self, text: str) -> None:
        """Print a line now and then while a model runs."""
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        capture = self.config.pluginmanager.getplugin("capturemanager")
        if reporter is None or time.monotonic() - self._shown_at < _PROGRESS_SECONDS:
            return
        self._shown_at = time.monotonic()
        if capture is None:
            reporter.write_line(f"fairness: {text}")
            return
        with capture.global_and_fixture_disabled():
            reporter.write_line(f"fairness: {text}")

    def _is_full_run(self, session: pytest.Session) -> bool:
        """Whether nothing on the command line narrowed the tests down."""
        option = self.config.option
        narrowed = (
            option.collectonly
            or self.gate.deselected
            or getattr(option, "lf", False)
            or getattr(option, "stepwise", False)
            or session.shouldstop
            or session.shouldfail
            or session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
        )
        named = any("::" in arg or arg.endswith(".py") for arg in self.config.args)
        return not narrowed and not named


def _never_judged(missing: "Iterable[Question]") -> list[str]:
    """One line a rule: a rule without an answer is not a rule that was kept."""
    by_rule: dict[str, list[Question]] = {}
    for question in missing:
        by_rule.setdefault(question.rule.id, []).append(question)
    return [
        f"FAILED {some[0].rule.where}: rule {name!r} was never judged for {len(some)} of its "
        f"questions, e.g. {some[0].name}; add a test marked fairness({_marker(some[0])})"
        for name, some in by_rule.items()
    ]


def _marker(question: "Question") -> str:
    """What a marker says to ask a question."""
    against = "" if question.rule.against is None else f", against={question.rule.against!r}"
    return f"{question.rule.metric.name!r}{against}"
