"""A project that merely has the plugin installed notices nothing."""

import subprocess
import sys

HEAVY = ("torch", "torchvision", "pandas", "numpy", "pyarrow", "pydantic")


def test_a_project_without_a_policy_loads_and_makes_nothing(pytester):
    pytester.makepyfile(
        f"""
        import os, sys

        def test_nothing_heavy():
            assert [m for m in {HEAVY!r} if m in sys.modules] == []
            doors = "pytest_fairness.doors"  # which alone reads entry points of packages
            assert [m for m in sys.modules if m.startswith(doors)] == []
            folders = [entry.name for entry in os.scandir() if entry.is_dir()]
            assert [n for n in folders if not n.startswith(("runpytest-", "__pycache__"))] == []
        """
    )
    result = pytester.runpytest_subprocess(
        "-p",
        "no:cacheprovider",
        "-p",
        "no:hypothesispytest",
        "-p",
        "no:xdist",
        "-p",
        "no:benchmark",
    )
    result.assert_outcomes(passed=1)
    result.stdout.no_fnmatch_line("fairness: *")
    result.stdout.no_fnmatch_line("*fairness gate*")


def test_listing_the_questions_loads_no_torch(gate):
    gate.makeconftest(
        """
        import sys

        def pytest_collection_finish(session):
            assert "torch" not in sys.modules
            assert "pandas" not in sys.modules
        """
    )
    result = gate.runpytest_subprocess(
        "--fairness-policy=policy.toml", "--fairness-predictions=good.csv", "--collect-only", "-q"
    )
    assert result.ret == 0


def test_options_are_documented_in_help(pytester):
    result = pytester.runpytest_subprocess("--help")
    result.stdout.fnmatch_lines(
        ["fairness gate:"]
        + [
            f"*--fairness-{name}*"
            for name in (
                "policy",
                "model",
                "predictions",
                "baseline",
                "record",
                "save-predictions",
                "device",
                "batch-size",
            )
        ]
    )
    marker = pytester.runpytest_subprocess("--markers")
    marker.stdout.fnmatch_lines(
        ["@pytest.mark.fairness(*metrics, against=None): ask the policy's questions*"]
    )


def test_judging_loads_neither_torch_nor_the_slow_parts_of_scipy():
    """They take longer to load than a policy takes to be judged."""
    code = (
        "import sys, pytest_fairness.gate.run, pytest_fairness.inference; "
        "print(sorted({'torch', 'scipy.stats', 'scipy.optimize'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
