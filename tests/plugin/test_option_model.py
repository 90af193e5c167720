"""Models of the policy, candidates of the command line, and what the record says of them."""

import json
import pickle

import pytest

POLICY = "--fairness-policy=policy.toml"
RECORD = "--fairness-record=record.json"
MODULE = """
import torch

class Bright(torch.nn.Module):
    def __init__(self, sign=1.0):
        super().__init__()
        self.sign = torch.nn.Parameter(torch.tensor(float(sign)))

    def forward(self, images):
        mean = (images.mean(dim=(1, 2, 3)) - 0.5) * self.sign
        return torch.stack([-mean, mean], dim=1)

def build(sign=1.0):
    return Bright(sign)

def groups():
    # The best single label is always `yes`; the two labels of `no` together hold more.
    return lambda images: torch.tensor([[0.3, 0.3, 0.4]]).expand(len(images), 3)
"""
TABLE = """
[model.release]
factory = "model.py:build"
labels = ["no", "yes"]
score = "logit"
preprocessing = { size = 8 }
"""


@pytest.fixture
def project(model_gate):
    """Images, a policy that names its model, and no conftest."""
    (model_gate.path / "conftest.py").unlink()
    (model_gate.path / "model.py").write_text(MODULE, encoding="utf-8")
    add(model_gate, TABLE)
    return model_gate


def add(gate, text: str) -> None:
    policy = gate.path / "policy.toml"
    policy.write_text(policy.read_text(encoding="utf-8") + text, encoding="utf-8")


def replace(gate, old: str, new: str) -> None:
    policy = gate.path / "policy.toml"
    text = policy.read_text(encoding="utf-8")
    assert old in text
    policy.write_text(text.replace(old, new), encoding="utf-8")


def run(gate, *options):
    return gate.runpytest(POLICY, RECORD, *options)


def metadata(gate):
    record = json.loads((gate.path / "record.json").read_text(encoding="utf-8"))
    return record["runs"][0]["metadata"]


def accuracy(gate):
    record = json.loads((gate.path / "record.json").read_text(encoding="utf-8"))
    return {
        v["group"]["tone"]: v["value"]
        for v in record["verdicts"]
        if v["by"] == ["tone"] and "acc" in v["metric"]
    }


def test_a_model_of_the_policy_needs_no_conftest_and_no_option(project):
    result = run(project)
    result.stdout.fnmatch_lines(
        ["fairness: policy policy.toml*models: release", "*release on faces:*"]
    )
    assert accuracy(project) == {"dark": 0.9, "light": 0.9}
    found = metadata(project)
    assert len(found["weights_sha256"]) == 64
    assert found["preprocessing"].startswith("Preprocessing(size=8")
    assert (found["model_kind"], found["factory"]) == ("factory", f"{'model.py'}:build")
    assert "unpickled" not in found


def test_a_candidate_takes_the_place_of_the_weights_of_the_policy(project):
    import torch
    from safetensors.torch import save_file

    save_file({"sign": torch.tensor(-1.0)}, project.path / "candidate.safetensors")
    result = run(project, "--fairness-model=release=candidate.safetensors")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert accuracy(project) == pytest.approx({"dark": 0.1, "light": 0.1})
    assert metadata(project)["model_file"] == "candidate.safetensors"
    assert len(metadata(project)["model_sha256"]) == 64


def test_a_candidate_may_be_a_table_of_its_own(project):
    table = TABLE.split("\n", 2)[2].replace("model.py:build", "model.py:groups")
    table = table.replace('["no", "yes"]', '["n1", "n2", "yes"]').replace("logit", "probability")
    table += 'label_groups = { no = ["n1", "n2"], yes = ["yes"] }\n'
    (project.path / "candidate.toml").write_text(table, encoding="utf-8")
    result = run(project, "--fairness-model=next=candidate.toml")
    result.stdout.fnmatch_lines(
        ["next on faces: label groups are read by max; max, sum, logsumexp disagree on 80 of 80 *"]
    )
    assert metadata(project)["reduce_disagreements"] == "80"
    (project.path / "candidate.toml").write_text(table + 'reduce = "sum"\n', encoding="utf-8")
    run(project, "--fairness-model=next=candidate.toml")
    assert metadata(project)["reduce"] == "sum"
    assert accuracy(project) == {"dark": 0.5, "light": 0.5}


def test_a_module_of_a_fixture_is_described_in_the_policy(project):
    project.makeconftest(
        "import pytest\n@pytest.fixture(scope='session')\ndef mine():\n    import model\n"
        "    return model.build()\n"
    )
    described = TABLE.replace("[model.release]", "[model.mine]").replace(
        'factory = "model.py:build"', 'kind = "fixture"'
    )
    project.syspathinsert()
    undescribed = run(project, "--fairness-model=mine")
    undescribed.stdout.fnmatch_lines(
        [
            "*model 'mine': its fixture returns Bright; return a Classifier, or describe it in the policy*"
        ]
    )
    add(project, described)
    run(project, "--fairness-model=mine")
    assert accuracy(project) == {"dark": 0.9, "light": 0.9}


def test_a_pickle_is_refused_and_allowed_for_one_run_that_says_so(project):
    mark = project.path / "it-ran"
    (project.path / "evil.py").write_text(
        "import pathlib, numpy\n"
        "class Model:\n"
        "    classes_ = ['no', 'yes']\n"
        "    def __setstate__(self, state):\n"
        f"        pathlib.Path({str(mark)!r}).touch()\n"
        "    def predict_proba(self, X):\n"
        "        yes = X.mean(axis=1)\n"
        "        return numpy.stack([1 - yes, yes], axis=1)\n",
        encoding="utf-8",
    )
    project.syspathinsert()
    import importlib

    made = importlib.import_module("evil").Model()
    made.some = "state"
    (project.path / "release.pkl").write_bytes(pickle.dumps(made))
    replace(project, 'factory = "model.py:build"', 'path = "release.pkl"')
    replace(project, 'score = "logit"', 'score = "probability"')
    refused = run(project)
    refused.stdout.fnmatch_lines(["*release.pkl: a pickled model (it names *evil.Model*"])
    assert refused.ret == pytest.ExitCode.TESTS_FAILED
    assert not mark.exists()
    allowed = run(project, "--fairness-allow-pickle")
    assert mark.exists()
    assert metadata(project)["unpickled"] == "release.pkl (allowed by --fairness-allow-pickle)"
    allowed.stdout.fnmatch_lines(
        [
            "release: code in release.pkl (allowed by --fairness-allow-pickle) could run when it was read"
        ]
    )


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (
            "release=gone.pt2",
            "*--fairness-model release=gone.pt2: no such file or folder: gone.pt2*",
        ),
        ("=model.py", "*--fairness-model: got '=model.py'; write NAME, or NAME=file*"),
        (
            "other",
            "*model 'other': no fixture of this name and no [[]model.other[]] in the policy*",
        ),
        (
            "other=model.py:build",
            "*model 'other' (--fairness*): `labels` is missing. Add lab*",
        ),
    ],
    ids=["missing file", "no name", "unknown", "bare factory"],
)
def test_a_bad_option_is_named(project, option, message):
    result = run(project, f"--fairness-model={option}")
    assert result.ret != pytest.ExitCode.OK
    text = f"{result.outlines}{result.errlines}"
    from fnmatch import fnmatch

    assert any(fnmatch(line, message) for line in [*result.outlines, *result.errlines]), text


def test_two_places_for_one_model_are_a_usage_error(project):
    result = run(project, "--fairness-model=a=model.py:build", "--fairness-model=a=policy.toml")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--fairness-model: two places for model 'a': model.py:build and*"]
    )


def test_a_fixture_with_the_name_of_a_model_of_the_policy_is_a_usage_error(project):
    project.makeconftest("import pytest\n@pytest.fixture\ndef release(): pass\n")
    result = run(project)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        [
            "*model 'release' is both a fixture and the table [[]model.release[]] (policy.toml:*): rename*"
        ]
    )
