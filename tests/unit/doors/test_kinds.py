"""Kinds of models of other packages: named in a policy, or told by the ending of a file."""

from pathlib import Path

import pytest

from pytest_fairness import load_model
from pytest_fairness.doors.declarations import ModelKind, Report
from pytest_fairness.doors.kinds import kind_names, kind_of_ending
from pytest_fairness.doors.registry import register
from pytest_fairness.errors import ModelError, PolicyError
from pytest_fairness.policy.model_specs import parse_model

ACME = """
from pytest_fairness.doors.declarations import ModelKind, Report
KIND = ModelKind("acme", "acme_doors:load", ("path", "arguments"), ("path",), (".acme",))
def load(spec, loading):
    from pytest_fairness.classifiers.found import Found
    from pytest_fairness.classifiers.labels.labels import named_labels
    return Found(lambda images: images, named_labels(["no", "yes"]), lambda image: image, "logit")
"""
POINTS = {"models": {"acme": "acme_doors:KIND"}}


def test_a_kind_of_an_installed_package_is_loaded_by_name_or_ending(install, tmp_path):
    install("acme", POINTS, ACME)
    for spec in ({"kind": "acme", "path": "m.bin"}, {"path": "M.ACME"}, "m.acme"):
        model = load_model(spec, folder=tmp_path)
        assert (model.labels, model.notes["model_kind"]) == (("no", "yes"), "acme")


def test_keys_of_a_declared_kind_are_checked(install):
    install("acme", POINTS, ACME)
    with pytest.raises(PolicyError, match="weights is not for kind 'acme'"):
        parse_model({"kind": "acme", "path": "x", "weights": "y"}, name="m", folder=Path())
    with pytest.raises(PolicyError, match="kind 'acme' needs the key 'path'"):
        parse_model({"kind": "acme", "arguments": {"a": 1}}, name="m", folder=Path())


def test_without_the_package_its_kind_is_unknown(install):
    with pytest.raises(
        PolicyError, match=r"unknown kind of model 'acme'; allowed: factory, fixture"
    ):
        parse_model({"kind": "acme", "path": "x"}, name="m", folder=Path())
    assert parse_model("m.acme", name="m", folder=Path()).kind == "huggingface"


def test_two_kinds_of_one_ending_are_both_named_unless_the_kind_is_written(install, tmp_path):
    install("acme", POINTS, ACME)
    register(ModelKind("other", "x:load", endings=(".acme", ".onnx")))
    with pytest.raises(
        PolicyError, match=r"the kinds 'other' and 'acme' both own the ending '.acme'"
    ):
        parse_model("m.acme", name="m", folder=tmp_path)
    with pytest.raises(PolicyError, match=r"the kinds 'onnx' and 'other' both own .*write kind ="):
        parse_model("m.onnx", name="m", folder=tmp_path)
    written = {"kind": "acme", "path": "m.acme"}
    assert parse_model(written, name="m", folder=tmp_path).kind == "acme"


def test_a_broken_package_leaves_the_endings_of_others_alone(install, tmp_path):
    install("acme", POINTS, "1 / 0")
    assert kind_of_ending(".ONNX").name == "onnx"
    assert kind_of_ending(".acme") is None
    with pytest.raises(Exception, match="acme: the entry point 'acme'"):
        parse_model({"kind": "acme", "path": "x"}, name="m", folder=tmp_path)


def test_a_loader_that_returns_something_else_is_named(install, tmp_path):
    install(
        "acme",
        POINTS,
        ACME.replace(
            'return Found(lambda images: images, named_labels(["no", "yes"]), lambda image: image, "logit")',
            "return {}",
        ),
    )
    with pytest.raises(ModelError, match="acme_doors:load of kind 'acme' returned dict"):
        load_model("m.acme", folder=tmp_path)


def test_what_only_an_ending_tells_cannot_be_written():
    assert "torch file" not in kind_names()
    with pytest.raises(PolicyError, match="unknown kind of model 'torch file'"):
        parse_model({"kind": "torch file", "path": "m.pt"}, name="m", folder=Path())


@pytest.mark.parametrize("ending", ["half", ".HALF", ".tar.half", ""])
def test_an_ending_that_no_file_can_have_is_refused_where_it_is_declared(ending):
    with pytest.raises(ValueError, match=f"ending '{ending}' must be a dot and lower case"):
        ModelKind("half", "acme:load", endings=(ending,))
    with pytest.raises(ValueError, match=f"ending '{ending}' must be a dot and lower case"):
        Report("half", "acme:render", ending)
