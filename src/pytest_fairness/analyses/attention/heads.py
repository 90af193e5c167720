"""Gradients of a linear or two-layer head behind global average pooling, without a backward pass.

With z the mean of a feature map over its h w cells, each cell's gradient is dy/dz / (h w): the
weights of the score's row for a linear head, and W2 diag(1[hidden > 0]) W1 for one hidden layer.

Source: Zhou et al., "Learning deep features for discriminative localization", CVPR 2016; the chain
rule for the hidden layer.
"""

from collections.abc import Sequence

import torch
from torch import nn

from pytest_fairness.analyses.attention.capture import Pass
from pytest_fairness.analyses.attention.layers import Trace

__all__ = ["closed_form_weights", "find_head", "holds"]

_MOST = 2


def find_head(trace: Trace, layer: str) -> tuple[nn.Linear, ...]:
    """Return the linear layers that may be the head: one or two run after the layer, nothing else.

    What lies between (pooling, dropout, ReLU) is not looked at: `holds` checks the numbers.
    """
    names = [name for name, _, _ in trace.finished]
    last = len(names) - 1 - names[::-1].index(layer)
    channels = trace.finished[last][2][1]
    after = [part for _, part, _ in trace.finished[last + 1 :] if isinstance(part, nn.Linear)]
    fits = 0 < len(after) <= _MOST and len(trace.finished[last][2]) == 4
    return tuple(after) if fits and after[0].in_features == channels else ()


def holds(heads: Sequence[nn.Linear], done: Pass, *, half: bool) -> bool:
    """Return whether the scores of a pass are those of a pooled map and this head.

    Args:
        heads: One or two linear layers.
        done: The pass, with the inputs of the heads.
        half: Whether the pass was computed in half precision.
    """
    close = 2e-2 if half else 1e-3
    answers = []
    for view in done.views:
        if len(view.heads) != len(heads):
            return False
        expected = view.features.float().mean(dim=(2, 3))
        for place, (head, given) in enumerate(zip(heads, view.heads, strict=True)):
            if given.ndim != 2 or not _close(given, expected, close):
                return False
            expected = _apply(head, given)
            if place + 1 < len(heads):
                expected = torch.relu(expected)
        answers.append(expected)
    return _close(done.scores, torch.stack(answers).mean(dim=0), close)


def closed_form_weights(
    heads: Sequence[nn.Linear], done: Pass, columns: torch.Tensor
) -> list[torch.Tensor]:
    """Return, for each view, the mean gradient (N, T, C) of scores over the cells of the map.

    Args:
        heads: One or two linear layers for which `holds` is true.
        done: The pass.
        columns: (N, T), the score of each target.
    """
    weights = []
    for view in done.views:
        by_input = heads[-1].weight.detach().float()[columns]
        if len(heads) == _MOST:
            alive = (view.heads[1] > 0).float()
            by_input = (by_input * alive[:, None]) @ heads[0].weight.detach().float()
        cells = view.features.shape[2] * view.features.shape[3]
        weights.append(by_input / (cells * len(done.views)))
    return weights


def _apply(head: nn.Linear, given: torch.Tensor) -> torch.Tensor:
    answer = given.float() @ head.weight.detach().float().T
    bias: torch.Tensor | None = getattr(head, "bias", None)
    return answer if bias is None else answer + bias.detach().float()


def _close(found: torch.Tensor, expected: torch.Tensor, relative: float) -> bool:
    if found.shape != expected.shape:
        return False
    allowed = relative * (expected.abs() + expected.abs().max())
    return bool(((found.detach().float() - expected).abs() <= allowed).all())
