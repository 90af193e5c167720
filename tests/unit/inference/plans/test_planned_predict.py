"""A prediction is the same with a plan as without, and the record says which it was."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.classifiers.preprocessing.views import flip_averaged
from pytest_fairness.data import EvaluationSet
from pytest_fairness.inference import local, predict
from pytest_fairness.inference.plans.recognise import plan_of

Make = Callable[[int], EvaluationSet]


class Convolving(nn.Module):
    """Two convolutions; keeps how its input lay in memory."""

    def __init__(self, *, view: bool = False) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 2, 1 if view else 2)
        self.view = view
        self.seen: list[bool] = []

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(images.is_contiguous())
        out = self.second(self.first(images))
        return out.view(len(out), -1)[:, :2] if self.view else out.flatten(1)


def model(module: nn.Module) -> Classifier:
    return Classifier("m", module, ("woman", "man"), Preprocessing(4))


def scores(found) -> torch.Tensor:
    names = ("score_woman", "score_man")
    columns = [name for name in found.table.column_names if name in names or "score" in name]
    return torch.tensor([found.table[name].to_pylist() for name in columns])


@pytest.fixture
def unplanned(monkeypatch: pytest.MonkeyPatch) -> Callable[..., object]:
    def run(*args, **kwargs):
        with monkeypatch.context() as patched:
            patched.setattr(local, "plan_of", lambda _: None)
            return predict(*args, **kwargs)

    return run


def test_a_plan_changes_no_score(evaluation_set: Make, red: Classifier, unplanned) -> None:
    with_plan = predict(red, evaluation_set(9), device="cpu", batch_size=4)
    without = unplanned(red, evaluation_set(9), device="cpu", batch_size=4)
    assert with_plan.table.equals(without.table)
    assert with_plan.metadata["preprocessing_compared"] == "1"
    assert without.metadata["preprocessing_plan"] == "as it is: it is none that is recognised"
    assert "preprocessing_compared" not in without.metadata


def test_views_of_a_plan_change_no_score(evaluation_set: Make, red: Classifier, unplanned) -> None:
    both = flip_averaged(red)
    planned = predict(both, evaluation_set(9), device="cpu", batch_size=4)
    assert planned.metadata["preprocessing_plan"].endswith(", mirror image")
    assert planned.table.equals(
        unplanned(both, evaluation_set(9), device="cpu", batch_size=4).table
    )


def test_a_plan_that_differs_is_given_up_and_said(
    evaluation_set: Make, red: Classifier, unplanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The plan is of another mean: every image of the run is run again as it is."""
    other = plan_of(Preprocessing(4, mean=(0.5, 0.0, 0.0)))
    monkeypatch.setattr(local, "plan_of", lambda _: other)
    progress: list[int] = []
    found = predict(
        red, evaluation_set(9), device="cpu", batch_size=4, progress=lambda n, _: progress.append(n)
    )
    assert found.table.equals(unplanned(red, evaluation_set(9), device="cpu", batch_size=4).table)
    told = found.metadata["preprocessing_plan"]
    assert told.startswith("as it is: its plan gives other numbers (16 of 48 numbers differ for")
    assert progress[-1] == 9


def test_a_plan_that_differs_late_is_given_up_too(
    evaluation_set: Make, red: Classifier, unplanned, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the fiftieth image shows it: those before it are not kept."""

    class Later(Preprocessing):
        @override
        def __call__(self, image):
            redness = image.getpixel((0, 0))[0]
            return super().__call__(image) * (1.0 if redness < 200 else 0.5)

    monkeypatch.setattr(local, "plan_of", lambda _: plan_of(Preprocessing(4)))
    later = replace(red, preprocess=Later(4))
    found = predict(later, evaluation_set(60), device="cpu", batch_size=8)
    assert found.metadata["preprocessing_plan"].startswith("as it is: its plan gives other")
    assert found.table.equals(
        unplanned(later, evaluation_set(60), device="cpu", batch_size=8).table
    )


def test_convolutions_get_their_channels_last(evaluation_set: Make) -> None:
    module = Convolving()
    predict(model(module), evaluation_set(4), device="cpu", batch_size=4)
    assert module.seen == [False, True, True][: len(module.seen)]  # asked again without a plan


def test_a_network_that_needs_its_channels_first_gets_them(evaluation_set: Make, unplanned) -> None:
    """`view` fails on channels that are last; nothing is told as an error."""
    module = Convolving(view=True)
    found = predict(model(module), evaluation_set(9), device="cpu", batch_size=4)
    assert module.seen[:4] == [False, True, True, True]
    without = unplanned(model(Convolving(view=True)), evaluation_set(9), device="cpu", batch_size=4)
    torch.testing.assert_close(scores(found), scores(without))


def test_an_error_of_the_network_is_told_once_and_as_it_is(evaluation_set: Make) -> None:
    module = nn.Sequential(nn.Conv2d(5, 4, 1), nn.Conv2d(4, 2, 1))
    with pytest.raises(Exception, match=r"expected input.* to have 5 channels"):
        predict(model(module), evaluation_set(4), device="cpu")
