"""The probe of the paper: dropout, a dense softmax layer, an L1 penalty, early stopping."""

from dataclasses import dataclass

import torch
from torch import Tensor

from pytest_fairness.analyses.probes.kinds import Standard, Training

__all__ = ["PaperProbe"]


@dataclass(frozen=True, slots=True)
class PaperProbe:
    """Probe of Krug and Stober. Settings that the paper does not give have defaults of our own.

    Args:
        dropout: Share of features dropped in training; 0.25 in the paper.
        l1: Weight of the sum of |W|; the paper has an L1 penalty, its strength is ours.
        rate: Adam's learning rate (ours).
        batch_size: Samples a step (ours).
        epochs: Passes at most (ours).
        patience: Stop after so many epochs without a lower validation loss (ours).
        validation: Share of the training clusters that early stopping looks at; 0.1 as the
            paper's validation share, here taken from within the training side.
        standardise: Whether features are standardised first. The paper's excerpts do not say so;
            on, only the bias can learn that a level is frequent, and learns it slowly.

    Weights start at 0 (ours).

    Source: Krug and Stober (2025), arXiv 2506.03664.
    """

    dropout: float = 0.25
    l1: float = 1e-4
    rate: float = 1e-3
    batch_size: int = 128
    epochs: int = 100
    patience: int = 5
    validation: float = 0.1
    standardise: bool = False

    def probabilities(self, training: Training, features: Tensor, *, seed: int) -> Tensor:
        """Return the probabilities (K, T, n) for features (n, d).

        Adam treats each of T probes alone.
        """
        generator = torch.Generator(training.features.device).manual_seed(seed)
        standard = Standard.of(training.features) if self.standardise else None
        rows = training.features if standard is None else standard(training.features)
        stop = self._validation_rows(training, generator)
        learner = _Learner(rows, training.labels, training.classes, self, generator)
        learner.run(~stop, stop)
        test = features if standard is None else standard(features)
        return torch.softmax(_logits(learner.best, test), dim=0)

    def _validation_rows(self, training: Training, generator: torch.Generator) -> Tensor:
        """Mark whole clusters, about a tenth of them and at least one, (N,)."""
        clusters = torch.unique(training.clusters)
        device = training.features.device
        order = torch.randperm(len(clusters), generator=generator, device=device)
        count = max(1, round(self.validation * len(clusters)))
        return torch.isin(training.clusters, clusters[order[:count]])


class _Learner:
    """Adam over the joint weights (K, T, d + 1); each target keeps its own best weights."""

    def __init__(
        self,
        rows: Tensor,
        labels: Tensor,
        classes: int,
        options: PaperProbe,
        generator: torch.Generator,
    ) -> None:
        self.rows, self.labels, self.options = rows, labels.T.contiguous(), options
        self.generator = generator
        # Random weights would stay in every direction that the training samples do not span.
        shape = (classes, labels.shape[1], rows.shape[1] + 1)
        self.weights = rows.new_zeros(shape).requires_grad_()
        self.best = self.weights.detach().clone()
        self.lowest = rows.new_full((labels.shape[1],), torch.inf)

    def run(self, training: Tensor, validation: Tensor) -> None:
        adam = torch.optim.Adam([self.weights], lr=self.options.rate)
        rows = training.nonzero()[:, 0]
        waited = torch.zeros_like(self.lowest, dtype=torch.int64)
        for _ in range(self.options.epochs):
            self._epoch(adam, rows)
            loss = self._validation_loss(validation)
            going = waited < self.options.patience
            better = going & (loss < self.lowest)
            self.best[:, better] = self.weights.detach()[:, better]
            self.lowest = torch.where(better, loss, self.lowest)
            waited = torch.where(better, 0, waited + 1)
            if not bool((waited < self.options.patience).any()):
                break

    def _epoch(self, adam: torch.optim.Adam, rows: Tensor) -> None:
        device = rows.device
        order = rows[torch.randperm(len(rows), generator=self.generator, device=device)]
        kept = 1 - self.options.dropout
        with torch.enable_grad():
            for batch in torch.split(order, self.options.batch_size):
                some = self.rows[batch]
                mask = torch.rand(some.shape, generator=self.generator, device=device) < kept
                logits = _logits(self.weights, some * mask / kept)
                loss = _losses(logits, self.labels[:, batch]).sum()
                loss = loss + self.options.l1 * self.weights[..., :-1].abs().sum()
                (self.weights.grad,) = torch.autograd.grad(loss, [self.weights])
                adam.step()

    def _validation_loss(self, rows: Tensor) -> Tensor:
        with torch.no_grad():
            return _losses(_logits(self.weights, self.rows[rows]), self.labels[:, rows])


def _logits(weights: Tensor, features: Tensor) -> Tensor:
    flat = weights[..., :-1].flatten(0, 1) @ features.T
    logits: Tensor = flat.view(*weights.shape[:2], -1) + weights[..., -1:]
    return logits


def _losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy of each target, (T,)."""
    own = logits.gather(0, labels[None])[0]
    return (torch.logsumexp(logits, dim=0) - own).mean(dim=1)
