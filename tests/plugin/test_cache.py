"""The cache of scores in a gate: an unchanged model is not run again, and the record stays the same."""

import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image

from pytest_fairness.caching.folder import cache_file
from pytest_fairness.inference import Predictions

NET = """
import torch
from torch import nn


class Bright(nn.Module):
    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.ones(()))

    def forward(self, images):
        mean = images.mean(dim=(1, 2, 3)) * self.slope
        return torch.stack([0.5 - mean, mean - 0.5], dim=1)
"""
CONFTEST = """
import os
import signal

import pytest


@pytest.fixture(scope="session")
def bright():
    from net import Bright
    from pytest_fairness import Classifier, Preprocessing
    from pytest_fairness.inference.forward import Forward

    run = Forward._run

    def counting(self, part):
        with open("calls.txt", "a") as file:
            file.write(f"{len(part)}\\n")
        with open("calls.txt") as file:
            if os.environ.get("KILL_AT") == str(len(file.readlines())):
                os.kill(os.getpid(), signal.SIGKILL)
        return run(self, part)

    Forward._run = counting
    yield Classifier("bright", Bright(), ("no", "yes"), Preprocessing(size=8))
    Forward._run = run
"""
OF_A_RUN = {"seconds", "images_per_second", "cache", "preprocessing_compared"}


@pytest.fixture
def project(model_gate):
    """A gate whose model is a network in a file of its own; 80 images, in batches of 10."""
    for number, file in enumerate(sorted((model_gate.path / "images").iterdir())):
        image = Image.open(file)
        image.putpixel((0, 0), (number, 0, 0))  # no two are the same
        image.save(file)
    model_gate.makepyfile(net=NET)
    model_gate.makeconftest(CONFTEST)
    model_gate.makeini(
        "[pytest]\npythonpath = .\nfairness_policy = policy.toml\nfairness_models = bright\n"
    )
    return model_gate


def run(project, *arguments, record="record.json"):
    options = ("--fairness-batch-size=10", f"--fairness-record={record}", *arguments)
    return project.runpytest_inprocess(*options)


def calls(project):
    """Sizes of the batches that the model ran since they were last asked for."""
    file = project.path / "calls.txt"
    found = [int(line) for line in file.read_text().split()] if file.exists() else []
    file.unlink(missing_ok=True)
    return found


def read(project, record="record.json"):
    return json.loads((project.path / record).read_text(encoding="utf-8"))


def cached(project, record="record.json"):
    return read(project, record)["runs"][0]["metadata"]["cache"]


def without_times(project, record):
    """A record without what is of one run."""
    found = read(project, record)
    for key in ("created", "versions"):
        del found[key]
    for one in found["runs"]:
        one["metadata"] = {k: v for k, v in one["metadata"].items() if k not in OF_A_RUN}
        one.pop("look")
        file = project.path / one.pop("predictions")["file"]  # its hash covers the time of the run
        one["answers"] = Predictions.from_parquet(file).table.to_pylist()
    return found


def test_an_unchanged_gate_does_no_inference_and_its_record_is_the_same(project):
    run(project, "--fairness-no-cache", record="without.json")
    assert len(calls(project)) >= 8
    run(project, record="first.json")
    assert len(calls(project)) >= 8
    done = run(project, record="second.json")
    assert calls(project) == []
    done.stdout.fnmatch_lines(["bright on faces: the scores of 80 of 80 images are from the cache"])
    assert cached(project, "first.json") == "0 of 80 images"
    assert cached(project, "second.json") == "80 of 80 images"
    records = [without_times(project, f"{name}.json") for name in ("without", "first", "second")]
    assert records[0] == records[1] == records[2]


def test_one_changed_image_runs_one_batch(project):
    run(project)
    calls(project)
    Image.new("RGB", (8, 8), (90,) * 3).save(project.path / "images" / "s33.png")
    run(project)
    assert calls(project)[0] == 10
    assert cached(project) == "70 of 80 images"


@pytest.mark.parametrize(
    ("arguments", "who"),
    [
        (("--fairness-no-cache",), "--fairness-no-cache"),
        (("-o", "fairness_no_cache=true"), "--fairness-no-cache"),
        (("--fairness-release",), "--fairness-release"),
    ],
    ids=["option", "ini", "release"],
)
def test_a_run_can_refuse_the_cache(project, arguments, who):
    run(project)
    calls(project)
    run(project, *arguments)
    assert len(calls(project)) >= 8
    assert cached(project) == f"refused by {who}"


def test_a_policy_can_refuse_the_cache(project, cache_dir):
    policy = project.path / "policy.toml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text.replace("[decision]\n", '[decision]\ncache = "refuse"\n'))
    for _ in range(2):
        run(project)
        assert len(calls(project)) >= 8
        assert cached(project) == "refused by the policy"
    assert not cache_dir.exists()


def test_an_edit_of_the_model_is_another_model(project):
    run(project)
    calls(project)
    project.makepyfile(net=NET.replace("mean - 0.5", "mean - 0.4"))
    run(project)
    assert len(calls(project)) >= 8
    assert cached(project) == "0 of 80 images"


def test_a_model_whose_code_can_look_outside_is_run_each_time_and_the_record_says_why(project):
    project.makepyfile(net="import os\n" + NET)
    for _ in range(2):
        run(project)
        assert len(calls(project)) >= 8
        assert cached(project) == ("not used: net.py, line 1: os may decide scores by other means")


def subprocess_run(project, *arguments, **environment):
    command = [sys.executable, "-m", "pytest", "--fairness-batch-size=10", *arguments]
    return subprocess.Popen(
        command,
        cwd=project.path,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    )


def test_a_run_that_was_killed_goes_on_where_it_stopped(project):
    run(project, "--fairness-no-cache", record="without.json")
    calls(project)
    killed = subprocess_run(project, KILL_AT="6")
    killed.communicate()
    assert killed.returncode == -signal.SIGKILL
    assert len(calls(project)) == 6
    resumed = subprocess_run(project, "--fairness-record=record.json")
    assert resumed.communicate()[0].count("50 of 80 images are from the cache") == 1
    assert calls(project)[:3] == [10, 10, 10]
    assert without_times(project, "record.json") == without_times(project, "without.json")


def test_two_gates_at_the_same_time_give_the_same_record(project):
    both = [
        subprocess_run(project, f"--fairness-record={name}.json", f"--basetemp=tmp-{name}")
        for name in ("first", "second")
    ]
    for process in both:
        process.communicate()
    assert {process.returncode for process in both} <= {0, 1}
    assert without_times(project, "first.json") == without_times(project, "second.json")
    subprocess_run(project, "--fairness-record=record.json").communicate()
    assert cached(project) == "80 of 80 images"


def test_a_cache_that_cannot_be_used_is_told_once_and_the_run_goes_on(project, cache_dir):
    cache_dir.mkdir(mode=0o700)
    cache_dir.chmod(0o777)
    done = run(project)
    assert len(calls(project)) >= 8
    text = done.stdout.str()
    assert text.count("the cache of scores is not used") == 1
    assert "other users may write to its folder" in text
    assert cached(project).startswith("broken: ")


def test_a_size_that_is_none_is_told_before_anything_runs(project):
    done = run(project, "-o", "fairness_cache_size=many")
    assert done.ret == pytest.ExitCode.USAGE_ERROR
    done.stderr.fnmatch_lines(["*fairness_cache_size: 'many' is no size; write a number*"])
    assert calls(project) == []


def test_the_size_of_the_ini_file_is_kept(project):
    for _ in range(2):
        run(project, "-o", "fairness_cache_size=1 KB")
        assert cached(project) == "0 of 80 images"
    assert cache_file().stat().st_size < 50_000


def test_verify_accepts_the_record_of_a_run_from_the_cache(project):
    from pytest_fairness.cli import main

    run(project)
    run(project)
    state = main(["verify", str(project.path / "record.json")])
    run(project, "--fairness-no-cache", record="without.json")
    assert state == main(["verify", str(project.path / "without.json")])
