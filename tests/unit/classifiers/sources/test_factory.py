"""Python factories, and what fixtures return: modules, functions, estimators, classifiers."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers import Classifier, Preprocessing, describe_model, load_model
from pytest_fairness.classifiers.files.weights import hash_weights
from pytest_fairness.errors import ModelError, PolicyError
from tests.unit.classifiers.conftest import READING, small_net

HERE = "tests.unit.classifiers.sources.test_factory"


def build_net(seed: int = 0) -> nn.Module:
    torch.manual_seed(seed)
    return small_net()


def build_function():
    return lambda images: images.mean(dim=(2, 3))[:, :2]


def build_classifier() -> Classifier:
    return Classifier("inside", build_function(), ("no", "yes"), Preprocessing(size=8))


def build_number() -> int:
    return 3


def fails() -> nn.Module:
    msg = "its own mistake"
    raise TypeError(msg)


class Brightness:
    """As scikit-learn: probabilities from flat rows of pixels."""

    classes_ = np.array(["dark", "light"])

    def predict_proba(self, X):  # noqa: N803
        if X.ndim != 2:
            msg = f"Found array with dim {X.ndim}, expected 2"
            raise ValueError(msg)
        light = X.mean(axis=1)
        return np.stack([1 - light, light], axis=1)


def test_a_factory_is_called_with_its_arguments_and_filled_with_weights(tmp_path):
    save_file(build_net(seed=5).state_dict(), tmp_path / "net.safetensors")
    table = {"factory": f"{HERE}:build_net", "arguments": {"seed": 5}, **READING}
    plain, filled = (
        load_model(table, name="mine"),
        load_model({**table, "arguments": {}, "weights": str(tmp_path / "net.safetensors")}),
    )
    assert hash_weights(plain.module) == hash_weights(filled.module)
    assert not filled.module.training
    assert filled.notes["factory"] == f"{HERE}:build_net"
    assert filled.notes["model_file"] == "net.safetensors"
    assert "model_sha256" not in plain.notes


def test_a_factory_may_stand_in_a_file_beside_the_policy(tmp_path):
    (tmp_path / "model.py").write_text(
        "import torch\ndef build(): return torch.nn.Sequential(torch.nn.Flatten())\n"
    )
    made = load_model({"factory": "model.py:build", **READING}, folder=tmp_path)
    assert "Flatten" in repr(made.module)


def test_a_function_is_a_model(scores):
    made = load_model({"factory": f"{HERE}:build_function", **READING})
    assert scores(made).shape == (3, 2)
    assert made.notes == {"model_kind": "factory", "factory": f"{HERE}:build_function"}


def test_a_classifier_says_everything_itself():
    made = load_model(f"{HERE}:build_classifier", name="release")
    assert (made.name, made.labels) == ("release", ("no", "yes"))
    with pytest.raises(
        ModelError, match=r"returns a Classifier, which says labels itself; drop lab"
    ):
        load_model({"factory": f"{HERE}:build_classifier", **READING})


def test_an_estimator_brings_its_classes_and_gives_probabilities(image):
    made = load_model({"factory": f"{HERE}:Brightness", "preprocessing": {"size": 8}})
    assert (made.labels, made.score) == (("dark", "light"), "probability")
    pixels = made.preprocess(image)[None]
    assert torch.allclose(made.module(pixels)[0, 1], pixels.mean())


def test_rows_of_an_estimator_lie_as_numpy_flattens_an_image(image):
    class Keeps(Brightness):
        @override
        def predict_proba(self, X):
            self.seen = X
            return super().predict_proba(X)

    kept = Keeps()
    spec = {"factory": f"{HERE}:Brightness", "preprocessing": {"size": 8, "white": 255}}
    made = describe_model(kept, _spec(spec | {"kind": "fixture"}))
    made.module(made.preprocess(image)[None])
    resized = np.asarray(image.resize((8, 8), 2), dtype=np.float32)
    assert np.allclose(kept.seen[0], resized.ravel(), atol=1e-3)


def _spec(table):
    from pathlib import Path

    from pytest_fairness.policy.model_specs import parse_model

    table = {key: value for key, value in table.items() if key != "factory"}
    return parse_model(table, name="mine", folder=Path())


def test_an_estimator_of_scikit_learn_is_judged_like_itself(image):
    linear = pytest.importorskip("sklearn.linear_model")
    generator = np.random.default_rng(0)
    rows = generator.random((40, 8 * 8 * 3)).astype(np.float32)
    fitted = linear.LogisticRegression().fit(rows, rows[:, 0] > 0.5)
    made = describe_model(fitted, _spec({"kind": "fixture", "preprocessing": {"size": 8}}))
    pixels = made.preprocess(image)[None]
    expected = fitted.predict_proba(pixels.permute(0, 2, 3, 1).reshape(1, -1).numpy())
    assert np.allclose(made.module(pixels).numpy(), expected, atol=1e-6)
    assert made.labels == ("False", "True")


def test_an_estimator_with_another_layout_is_named():
    table = {"factory": f"{HERE}:Brightness", "preprocessing": {"size": 8}, "layout": "nhwc"}
    made = load_model(table, name="mine")
    with pytest.raises(
        ModelError, match=r"'mine' does not take arrays of shape \(1, 8, 8, 3\) \(layout"
    ):
        made.module(torch.zeros(1, 3, 8, 8))


def test_several_outputs_are_picked_by_name_and_keep_the_weights():
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.net = build_net()

        @override
        def forward(self, images):
            return {"features": images, "logits": self.net(images)}

    table = {"kind": "fixture", **READING, "output": "logits"}
    made = describe_model(Two().eval(), _spec(table))
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(made.module(images), build_net().eval()(images))
    assert len(made.module.state_dict()) == len(Two().state_dict())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"factory": "no_such_package.models:build"}, "no module 'no_such_package' to import"),
        ({"factory": f"{HERE}:biuld_net"}, r"has no function 'biuld_net'; it has .*build_net"),
        ({"factory": "gone.py:build"}, r"no such file: .*gone\.py"),
        ({"factory": "only_a_module"}, r"write package\.module:function, or file\.py:function"),
        ({"arguments": {"sede": 1}}, r"does not take arguments = \{'sede': 1\}.*\(seed: int = 0\)"),
        (
            {"factory": f"{HERE}:build_number"},
            "is int; return a Classifier, an nn.Module, a functio",
        ),
        (
            {"weights": "w.safetensors", "factory": f"{HERE}:build_function"},
            "returns function; drop",
        ),
        ({"labels": None}, r"`labels` is missing\. Add labels = "),
        ({"score": None}, r"`score` is missing\. Add one of: score = \"logit\", "),
        ({"preprocessing": None}, r"`preprocessing` is missing\. Add preprocessing = "),
    ],
    ids=[
        "module",
        "function",
        "file",
        "no colon",
        "arguments",
        "no model",
        "weights of a function",
        "labels",
        "score",
        "preprocessing",
    ],
)
def test_what_does_not_fit_is_named(change, message):
    table = {"factory": f"{HERE}:build_net", **READING} | change
    table = {key: value for key, value in table.items() if value is not None}
    with pytest.raises(ModelError, match=message):
        load_model(table, name="release")


def test_a_mistake_inside_the_factory_keeps_its_traceback():
    with pytest.raises(TypeError, match="its own mistake"):
        load_model({"factory": f"{HERE}:fails", **READING})


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (
            {"labels": ["a", "b", "c"]},
            r"labels has 3 names, but the model has 2 outputs \(dark, light",
        ),
        ({"score": "logit"}, "score = 'logit', but this kind of model gives 'probability'; drop"),
    ],
    ids=["labels", "score"],
)
def test_what_an_estimator_knows_is_not_overruled(estimator, message):
    table = {"factory": f"{HERE}:Brightness", "preprocessing": {"size": 8}, **estimator}
    with pytest.raises(ModelError, match=message):
        load_model(table)


def test_labels_that_are_unlike_the_outputs_are_named_in_inference():
    from pytest_fairness.inference.forward import Forward

    table = {"factory": f"{HERE}:build_net", **READING, "labels": ["a", "b", "c"]}
    forward = Forward(load_model(table, name="mine"), device=torch.device("cpu"), batch_size=2)
    with pytest.raises(
        ModelError, match=r"expected scores of shape \(2, 3\), one for each of its 3"
    ):
        forward._run(torch.zeros(2, 3, 8, 8))


def test_a_fixture_is_known_to_pytest_only():
    with pytest.raises(ModelError, match="kind 'fixture' is what a fixture of this name returns"):
        load_model({"kind": "fixture", **READING})


def test_a_toml_file_is_a_table_with_paths_of_its_own_folder(tmp_path):
    (tmp_path / "candidate.toml").write_text(
        'factory = "model.py:build"\nlabels = "names.txt"\nscore = "logit"\n'
        "preprocessing = { size = 8 }\n"
    )
    (tmp_path / "names.txt").write_text("no\nyes\n")
    (tmp_path / "model.py").write_text("def build(): return lambda images: images\n")
    assert load_model(tmp_path / "candidate.toml").labels == ("no", "yes")
    keys = 'factory = "model.py:build", labels = ["a", "b"], score = "logit"'
    inline = f"{{ {keys}, preprocessing = {{ size = 8 }} }}"
    assert load_model(inline, folder=tmp_path).labels == ("a", "b")


@pytest.mark.parametrize("text", ["{ factory = ", "gone.toml"], ids=["malformed", "missing"])
def test_a_table_that_cannot_be_read_is_named(text):
    with pytest.raises(PolicyError, match="cannot be read as the TOML table of a model"):
        load_model(text)
