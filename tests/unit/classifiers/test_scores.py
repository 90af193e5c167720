"""One score an image of two labels, whatever it is wrapped in and whatever it means."""

import math
from collections import OrderedDict
from typing import NamedTuple

import numpy as np
import pytest
import torch

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.classifiers.scores import score_columns
from pytest_fairness.errors import ModelError


class Output(NamedTuple):
    logits: torch.Tensor


def model(score="logit", activation=None, labels=("no", "yes")):
    return Classifier(
        "m", torch.nn.Identity(), labels, Preprocessing(size=2), score=score, activation=activation
    )


class ModelOutput(OrderedDict):
    """As transformers has it: a dict without the outputs that are None."""


WRAPPED = {
    "column": lambda z: z[:, None],
    "row": lambda z: z,
    "dict": lambda z: {"logits": z},
    "dict with no loss": lambda z: {"loss": None, "logits": z[:, None]},
    "tuple": lambda z: (z,),
    "tuple with None": lambda z: (z, None),
    "list": lambda z: [z[:, None]],
    "named tuple": Output,
    "ModelOutput": lambda z: ModelOutput(logits=z[:, None]),
    "numpy": lambda z: z.numpy(),
}


@pytest.mark.parametrize("wrap", WRAPPED.values(), ids=WRAPPED)
def test_one_logit_an_image_is_that_of_the_second_label(wrap):
    found = score_columns(model(), wrap(torch.tensor([-2.0, 3.0, 0.5])), n=3)
    assert found.argmax(dim=1).tolist() == [0, 1, 1]
    assert torch.softmax(found, dim=1)[:, 1].tolist() == pytest.approx(
        [1 / (1 + math.exp(-z)) for z in (-2.0, 3.0, 0.5)]
    )


@pytest.mark.parametrize(
    ("score", "activation", "value", "both"),
    [
        ("probability", None, 0.25, [0.75, 0.25]),
        ("log_probability", None, math.log(0.25), [math.log(0.75), math.log(0.25)]),
        ("logit", "softmax", 2.0, [0.0, 2.0]),
        ("logit", "sigmoid", 2.0, [-2.0, 2.0]),
    ],
)
def test_the_first_label_gets_the_rest_as_its_meaning_says(score, activation, value, both):
    found = score_columns(model(score, activation), torch.tensor([value]), n=1)
    assert found.tolist() == [pytest.approx(both)]


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_one_score_of_three_labels_is_refused(shape):
    with pytest.raises(
        ModelError, match=r"expected scores of shape \(3, 3\).*got a tensor of shape"
    ):
        score_columns(model(labels=("a", "b", "c")), torch.zeros(shape), n=3)


def test_scores_of_64_bits_decide_with_64_bits():
    scores = np.array([[0.5 - 1e-12, 0.5 + 1e-12]])
    assert score_columns(model("probability"), scores, n=1).argmax().item() == 1


@pytest.mark.parametrize(
    "scores",
    [torch.tensor([[1 + 2j, 0j]]), torch.tensor([[1e300, 0.0]], dtype=torch.float64), "text"],
    ids=["complex", "too large", "text"],
)
def test_scores_that_a_cast_would_change_are_refused(scores):
    with pytest.raises(ModelError, match="model 'm'"):
        score_columns(model(), scores, n=1)


def test_whole_numbers_are_scores_without_loss():
    found = score_columns(model(), torch.tensor([[2**24 + 1, 2**24]]), n=1)
    assert found.tolist() == [[2**24 + 1, 2**24]]
