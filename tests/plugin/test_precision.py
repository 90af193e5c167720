"""How exactly models compute is an option, an ini key, and a rule of the policy."""

import json

import pytest

POLICY_OPTION = "--fairness-policy=policy.toml"

NETWORK = """
import pytest

@pytest.fixture(scope="session")
def bright():
    import torch
    from pytest_fairness import Classifier, Preprocessing

    class Bright(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = torch.nn.Linear(1, 2)
            with torch.no_grad():
                self.linear.weight.copy_(torch.tensor([[-1.0], [1.0]]))
                self.linear.bias.copy_(torch.tensor([0.5, -0.5]))

        def forward(self, images):
            return self.linear(images.mean(dim=(1, 2, 3))[:, None])

    return Classifier("bright", Bright(), ("no", "yes"), Preprocessing(size=8))
"""


@pytest.fixture
def network_gate(model_gate: pytest.Pytester) -> pytest.Pytester:
    model_gate.makeconftest(NETWORK)
    return model_gate


def precision_of(gate: pytest.Pytester) -> dict[str, str]:
    record = json.loads((gate.path / "run.json").read_text(encoding="utf-8"))
    metadata: dict[str, str] = record["runs"][0]["metadata"]
    return {key: value for key, value in metadata.items() if key.startswith("precision")}


def run(gate: pytest.Pytester, *options: str) -> pytest.RunResult:
    return gate.runpytest(
        POLICY_OPTION, "--fairness-model=bright", "--fairness-record=run.json", *options
    )


def test_strict_is_the_default(network_gate):
    assert run(network_gate).ret == 0
    assert precision_of(network_gate) == {"precision": "strict"}


@pytest.mark.parametrize("where", ["option", "ini"])
def test_a_faster_precision_is_told_with_the_answers_that_it_changes(network_gate, where):
    options = (
        ["--fairness-precision=bf16"] if where == "option" else ["-o", "fairness_precision=bf16"]
    )
    result = run(network_gate, *options)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["*bright on faces: precision bf16 changed 0 of 80 answers, 0.00% to 4.51% of all*"]
    )
    assert precision_of(network_gate)["precision_compared"] == "80"


def test_a_policy_forbids_it(network_gate):
    policy = network_gate.path / "policy.toml"
    text = policy.read_text(encoding="utf-8")
    policy.write_text(text + '\n[precision]\nallowed = ["strict"]\n', encoding="utf-8")
    assert run(network_gate).ret == 0
    result = run(network_gate, "--fairness-precision=bf16")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*model 'bright': it ran in precision bf16, and policy.toml:*"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fairness-precision=double"], "*--fairness-precision: invalid choice: 'double'*"),
        (
            ["-o", "fairness_precision=double"],
            "*fairness_precision = 'double' in the ini file*strict*",
        ),
    ],
)
def test_an_unknown_precision_is_a_usage_error(network_gate, options, message):
    result = run(network_gate, *options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


def test_predictions_of_a_file_have_no_precision_to_choose(gate):
    result = gate.runpytest(
        POLICY_OPTION, "--fairness-predictions=good.csv", "--fairness-precision=bf16"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--fairness-precision: no model runs*"])


def test_a_model_without_a_network_of_torch_is_told(model_gate):
    result = run(model_gate, "--fairness-precision=bf16")
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*precision bf16 has no effect on it, because it is no network*"])
