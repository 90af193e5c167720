"""What is explained: a class, a label, several of them, or the class that is predicted."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import torch
from torch import nn

from pytest_fairness.classifiers.labels.label_groups import class_scores
from pytest_fairness.errors import ModelError
from pytest_fairness.wording import listed, suggest

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier

__all__ = ["Sign", "Target", "Targets", "chosen_columns", "read_targets"]

Target: TypeAlias = str | int | None
Sign: TypeAlias = Literal["positive", "absolute"]
_PREDICTED = "(predicted)"


class Targets(NamedTuple):
    """The scores that a map explains.

    Args:
        names: One for each target.
        columns: For each target the score columns of which the highest is explained; None for the
            columns of the predicted class.
        model: Whose scores they are.
    """

    names: tuple[str, ...]
    columns: tuple[tuple[int, ...] | None, ...]
    model: "Classifier | nn.Module"


def read_targets(
    model: "Classifier | nn.Module", target: "Target | Sequence[Target]", *, sign: Sign
) -> Targets:
    """Look up targets among the classes and labels of a model.

    Args:
        model: A classifier, or a bare module whose targets are column numbers.
        target: Class, label, column number, None for the predicted class, or several.
        sign: `absolute` explains the absence of a label where it is predicted absent.

    Raises:
        ModelError: There is no such class or label, or the scores have no sign.
    """
    if sign not in {"positive", "absolute"}:
        msg = f"sign must be 'positive' or 'absolute', got {sign!r}"
        raise ValueError(msg)
    if not isinstance(model, nn.Module) and sign == "absolute" and model.score != "logit":
        msg = (
            f"model {model.name!r}: sign = 'absolute' explains a logit below 0 as absence, but the "
            f"scores are of kind {model.score!r}; use sign = 'positive'"
        )
        raise ModelError(msg)
    several = isinstance(target, Sequence) and not isinstance(target, str)
    wanted: Sequence[Target] = target if several else [target]  # type: ignore[list-item, assignment]
    if not wanted:
        msg = "no target to explain; name a class or label, or give None for the predicted class"
        raise ValueError(msg)
    names = tuple(_PREDICTED if one is None else str(one) for one in wanted)
    return Targets(names, tuple(_columns(model, one) for one in wanted), model)


def chosen_columns(scores: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Return for every image the column (N, T) that speaks for each target: its highest score.

    Raises:
        ModelError: A target's column is beyond the scores.
    """
    scores = scores.detach()
    columns = []
    for name, some in zip(targets.names, targets.columns, strict=True):
        if some is not None and max(some) >= scores.shape[1]:
            msg = (
                f"target {name!r} is column {max(some)}, but the model gives {scores.shape[1]} "
                "scores; columns count from 0"
            )
            raise ModelError(msg)
        speaks = _speaking(scores, targets.model, some)
        columns.append(scores.masked_fill(~speaks, -torch.inf).argmax(dim=1))
    return torch.stack(columns, dim=1)


def _speaking(
    scores: torch.Tensor, model: "Classifier | nn.Module", columns: tuple[int, ...] | None
) -> torch.Tensor:
    """Return which columns (N or 1, K) speak for a target."""
    speaks = torch.zeros(1, scores.shape[1], dtype=torch.bool, device=scores.device)
    if columns is not None:
        speaks[0, list(columns)] = True
        return speaks
    if isinstance(model, nn.Module):
        return ~speaks
    place = {label: column for column, label in enumerate(model.labels)}
    classes = model.class_labels
    by_class = torch.stack([_row(speaks[0], place, labels) for labels in classes.values()])
    answers = class_scores(scores.float().cpu().numpy(), model, tuple(classes)).argmax(axis=1)
    return by_class[torch.from_numpy(answers).to(scores.device)]


def _row(empty: torch.Tensor, place: dict[str, int], labels: tuple[str, ...]) -> torch.Tensor:
    row = empty.clone()
    row[[place[label] for label in labels]] = True
    return row


def _columns(model: "Classifier | nn.Module", target: Target) -> tuple[int, ...] | None:
    if target is None:
        return None
    if isinstance(target, int):
        if target < 0:
            msg = f"columns of scores count from 0, got target {target}"
            raise ModelError(msg)
        return (target,)
    if isinstance(model, nn.Module):
        msg = f"target {target!r} needs labels; give a Classifier, or the number of the score"
        raise ModelError(msg)
    place = {label: column for column, label in enumerate(model.labels)}
    classes = model.class_labels
    if target in classes:
        return tuple(place[label] for label in classes[target])
    if target in place:
        return (place[target],)
    known = tuple(dict.fromkeys((*classes, *model.labels)))
    msg = (
        f"model {model.name!r} has no class or label {target!r}{suggest(target, known)}; it has "
        f"{listed(known)}"
    )
    raise ModelError(msg)
