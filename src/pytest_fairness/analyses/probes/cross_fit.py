"""Every sample is judged by probes that saw nothing of its fold."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_fairness.analyses.probes.kinds import Probe, Training

__all__ = ["Setting", "cross_fit", "held_out_accuracy"]

Codes = NDArray[np.int64]
_MOST_LOGITS = 2**23
"""Logits in memory at once: some 32 MB a copy, of which a fit has about six."""


class Setting(NamedTuple):
    """Settings of the probing.

    Args:
        classes: Number of classes K.
        folds: Fold of each sample, (N,).
        clusters: Cluster of each sample, (N,).
        probe: What is trained.
        seed: For probes with randomness; the same for all targets.
    """

    classes: int
    folds: Codes
    clusters: Codes
    probe: Probe
    seed: int


def cross_fit(
    features: torch.Tensor, labels: Codes, setting: Setting
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    """Yield held-out probabilities (K, T', N) of some targets after the other.

    Args:
        features: (N, d) float32, on the device that fits.
        labels: (N, T) codes, 0 to K - 1.
        setting: Folds, and what is trained.

    Yields:
        Which targets, and their probabilities; as many targets at once as memory allows.
    """
    n, count = labels.shape
    classes, folds = setting.classes, setting.folds
    most = max(1, _MOST_LOGITS // (n * classes))
    device = features.device
    codes = torch.from_numpy(setting.clusters).to(device)
    for first in range(0, count, most):
        part = slice(first, min(first + most, count))
        found = np.empty((classes, part.stop - first, n), dtype=np.float32)
        targets = torch.from_numpy(np.ascontiguousarray(labels[:, part])).to(device)
        for fold in np.unique(folds):
            out = torch.from_numpy(folds == fold).to(device)
            training = Training(features[~out], targets[~out], codes[~out], classes)
            seed = setting.seed + int(fold)
            held = setting.probe.probabilities(training, features[out], seed=seed)
            found[:, :, folds == fold] = held.cpu().numpy()
        yield part, found


def held_out_accuracy(
    features: torch.Tensor, labels: Codes, setting: Setting
) -> NDArray[np.float64]:
    """Return the accuracy of held-out probes, (T,). The arguments are those of `cross_fit`."""
    accuracy = np.empty(labels.shape[1])
    for part, found in cross_fit(features, labels, setting):
        accuracy[part] = (labels[:, part] == found.argmax(axis=0).T).mean(axis=0)
    return accuracy
