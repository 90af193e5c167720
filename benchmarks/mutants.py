"""Count the small faults that the tests of the statistics and of the decision do not see.

mutmut plants the faults: each function gets copies that differ from it in one place (a mutant), and
an environment variable says which copy runs. mutmut's own runner starts pytest once a mutant; here
pytest collects the tests once, and each mutant is judged in a fork of that process, by the tests
that call its function, the fastest first. All ten thousand take hours; a random sample estimates the
score sooner.

    python -m benchmarks.mutants                          all rooms, into mutants.jsonl
    python -m benchmarks.mutants statistics/metrics       one folder or file of a room
    python -m benchmarks.mutants --sample 500             a random part, the same on every run
    python -m benchmarks.mutants --again --seconds 60     what survived, by slower tests too
    python -m benchmarks.mutants --again --tests FILE     what survived, by the tests of a file
    python -m benchmarks.mutants --show                   what the survivors change

Mutants are made of functions, methods and properties, never of constants or of what runs on import.
"""

import argparse
import ast
import difflib
import json
import os
import random
import resource
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from mutmut.mutation.file_mutation import mutate_file_contents
from mutmut.mutation.trampoline import set_mutant_under_test
from mutmut.state import state

ROOT = Path(__file__).parents[1]
GATE = ("tests/unit/gate/decision", "tests/unit/gate/test_judge.py", "tests/unit/gate/test_laws.py")
ROOMS = {"gate/decision": GATE, "statistics": ("tests/unit/statistics",)}
"""Folders whose functions are mutated, each with the tests that judge its mutants."""
SLOW = (
    # Simulations of many evaluations: each takes more than a second and catches little by itself.
    "test_operating_characteristics.py",
    "test_holm_is_that_of_statsmodels",
    "test_a_model_on_its_limits_is_rarely_blocked",
    "test_it_holds_for_any_two_groups",
    "test_shuffling_samples_changes_nothing",
    "test_images_of_one_design_are_not_taken_for_independent",
    "test_the_interval_of_clustered_pairs_covers_the_truth",
    "test_intervals_cover_the_true_extremes_and_a_naive_one_does_not",
    # The papers' tables, judged whole.
    "test_paper_",
)
"""Tests that judge no mutant."""
MEMORY = 4 << 30
KINDS = ("killed", "timeout", "survived", "not called")


def _undecorated(text: str) -> str:
    """Write each `@property` as an assignment: mutmut leaves decorated functions as they are."""
    lines = text.splitlines()
    found = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.FunctionDef)]
    for node in sorted(found, key=lambda node: node.lineno, reverse=True):
        if [ast.unparse(one) for one in node.decorator_list] == ["property"]:
            assignment = f"{node.name} = property({node.name})"
            lines.insert(node.end_lineno or node.lineno, " " * node.col_offset + assignment)
            del lines[node.decorator_list[0].lineno - 1]
    return "\n".join([*lines, ""])


def plant(source: Path, places: Sequence[str]) -> dict[str, str]:
    """Put mutants into a copy of the package; return each one's name and what it changes."""
    mutants = {}
    inside = [source / place for place in places]
    files = [
        file for place in inside for file in ([place] if place.is_file() else place.rglob("*.py"))
    ]
    for file in sorted(files):
        mutated = mutate_file_contents(str(file), _undecorated(file.read_text(encoding="utf-8")))
        file.write_text(mutated.code, encoding="utf-8")
        lines = mutated.code.splitlines()
        texts = {
            name: lines[span.start - 1 : span.end]
            for name, span in mutated.line_span_by_function_name.items()
        }
        dotted = ".".join(file.relative_to(source.parent).with_suffix("").parts)
        for name in mutated.mutant_names:
            original = f"{name.rpartition('_')[0]}_orig"
            after = [line.replace(name, original) for line in texts[name]]
            changed = difflib.unified_diff(texts[original], after, lineterm="", n=1)
            mutants[f"{dotted}.{name}"] = "\n".join(list(changed)[2:])
    return mutants


class Judge:
    """A pytest plugin that runs the tests once, then again for each mutant in a fork.

    Args:
        mutants: Names of the mutants.
        workers: Forks at a time.
        seconds: Time of the tests that judge a mutant, at most; the fastest are taken.
        report: File to which each answer is added, one JSON object a line.
    """

    def __init__(
        self, mutants: Sequence[str], *, workers: int, seconds: float, report: Path
    ) -> None:
        self.mutants, self.workers, self.most, self.report = mutants, workers, seconds, report
        self.seconds: dict[pytest.Item, float] = {}
        self.callers: dict[str, list[pytest.Item]] = defaultdict(list)
        self.running: dict[int, str] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Leave the slow tests out."""
        items[:] = [item for item in items if not any(slow in item.nodeid for slow in SLOW)]

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Judge all mutants in place of the usual run."""
        self._see_who_calls_what(session.items)
        set_mutant_under_test("")
        for mutant in sorted(self.mutants, key=self._cost):
            tests = self._tests(mutant)
            if not tests:
                self._answer(mutant, "not called")
                continue
            while len(self.running) >= self.workers:
                self._collect()
            self._fork(mutant, tests)
        while self.running:
            self._collect()
        return True

    def _see_who_calls_what(self, items: Sequence[pytest.Item]) -> None:
        set_mutant_under_test("stats")
        for item, following in zip(items, [*items[1:], None], strict=True):
            state()._stats.clear()  # noqa: SLF001
            start = time.process_time()
            reports = runtestprotocol(item, nextitem=following, log=False)
            self.seconds[item] = time.process_time() - start
            for wrong in (report for report in reports if report.failed):
                msg = f"{item.nodeid} fails without any mutant:\n{wrong.longreprtext}"
                raise pytest.UsageError(msg)
            for function in state()._stats:  # noqa: SLF001
                self.callers[function].append(item)

    def _tests(self, mutant: str) -> list[pytest.Item]:
        callers = self.callers.get(mutant.partition("__mutmut_")[0], [])
        fastest = sorted(callers, key=lambda item: self.seconds[item])
        until = accumulate(self.seconds[item] for item in fastest)
        return [item for item, spent in zip(fastest, until, strict=True) if spent < self.most]

    def _cost(self, mutant: str) -> float:
        return sum(self.seconds[item] for item in self._tests(mutant))

    def _fork(self, mutant: str, tests: Sequence[pytest.Item]) -> None:
        if child := os.fork():
            self.running[child] = mutant
            return
        most = int(10 + 4 * sum(self.seconds[item] for item in tests))
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
        used = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[0])
        memory = used * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        set_mutant_under_test(mutant)
        failed = True
        try:
            failed = any(
                report.failed
                for item, following in zip(tests, [*tests[1:], None], strict=True)
                for report in runtestprotocol(item, nextitem=following, log=False)
            )
        finally:
            os._exit(int(failed))

    def _collect(self) -> None:
        child, status = os.wait()
        code = os.waitstatus_to_exitcode(status)
        kind = "survived" if code == 0 else "killed" if code == 1 else "timeout"
        self._answer(self.running.pop(child), kind)

    def _answer(self, mutant: str, kind: str) -> None:
        with self.report.open("a", encoding="utf-8") as file:
            file.write(json.dumps({"mutant": mutant, "answer": kind}) + "\n")


def answers(report: Path) -> dict[str, str]:
    """Mutant -> its last answer."""
    lines = report.read_text(encoding="utf-8").splitlines() if report.is_file() else []
    return {one["mutant"]: one["answer"] for one in map(json.loads, lines)}


def table(found: dict[str, str]) -> Iterator[str]:
    """Answers of each module, and the share of its mutants that were seen."""
    modules: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, kind in found.items():
        modules[mutant.rpartition(".x")[0].removeprefix("pytest_fairness.")][kind] += 1
    modules["all"] = sum(modules.values(), Counter[str]())
    yield f"{'module':45} {'mutants':>8} " + " ".join(f"{kind:>10}" for kind in KINDS) + "  seen"
    for module, counts in modules.items():
        seen = (counts["killed"] + counts["timeout"]) / counts.total()
        numbers = " ".join(f"{counts[kind]:10}" for kind in KINDS)
        yield f"{module:45} {counts.total():8} {numbers}  {seen:.1%}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Make the mutants, judge those that are asked for, and print how many were seen."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("places", nargs="*", default=list(ROOMS), help="below src/pytest_fairness")
    parser.add_argument("--again", action="store_true", help="judge the survivors again")
    parser.add_argument("--show", action="store_true", help="print what the survivors change")
    parser.add_argument(
        "--seconds", type=float, default=3, help="of the tests of a mutant, at most"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="judge so many, drawn at random")
    parser.add_argument("--tests", nargs="+", help="judge by these, not by those of the room")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--report", type=Path, default=ROOT / "mutants.jsonl")
    options = parser.parse_args(arguments)
    before = answers(options.report)
    seen = {name for name, kind in before.items() if kind in {"killed", "timeout"}}
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "src", "pytest_fairness")
        shutil.copytree(ROOT / "src" / "pytest_fairness", source)
        mutants = plant(source, options.places)
        if options.show:
            for name in mutants.keys() & before.keys() - seen:
                print(f"{name}: {before[name]}\n{mutants[name]}\n")
            return
        left = before.keys() - seen if options.again else mutants.keys() - before.keys()
        sys.path.insert(0, str(source.parent))
        os.environ |= {"HYPOTHESIS_PROFILE": "mutants", "OMP_NUM_THREADS": "1"}
        chosen = sorted(mutants.keys() & left)
        if options.sample is not None and options.sample < len(chosen):
            chosen = sorted(random.Random(0).sample(chosen, options.sample))  # noqa: S311
        judge = Judge(
            chosen,
            workers=options.workers,
            seconds=options.seconds,
            report=options.report,
        )
        quiet = ["-q", "--tb=no", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:xdist"]
        tests = options.tests or [
            test
            for room, tests in ROOMS.items()
            if any(place.startswith(room) for place in options.places)
            for test in tests
        ]
        code = pytest.main([f"--rootdir={ROOT}", *quiet, *tests], plugins=[judge])
    if code not in {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}:
        raise SystemExit(code)
    print(*table(answers(options.report)), sep="\n")


if __name__ == "__main__":
    main()
