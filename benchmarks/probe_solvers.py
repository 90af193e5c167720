"""The probes' solver beside scikit-learn at equal loss: `python -m benchmarks.probe_solvers`.

Simulated layers with correlated channels of unequal scale, and three attributes of 2, 7 and 9
levels that are partly encoded. All fits are on standardised float32 features, with the same
penalty, in one process and one thread; times are of the processor. The excess is the mean
penalised loss above the optimum, which the solver finds in float64 at a tolerance of 1e-9.
"""

import argparse
import time
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from pytest_fairness.analyses.probes import fit_softmax

LEVELS = (2, 7, 9)
TOLERANCES = (1e-4, 3e-5, 1e-5, 3e-6, 1e-6)


class Task(NamedTuple):
    """One attribute in one layer."""

    features: NDArray[np.float32]
    labels: NDArray[np.int64]
    levels: int


def tasks(n: int, d: int, layers: int) -> Iterator[Task]:
    """Draw layers and their attributes."""
    rng = np.random.default_rng(0)
    for _ in range(layers):
        values = rng.normal(size=(n, d)) * np.linspace(0.3, 3, d)
        values = values @ rng.normal(size=(d, d)) / np.sqrt(d)
        values = ((values - values.mean(axis=0)) / values.std(axis=0)).astype(np.float32)
        for levels in LEVELS:
            encoded = values @ (0.15 * rng.normal(size=(d, levels)))
            yield Task(values, (encoded + rng.gumbel(size=encoded.shape)).argmax(axis=1), levels)


def loss(task: Task, weights: NDArray[np.float64], bias: NDArray[np.float64]) -> float:
    """Mean penalised loss of weights (d, K), in float64."""
    logits = task.features.astype(np.float64) @ weights + bias
    highest = logits.max(axis=1)
    normaliser = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    own = logits[np.arange(len(logits)), task.labels]
    return float((normaliser - own).mean() + (weights**2).sum() / 2 / len(logits))


def with_scikit_learn(task: Task) -> tuple[float, float]:
    """Seconds and loss of the default solver, lbfgs; for two levels C is 2, see `fit_softmax`."""
    started = time.process_time()
    fitted = LogisticRegression(C=2.0 if task.levels == 2 else 1.0).fit(task.features, task.labels)
    seconds = time.process_time() - started
    weights, bias = fitted.coef_.T.astype(np.float64), fitted.intercept_.astype(np.float64)
    if task.levels == 2:
        weights, bias = (np.concatenate([-x / 2, x / 2], axis=-1) for x in (weights, bias))
    return seconds, loss(task, weights, bias)


def with_ours(task: Task, tolerance: float, dtype: torch.dtype) -> tuple[float, float]:
    """Seconds and loss of `fit_softmax`."""
    rows = torch.from_numpy(task.features).to(dtype)
    labels = torch.from_numpy(task.labels)[:, None]
    started = time.process_time()
    fits = fit_softmax(rows, labels, task.levels, tolerance=tolerance)
    seconds = time.process_time() - started
    weights, bias = fits.weights[:, 0].T.double().numpy(), fits.bias[:, 0].double().numpy()
    return seconds, loss(task, weights, bias)


def permuted(task: Task, count: int) -> tuple[float, float]:
    """Seconds for `count` permuted targets: one by one with scikit-learn, at once with ours."""
    rng = np.random.default_rng(1)
    labels = np.stack([rng.permutation(task.labels) for _ in range(count)], axis=1)
    started = time.process_time()
    for column in labels.T:
        LogisticRegression().fit(task.features, column)
    theirs = time.process_time() - started
    started = time.process_time()
    fit_softmax(torch.from_numpy(task.features), torch.from_numpy(labels), task.levels)
    return theirs, time.process_time() - started


def main() -> None:
    """Print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=20000)
    parser.add_argument("--features", type=int, default=512)
    parser.add_argument("--layers", type=int, default=8)
    parser.add_argument("--permutations", type=int, default=20)
    options = parser.parse_args()
    torch.set_num_threads(1)
    found: dict[str, list[tuple[float, float]]] = {}
    last = None
    for last in tasks(options.samples, options.features, options.layers):
        best = with_ours(last, 1e-9, torch.float64)[1]
        runs = {"scikit-learn lbfgs": with_scikit_learn(last)}
        runs |= {
            f"fit_softmax {tolerance:g}": with_ours(last, tolerance, torch.float32)
            for tolerance in TOLERANCES
        }
        for name, (seconds, reached) in runs.items():
            found.setdefault(name, []).append((seconds, reached - best))
    fits = options.layers * len(LEVELS)
    print(f"{fits} fits, {options.samples} x {options.features}, float32, one thread")
    print(f"{'solver':22} {'seconds':>8} {'ratio':>6} {'mean excess':>12} {'largest':>9}")
    slowest = np.array(found["scikit-learn lbfgs"])[:, 0].sum()
    for name, results in found.items():
        seconds, excess = np.array(results).T
        print(
            f"{name:22} {seconds.sum():8.2f} {slowest / seconds.sum():6.2f} "
            f"{excess.mean():12.1e} {excess.max():9.1e}"
        )
    if last is not None and options.permutations:
        theirs, ours = permuted(last, options.permutations)
        print(
            f"{options.permutations} permuted targets of {last.levels} levels: one by one "
            f"{theirs:.2f} s, at once {ours:.2f} s, ratio {theirs / ours:.1f}"
        )


if __name__ == "__main__":
    main()
