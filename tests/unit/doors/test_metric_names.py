"""Metrics of other packages: found by name, refused when two packages declare one."""

import pytest

from pytest_fairness.doors.declarations import Analysis
from pytest_fairness.doors.metrics import built_in_metric_names, metric_named, metric_names
from pytest_fairness.doors.registry import register
from pytest_fairness.errors import DeclarationError, UnknownNameError
from pytest_fairness.statistics.metrics.observed import ObservedDefinition, SampleMean

ACME = """
from pytest_fairness.doors.declarations import Analysis
from pytest_fairness.statistics.metrics.observed import ObservedDefinition, SampleMean
IOU = SampleMean("iou", column="iou")
GAZE = Analysis("gaze", "where it gazes", (ObservedDefinition("gaze_score", "gaze"),))
"""
BOTH = {"metrics": {"iou": "acme_doors:IOU"}, "analyses": {"gaze": "acme_doors:GAZE"}}


@pytest.mark.parametrize("name", metric_names())
def test_every_metric_has_a_title_for_messages(name):
    title = metric_named(name).title
    assert title
    assert "_" not in title


def test_metrics_of_a_package_are_found_with_their_differences(install):
    install("acme", BOTH, ACME)
    added = {*metric_names()} - {*built_in_metric_names()}
    assert added == {"iou", "iou_difference", "gaze_score", "gaze_score_difference"}
    assert metric_named("gaze_score_difference").analysis == "gaze"


def test_an_unknown_metric_is_told_with_the_packages_that_cannot_be_imported(install):
    install("acme", BOTH, "1 / 0")
    assert metric_named("accuracy").name == "accuracy"
    with pytest.raises(UnknownNameError) as error:
        metric_named("gaze_score")
    assert str(error.value).startswith("unknown metric 'gaze_score'; ")
    assert "acme: the entry point 'iou' of pytest_fairness.metrics cannot load" in str(error.value)
    assert "acme: the entry point 'gaze' of pytest_fairness.analyses cannot" in str(error.value)


TWICE = {
    "an analysis": Analysis("other", "x", (ObservedDefinition("iou", "IoU"),)),
    "the same mean, in an analysis": Analysis(
        "other", "x", (SampleMean("iou", column="iou").observed,)
    ),
    "a difference": SampleMean("gaze_score", column="gaze"),
}


@pytest.mark.parametrize("declaration", TWICE.values(), ids=TWICE)
@pytest.mark.parametrize("name", ["iou", "unknown"])
def test_a_metric_that_two_packages_declare_is_told_at_every_look_up_that_needs_a_package(
    name, declaration, install
):
    install("acme", BOTH, ACME)
    register(declaration, source="team")
    with pytest.raises(DeclarationError, match="acme and team both declare the metric '"):
        metric_named(name)


def test_an_analysis_cannot_take_the_name_of_a_built_in_metric(install):
    register(Analysis("other", "x", (ObservedDefinition("accuracy", "a"),)), source="team")
    with pytest.raises(
        DeclarationError, match="pytest-fairness and team both declare the metric 'a"
    ):
        metric_named("error_rate")


@pytest.mark.parametrize(
    "name", ["accuracy", "accuracy_difference", "attention_mask_score", "disparate_impact", "mean"]
)
def test_a_metric_of_this_package_is_found_without_importing_another(name, install):
    install("acme", BOTH, "raise SystemExit('imported')")
    assert metric_named(name).name == name


@pytest.mark.parametrize("name", ["accuracy", "f1_ratio", "disparate_impact", "probe_accuracy"])
def test_an_entry_point_with_the_name_of_a_built_in_metric_is_told_without_importing_it(
    name, install
):
    install("acme", {"metrics": {name: "acme_doors:IOU"}}, "raise SystemExit('imported')")
    with pytest.raises(DeclarationError, match=f"acme and pytest-fairness both declare .*'{name}'"):
        metric_named("error_rate")
