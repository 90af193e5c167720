"""The cells of a confusion matrix that a rate counts, and what sets of them are called."""

from enum import Flag, auto
from typing import Literal

__all__ = ["FN", "FP", "RIGHT", "TN", "TP", "WRONG", "Cells", "direction", "in_words"]


class Cells(Flag):
    """Cells of a confusion matrix: of one class against the rest, or right and wrong answers.

    TP, FP, FN and TN need a positive class. RIGHT and WRONG need none and hold for any number of
    classes.

    Example:
        >>> (Cells.TP | Cells.FP) == Cells.CALLED_POSITIVE
        True
    """

    TP = auto()
    FP = auto()
    FN = auto()
    TN = auto()
    RIGHT = auto()
    WRONG = auto()
    POSITIVES = TP | FN
    NEGATIVES = FP | TN
    CALLED_POSITIVE = TP | FP
    CALLED_NEGATIVE = FN | TN
    OF_A_CLASS = TP | FP | FN | TN
    ANSWERS = RIGHT | WRONG


TP, FP, FN, TN = Cells.TP, Cells.FP, Cells.FN, Cells.TN
RIGHT, WRONG = Cells.RIGHT, Cells.WRONG

_NAMES = {
    TP: "true positives",
    FP: "false positives",
    FN: "false negatives",
    TN: "true negatives",
    RIGHT: "right answers",
    WRONG: "wrong answers",
}
# In words: where there is one positive class, and where a class takes its part.
_WORDS = {
    Cells.ANSWERS: ("samples", "samples"),
    Cells.OF_A_CLASS: ("samples", "samples"),
    Cells.POSITIVES: ("positives", "samples of class {}"),
    Cells.NEGATIVES: ("negatives", "samples of another class than {}"),
    Cells.CALLED_POSITIVE: ("samples called positive", "samples called {}"),
    Cells.CALLED_NEGATIVE: ("samples called negative", "samples not called {}"),
    TP | FP | FN: ("samples positive or called positive", "samples of class {} or called so"),
    FP | FN: ("false positives and false negatives", "errors about class {}"),
}


def in_words(cells: Cells, of_class: str | None = None) -> str:
    """Return what a set of cells is called.

    Args:
        cells: The set.
        of_class: Class that takes the part of the positive one; None for the positive class.

    Example:
        >>> in_words(Cells.NEGATIVES), in_words(TP | TN, "cat")
        ('negatives', 'true positives and true negatives of class cat')
    """
    if cells in _WORDS:
        plain, asked = _WORDS[cells]
        return plain if of_class is None else asked.format(of_class)
    *first, last = (_NAMES[cell] for cell in cells)
    words = f"{', '.join(first)} and {last}" if first else last
    return words if of_class is None else f"{words} of class {of_class}"


def direction(seen: Cells, among: Cells) -> Literal["higher", "lower"] | None:
    """Return which values of a rate are better, or None where a better model may move it either way.

    A model gets better where a false negative becomes a true positive, or a false positive a true
    negative. If that never lowers the rate, higher is better.

    Example:
        >>> direction(TP, TP | FP), direction(FP, TP | FP), direction(TP | FP, Cells.OF_A_CLASS)
        ('higher', 'lower', None)
    """
    weight = {cell: (cell in seen) * 2 - (cell in among) for cell in _NAMES}
    gains = {
        weight[better] - weight[worse] for worse, better in ((FN, TP), (FP, TN), (WRONG, RIGHT))
    }
    if min(gains) < 0 < max(gains) or gains == {0}:
        return None
    return "higher" if max(gains) > 0 else "lower"
