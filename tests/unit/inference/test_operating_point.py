"""The threshold of an evaluation decides for a model as it does for a file, or is refused."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from pytest_fairness.classifiers import Classifier
from pytest_fairness.data import EvaluationSet
from pytest_fairness.errors import ModelError, PredictionError
from pytest_fairness.inference import predict, read_predictions
from pytest_fairness.policy import Evaluation

Make = Callable[[int], EvaluationSet]


def answers(model: Classifier, samples: EvaluationSet) -> list[str]:
    return list(predict(model, samples, device="cpu").table["prediction"].to_pylist())


def at(samples: EvaluationSet, threshold: float, positive: str | None = "man") -> EvaluationSet:
    return replace(samples, threshold=threshold, positive=positive)


def logit_of_red(images: torch.Tensor) -> torch.Tensor:
    return torch.logit(images[:, 0].mean(dim=(1, 2)), eps=1e-6)


def both(images: torch.Tensor) -> torch.Tensor:
    z = logit_of_red(images)
    return torch.stack([z, torch.zeros_like(z)], dim=1)


def test_a_threshold_moves_the_answers_of_a_model(red: Classifier, evaluation_set: Make) -> None:
    samples = evaluation_set(5)  # man with probability 0, 1/4, 1/2, 3/4, 1
    assert answers(red, at(samples, 0.7)) == ["woman", "woman", "woman", "man", "man"]
    assert answers(red, at(samples, 0.2)) == ["woman", "man", "man", "man", "man"]
    assert answers(red, at(samples, 0.7, "woman")) == ["woman", "woman", "man", "man", "man"]
    metadata = predict(red, at(samples, 0.7), device="cpu").metadata
    assert (metadata["threshold"], metadata["threshold_of"]) == ("0.7", "probability of 'man'")


@pytest.mark.parametrize("positive", ["man", "woman"])
@pytest.mark.parametrize("activation", [None, "softmax", "sigmoid"])
def test_a_threshold_reads_one_logit_by_its_sigmoid(
    red: Classifier, evaluation_set: Make, positive: str, activation: Any
) -> None:
    single = replace(
        red, module=logit_of_red, score="logit", activation=activation, labels=("woman", "man")
    )
    expected = answers(red, at(evaluation_set(9), 0.7, positive))
    assert answers(single, at(evaluation_set(9), 0.7, positive)) == expected
    assert predict(single, evaluation_set(3)).metadata["single_score"] == "of label 'man'"


def test_a_threshold_reads_two_logits_by_the_declared_activation(
    red: Classifier, evaluation_set: Make
) -> None:
    model = replace(red, module=both, score="logit")
    soft = replace(model, activation="softmax")
    expected = answers(red, at(evaluation_set(9), 0.7))
    assert answers(soft, at(evaluation_set(9), 0.7)) == expected
    with pytest.raises(ModelError, match="and the scores are logits; write activation ="):
        answers(model, at(evaluation_set(9), 0.7))


REFUSED: dict[str, tuple[dict[str, Any], float, str | None, str]] = {
    "no positive": ({}, 0.5, None, "needs `positive` and exactly two classes"),
    "a logit": ({}, 1.5, "man", "write a number from 0 to 1"),
    "three classes": (
        {"classes": {"man": ("man",), "woman": ("woman",), "child": ("child",)}},
        0.5,
        "man",
        "exactly two classes",
    ),
    "the largest of several": (
        {"classes": {"man": ("man", "child"), "woman": ("woman",)}},
        0.5,
        "man",
        'write reduce = "sum"',
    ),
}


@pytest.mark.parametrize("case", REFUSED.values(), ids=REFUSED)
def test_a_threshold_that_cannot_be_applied_is_refused(
    red: Classifier, evaluation_set: Make, case: tuple[dict[str, Any], float, str | None, str]
) -> None:
    keys, threshold, positive, why = case
    model = replace(red, labels=("man", "woman", "child"), **keys) if keys else red
    with pytest.raises(ModelError, match=r"threshold = .* of evaluation 'faces'") as caught:
        answers(model, at(evaluation_set(4), threshold, positive))
    assert why in str(caught.value)


def test_probabilities_of_several_labels_of_a_class_are_added(
    red: Classifier, evaluation_set: Make
) -> None:
    def three(images: torch.Tensor) -> torch.Tensor:
        share = images[:, 0].mean(dim=(1, 2))
        return torch.stack([share / 2, share / 2, 1 - share], dim=1)

    groups = {"man": ("man", "boy"), "woman": ("woman",)}
    model = replace(red, module=three, labels=("man", "boy", "woman"), classes=groups, reduce="sum")
    expected = answers(red, at(evaluation_set(9), 0.7))
    assert answers(model, at(evaluation_set(9), 0.7)) == expected


@pytest.mark.parametrize(("made", "now"), [(0.7, 0.6), (0.7, None), (None, 0.7)])
def test_kept_predictions_of_another_threshold_are_refused(
    red: Classifier, evaluation_set: Make, tmp_path: Any, made: float | None, now: float | None
) -> None:
    samples = replace(evaluation_set(4), threshold=made, positive="man")
    predict(red, samples, device="cpu").to_parquet(tmp_path / "kept.parquet")
    levels = {"skin_tone": ("light", "medium", "dark")}
    evaluation = Evaluation("faces", attributes=levels, threshold=made, positive="man")
    assert read_predictions(tmp_path / "kept.parquet", evaluation).table.num_rows == 4
    with pytest.raises(PredictionError, match="when the model made these predictions"):
        read_predictions(tmp_path / "kept.parquet", replace(evaluation, threshold=now))
