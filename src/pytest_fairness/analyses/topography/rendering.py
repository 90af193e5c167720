"""Values at scattered points -> an image, the triangulation computed once for all groups."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay, KDTree, QhullError

from pytest_fairness.errors import DataError
from pytest_fairness.statistics.arrays import Floats

__all__ = ["Renderer"]


@dataclass(frozen=True, slots=True, eq=False)
class Renderer:
    """A linear interpolation between points of the plane. Build it with `Renderer.over`.

    Args:
        points: The three points around each pixel, (P, 3).
        weights: Their barycentric weights, (P, 3); nan outside of the hull.
        size: Pixels along each side; P is its square.
        nearest: Whether the nearest point was taken, since no triangle could be laid.
    """

    points: NDArray[np.intp]
    weights: Floats
    size: int
    nearest: bool

    @classmethod
    def over(cls, positions: Floats, size: int = 100) -> "Renderer":
        """Lay the triangles over the bounding box of the positions (C, 2).

        Where there are fewer than four points, or all lie on one line, each pixel takes the
        value of the nearest point.

        Args:
            positions: (C, 2).
            size: Pixels along each side.

        Raises:
            DataError: There is no point, or a position is not finite.

        Source: Barber et al. (1996), Quickhull; the same as scipy's `griddata`, linear.

        Example:
            >>> corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
            >>> Renderer.over(corners, 3).render(np.array([[0.0, 1.0, 0.0, 1.0]]))[0, 1].tolist()
            [0.0, 0.5, 1.0]
        """
        if positions.ndim != 2 or positions.shape[1:] != (2,) or not len(positions):
            msg = f"positions must be (C, 2) with C at least 1, got {positions.shape}"
            raise DataError(msg)
        if not np.isfinite(positions).all() or size < 2:
            msg = f"positions must be finite, and size at least 2, got size {size}"
            raise DataError(msg)
        sides = np.linspace(positions.min(axis=0), positions.max(axis=0), size)
        grid = np.stack(np.meshgrid(sides[:, 0], sides[:, 1], indexing="ij"), -1).reshape(-1, 2)
        if len(positions) < 4:
            return cls._nearest(positions, grid, size)
        try:
            triangles = Delaunay(positions)
        except QhullError:
            return cls._nearest(positions, grid, size)
        # A pixel on the border may miss its triangle by rounding.
        found = triangles.find_simplex(grid, tol=1e-9)
        transform = triangles.transform[found]
        first = np.einsum("pij,pj->pi", transform[:, :2], grid - transform[:, 2])
        weights = np.concatenate([first, 1 - first.sum(axis=1, keepdims=True)], axis=1)
        weights[found < 0] = np.nan
        points = np.asarray(triangles.simplices[found], dtype=np.intp)
        return cls(points, weights, size, nearest=False)

    @classmethod
    def _nearest(cls, positions: Floats, grid: Floats, size: int) -> "Renderer":
        closest = KDTree(positions).query(grid)[1]
        points = np.repeat(np.asarray(closest, dtype=np.intp)[:, None], 3, axis=1)
        weights = np.tile(np.array([1.0, 0.0, 0.0]), (len(points), 1))
        return cls(points, weights, size, nearest=True)

    def render(self, values: Floats) -> Floats:
        """Return the images (G, size, size) of values (G, C).

        The first pixel axis is x. Pixels outside are nan.
        """
        flat = (values[:, self.points] * self.weights).sum(axis=2)
        return np.asarray(flat.reshape(len(values), self.size, self.size))
