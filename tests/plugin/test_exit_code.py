"""A run whose record does not pass never exits with 0, whatever its tests and plugins report."""

import os
import textwrap

import pytest

from pytest_fairness.gate.record.run_record import RunRecord

POLICY = "--fairness-policy=policy.toml"
BAD, GOOD = "--fairness-predictions=bad.csv", "--fairness-predictions=good.csv"
GATE = """
    import pytest

    {mark}
    def test_policy(fairness_question, fairness_gate):
        {body}
    """
ASK = "fairness_gate(fairness_question)"
HOOKS = {
    "a wrapper that calls every test passed": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            report.outcome, report.longrepr = "passed", None
            return report
        """,
    "a wrapper that drops what tests report": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtest_makereport(item, call):
            report = yield
            report.outcome, report.longrepr, report.user_properties = "passed", None, []
            return report
        """,
    "a log hook that rewrites verdicts": """
        @pytest.hookimpl(tryfirst=True)
        def pytest_runtest_logreport(report):
            report.user_properties = [
                (name, str(value).replace('"outcome":"fail"', '"outcome":"pass"'))
                for name, value in report.user_properties
            ]
            report.outcome = "passed"
        """,
    "an exit code set at the end": """
        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_sessionfinish(session):
            yield
            session.exitstatus = 0
        """,
    "an exit code set last": """
        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish(session):
            session.exitstatus = 0
        """,
    "a call that swallows the failure": """
        @pytest.hookimpl(wrapper=True)
        def pytest_pyfunc_call(pyfuncitem):
            try:
                return (yield)
            except BaseException:
                return True
        """,
    "an end before the last test": """
        def pytest_runtest_setup(item):
            pytest.exit("enough", returncode=0)
        """,
    "an end while the session finishes": """
        @pytest.hookimpl(trylast=True)
        def pytest_sessionfinish():
            pytest.exit("enough", returncode=0)
        """,
    "a plugin of a later moment that ends the session first": """
        class First:
            @pytest.hookimpl(tryfirst=True)
            def pytest_sessionfinish(self):
                pytest.exit("enough", returncode=0)

        def pytest_collection_finish(session):
            session.config.pluginmanager.register(First())
        """,
    "tests marked as expected failures": """
        def pytest_collection_modifyitems(items):
            for item in items:
                item.add_marker(pytest.mark.xfail(strict=False))
        """,
    "tests skipped before they run": """
        def pytest_runtest_setup(item):
            pytest.skip("not today")
        """,
    "a fixture in place of the gate": """
        @pytest.fixture
        def fairness_gate():
            return lambda question: None
        """,
    "tests taken out of the list": """
        def pytest_collection_modifyitems(items):
            items[:] = [item for item in items if "dark" not in item.name]
        """,
}
BODIES = {
    "xfail": ("@pytest.mark.xfail", ASK),
    "skip": ("@pytest.mark.skip", ASK),
    "swallowed": ("", f"try: {ASK}\n    except BaseException: pass"),
    "raises": ("", f"with pytest.raises(BaseException): {ASK}"),
    "turned into a skip": ("", f"try: {ASK}\n    except BaseException: pytest.skip('x')"),
    "turned into an xfail": ("", f"try: {ASK}\n    except BaseException: pytest.xfail('x')"),
    "never asked": ("", "pass"),
}

# As pytest-forked does: each test in a process of its own, of which only the reports come back.
FORK = """
    import json, os

    from _pytest.runner import runtestprotocol

    def pytest_runtest_protocol(item, nextitem):
        config, (read, write) = item.config, os.pipe()
        if os.fork() == 0:
            reports = runtestprotocol(item, nextitem=nextitem, log=False)
            to_send = config.hook.pytest_report_to_serializable
            sent = [to_send(config=config, report=report) for report in reports]
            with os.fdopen(write, "w") as file:
                json.dump(sent, file, default=str)
            os._exit(0)
        os.close(write)
        with os.fdopen(read) as file:
            for data in json.load(file):
                report = config.hook.pytest_report_from_serializable(config=config, data=data)
                config.hook.pytest_runtest_logreport(report=report)
        os.wait()
        return True
    """


@pytest.fixture
def project(gate: pytest.Pytester) -> pytest.Pytester:
    write_gate(gate)
    return gate


def write_gate(gate: pytest.Pytester, mark: str = "", body: str = ASK) -> None:
    text = textwrap.dedent(GATE).format(mark=mark, body=body)
    (gate.path / "test_gate.py").write_text(text, encoding="utf-8")


@pytest.mark.parametrize(("mark", "body"), BODIES.values(), ids=BODIES)
def test_no_test_hides_a_failure(gate, mark, body):
    write_gate(gate, mark, body)
    run = gate.runpytest(POLICY, BAD, "--fairness-record=record.json")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    assert not RunRecord.from_json(gate.path / "record.json").passed


@pytest.mark.parametrize("hook", HOOKS.values(), ids=HOOKS)
def test_no_plugin_hides_a_failure(project, hook):
    project.makeconftest("import pytest\n" + textwrap.dedent(hook))
    run = project.runpytest(POLICY, BAD, "--fairness-record=record.json")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    record = project.path / "record.json"
    assert not record.exists() or not RunRecord.from_json(record).passed


@pytest.mark.parametrize(
    "name", ["a wrapper that drops what tests report", "an exit code set last", "xfail"]
)
def test_no_failure_is_hidden_from_several_processes(project, name):
    if name in HOOKS:
        project.makeconftest("import pytest\n" + textwrap.dedent(HOOKS[name]))
    else:
        write_gate(project, *BODIES[name])
    assert project.runpytest(POLICY, BAD, "-n2").ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.parametrize(
    "options",
    [
        ("-p", "no:terminal"),
        ("--runxfail",),
        ("-k", "sex"),
        ("-k", "sex", "--fairness-record=record.json"),
        (
            "-m",
            "not slow",
            "--deselect",
            "test_gate.py::test_policy[floor:predictions-faces-tone-dark]",
        ),
        ("test_gate.py", "-k", "not dark"),
    ],
    ids=" ".join,
)
def test_an_option_that_leaves_questions_out_does_not_release(project, options):
    assert project.runpytest(POLICY, BAD, *options).ret == pytest.ExitCode.TESTS_FAILED
    if "-k" in options or "-m" in options:  # nothing that was asked fails
        assert project.runpytest(POLICY, GOOD, *options).ret == pytest.ExitCode.TESTS_FAILED


def test_a_file_that_asks_every_question_is_a_release_run(project):
    run = project.runpytest(POLICY, GOOD, "test_gate.py", "--fairness-record=record.json")
    assert run.ret == pytest.ExitCode.OK
    assert RunRecord.from_json(project.path / "record.json").passed


def test_a_test_left_out_that_asks_nothing_changes_nothing(project):
    project.makepyfile(test_other="def test_other(): pass")
    run = project.runpytest(POLICY, GOOD, "-k", "not other", "--fairness-record=record.json")
    assert run.ret == pytest.ExitCode.OK
    assert RunRecord.from_json(project.path / "record.json").passed


def test_a_partial_run_fails_when_a_question_that_it_asks_fails(project):
    partial = (POLICY, BAD, "--fairness-partial")
    assert project.runpytest(*partial, "-k", "accuracy-tone-dark or sex").ret == 1
    write_gate(project, *BODIES["xfail"])
    assert project.runpytest(*partial, "-k", "dark").ret == pytest.ExitCode.TESTS_FAILED


def test_a_partial_run_of_all_questions_is_judged_as_any_other(project):
    assert project.runpytest(POLICY, GOOD, "--fairness-partial").ret == pytest.ExitCode.OK
    assert project.runpytest(POLICY, BAD, "--fairness-partial").ret == 1


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "xdist"])
@pytest.mark.parametrize("body", ["pytest.skip('x')", "return"], ids=["skips", "never asks"])
def test_a_partial_run_is_red_when_a_test_that_it_runs_gives_no_verdict(project, body, options):
    write_gate(project, body=f"if 'dark' in fairness_question.name: {body}\n    {ASK}")
    chosen = (POLICY, GOOD, "--fairness-partial", *options)
    assert project.runpytest(*chosen, "-k", "female").ret == pytest.ExitCode.OK
    assert project.runpytest(*chosen, "-k", "female or dark").ret == pytest.ExitCode.TESTS_FAILED


def test_a_partial_run_of_other_tests_asks_nothing_and_is_green(project):
    project.makepyfile(test_other="def test_other(): pass")
    run = project.runpytest(POLICY, GOOD, "--fairness-partial", "-k", "other")
    assert run.ret == pytest.ExitCode.OK
    run.stdout.fnmatch_lines(["NOT A RELEASE RUN (--fairness-partial): 5 of 5 questions*not asked"])


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "xdist"])
def test_a_failure_that_its_test_hides_is_told_and_one_that_it_shows_is_not_repeated(
    project, options
):
    line = "FAILED although its test reported no failure: "
    shown = project.runpytest(POLICY, BAD, *options)
    shown.stdout.no_fnmatch_line(f"{line}*")
    write_gate(project, *BODIES["xfail"])
    hidden = project.runpytest(POLICY, BAD, *options)
    hidden.stdout.fnmatch_lines([f"{line}FPR difference, tone dark v[s. ]*-> fail*"])


def test_a_question_whose_test_gives_no_verdict_is_told_apart_from_one_without_a_test(project):
    write_gate(project, *BODIES["never asked"])
    run = project.runpytest(POLICY, GOOD)
    run.stdout.fnmatch_lines(
        ["FAILED policy.toml:*'floor' was never judged for 4*; its test was skipped, failed early*"]
    )
    run.stdout.no_fnmatch_line("*add a test marked*")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_verdicts_without_the_counts_behind_them_do_not_release(project):
    project.makeconftest(textwrap.dedent(FORK))
    run = project.runpytest_subprocess(POLICY, GOOD, "--fairness-record=record.json")
    run.assert_outcomes(passed=5)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    record = RunRecord.from_json(project.path / "record.json")
    assert record.runs == []
    assert not record.passed


def test_a_partial_run_leaves_no_record(project):
    run = project.runpytest(POLICY, GOOD, "--fairness-partial", "--fairness-record=record.json")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        ["*--fairness-partial: *leaves no record or report; drop --fairness-record*"]
    )
    assert not (project.path / "record.json").exists()


def test_a_record_that_no_test_writes_is_missed(gate):
    (gate.path / "test_gate.py").write_text("def test_other(): pass\n", encoding="utf-8")
    run = gate.runpytest(POLICY, GOOD, "--fairness-record=record.json")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["FAILED no test of this run asks a question of the policy*"])
    assert RunRecord.from_json(gate.path / "record.json").state == "INCOMPLETE"


def test_predictions_that_cannot_be_read_are_red_behind_an_xfail(gate):
    write_gate(gate, *BODIES["xfail"])
    (gate.path / "bad.csv").write_text("target\na\n", encoding="utf-8")
    for options in ((), ("-n2",)):
        assert gate.runpytest(POLICY, BAD, *options).ret == pytest.ExitCode.TESTS_FAILED


def test_the_reporter_cannot_be_switched_off_alone(project):
    run = project.runpytest(POLICY, BAD, "-p", "no:fairness_reporter")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*-p no:fairness_reporter: the gate cannot run without it*"])


def test_the_end_of_a_run_is_computed_once(project, monkeypatch):
    from pytest_fairness.gate import questions, run
    from pytest_fairness.gate.decision import required, waivers

    calls: list[str] = []
    for module, name in (
        (questions, "questions"),
        (run, "record_of"),
        (required, "check_required"),
        (waivers, "waiver_problems"),
    ):
        counted(monkeypatch, module, name, calls)
    project.runpytest_inprocess(POLICY, GOOD, "--fairness-record=record.json")
    number = {name: calls.count(name) for name in set(calls)}
    once = dict.fromkeys(("questions", "record_of", "check_required", "waiver_problems"), 1)
    assert number == once | {"record_of": 2}  # one says that the run began


def counted(monkeypatch, module, name, calls):
    function = getattr(module, name)

    def counting(*args, **kwargs):
        calls.append(name)
        return function(*args, **kwargs)

    monkeypatch.setattr(module, name, counting)
