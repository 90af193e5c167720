"""Multinomial logistic regression of many targets at once, on shared features.

Nonlinear conjugate gradients (Polak-Ribiere+), preconditioned with Boehning's bound of the
Hessian from a subsample of the rows, each target with its own step by Newton's rule along the
search direction. All targets of one number of classes share each pass over the features, which
is where the time goes. `python -m benchmarks.probe_solvers` compares it with scikit-learn.
"""

from dataclasses import dataclass, fields
from typing import NamedTuple

import torch
from torch import Tensor

from pytest_fairness.analyses.probes.axes import principal_axes
from pytest_fairness.errors import DataError

__all__ = ["SoftmaxFits", "fit_softmax"]

_GRAM_ROWS = 4
"""Rows of the subsample that the preconditioner is computed from, as a multiple of d."""


class SoftmaxFits(NamedTuple):
    """Fitted probes of T targets.

    Args:
        weights: (K, T, d).
        bias: (K, T).
        loss: Mean penalised loss of each target, (T,).
        steps: Steps taken by the slowest target.
    """

    weights: Tensor
    bias: Tensor
    loss: Tensor
    steps: int

    def logits(self, features: Tensor) -> Tensor:
        """Return the logits (K, T, n) of features (n, d)."""
        flat = self.weights.flatten(0, 1) @ features.T
        logits: Tensor = flat.view(*self.bias.shape, -1) + self.bias[..., None]
        return logits


def fit_softmax(
    features: Tensor,
    labels: Tensor,
    classes: int,
    *,
    l2: float = 1.0,
    tolerance: float = 1e-6,
    max_steps: int = 200,
) -> SoftmaxFits:
    """Fit softmax(W a + b) to T targets by penalised maximum likelihood.

    Minimises sum of cross-entropies + l2 / 2 * |W|^2; the bias is free. It is scikit-learn's
    `LogisticRegression(C=1/l2)` for three classes or more; for two, `C=2/l2`, since there it
    penalises the one difference of the two rows.

    Args:
        features: (N, d) float, best standardised.
        labels: (N, T) integers, 0 to `classes` - 1.
        classes: Number of classes K, at least 2.
        l2: Penalty, above 0.
        tolerance: Stop when the expected decrease of the loss is below this share of the loss
            that class frequencies alone give. The loss left is about twenty times that.
        max_steps: Stop after so many steps at the latest.

    Raises:
        DataError: Shapes do not fit, a label is out of range, or a feature is not finite.

    Source: Boehning (1992), Ann. Inst. Statist. Math. 44, 197 (bound of the Hessian); Nocedal
    and Wright (2006), Numerical Optimization, 5.2 (Polak-Ribiere+).

    Example:
        >>> fits = fit_softmax(torch.tensor([[-1.0], [1.0]]), torch.tensor([[0], [1]]), 2)
        >>> fits.logits(torch.tensor([[2.0]]))[:, 0, 0].argmax().item()
        1
    """
    _check(features, labels, classes, l2)
    # With an L2 penalty, no weight lies outside the space of the rows.
    basis = principal_axes(features, len(features)) if features.shape[1] > len(features) else None
    rows = features if basis is None else features @ basis
    fits = _Descent(rows, labels, classes, l2).run(tolerance, max_steps)
    if basis is None:
        return fits
    return fits._replace(weights=fits.weights @ basis.T)


def _check(features: Tensor, labels: Tensor, classes: int, l2: float) -> None:
    if features.ndim != 2 or labels.ndim != 2 or len(features) != len(labels) or not len(labels):
        msg = (
            "features must be (N, d) and labels (N, T) with N at least 1, got "
            f"{tuple(features.shape)} and {tuple(labels.shape)}"
        )
        raise DataError(msg)
    if classes < 2 or int(labels.min()) < 0 or int(labels.max()) >= classes or l2 <= 0:
        msg = (
            f"labels must lie in 0 to {classes - 1} with at least 2 classes and l2 above 0, got "
            f"{int(labels.min())} to {int(labels.max())} and l2={l2:g}"
        )
        raise DataError(msg)
    if not bool(torch.isfinite(features).all()):
        msg = "features hold NaN or infinite values; check the model's activations"
        raise DataError(msg)


@dataclass(slots=True)
class _State:
    """What changes from step to step; the second axis of every tensor is the targets'."""

    targets: Tensor
    labels: Tensor
    logits: Tensor
    weights: Tensor
    bias: Tensor
    loss: Tensor
    way: Tensor
    gradient: Tensor
    slope: Tensor

    def only(self, kept: Tensor) -> "_State":
        return _State(*(getattr(self, field.name)[:, kept] for field in fields(self)))


class _Descent:
    """One run: shared features, and targets that leave as they converge.

    Samples are the last axis of what has one entry a sample: operations over the classes then
    run along contiguous memory, however few targets there are.
    """

    def __init__(self, features: Tensor, labels: Tensor, classes: int, l2: float) -> None:
        self.features = features
        self.classes = classes
        self.n = len(features)
        self.penalty = l2 / self.n
        self.factor = self._preconditioner()
        self.labels = labels.T.contiguous()
        self.bias = self._prior().to(features.dtype)
        count = labels.shape[1]
        self.weights = features.new_zeros(classes, count, features.shape[1])
        self.loss = features.new_full((1, count), torch.nan)

    def run(self, tolerance: float, max_steps: int) -> SoftmaxFits:
        state = self._start()
        small = tolerance * state.loss.amin()  # the start is the loss of the class frequencies
        steps = 0
        while state.targets.numel():
            residual, probabilities = self._residual(state)
            done = (self._direction(state, residual) <= small)[0]
            if steps == max_steps:
                done[:] = True
            self._file(state, done)
            if bool(done.all()):
                break
            if int(done.sum()) * 4 >= len(done):  # copying the rest pays when enough are done
                kept = ~done
                state = state.only(kept)
                residual, probabilities = residual[:, kept], probabilities[:, kept]
            self._move(state, residual, probabilities)
            steps += 1
        return SoftmaxFits(self.weights, self.bias[..., 0], self.loss[0], steps)

    def _start(self) -> _State:
        logits = self.bias.expand(-1, -1, self.n).clone()
        targets = torch.arange(len(self.labels), device=self.labels.device)[None]
        labels = self.labels[None]
        loss = _cross_entropy(logits, labels)
        still = torch.cat([self.weights, self.bias], dim=2).zero_()
        never = torch.full_like(loss, torch.inf)  # no direction to keep on the first step
        weights, bias = self.weights.clone(), self.bias.clone()
        return _State(targets, labels, logits, weights, bias, loss, still, still, never)

    def _prior(self) -> Tensor:
        """Logarithms of the (smoothed) shares of the classes, (K, T, 1)."""
        counts = torch.stack([(self.labels == k).sum(dim=1) for k in range(self.classes)])
        return torch.log((counts + 0.5) / (self.n + 0.5 * self.classes))[..., None]

    def _preconditioner(self) -> Tensor:
        """Cholesky factor of half the Gram matrix plus the penalty."""
        most = max(_GRAM_ROWS * self.features.shape[1], 1000)
        some = self.features[:: max(1, self.n // most)]
        gram = some.T @ some / (2 * len(some))
        gram.diagonal().add_(self.penalty + 1e-6 * float(gram.diagonal().mean()))
        factor: Tensor = torch.linalg.cholesky(gram)
        return factor

    def _residual(self, state: _State) -> tuple[Tensor, Tensor]:
        probabilities = torch.softmax(state.logits, dim=0)
        one = probabilities.new_ones(1).expand(state.labels.shape)
        residual: Tensor = probabilities.scatter_add(0, state.labels, -one).div_(self.n)
        return residual, probabilities

    def _direction(self, state: _State, residual: Tensor) -> Tensor:
        """Set the next direction; return half of g P g, the decrease to be expected."""
        gradient = (residual.flatten(0, 1) @ self.features).view(state.weights.shape)
        gradient = gradient + self.penalty * state.weights
        step = torch.cholesky_solve(gradient.flatten(0, 1).T, self.factor).T
        step = step.reshape(gradient.shape)
        pull = residual.sum(dim=2, keepdim=True)
        gradient = torch.cat([gradient, pull], dim=2)
        step = torch.cat([step, 2 * pull], dim=2)
        slope = (gradient * step).sum(dim=(0, 2), keepdim=True)[0].T
        change = slope - _dot(state.gradient, step)
        beta = (change / state.slope.clamp(min=1e-30)).clamp(min=0)
        onward = beta[..., None] * state.way - step
        downhill = _dot(onward, gradient) < 0
        state.way = torch.where(downhill[..., None], onward, -step)
        state.gradient, state.slope = gradient, slope
        expected: Tensor = slope / 2
        return expected

    def _move(self, state: _State, residual: Tensor, probabilities: Tensor) -> None:
        """Go along the direction by Newton's step, halved where the loss would not fall."""
        way, way_bias = state.way[..., :-1], state.way[..., -1:]
        along = (way.flatten(0, 1) @ self.features.T).view(state.logits.shape)
        along += way_bias
        inner, square, norm = (
            _dot(one, two)
            for one, two in ((state.weights, way), (way, way), (state.weights, state.weights))
        )
        first = _dot(residual, along) + self.penalty * inner
        weighted = probabilities * along
        spread = _dot(weighted, along) - (weighted.sum(dim=0) ** 2).sum(dim=1)[None]
        second = spread.clamp(min=0) / self.n + self.penalty * square
        length = (-first / second.clamp(min=1e-30)).clamp(min=0)
        logits, loss = state.logits, state.loss
        for attempt in range(21):
            length = length * (attempt < 20)
            logits = torch.addcmul(state.logits, along, length[..., None])
            penalty = self.penalty / 2 * (norm + 2 * length * inner + length**2 * square)
            loss = _cross_entropy(logits, state.labels) + penalty
            worse = loss > state.loss * (1 + 1e-6)
            if not bool(worse.any()):
                break
            length = torch.where(worse, length / 2, length)
        state.logits, state.loss = logits, loss
        state.weights = state.weights + length[..., None] * way
        state.bias = state.bias + length[..., None] * way_bias

    def _file(self, state: _State, done: Tensor) -> None:
        which = state.targets[0, done]
        self.weights[:, which] = state.weights[:, done]
        self.bias[:, which] = state.bias[:, done]
        self.loss[:, which] = state.loss[:, done]


def _dot(one: Tensor, two: Tensor) -> Tensor:
    """Inner product of each target, (1, T)."""
    return torch.einsum("ktn,ktn->t", one, two)[None]


def _cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each target (1, T), from logits (K, T, N) and labels (1, T, N)."""
    own = logits.gather(0, labels)[0]
    return (torch.logsumexp(logits, dim=0) - own).mean(dim=1)[None]
