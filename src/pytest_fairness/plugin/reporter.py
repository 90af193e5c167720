"""What a run shows and leaves at its end; under xdist it runs on the controller."""

import time
from collections.abc import Generator
from typing import Any

import pytest

from pytest_fairness.errors import FairnessError
from pytest_fairness.files import of_file
from pytest_fairness.plugin.answerable import answerable_lines, questions_of
from pytest_fairness.plugin.declaring import write_reports
from pytest_fairness.plugin.ending import (
    Ending,
    end_run,
    ending_lines,
    last_line,
    run_warnings,
    write_ending,
)
from pytest_fairness.plugin.exit_codes import telling_code
from pytest_fairness.plugin.session import GateSession
from pytest_fairness.plugin.starting import judge_for_workers, shared_folder
from pytest_fairness.wording import printable, wrapped

__all__ = ["VERDICT_PROPERTY", "GateReporter", "LastLine", "ends_a_run"]

VERDICT_PROPERTY = "fairness_verdict"
# A line of progress every so many seconds; short runs print none.
_PROGRESS_SECONDS = 10.0
_NOTHING_ASKED = (
    "no test of this run asks a question of the policy, and nothing was judged; collect the tests that "
    "use fairness_question, or "
)
_DROP = "drop --fairness-record, --fairness-report, --fairness-model and --fairness-predictions"
_ADD = "say with --fairness-partial that this run judges nothing"
_COLOURS: dict[str | None, dict[str, bool]] = {
    "fail": {"red": True},
    "inconclusive": {"yellow": True},
    "unanswerable": {"yellow": True},
    "pass": {"green": True},
    None: {},
}


def ends_a_run(config: pytest.Config) -> bool:
    """Return whether this process runs tests and sees their end: no worker, nothing only shown."""
    option = config.option
    only_shown = ("collectonly", "showfixtures", "show_fixtures_per_test", "setupplan")
    if any(getattr(option, name, False) for name in only_shown):
        return False
    return not hasattr(config, "workerinput")


def _write_line(reporter: Any, text: str, **colours: bool) -> None:
    """Write a line whose names are printable; a terminal gets it in lines of its width.

    A file or a log gets one line for each thing, so that it can be searched.
    """
    for line in _lines_for(reporter.config, printable(text), is_terminal=reporter.isatty):
        reporter.write_line(line, **colours)


def _lines_for(config: pytest.Config, text: str, *, is_terminal: bool) -> list[str]:
    return wrapped(text, config.get_terminal_writer().fullwidth) if is_terminal else [text]


class LastLine:
    """Prints, after all that others print, that a run is not one of a release."""

    def __init__(self, reporter: "GateReporter") -> None:
        self.reporter = reporter

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(self, terminalreporter: Any) -> Generator[None]:
        """Print the line."""
        yield
        ending = self.reporter.ending
        if ending is not None and (text := last_line(ending)):
            _write_line(terminalreporter, text, yellow=True, bold=True)


class GateReporter:
    """Collects verdicts from the reports, writes the record, prints the summary."""

    def __init__(self, config: pytest.Config, gate: GateSession) -> None:
        self.config = config
        self.gate = gate
        self.ending: Ending | None = None
        self._session: pytest.Session | None = None
        self._failed: set[str] = set()
        self._not_written = ""
        self._has_collected = False
        self._nothing_asked = ""
        self._shown_at = time.monotonic()
        gate.progress = self.show_progress

    def pytest_report_header(self) -> list[str] | None:
        """Name the policy and the models under test."""
        if self.gate.settings.policy is None:
            return None
        policy, settings = self.gate.policy, self.gate.settings
        names = settings.models or (() if settings.predictions else tuple(policy.models))
        models = ", ".join(names) or "none"
        text = f"fairness: policy {policy.source} (sha256 {policy.sha256[:12]}), models: {models}"
        return self._shown(text)

    def _shown(self, *texts: str) -> list[str]:
        """Lines that pytest prints itself."""
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        is_terminal = reporter is not None and reporter.isatty
        return [
            line
            for text in texts
            for line in _lines_for(self.config, printable(text), is_terminal=is_terminal)
        ]

    def pytest_report_collectionfinish(self) -> list[str]:
        """Return, before any model runs, which questions no model can pass on its evaluation set."""
        if not ends_a_run(self.config):  # listing tests reads no data
            return []
        return self._shown(*answerable_lines(self.gate, self.gate.selected or set()))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: list[str]) -> None:
        """Write the same once under xdist, where the workers collect."""
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        if self._has_collected or self.gate.settings.policy is None or reporter is None:
            return
        self._has_collected = True
        try:
            selected = questions_of(self.gate, ids)
            lines = answerable_lines(self.gate, selected)
        except FairnessError:
            return  # its tests say why
        if lines:
            reporter.ensure_newline()
        for line in lines:
            _write_line(reporter, line)
        if selected and self.gate.settings.predictions:
            judge_for_workers(self.gate, selected, shared_folder(self.config))

    def pytest_deselected(self, items: list[pytest.Item]) -> None:
        """Remember that the run is not a full one."""
        self.gate.deselected += len(items)

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        """Remember the session from its start, since another plugin may end it first."""
        self._session = session

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the verdict of a worker that may not live to send it. What it sends goes first."""
        if report.failed:
            self._failed.add(report.nodeid)
        if report.when != "call" or report.nodeid in self.gate.judging:
            return  # this process has the verdict itself
        text = dict(report.user_properties).get(VERDICT_PROPERTY)
        if isinstance(text, str):
            from pytest_fairness.gate.record.run_record import Verdict

            verdict = Verdict.model_validate_json(text)
            self.gate.verdicts.setdefault(verdict.question, verdict)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.CollectReport | pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        """Show an inconclusive or unanswerable question as neither passed nor failed."""
        passed = isinstance(report, pytest.TestReport) and report.when == "call" and report.passed
        if not passed or ("fairness_outcome", "inconclusive") not in report.user_properties:
            return None
        if any(name == "fairness_unanswerable" for name, _ in report.user_properties):
            return "unanswerable", "u", ("UNANSWERABLE", {"yellow": True})
        return "inconclusive", "?", ("INCONCLUSIVE", {"yellow": True})

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what an xdist worker sent."""
        if payload := getattr(node, "workeroutput", {}).get("fairness"):
            self.gate.merge(payload)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Send the worker's part, or end the run: its record, its file and its exit code."""
        if hasattr(self.config, "workeroutput"):
            self.config.workeroutput["fairness"] = self.gate.payload()
            return
        if not self._judges:
            return
        if not self.gate.collected and self.gate.problem is None:
            self._nothing_asked = _NOTHING_ASKED + (_DROP if self._expects_a_record else _ADD)
        elif self.gate.problem is None:
            self.ending = end_run(self.gate, narrowed=self._is_narrowed(session))
            self._write(self.ending)
        self._hold_exit_code()

    def _write(self, ending: Ending) -> None:
        """Write the record and the reports; what cannot be written is told beside the table."""
        self._not_written = self.gate.not_written
        if self._not_written:
            return
        try:
            record = write_ending(self.gate, ending)
            self._not_written = write_reports(record, self.gate.settings.reports)
        except OSError as error:
            self._not_written = of_file(error)

    @property
    def _judges(self) -> bool:
        """Whether this process ends a run that must be judged."""
        if not ends_a_run(self.config) or (
            self.gate.settings.policy is None and not self.gate.collected
        ):
            return False
        return self.gate.collected or self._expects_a_record or self._is_bare

    @property
    def _expects_a_record(self) -> bool:
        """Whether an option shows that questions are expected."""
        settings = self.gate.settings
        if settings.record or settings.reports or settings.release:
            return True
        return settings.named and not settings.partial

    @property
    def _is_bare(self) -> bool:
        """Whether pytest ran what the project tests by default, without a part being chosen."""
        by_default = (pytest.Config.ArgsSource.TESTPATHS, pytest.Config.ArgsSource.INVOCATION_DIR)
        return (
            self.config.args_source in by_default
            and not self.gate.deselected
            and not self.gate.settings.partial
        )

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        """Look at the exit code once more, after all that may change it at the end of a session."""
        self._hold_exit_code()
        session = self._session
        if session is None or not (self.gate.settings.exit_codes and self._judges):
            return
        if session.exitstatus == pytest.ExitCode.TESTS_FAILED:
            ending = None if self._not_written else self.ending
            session.exitstatus = telling_code(ending, failed=self._failed, asking=self.gate.asking)

    def _hold_exit_code(self) -> None:
        """Let no run exit with 0 whose record does not pass, whatever its tests reported."""
        if self._session is None or self._session.exitstatus != pytest.ExitCode.OK:
            return
        if not self._judges:
            return
        if self.ending is None or self.ending.stops or self._not_written:
            self._session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table of verdicts and what stops the release without a test of its own."""
        ending = self.ending
        if self._nothing_asked:
            terminalreporter.section("fairness gate")
            _write_line(terminalreporter, f"FAILED {self._nothing_asked}", red=True)
        if ending is None or not (ending.record.verdicts or ending.unjudged):
            return
        from pytest_fairness.report import since_lines, table_lines

        terminalreporter.section("fairness gate")
        for line in [*table_lines(ending.record), *since_lines(ending.record)]:
            _write_line(terminalreporter, line.text, **_COLOURS[line.outcome])
        if self.gate.not_asked:
            names = ", ".join(self.gate.not_asked)
            _write_line(terminalreporter, f"no rule of this policy asks: {names}")
        hidden = [key for key, test in self.gate.tests.items() if test not in self._failed]
        for text in ending_lines(ending, hidden=hidden):
            colour = "red" if text.startswith("FAILED") else "yellow"
            _write_line(terminalreporter, text, **{colour: True})
        for text in run_warnings(self.gate):
            _write_line(terminalreporter, f"WARNING {text}", yellow=True)
        if self.gate.settings.record is not None and not self._not_written:
            signed = ", signed" if self.gate.settings.sign is not None else ""
            _write_line(terminalreporter, f"record: {self.gate.settings.record}{signed}")
        if self._not_written:
            _write_line(terminalreporter, f"FAILED {self._not_written}", red=True)
            return
        for _, path in self.gate.settings.reports:
            _write_line(terminalreporter, f"report: {path}")

    def show_progress(self, text: str) -> None:
        """Print a line now and then while a model runs."""
        reporter = self.config.pluginmanager.getplugin("terminalreporter")
        capture = self.config.pluginmanager.getplugin("capturemanager")
        if reporter is None or time.monotonic() - self._shown_at < _PROGRESS_SECONDS:
            return
        self._shown_at = time.monotonic()
        if capture is None:
            _write_line(reporter, f"fairness: {text}")
            return
        with capture.global_and_fixture_disabled():
            _write_line(reporter, f"fairness: {text}")

    def _is_narrowed(self, session: pytest.Session) -> bool:
        """Return whether the command line, an option or an end before time left tests out."""
        option = self.config.option
        return bool(
            self.gate.deselected
            or getattr(option, "lf", False)
            or getattr(option, "stepwise", False)
            or session.shouldstop
            or session.shouldfail
            or session.exitstatus not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
            or any("::" in arg or arg.endswith(".py") for arg in self.config.args)
        )
