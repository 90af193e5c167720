import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression

from pytest_fairness.analyses.probes import fit_softmax
from pytest_fairness.errors import DataError


def task(n: int, d: int, classes: int, seed: int = 0):
    rng = np.random.default_rng(seed)
    features = rng.normal(size=(n, d)) * np.linspace(0.3, 2, d)
    labels = (
        features @ rng.normal(size=(d, classes)) * 0.5 + rng.gumbel(size=(n, classes))
    ).argmax(1)
    return features, labels


def penalised(features, labels, weights, bias, l2):
    """Mean loss, written out once more."""
    logits = features @ weights.T + bias
    highest = logits.max(axis=1)
    normaliser = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    own = logits[np.arange(len(labels)), labels]
    return (normaliser - own).mean() + l2 / 2 / len(labels) * (weights**2).sum()


@pytest.mark.parametrize("classes", [pytest.param(3, id="three"), pytest.param(7, id="seven")])
@pytest.mark.parametrize(
    ("n", "d"), [pytest.param(400, 20, id="tall"), pytest.param(60, 90, id="wide")]
)
def test_the_optimum_is_that_of_scikit_learn(n, d, classes):
    features, labels = task(n, d, classes)
    reference = LogisticRegression(C=0.5, tol=1e-8, max_iter=5000).fit(features, labels)
    fits = fit_softmax(
        torch.from_numpy(features),
        torch.from_numpy(labels)[:, None],
        classes,
        l2=2.0,
        tolerance=1e-12,
        max_steps=2000,
    )
    weights, bias = fits.weights[:, 0].numpy(), fits.bias[:, 0].numpy()
    theirs = penalised(features, labels, reference.coef_, reference.intercept_, 2.0)
    assert fits.loss[0].item() == pytest.approx(theirs, abs=1e-8)
    assert penalised(features, labels, weights, bias, 2.0) == pytest.approx(theirs, abs=1e-8)
    assert weights == pytest.approx(reference.coef_, abs=1e-3)


def test_two_classes_are_scikit_learns_with_twice_the_c():
    features, labels = task(300, 5, 2)
    reference = LogisticRegression(C=2 / 3.0, tol=1e-8).fit(features, labels)
    fits = fit_softmax(
        torch.from_numpy(features), torch.from_numpy(labels)[:, None], 2, l2=3.0, tolerance=1e-12
    )
    difference = (fits.weights[1, 0] - fits.weights[0, 0]).numpy()
    assert difference == pytest.approx(reference.coef_[0], abs=1e-4)


def test_the_default_in_single_precision_leaves_a_loss_that_does_not_matter():
    features, labels = task(1500, 40, 5)
    exact = fit_softmax(
        torch.from_numpy(features), torch.from_numpy(labels)[:, None], 5, tolerance=1e-12
    ).loss.item()
    ours = fit_softmax(torch.from_numpy(features).float(), torch.from_numpy(labels)[:, None], 5)
    weights, bias = ours.weights[:, 0].double().numpy(), ours.bias[:, 0].double().numpy()
    assert 0 <= penalised(features, labels, weights, bias, 1.0) - exact <= 1e-4


def test_many_targets_at_once_are_what_each_is_alone():
    features, labels = task(200, 8, 3)
    rng = np.random.default_rng(1)
    many = torch.from_numpy(np.stack([labels, rng.permutation(labels), 0 * labels + 1], axis=1))
    rows = torch.from_numpy(features)
    together = fit_softmax(rows, many, 3, tolerance=1e-10)
    for i in range(3):
        alone = fit_softmax(rows, many[:, [i]], 3, tolerance=1e-10)
        assert together.loss[i].item() == pytest.approx(alone.loss[0].item(), abs=1e-7)


def test_separable_labels_of_a_rare_class_do_not_break_the_descent():
    features = torch.linspace(-1, 1, 100)[:, None]
    labels = (torch.arange(100) >= 97).long()[:, None]
    fits = fit_softmax(features, labels, 4, l2=1e-3)
    assert torch.isfinite(fits.weights).all()
    assert (fits.logits(features)[:, 0].argmax(dim=0) == labels[:, 0]).all()


@pytest.mark.parametrize(
    ("features", "labels", "message"),
    [
        pytest.param(torch.ones(3, 2), torch.tensor([[0], [1], [2]]), "lie in 0 to 1", id="range"),
        pytest.param(torch.ones(3, 2), torch.tensor([[0], [1]]), r"must be \(N, d\)", id="shape"),
        pytest.param(
            torch.tensor([[1.0], [torch.nan]]), torch.tensor([[0], [1]]), "NaN", id="not finite"
        ),
    ],
)
def test_bad_input_says_what_is_wrong(features, labels, message):
    with pytest.raises(DataError, match=message):
        fit_softmax(features, labels, 2)
