"""From the scores of many labels to the few that a model gives an image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["LabelRule"]

# Rows scored at a time: thousands of labels an image would not fit in memory all at once.
_ROWS = 1024


@dataclass(frozen=True, slots=True)
class LabelRule:
    """Give an image the labels whose score exceeds a threshold: not too few, not too many.

    Args:
        threshold: A label is given when its score is greater; 0 to 1.
        least: So many labels are given at least, the best ones, whatever their scores.
        most: So many are given at most, the best ones; all when None.
        top: With T the `top` best labels of an image, each of T is scored against the labels
            outside T alone, e^s / (e^s + sum of e^t, t outside T), and no other label is given.
            When None, the score of a label is its own: the sigmoid of its logit.

    Raises:
        ValueError: The numbers contradict each other.

    Source: 4th place of the Inclusive Images Challenge (NeurIPS 2018), audited in arXiv 2107.09211,
    which used threshold 0.55, 2 to 5 labels and the top 150.

    Example:
        >>> import numpy as np
        >>> rule = LabelRule(0.8, least=1, most=2, top=2)
        >>> logits = np.array([[0.0, 2.0, 1.0, 3.0]])
        >>> rule.scores(logits).round(4).tolist()
        [[nan, 0.6652, nan, 0.8438]]
        >>> rule.tags(logits, ("cat", "dog", "hat", "man"))
        [('man',)]
    """

    threshold: float
    least: int = 0
    most: int | None = None
    top: int | None = None

    def __post_init__(self) -> None:
        smallest = (("most", self.most, self.least), ("top", self.top, self.most or self.least))
        if not 0 <= self.threshold <= 1:
            msg = f"threshold must lie in [0, 1], got {self.threshold}"
            raise ValueError(msg)
        if self.least < 0:
            msg = f"least must be at least 0, got {self.least}"
            raise ValueError(msg)
        for name, value, floor in smallest:
            if value is not None and value < max(floor, 1):
                msg = f"{name} must be at least {max(floor, 1)}, got {value}: {self}"
                raise ValueError(msg)

    def scores(self, logits: "NDArray[np.floating]") -> "NDArray[np.float64]":
        """Return the score (N, K) of each label, nan for a label outside the best `top`.

        Args:
            logits: (N, K) logits or log-probabilities. With `top`, adding a constant to an image's
                logits changes nothing.
        """
        import numpy as np  # noqa: PLC0415  (a policy can be read without numpy and torch)
        from scipy.special import expit  # noqa: PLC0415

        if self.top is None:
            return np.asarray(expit(np.asarray(logits, dtype=np.float64)))
        best, scored = self._best(logits)
        found = np.full(logits.shape, np.nan)
        np.put_along_axis(found, best, scored, axis=1)
        return found

    def tags(
        self, logits: "NDArray[np.floating]", labels: Sequence[str]
    ) -> "list[tuple[str, ...]]":
        """Return the labels given to each image, the best one first.

        Args:
            logits: (N, K) logits or log-probabilities.
            labels: The K labels.
        """
        import numpy as np  # noqa: PLC0415

        found: list[tuple[str, ...]] = []
        for first in range(0, len(logits), _ROWS):
            best, scored = self._best(logits[first : first + _ROWS])
            width = scored.shape[1]
            most = width if self.most is None else min(self.most, width)
            least = min(self.least, width)
            numbers = np.clip((scored > self.threshold).sum(axis=1), least, most)
            found += [
                tuple(labels[column] for column in row[:number])
                for row, number in zip(best.tolist(), numbers.tolist(), strict=True)
            ]
        return found

    def _best(
        self, logits: "NDArray[np.floating]"
    ) -> "tuple[NDArray[np.int64], NDArray[np.float64]]":
        """Return the columns (N, T) that may be given, the best first, and their scores."""
        import numpy as np  # noqa: PLC0415
        from scipy.special import expit, logsumexp  # noqa: PLC0415

        values = np.asarray(logits, dtype=np.float64)
        width = values.shape[1] if self.top is None else min(self.top, values.shape[1])
        outside = values.shape[1] - width
        inside = np.arange(values.shape[1])[None].repeat(len(values), axis=0)
        if outside:
            inside = np.sort(np.argpartition(values, outside, axis=1)[:, outside:], axis=1)
        chosen = np.take_along_axis(values, inside, axis=1)
        # By logit, since many scores round to 1; equal ones in the order of the labels.
        order = np.argsort(-chosen, axis=1, kind="stable")
        best = np.take_along_axis(inside, order, axis=1)
        falling = np.take_along_axis(chosen, order, axis=1)
        if self.top is None:
            return best, expit(falling)
        if not outside:  # nothing to compete with
            return best, np.ones_like(falling)
        others = values.copy()
        np.put_along_axis(others, inside, -np.inf, axis=1)
        return best, expit(falling - logsumexp(others, axis=1, keepdims=True))
