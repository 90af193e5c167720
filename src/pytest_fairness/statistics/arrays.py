"""Types of arrays, and how far two computed numbers may be apart and still count as equal."""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

__all__ = ["ROUNDING", "Floats", "Integers"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

# A rate that is computed in floating point may miss its limit by a rounding error, not by an image.
ROUNDING = 1e-9
