"""The pytest plugin: one test a question, its numbers in the report. Loads nothing heavy."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from pytest_fairness.errors import FairnessError, ModelError, PolicyError, UnknownNameError
from pytest_fairness.plugin import hookspec
from pytest_fairness.plugin.declaring import (
    add_markers,
    check_reports,
    let_declare,
    markers_for_help,
)
from pytest_fairness.plugin.inconclusive import travel
from pytest_fairness.plugin.options import OPTIONS_WITH_VALUE, add_options, read_settings
from pytest_fairness.plugin.places import refuse_values_taken_for_places
from pytest_fairness.plugin.reporter import VERDICT_PROPERTY, GateReporter, LastLine, ends_a_run
from pytest_fairness.plugin.session import GateSession
from pytest_fairness.plugin.starting import begin_run, check_run, shared_folder
from pytest_fairness.plugin.waiting import let_threads_sleep

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_fairness.analyses.perturbation import Parity, Perturbation
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.gate.questions import Question
    from pytest_fairness.gate.record.run_record import Verdict
    from pytest_fairness.plugin.running.searching import Search

__all__ = ["fairness_gate", "fairness_parity", "fairness_policy"]

SESSION = pytest.StashKey[GateSession]()
REPORTER = "fairness_reporter"


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Add the hooks that a conftest or another plugin can implement."""
    pluginmanager.add_hookspecs(hookspec)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the `--fairness-*` options and their ini keys."""
    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker and an empty session. Nothing is read yet."""
    config.addinivalue_line(
        "markers",
        "fairness(*metrics, against=None): ask the policy's questions of these metrics, one test "
        'each; with against="baseline", those of the rules against the baseline; without anything, '
        "all of them.",
    )
    markers_for_help(config)
    refuse_values_taken_for_places(config, OPTIONS_WITH_VALUE)
    gate = GateSession(read_settings(config), is_worker=hasattr(config, "workerinput"))
    config.stash[SESSION] = gate
    if gate.settings.policy is not None:
        let_threads_sleep()
    reporter = GateReporter(config, gate)
    config.pluginmanager.register(LastLine(reporter))
    if config.pluginmanager.register(reporter, REPORTER) is None:
        msg = (
            f"-p no:{REPORTER}: the gate cannot run without it; -p no:pytest_fairness leaves it out"
        )
        raise pytest.UsageError(msg)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Check policy and baseline before anything runs: a bad one is a usage error, with xdist too."""
    gate = session.config.stash[SESSION]
    try:
        let_declare(session.config)
        if gate.settings.policy is not None:
            add_markers(session.config)
            check_reports(gate.settings.reports)
            check_run(gate)
            if ends_a_run(session.config):
                begin_run(gate)
    except FairnessError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make one test of each question that the test's marker asks for."""
    gate = metafunc.config.stash[SESSION]
    if "fairness_search" in metafunc.fixturenames:
        _parametrise_searches(metafunc, gate)
    if "fairness_question" not in metafunc.fixturenames:
        return
    gate.collected = True
    try:
        wanted = _wanted(metafunc.definition)
        asked = gate.questions(wanted.metrics, against=wanted.against)
    except PolicyError as error:
        gate.problem = str(error)
        metafunc.parametrize("fairness_question", [None], ids=["not_asked"])
        return
    if asked:
        params = [pytest.param(one, marks=_marks(one), id=one.test_id) for one in asked]
        metafunc.parametrize("fairness_question", params)
        return
    skip = pytest.mark.skip(reason=f"{gate.policy.source}: no rule{wanted.words}")
    metafunc.parametrize("fairness_question", [pytest.param(None, marks=skip, id="not_asked")])


def _marks(question: "Question") -> list[pytest.MarkDecorator]:
    """The analysis that a question needs, so that `-m attention` chooses it."""
    analysis = question.rule.metric.analysis
    return [] if analysis is None else [getattr(pytest.mark, analysis)]


def _parametrise_searches(metafunc: pytest.Metafunc, gate: GateSession) -> None:
    """Make one test of each search that the policy has a limit for."""
    from pytest_fairness.plugin.running.searching import searches

    try:
        found = searches(gate)
    except PolicyError as error:
        gate.problem = str(error)
        found = []
    skip = pytest.mark.skip(reason="no rule on a difference of flip rates or accuracy drops")
    nothing = [pytest.param(None, marks=skip, id="not_asked")]
    some = [pytest.param(one, id=one.name, marks=pytest.mark.perturbation) for one in found]
    metafunc.parametrize("fairness_search", some or nothing)


class _Wanted(NamedTuple):
    """The questions that a test asks for: of some metrics or all, with or without a baseline."""

    metrics: tuple[str, ...] = ()
    against: str | None = "any"

    @property
    def words(self) -> str:
        """What is asked for, to follow `no rule`."""
        metrics = f" with the metric {' or '.join(self.metrics)}" if self.metrics else ""
        return f"{metrics} against the baseline" if self.against == "baseline" else metrics


def _wanted(definition: pytest.Item) -> _Wanted:
    """What a test's marker asks for; without a marker, everything.

    Raises:
        PolicyError: The marker names an unknown metric, or something else to compare with.
    """
    marker = definition.get_closest_marker("fairness")
    if marker is None:
        return _Wanted()
    against = marker.kwargs.get("against", None if marker.args else "any")
    problem = _unknown_metric(marker.args)
    for key in marker.kwargs:
        if key != "against":
            problem = problem or f"got {key!r}"
    if against not in ("any", "baseline", None):
        problem = problem or f"got {against!r}"
    if problem:
        msg = (
            f'{definition.nodeid}: marker fairness takes metric names and against="baseline"; '
            f"{problem}"
        )
        raise PolicyError(msg)
    return _Wanted(marker.args, against)


def _unknown_metric(names: tuple[object, ...]) -> str:
    """What is wrong with the first name that is no metric, with the nearest spelling; or nothing."""
    from pytest_fairness.doors.metrics import metric_named

    for name in names:
        try:
            metric_named(str(name))
        except UnknownNameError as error:
            return str(error)
    return ""


def pytest_itemcollected(item: pytest.Item) -> None:
    """Add the names of a question to what `-k` finds: rule, metric, attributes, levels and classes."""
    question = getattr(item, "callspec", None) and item.callspec.params.get("fairness_question")  # type: ignore[attr-defined]
    if question is not None:
        item.extra_keyword_matches |= question.words


@pytest.hookimpl(trylast=True)  # after -k and -m
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Refuse, before anything runs, what can never be judged.

    Under xdist the workers fail the tests.
    """
    gate = config.stash[SESSION]
    if not items or not gate.collected:
        return
    _leave_out_not_asked(gate, items)
    if gate.problem is None and not gate.settings.predictions:
        manager = items[0].session._fixturemanager  # noqa: SLF001  (fixtures have no public list)
        fixtures = [name for name in gate.models if manager.getfixturedefs(name, items[0])]
        gate.problem = _no_such_model(gate, fixtures) or _no_such_device(config)
    if gate.problem is not None and not hasattr(config, "workerinput"):
        raise pytest.UsageError(gate.problem)


def _leave_out_not_asked(gate: GateSession, items: list[pytest.Item]) -> None:
    """Drop tests of which the policy asks nothing, and name them once; alone, they are skipped."""
    idle = [item for item in items if item.name.endswith("[not_asked]")]
    if gate.problem is None and len(idle) < len(items):
        gate.not_asked = [item.name.removesuffix("[not_asked]") for item in idle]
        items[:] = [item for item in items if item not in idle]


@pytest.hookimpl(tryfirst=True)  # before the terminal tells what was collected
def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember which questions are asked, so that no analysis runs for those left out."""
    asked: dict[str, Any] = {
        item.nodeid: question
        for item in session.items
        if isinstance(item, pytest.Function) and hasattr(item, "callspec")
        if (question := item.callspec.params.get("fairness_question")) is not None
    }
    gate = session.config.stash[SESSION]
    gate.selected = {question.key for question in asked.values()}
    gate.asking = set(asked)


def _no_such_model(gate: GateSession, fixtures: list[str]) -> str | None:
    """What is wrong with a model's name, given those that are fixtures too."""
    from pytest_fairness.policy.text.toml_text import toml_header

    for name in gate.models:
        if name in fixtures and (problem := gate.under_test.refuse_twin(name)):
            return problem
        if name not in fixtures and gate.under_test.needs_fixture(name):
            return (
                f"model {name!r}: no fixture of this name and no {toml_header('model', name)} in the "
                "policy; add one of the two, or give the file: --fairness-model NAME=PATH"
            )
    return None


def _no_such_device(config: pytest.Config) -> str | None:
    device = config.option.fairness_device
    if device in ("auto", "cpu") or config.option.collectonly:
        return None  # known without asking torch, which takes seconds to load
    from pytest_fairness.inference import choose_device

    try:
        choose_device(device)
    except ModelError as error:
        return f"--fairness-device: {error}"
    return None


@pytest.fixture(scope="session")
def fairness_policy(pytestconfig: pytest.Config) -> Any:
    """Return the policy of this run."""
    return pytestconfig.stash[SESSION].policy


@pytest.fixture(scope="session")
def fairness_parity(request: pytest.FixtureRequest) -> "Callable[..., Parity]":
    """Change every image as a search says, and compare what it does to the groups."""
    from pytest_fairness.plugin.running.searching import parity_of

    gate = request.config.stash[SESSION]
    folder = shared_folder(request.config)

    def find_model(name: str) -> "Classifier":
        return gate.under_test.find(name, request.getfixturevalue)

    def parity(search: "Search", perturbation: "Perturbation", *, searched: int = 1) -> "Parity":
        if gate.problem is not None:
            pytest.fail(gate.problem, pytrace=False)
        if gate.settings.predictions:
            pytest.skip("predictions from a file: there is no model to run on changed images")
        try:
            return parity_of(
                gate, search, perturbation, searched=searched, find_model=find_model, folder=folder
            )
        except FairnessError as error:
            problem = f"{type(error).__name__}: {error}"
        pytest.fail(problem, pytrace=False)

    return parity


@pytest.fixture
def fairness_gate(request: pytest.FixtureRequest) -> "Callable[[Question], Verdict]":
    """Judge a question: fail the test with the numbers, or return the verdict."""
    gate = request.config.stash[SESSION]
    folder = shared_folder(request.config)

    def find_model(name: str) -> "Classifier":
        return gate.under_test.find(name, request.getfixturevalue)

    def judge(question: "Question") -> "Verdict":
        if gate.problem is not None:
            pytest.fail(gate.problem, pytrace=False)
        verdict = _judged(gate, question, find_model, folder, test=request.node.nodeid)
        if isinstance(verdict, str):  # outside of `except`, so that it is told once
            pytest.fail(verdict, pytrace=False)
        properties = _properties(verdict, gate.policy.sha256)
        if hasattr(request.config, "workerinput"):  # the controller must know, if this process dies
            properties.append((VERDICT_PROPERTY, verdict.model_dump_json()))
        request.node.user_properties.extend(properties)
        from pytest_fairness.report import describe

        if verdict.waiver is not None:
            # Not pytest.xfail(): with --runxfail that would let the failure pass unseen.
            raise pytest.xfail.Exception(describe(verdict), pytrace=False)
        if verdict.blocks(gate.policy.decision.inconclusive):
            text = describe(verdict)
            if gate.settings.explain:
                text += f"\n{gate.explain(verdict, find_model, folder)}"
            pytest.fail(text, pytrace=False)
        if verdict.outcome == "inconclusive":
            line = gate.policy.document.place(("decision", "inconclusive"))
            travel(request.node, verdict, gate.settings.inconclusive, line=line)
        return verdict

    return judge


def _judged(
    gate: GateSession,
    question: "Question",
    find_model: "Callable[[str], Classifier]",
    folder: "Path",
    *,
    test: str,
) -> "Verdict | str":
    """The verdict, or why there is none."""
    try:
        return gate.judge(question, find_model, folder, test=test)
    except FairnessError as error:
        return f"{type(error).__name__}: {error}"


def _properties(verdict: "Verdict", policy_sha256: str) -> list[tuple[str, object]]:
    """The verdict number by number, for readers of JUnit XML."""
    names = ("outcome", "value", "low", "high", "n", "limit", "rule")
    numbers = [(f"fairness_{name}", str(getattr(verdict, name))) for name in names]
    if verdict.waiver is not None:
        numbers.append(("fairness_waived_until", verdict.waiver.until.isoformat()))
    if verdict.unanswerable is not None:
        numbers.append(("fairness_unanswerable", verdict.unanswerable.reason))
    return [*numbers, ("fairness_policy_sha256", policy_sha256)]
