"""Attention-IoU, mask scores and heatmap scores against values worked out by hand."""

import math

import pytest
import torch
from hypothesis import given, strategies as st
from torch.nn.functional import interpolate

from pytest_fairness.analyses import (
    attention_iou,
    heatmap_score,
    mask_score,
    over_models,
    uniform_score,
)

MAPS = st.lists(st.floats(0, 10, width=32), min_size=12, max_size=12).map(
    lambda values: torch.tensor(values, dtype=torch.float64).reshape(3, 4)
)


@pytest.mark.parametrize(
    ("a", "m", "expected"),
    [
        pytest.param([[1, 2], [3, 4]], [[4, 3], [2, 1]], 0.8, id="opposite slopes"),
        pytest.param([[1, 1], [0, 0]], [[1, 0], [1, 0]], 2 / 3, id="one of three shared"),
        pytest.param([[1, 1], [0, 0]], [[1, 0], [0, 0]], 0.8, id="one in the other"),
        pytest.param([[1, 0], [0, 0]], [[0, 0], [0, 1]], 0.0, id="disjoint"),
        pytest.param([[1, 2], [3, 4]], [[2, 4], [6, 8]], 1.0, id="proportional"),
    ],
)
def test_score_is_that_of_the_hand_worked_example(a, m, expected):
    assert attention_iou(torch.tensor(a), torch.tensor(m)).item() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("t", "u", "shared"),
    [(4, 4, 2), (10, 3, 3), (7, 5, 1)],
    ids=["equal areas", "one inside", "one cell"],
)
def test_uniform_supports_score_four_shared_over_both_and_twice_shared(t, u, shared):
    a, m = torch.zeros(16), torch.zeros(16)
    a[:t] = 3.0
    m[t - shared : t - shared + u] = 0.5
    score = attention_iou(a.reshape(4, 4), m.reshape(4, 4)).item()
    assert score == pytest.approx(4 * shared / (t + u + 2 * shared))


@given(MAPS, MAPS)
def test_score_is_symmetric_and_between_nothing_and_one(a, m):
    score = attention_iou(a, m)
    back = attention_iou(m, a)
    if not a.any() or not m.any():
        assert math.isnan(score)
        assert math.isnan(back)
    else:
        assert -1e-12 <= score <= 1 + 1e-12
        assert torch.isclose(score, back)


@given(MAPS.filter(lambda a: a.sum() > 1e-3), st.floats(0.1, 100))
def test_a_map_agrees_with_itself_at_any_scale(a, scale):
    assert attention_iou(a, scale * a).item() == pytest.approx(1, abs=1e-9)


def test_zero_map_is_undefined_and_leading_axes_broadcast():
    a = torch.rand(5, 1, 3, 3)
    a[2] = 0
    m = torch.rand(4, 3, 3)
    scores = attention_iou(a, m)
    assert scores.shape == (5, 4)
    assert torch.isnan(scores[2]).all()
    assert scores[1, 3].item() == pytest.approx(attention_iou(a[1, 0], m[3]).item())


@pytest.mark.parametrize(
    ("a", "m", "message"),
    [
        pytest.param(
            -torch.ones(2, 2),
            torch.ones(2, 2),
            "a must hold finite values of at least 0",
            id="sign",
        ),
        pytest.param(
            torch.ones(2, 2), torch.full((2, 2), torch.inf), "m must hold finite", id="infinite"
        ),
        pytest.param(torch.ones(2, 2), torch.ones(3, 3), "maps must be of one size", id="size"),
        pytest.param(torch.ones(2), torch.ones(2), "must be maps", id="no map"),
    ],
)
def test_what_is_no_pair_of_maps_is_refused(a, m, message):
    with pytest.raises(ValueError, match=message):
        attention_iou(a, m)


def test_mask_score_shrinks_the_mask_and_stretches_it_to_one():
    maps = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
    mask = torch.zeros(8, 8)
    mask[:4, :4] = 1  # one quadrant, seen by antialiased shrinking from the others a little
    mask[5:7, 5:7] = 1
    small = interpolate(mask[None, None], (2, 2), mode="bilinear", antialias=True)[0, 0]
    small = small / (small.max() + 1e-7)
    scores = mask_score(maps, mask)
    assert scores.values.item() == pytest.approx(attention_iou(maps, small).item())
    assert scores.area.item() == pytest.approx(20 / 64)
    assert not scores.zero_maps


@pytest.mark.parametrize("area", [1, 3, 4, 8], ids=lambda cells: f"{cells} of 16")
def test_uniform_reference_of_whole_cells_is_four_f_over_one_and_three_f(area):
    mask = torch.zeros(16)
    mask[:area] = 1
    f = area / 16
    scores = mask_score(torch.rand(4, 4), mask.reshape(4, 4))
    assert scores.uniform.item() == pytest.approx(4 * f / (1 + 3 * f))
    assert uniform_score(f).item() == pytest.approx(4 * f / (1 + 3 * f))
    assert mask_score(torch.ones(4, 4), mask.reshape(4, 4)).values.item() == pytest.approx(
        scores.uniform.item()
    )


def test_small_mask_between_cells_has_a_reference_of_its_own():
    mask = torch.zeros(8, 8)
    mask[3:5, 3:5] = 1  # a quarter of each of the four middle cells of a 4 x 4 map
    scores = mask_score(torch.ones(4, 4), mask)
    assert scores.values.item() == pytest.approx(scores.uniform.item())
    assert scores.uniform.item() > 2 * uniform_score(4 / 64).item()


def test_zero_maps_and_absent_parts_score_nothing_and_are_counted():
    maps = torch.rand(3, 1, 4, 4)
    maps[1] = 0
    masks = torch.ones(3, 2, 4, 4)
    masks[2, 1] = 0
    scores = mask_score(maps, masks)
    assert scores.values.shape == (3, 2)
    assert scores.zero_map.tolist() == [[False, False], [True, True], [False, False]]
    assert scores.empty_mask.tolist() == [[False, False], [False, False], [False, True]]
    assert (scores.values == 0).tolist() == [[False, False], [True, True], [False, True]]
    assert scores.zero_maps == 2
    assert scores.uniform[2, 1] == 0


def test_mask_of_part_numbers_is_refused():
    with pytest.raises(ValueError, match=r"masks must hold values of 0 to 1, got 3; give one mask"):
        mask_score(torch.ones(2, 2), torch.tensor([[0, 1], [2, 3]]))


@pytest.mark.parametrize("size", [None, 7, 224, 50], ids=["native", "same", "paper", "odd"])
def test_all_pairs_are_those_of_the_enlarged_maps(size):
    maps = torch.rand(2, 5, 7, 7, dtype=torch.float64)
    large = maps if size is None else interpolate(maps, (size, size), mode="bilinear")
    expected = attention_iou(large[:, :, None], large[:, None])
    assert torch.allclose(heatmap_score(maps, size=size).values, expected, atol=1e-12)


def test_heatmap_scores_of_zero_maps_stay_undefined_and_leave_the_mean():
    maps = torch.rand(3, 2, 4, 4)
    maps[1, 0] = 0
    scores = heatmap_score(maps)
    assert scores.zero_maps == 1
    assert torch.isnan(scores.values[1]).tolist() == [[True, True], [True, False]]
    expected = (scores.values[0, 0, 1] + scores.values[2, 0, 1]) / 2
    assert scores.mean[0, 1].item() == pytest.approx(expected.item())
    assert scores.mean.diagonal().tolist() == pytest.approx([1, 1])


def test_maps_cannot_be_enlarged_to_fewer_pixels():
    with pytest.raises(ValueError, match=r"maps of 7 cells cannot be enlarged to 5 pixels"):
        heatmap_score(torch.rand(1, 2, 7, 7), size=5)


def test_several_models_have_a_mean_and_a_population_deviation():
    summary = over_models([torch.tensor([0.2, 0.4]), torch.tensor([0.5]), torch.tensor([0.9])])
    assert summary.mean == pytest.approx((0.3 + 0.5 + 0.9) / 3)
    variance = sum((x - summary.mean) ** 2 for x in (0.3, 0.5, 0.9)) / 3
    assert summary.deviation == pytest.approx(math.sqrt(variance))
    assert (summary.models, summary.undefined) == (3, 0)


def test_undefined_scores_leave_a_models_mean_and_are_counted():
    assert over_models([torch.tensor([0.25, torch.nan, 0.75])]) == (0.5, 0.0, 1, 1)
    with pytest.raises(ValueError, match="each model needs a score"):
        over_models([torch.tensor([torch.nan])])
