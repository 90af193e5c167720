"""How well the labels given to each image agree with those that it should have."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["fbeta_of_samples"]

Numbers: TypeAlias = NDArray[np.int64]


def fbeta_of_samples(
    right: Numbers, given: Numbers, wanted: Numbers, *, beta: float = 2.0
) -> NDArray[np.float64]:
    """Return the F-beta of each sample, (1 + b^2) P R / (b^2 P + R), between 0 and 1.

    With P = right / given and R = right / wanted this is (1 + b^2) right / (b^2 wanted + given).
    Nothing given where nothing was wanted is right: 1. Nothing given where something was wanted,
    or something where nothing was, is 0.

    Args:
        right: (N,) number of labels given that were wanted.
        given: (N,) number of labels given.
        wanted: (N,) number of labels that the sample should have.
        beta: How many times as much recall counts as precision, greater than 0.

    Source: the example-based F-measure; van Rijsbergen (1979), Information Retrieval, chapter 7. The
    Inclusive Images Challenge scored by its mean with beta 2, with these edges.

    Example:
        >>> fbeta_of_samples(np.array([2, 0, 0]), np.array([3, 0, 0]), np.array([4, 1, 0])).round(6)
        array([0.526316, 0.      , 1.      ])
    """
    of = beta**2 * wanted + given
    return np.where(of > 0, (1 + beta**2) * right / np.maximum(of, np.finfo(float).tiny), 1.0)
