import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import fbeta_score

from pytest_fairness.analyses.multilabel import generalised_softmax_loss, mean_fbeta


def double_loop(scores: torch.Tensor, targets: torch.Tensor) -> float:
    """The loss as the audited system computes it: one softmax per positive, in Python."""
    losses = []
    for row, wanted in zip(scores.double().tolist(), targets.tolist(), strict=True):
        negatives = sum(
            math.exp(s) for s, is_positive in zip(row, wanted, strict=True) if not is_positive
        )
        for score, is_positive in zip(row, wanted, strict=True):
            if is_positive:
                losses.append(-math.log(math.exp(score) / (math.exp(score) + negatives)))
    return sum(losses) / len(losses)


def test_worked_value_of_the_paper() -> None:
    loss = generalised_softmax_loss(
        torch.tensor([[2.0, 1.0, 0.0, -1.0]]), torch.tensor([[1, 0, 1, 0]])
    )

    assert loss.item() == pytest.approx(0.878309, abs=1e-6)


def test_equals_the_double_loop_over_images_and_positives() -> None:
    generator = torch.Generator().manual_seed(3)
    scores = torch.randn(17, 23, generator=generator, dtype=torch.float64) * 4
    targets = torch.rand(17, 23, generator=generator) < 0.2
    targets[5] = False

    loss = generalised_softmax_loss(scores, targets)

    assert loss.item() == pytest.approx(double_loop(scores, targets), rel=1e-12)


def test_mean_runs_over_the_positives_of_the_batch_not_over_images() -> None:
    scores = torch.tensor([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0]])
    targets = torch.tensor([[1, 1, 0], [1, 0, 0]])
    first, second = math.log(2), math.log(1 + 2 * math.exp(-5))

    loss = generalised_softmax_loss(scores, targets)

    assert loss.item() == pytest.approx((2 * first + second) / 3, rel=1e-6)


def test_one_positive_per_image_is_cross_entropy() -> None:
    generator = torch.Generator().manual_seed(4)
    scores = torch.randn(9, 6, generator=generator)
    labels = torch.randint(6, (9,), generator=generator)

    loss = generalised_softmax_loss(scores, torch.nn.functional.one_hot(labels, 6))

    torch.testing.assert_close(loss, torch.nn.functional.cross_entropy(scores, labels))


def test_image_without_negatives_adds_nothing() -> None:
    scores = torch.tensor([[1.0, 2.0], [0.0, 0.0]], requires_grad=True)

    loss = generalised_softmax_loss(scores, torch.tensor([[1, 1], [1, 0]]))
    (gradient,) = torch.autograd.grad(loss, scores)

    assert loss.item() == pytest.approx(math.log(2) / 3)
    assert gradient[0].tolist() == [0.0, 0.0]
    assert gradient[1].tolist() == pytest.approx([-1 / 6, 1 / 6])


@pytest.mark.parametrize("images", [0, 3], ids=["empty batch", "no positives"])
def test_batch_without_positives_costs_nothing_and_stays_differentiable(images: int) -> None:
    scores = torch.ones(images, 4, requires_grad=True)

    loss = generalised_softmax_loss(scores, torch.zeros(images, 4, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(loss, scores)

    assert loss.item() == 0.0
    assert gradient.abs().sum().item() == 0.0


def test_gradient_is_the_numerical_one() -> None:
    generator = torch.Generator().manual_seed(5)
    scores = torch.randn(4, 5, generator=generator, dtype=torch.float64, requires_grad=True)
    targets = torch.tensor([[1, 0, 1, 0, 0], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1], [0, 0, 0, 0, 1]])

    assert torch.autograd.gradcheck(lambda s: generalised_softmax_loss(s, targets), scores)


def test_huge_scores_keep_loss_and_gradient_finite() -> None:
    scores = torch.tensor([[1e4, -1e4, 0.0], [-1e4, 1e4, 0.0]], requires_grad=True)

    loss = generalised_softmax_loss(scores, torch.tensor([[1, 0, 0], [1, 0, 0]]))
    (gradient,) = torch.autograd.grad(loss, scores)

    assert loss.item() == pytest.approx(1e4)
    assert gradient.isfinite().all()


@given(
    hnp.arrays("float64", (5, 7), elements=st.floats(-30, 30)),
    hnp.arrays("bool", (5, 7)),
    st.floats(-30, 30),
)
def test_adding_a_constant_to_the_scores_or_permuting_labels_changes_nothing(
    scores: npt.NDArray[np.float64], targets: npt.NDArray[np.bool_], constant: float
) -> None:
    logits, wanted = torch.from_numpy(scores), torch.from_numpy(targets)
    loss = generalised_softmax_loss(logits, wanted)

    assert loss.item() >= 0.0
    torch.testing.assert_close(generalised_softmax_loss(logits + constant, wanted), loss)
    torch.testing.assert_close(generalised_softmax_loss(logits.flip(1, 0), wanted.flip(1, 0)), loss)


@pytest.mark.parametrize(
    ("scores", "targets", "message"),
    [
        pytest.param(torch.ones(2, 3), torch.ones(2, 4), r"\(2, 3\) and \(2, 4\)", id="labels"),
        pytest.param(
            torch.ones(3), torch.ones(3), r"\(images, labels\), got \(3,\)", id="one axis"
        ),
        pytest.param(torch.ones(2, 3).int(), torch.ones(2, 3), "got torch.int32", id="integers"),
        pytest.param(
            torch.ones(1, 2), torch.tensor([[0, 2]]), "got 2 at row 0, column 1", id="counted twice"
        ),
    ],
)
def test_bad_input_says_what_was_got(
    scores: torch.Tensor, targets: torch.Tensor, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        generalised_softmax_loss(scores, targets)


WORKED = [
    pytest.param({2, 3, 4, 5}, {1, 2, 3}, 0.526316, id="two of four found"),
    pytest.param({1}, set(), 0.0, id="nothing predicted"),
    pytest.param(set(), {1}, 0.0, id="nothing to be found"),
    pytest.param(set(), set(), 1.0, id="both empty"),
    pytest.param({1, 2}, {1, 2}, 1.0, id="all right"),
    pytest.param({1}, {2}, 0.0, id="all wrong"),
]


def indicators(labels: set[int]) -> npt.NDArray[np.int64]:
    return np.array([[int(label in labels) for label in range(6)]])


@pytest.mark.parametrize(("true", "predicted", "expected"), WORKED)
def test_f2_has_the_worked_values_of_the_challenge(
    true: set[int], predicted: set[int], expected: float
) -> None:
    rows = indicators(true), indicators(predicted)

    assert mean_fbeta(*rows) == pytest.approx(expected, abs=1e-6)
    assert mean_fbeta(*map(torch.from_numpy, rows)) == mean_fbeta(*rows)
    assert mean_fbeta(torch.from_numpy(rows[0]).bool(), rows[1].astype(float)) == mean_fbeta(*rows)
    assert mean_fbeta([true], [predicted]) == mean_fbeta(*rows)


@given(
    hnp.arrays("bool", (8, 5)), hnp.arrays("bool", (8, 5)), st.sampled_from([0.5, 1.0, 2.0, 3.0])
)
def test_mean_fbeta_is_scikit_learns_over_samples(
    targets: npt.NDArray[np.bool_], predictions: npt.NDArray[np.bool_], beta: float
) -> None:
    expected = fbeta_score(targets, predictions, beta=beta, average="samples", zero_division=1.0)

    assert mean_fbeta(targets, predictions, beta) == pytest.approx(expected, abs=1e-12)
    assert mean_fbeta(targets[:, ::-1], predictions[:, ::-1], beta) == pytest.approx(expected)


def test_recall_counts_more_than_precision_by_default() -> None:
    too_few, too_many = mean_fbeta([{1, 2}], [{1}]), mean_fbeta([{1}], [{1, 2}])

    assert (too_few, too_many) == pytest.approx((5 / 9, 5 / 6))
    assert mean_fbeta([{1, 2}], [{1}], beta=0.5) > mean_fbeta([{1}], [{1, 2}], beta=0.5)


def test_the_mean_runs_over_images_not_over_labels() -> None:
    assert mean_fbeta([{1}, {1, 2, 3, 4}], [{1}, {5}]) == pytest.approx(0.5)


def test_the_mean_over_no_images_is_undefined() -> None:
    assert math.isnan(mean_fbeta(np.zeros((0, 4)), np.zeros((0, 4))))
    assert math.isnan(mean_fbeta([], []))


@pytest.mark.parametrize(
    ("targets", "predictions", "beta", "message"),
    [
        pytest.param(
            np.ones((2, 3)), np.ones((2, 4)), 2, r"\(2, 3\) and \(2, 4\); give", id="labels"
        ),
        pytest.param([{1}], [{1}, {2}], 2, "same images, got 1 and 2 sets", id="sets"),
        pytest.param(
            np.ones((1, 2)),
            np.array([[1, 0.3]]),
            2,
            "predictions must be 0 or 1, got 0.3 at row 0, column 1; apply",
            id="scores",
        ),
        pytest.param(np.ones(3), np.ones(3), 2, r"targets must be \(images, labels\)", id="axis"),
        pytest.param(
            [{1}], np.ones((1, 2)), 2, "targets must be .* a sequence of sets", id="mixed"
        ),
        pytest.param([{1}], [{1}], 0, "beta must be greater than 0, got 0", id="beta"),
    ],
)
def test_bad_label_sets_say_what_was_got(
    targets: npt.NDArray[np.float64],
    predictions: npt.NDArray[np.float64],
    beta: float,
    message: str,
) -> None:
    with pytest.raises(ValueError, match=message):
        mean_fbeta(targets, predictions, beta)
