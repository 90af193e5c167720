"""Bad input is named and never green: usage errors exit with 4, unusable data with 1."""

import pytest

POLICY_OPTION = "--fairness-policy=policy.toml"
GOOD = "--fairness-predictions=good.csv"
WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize(
    "workers", [(), ("-n", "2")], ids=["alone", "xdist"]
)


def edit(gate, old: str, new: str, name: str = "policy.toml") -> None:
    path = gate.path / name
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def stderr_and_stdout(result) -> str:
    return f"{result.stdout}\n{result.stderr}"


@WITH_AND_WITHOUT_XDIST
@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "min = 0.7",
            "minn = 0.7",
            "*policy.toml:15: rule 'floor': unknown key 'minn'; did you mean 'min'*",
        ),
        ('"accuracy"', '"acuracy"', "*policy.toml:13: rule 'floor': unknown metric 'acuracy'*"),
        ("min = 0.7", "min = 7", "*policy.toml:15: rule 'floor': min = 7.0 must be in [[]0, 1[]]*"),
        (
            '"sex", "tone"]\nmin',
            '"sx"]\nmin',
            "*rule 'floor': by names attribute 'sx'*allowed: sex, tone*",
        ),
        ("[[rule]]", "[[rule", "*policy.toml: not valid TOML*"),
    ],
    ids=["unknown key", "unknown metric", "limit out of range", "unknown attribute", "malformed"],
)
def test_a_bad_policy_is_a_usage_error(gate, workers, old, new, message):
    edit(gate, old, new)
    result = gate.runpytest(POLICY_OPTION, GOOD, *workers)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in stderr_and_stdout(result)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fairness-policy=none.toml", GOOD], "*none.toml: no such policy file*"),
        ([GOOD], "*no policy: give one with --fairness-policy*"),
        ([POLICY_OPTION], "*no model under test*--fairness-model NAME*"),
        ([POLICY_OPTION, "--fairness-model=nobody"], "*model 'nobody': no fixture of this name*"),
        ([POLICY_OPTION, "--fairness-predictions=none.csv"], "*'none.csv' is not a file*"),
        (
            [POLICY_OPTION, "--fairness-predictions=other=good.csv"],
            "*no [[]evaluation.other[]]; allowed: faces*",
        ),
        ([POLICY_OPTION, GOOD, GOOD], "*--fairness-predictions: two files for the evaluation*"),
        (
            [POLICY_OPTION, GOOD, "--fairness-batch-size=0"],
            "*--fairness-batch-size: got '0', allowed is*",
        ),
    ],
    ids=[
        "missing policy",
        "no policy",
        "no model",
        "unknown model",
        "missing predictions",
        "unknown evaluation",
        "predictions twice",
        "batch size",
    ],
)
def test_a_bad_option_is_a_usage_error(gate, options, message):
    result = gate.runpytest(*options)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in stderr_and_stdout(result)


def test_a_marker_with_an_unknown_metric_is_a_usage_error(gate):
    edit(gate, '"accuracy"', '"acuracy"', "test_gate.py")
    result = gate.runpytest(POLICY_OPTION, GOOD)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = "*test_group_accuracy: marker fairness takes metric names*"
    result.stderr.fnmatch_lines([f"{said}unknown metric 'acuracy'; did you mean 'accuracy'?*"])


def test_a_device_that_is_not_there_is_a_usage_error(model_gate):
    result = model_gate.runpytest(
        POLICY_OPTION, "--fairness-model=bright", "--fairness-device=cuda:99"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--fairness-device: device 'cuda:99' is not available; here are *"]
    )


@WITH_AND_WITHOUT_XDIST
def test_an_unknown_model_is_red_with_xdist_too(gate, workers):
    result = gate.runpytest(POLICY_OPTION, "--fairness-model=nobody", *workers)
    assert result.ret != 0
    assert "model 'nobody': no fixture of this name" in stderr_and_stdout(result)


PREDICTIONS = {
    "unknown class": ("s1,male,dark,no,yes", "s1,male,dark,no,maybe", "*prediction*'maybe'*"),
    "duplicate ids": ("s1,male", "s0,male", "*'s0'*"),
    "undeclared level": ("s1,male,dark", "s1,male,drak", "*'drak'*did you mean 'dark'*"),
    "missing column": ("id,sex,tone", "id,sex,shade", "*'tone'*"),
    "missing prediction": ("s1,male,dark,no,yes", "s1,male,dark,no,", "*s1*"),
}


@pytest.mark.parametrize(("old", "new", "message"), PREDICTIONS.values(), ids=PREDICTIONS)
def test_bad_predictions_fail_every_question_and_name_the_sample(gate, old, new, message):
    edit(gate, old, new, "good.csv")
    result = gate.runpytest(POLICY_OPTION, GOOD)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=5)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_group_with_no_negatives_is_undefined_and_not_0(gate):
    lines = (gate.path / "good.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if ",dark,no," not in line]
    (gate.path / "good.csv").write_text("\n".join(kept), encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, GOOD)
    outcomes = result.parseoutcomes()
    assert (outcomes["passed"], outcomes["unanswerable"]) == (4, 1)
    result.stdout.fnmatch_lines(
        [
            "  unanswerable  tone dark vs light  undefined  *n 0 vs 100  undefined: no negatives in tone dark; a pass needs about 13 more negatives"
        ]
    )


def test_a_group_with_no_negatives_stops_a_release_whose_policy_says_so(gate):
    edit(gate, 'inconclusive = "warn"', 'inconclusive = "fail"')
    lines = (gate.path / "good.csv").read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if ",dark,no," not in line]
    (gate.path / "good.csv").write_text("\n".join(kept), encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, GOOD)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*undefined: no negatives in tone dark*"])


@pytest.mark.parametrize("kept", [0, 1], ids=["empty file", "header alone"])
def test_predictions_without_samples_are_never_green(gate, kept):
    lines = (gate.path / "good.csv").read_text(encoding="utf-8").splitlines()
    (gate.path / "good.csv").write_text("\n".join(lines[:kept]), encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, GOOD)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["PredictionError: *good.csv*"])
    result.stdout.no_fnmatch_line("*Traceback*")


@WITH_AND_WITHOUT_XDIST
def test_a_missing_attribute_is_a_level_of_its_own_and_is_judged(gate, workers):
    text = (gate.path / "good.csv").read_text(encoding="utf-8")
    rows = [f"m{i},female,,no,yes" for i in range(30)]
    (gate.path / "good.csv").write_text(text + "\n".join(rows), encoding="utf-8")
    result = gate.runpytest(POLICY_OPTION, GOOD, *workers)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            "  fail * tone (missing) * 0.000 * n *30*",
            "FAILED without a test of its own, since * accuracy, tone (missing): 0.000 * -> fail; *",
        ]
    )
    edit(gate, 'tone = ["light", "dark"]', 'tone = ["light", "dark", "(missing)"]')
    declared = gate.runpytest(POLICY_OPTION, GOOD, "-v", *workers)
    assert declared.ret == 1
    declared.stdout.no_fnmatch_line("FAILED without a test of its own*")
    declared.stdout.fnmatch_lines(
        ["*test_group_accuracy[[]floor:predictions-faces-tone-(missing)[]]*"]
    )


def test_a_rule_that_no_test_asks_fails_a_full_run(gate):
    edit(
        gate,
        '@pytest.mark.fairness("false_positive_rate_difference")\ndef test',
        "def not_a_test",
        "test_gate.py",
    )
    full = gate.runpytest(POLICY_OPTION, GOOD)
    assert full.ret == pytest.ExitCode.TESTS_FAILED
    full.stdout.fnmatch_lines(
        ["FAILED policy.toml:17: rule 'fpr-gap' was never judged for 1 of its questions, e.g. *"]
    )
    part = "NOT A RELEASE RUN*: 1 of 5 questions of the policy not asked"
    named = gate.runpytest(POLICY_OPTION, GOOD, "test_gate.py")
    assert named.ret == pytest.ExitCode.TESTS_FAILED
    named.stdout.fnmatch_lines(["FAILED tests were left out: *--fairness-partial*", part])
    chosen = gate.runpytest(POLICY_OPTION, GOOD, "test_gate.py", "--fairness-partial")
    assert chosen.ret == pytest.ExitCode.OK
    chosen.stdout.fnmatch_lines([part])


def test_a_rule_that_no_test_asks_fails_a_full_run_with_xdist(gate):
    edit(
        gate,
        '@pytest.mark.fairness("false_positive_rate_difference")\ndef test',
        "def not_a_test",
        "test_gate.py",
    )
    assert gate.runpytest(POLICY_OPTION, GOOD, "-n2").ret == pytest.ExitCode.TESTS_FAILED
    chosen = gate.runpytest(POLICY_OPTION, GOOD, "-n2", "-k", "sex")
    assert chosen.ret == pytest.ExitCode.TESTS_FAILED
    chosen.stdout.fnmatch_lines(["NOT A RELEASE RUN: 3 of 5 questions*"])
    part = gate.runpytest(POLICY_OPTION, GOOD, "-n2", "-k", "sex", "--fairness-partial")
    assert part.ret == pytest.ExitCode.OK


IMAGES = {
    "missing image": (lambda path: path.unlink(), "*s4.png*"),
    "truncated image": (lambda path: path.write_bytes(path.read_bytes()[:40]), "*s4*"),
    "empty image": (lambda path: path.write_bytes(b""), "*s4*"),
}


@pytest.mark.parametrize(("harm", "message"), IMAGES.values(), ids=IMAGES)
def test_a_bad_image_fails_the_run_and_names_the_sample(model_gate, harm, message):
    harm(model_gate.path / "images/s4.png")
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=5)
    result.stdout.fnmatch_lines([f"DataError: {message}"])
    result.stdout.no_fnmatch_line("*Traceback*")


MODELS = {
    "nan scores": ("mean - 0.5]", "mean / 0 - mean / 0]", "PredictionError: *s0*"),
    "wrong number of outputs": ("[0.5 - mean, mean - 0.5]", "[mean] * 3", "ModelError: *bright*"),
    "class that is no target": ('("no", "yes")', '("no", "aye")', "ModelError: *'yes'*"),
}


@pytest.mark.parametrize(("old", "new", "message"), MODELS.values(), ids=MODELS)
def test_a_model_that_breaks_its_word_fails_the_run(model_gate, old, new, message):
    edit(model_gate, old, new, "conftest.py")
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=5)
    result.stdout.fnmatch_lines([message])


WEIGHTS = {
    "another shape": (
        "torch.nn.Linear(3, 4)",
        "ModelError: *w.safetensors: weight '*' has shape (4,*expects (2,*",
    ),
    "other names": ("torch.nn.Conv2d(3, 2, 1, bias=False)", "ModelError: *w.safetensors: *bias*"),
}


@pytest.mark.parametrize(("trained", "message"), WEIGHTS.values(), ids=WEIGHTS)
def test_weights_that_do_not_fit_fail_the_run(model_gate, trained, message):
    model_gate.makeconftest(
        f"""
        import pytest

        @pytest.fixture(scope="session")
        def bright():
            import torch
            from safetensors.torch import save_file
            from pytest_fairness import Classifier, Preprocessing, load_weights

            save_file({trained}.state_dict(), "w.safetensors")
            module = load_weights(torch.nn.Linear(3, 2), "w.safetensors")
            return Classifier("bright", module, ("no", "yes"), Preprocessing(size=8))
        """
    )
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.assert_outcomes(failed=5)
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")


def test_a_weights_file_that_is_missing_fails_the_run(model_gate):
    edit(
        model_gate,
        "    def module(images):",
        "    from pytest_fairness import load_weights\n"
        '    load_weights(torch.nn.Linear(3, 2), "none.safetensors")\n\n'
        "    def module(images):",
        "conftest.py",
    )
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["ModelError: *none.safetensors*"])


def test_an_empty_evaluation_set_fails_the_run(model_gate):
    header = (model_gate.path / "faces.csv").read_text(encoding="utf-8").splitlines()[0]
    (model_gate.path / "faces.csv").write_text(header, encoding="utf-8")
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["DataError: *faces.csv*"])


@WITH_AND_WITHOUT_XDIST
def test_an_error_of_a_model_is_told_once_and_never_asks_for_a_test(model_gate, workers):
    edit(model_gate, "[0.5 - mean, mean - 0.5]", "[mean] * 3", "conftest.py")
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright", *workers)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    text = result.stdout.str()
    told = [
        line for line in text.splitlines() if line.startswith("ModelError: model 'bright': exp")
    ]
    assert len(told) == (2 if workers else 1)  # once in each process
    result.stdout.fnmatch_lines(
        ["FAILED 5 questions not judged: ModelError: model 'bright': expect*"]
    )
    result.stdout.fnmatch_lines(["*on evaluation 'faces' could not be judged; *shows why*"])
    result.stdout.no_fnmatch_line("*add a test*")
    result.stdout.no_fnmatch_line("*was never judged*")


def test_a_model_whose_answers_depend_on_the_batch_is_refused_unless_the_policy_allows_it(
    model_gate,
):
    edit(model_gate, "mean - 0.5]", "mean - mean.mean()]", "conftest.py")
    edit(model_gate, "[0.5 - mean,", "[mean.mean() - mean,", "conftest.py")
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*its answers are no function of the image*"])
    with (model_gate.path / "policy.toml").open("a", encoding="utf-8") as file:
        file.write('\n[model.bright]\nkind = "fixture"\nnondeterministic = "tell"\n')
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    result.stdout.fnmatch_lines(["*WARNING bright on faces: * images that were asked again got *"])


def test_a_fixture_cannot_allow_that_itself(model_gate):
    edit(
        model_gate,
        "Preprocessing(size=8))",
        'Preprocessing(size=8), nondeterministic="tell")',
        "conftest.py",
    )
    result = model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines(["*nondeterministic = * is for the policy to say; write it in *"])
