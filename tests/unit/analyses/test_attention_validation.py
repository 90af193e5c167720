"""The pictures with a planted bias, and the groups shrunk to a correlation."""

import numpy as np
import pytest
import torch

from benchmarks.planted import draw, group_sizes, mcc_of, small_network
from pytest_fairness.analyses import attention_maps


@pytest.mark.parametrize("correlation", [0.0, 0.4, 0.9])
def test_groups_are_shrunk_to_a_correlation_and_a_total(correlation):
    available = np.array([[900, 500], [700, 800]])
    sizes = group_sizes(available, correlation, 1000)
    assert abs(sizes.sum() - 1000) <= 2
    assert (sizes <= available).all()
    assert mcc_of(sizes) == pytest.approx(correlation, abs=0.005)


def test_correlation_that_the_groups_cannot_have_is_an_error():
    with pytest.raises(ValueError, match=r"no groups of .* have a correlation of 0.9"):
        group_sizes(np.array([[10, 500], [700, 800]]), 0.9, 1900)


def test_correlation_is_that_of_the_table():
    assert mcc_of(np.array([[40, 10], [10, 40]])) == pytest.approx(0.6)
    assert mcc_of(np.array([[25, 25], [25, 25]])) == 0


def test_pictures_have_the_groups_asked_for_and_figures_where_their_masks_are():
    pictures = draw(np.array([[3, 1], [2, 4]]), np.random.default_rng(0))
    assert torch.bincount(pictures.group).tolist() == [3, 1, 2, 4]
    assert pictures.masks.flatten(1).float().mean(dim=1).gt(0.05).all()
    inside, outside = (
        pictures.images[0][:, pictures.masks[0]],
        pictures.images[0][:, ~pictures.masks[0]],
    )
    assert (inside.mean(dim=1) - outside.mean(dim=1)).abs().max() > 0.5
    again = draw(np.array([[3, 1], [2, 4]]), np.random.default_rng(0))
    assert torch.equal(pictures.images, again.images)


def test_small_network_has_a_map_of_six_by_six_cells_and_needs_no_backward_pass():
    pictures = draw(np.ones((2, 2), dtype=int), np.random.default_rng(0))
    found = attention_maps(small_network(2), pictures.images)
    assert tuple(found.maps.shape) == (4, 1, 6, 6)
    assert found.closed_form
