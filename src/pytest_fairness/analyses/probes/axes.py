"""The directions in which features vary most."""

import torch
from torch import Tensor

__all__ = ["principal_axes"]


def principal_axes(centred: Tensor, most: int) -> Tensor:
    """Return the first `most` principal axes of features, (d, r), orthonormal.

    Axes with less than a millionth of the first one's variance are left out.

    Args:
        centred: (N, d), the mean of each column 0.
        most: r at most.
    """
    wide = centred.shape[1] > centred.shape[0]
    gram = centred @ centred.T if wide else centred.T @ centred
    values, vectors = torch.linalg.eigh(gram)
    kept = values[-most:] > values[-1].clamp(min=1e-30) * 1e-6
    values, vectors = values[-most:][kept], vectors[:, -most:][:, kept]
    axes: Tensor = (centred.T @ vectors) / values.sqrt() if wide else vectors
    return axes
