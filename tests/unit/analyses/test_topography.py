import os
import sys
import warnings
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy.interpolate import griddata

from pytest_fairness.analyses import topographic_maps
from pytest_fairness.analyses.topography import (
    Renderer,
    RunningProfiles,
    align_rotation,
    draw_maps,
    group_order,
    layout_channels,
    layout_quality,
    local_force,
    mean_profiles,
    move_apart,
    save_maps,
)
from pytest_fairness.errors import DataError, FairnessError


def test_profiles_of_batches_of_any_size_are_those_of_the_whole():
    rng = np.random.default_rng(0)
    values, groups = rng.normal(size=(50, 4, 2, 3)), rng.integers(3, size=50)
    running = RunningProfiles(["0", "1", "2"])
    for first, last in ((0, 7), (7, 8), (8, 50)):
        running.update(values[first:last], groups[first:last])
    found = running.profiles()
    whole = mean_profiles(torch.from_numpy(values), groups)
    assert found.means == pytest.approx(whole.means)
    assert whole.means[1] == pytest.approx(values[groups == 1].mean(axis=0))
    assert whole.counts.tolist() == np.bincount(groups).tolist()


def test_contrasts_are_to_the_mean_of_groups_or_of_images():
    profiles = mean_profiles(np.array([[0.0], [0.0], [0.0], [4.0]]), ["a", "a", "a", "b"])
    assert profiles.contrast().ravel().tolist() == [-2.0, 2.0]
    assert profiles.contrast("size").ravel().tolist() == [-1.0, 3.0]
    maps = mean_profiles(np.arange(16.0).reshape(2, 2, 2, 2), ["a", "b"])
    assert maps.colours() == pytest.approx(maps.contrast().mean(axis=(2, 3)))


@pytest.mark.parametrize(
    ("values", "groups", "message"),
    [
        pytest.param(np.ones((3, 2)), ["a"], "3 activations but 1 group", id="number"),
        pytest.param(np.array([[np.nan], [1.0]]), ["a", "b"], "NaN", id="not finite"),
    ],
)
def test_profiles_of_bad_input_are_errors(values, groups, message):
    with pytest.raises(DataError, match=message):
        mean_profiles(values, groups)


def test_a_group_without_images_has_no_profile():
    running = RunningProfiles(["f", "m"])
    running.update(np.ones((2, 3)), np.array([0, 0]))
    with pytest.raises(DataError, match=r"\['m'\]"):
        running.profiles()
    with pytest.raises(DataError, match="before"):
        running.update(np.ones((2, 4)), np.array([0, 1]))


def test_the_local_force_repels_up_to_23_89():
    assert (local_force(torch.linspace(0, 23.885, 1000)) < 0).all()
    assert local_force(torch.tensor(23.895)) > 0
    assert local_force(torch.tensor(0.0)) == local_force(torch.tensor(0.01))


@pytest.mark.parametrize("with_similarity", [False, True], ids=["local", "global"])
def test_a_step_of_matrices_is_the_sum_over_pairs(with_similarity):
    """The formula of the paper, point by point."""
    rng = np.random.default_rng(0)
    points = rng.random((5, 2))
    apart = np.abs(rng.normal(size=(5, 5)))
    apart = apart + apart.T
    np.fill_diagonal(apart, 0)
    steps = 3
    found = points.copy()
    for time in np.linspace(-3, 6, steps):
        before = found.copy()
        for i in range(5):
            moves = np.zeros((5, 2))
            for j in range(5):
                r = max(np.linalg.norm(before[j] - before[i]), 0.01)
                d = max(apart[i, j], 0.01)
                pull = 1.5 * (1 - (d / apart.max()) ** 3) - 0.5 * np.exp(-d / 2)
                local = 1.5 / (r + 1) ** 3 - 15 * np.exp(-r / 2)
                weight = (1 + np.tanh(time)) / 2 * local
                weight += (1 - np.tanh(time)) / 2 * pull * with_similarity
                moves[j] = weight / 2 * (before[j] - before[i])
            found[i] = before[i] + moves.mean(axis=0)
    similarity = torch.from_numpy(apart) if with_similarity else None
    ours = move_apart(torch.from_numpy(points), steps=steps, dissimilarity=similarity)
    assert ours.numpy() == pytest.approx(found)


def test_spreading_evens_out_crowds():
    rng = np.random.default_rng(0)
    crowds = np.concatenate([rng.normal(size=(30, 2)) * 0.01, rng.normal(size=(30, 2)) * 0.01 + 1])

    def closest(points):
        apart = np.linalg.norm(points[:, None] - points[None], axis=2) + np.eye(60) * 9
        return apart.min(axis=1).mean() / np.ptp(points, axis=0).max()

    spread = move_apart(torch.from_numpy(crowds), steps=200).numpy()
    assert closest(spread) > 5 * closest(crowds)


def two_kinds(n: int = 24):
    """Channels of two kinds: half like the first group, half like the second."""
    kind = np.arange(n) % 2
    rng = np.random.default_rng(0)
    return kind, np.eye(2)[kind][:, [0, 1, 1]] + 0.1 * rng.normal(size=(n, 3))


@pytest.mark.parametrize(
    "method", ["pso", "graph", "graph_pso", "som", "som_pso", "pca", "pca_pso", "tsne", "umap"]
)
def test_like_channels_lie_close_to_each_other(method):
    if method == "umap":  # not in the extra `test`: 200 MB, and 15 s or more to compile
        if os.environ.get("HYPOTHESIS_PROFILE") != "nightly":
            pytest.skip("compiling umap takes long; HYPOTHESIS_PROFILE=nightly runs it")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportWarning)
            pytest.importorskip("umap")
    if method.startswith("graph"):
        pytest.importorskip("networkx")
    kind, profiles = two_kinds()
    positions = layout_channels(profiles, method, seed=0, steps=60)
    assert positions.min() == 0.0
    assert positions.max() == 1.0
    apart = np.linalg.norm(positions[:, None] - positions[None], axis=2)
    same = kind[:, None] == kind[None]
    assert apart[~same].mean() > 1.2 * apart[same & (apart > 0)].mean()
    assert (layout_channels(profiles, method, seed=0, steps=60) == positions).all()


def test_umap_gets_the_library_defaults_a_seed_and_no_more_neighbours_than_there_are(monkeypatch):
    asked = []

    class Umap:
        def __init__(self, **options):
            asked.append(options)

        def fit_transform(self, profiles):
            torch.set_num_threads(threads + 1)  # as numba does
            return profiles[:, :2]

    threads = torch.get_num_threads()
    monkeypatch.setitem(sys.modules, "umap", SimpleNamespace(UMAP=Umap))
    for count in (10, 30):
        rng = np.random.default_rng(0)
        layout_channels(rng.normal(size=(count, 3)), "umap_pso", seed=7, steps=2)
    assert torch.get_num_threads() == threads
    assert [options["n_neighbors"] for options in asked] == [9, 15]
    assert asked[0] | {"n_neighbors": 15} == {
        "n_components": 2,
        "n_neighbors": 15,
        "random_state": 7,
        "n_jobs": 1,
    }


def test_random_positions_follow_the_seed():
    _, profiles = two_kinds()
    one, two = (layout_channels(profiles, "random", seed=seed) for seed in (0, 1))
    assert (one != two).any()
    assert (one == layout_channels(profiles, "random", seed=0)).all()


def test_channels_that_share_a_cell_of_the_map_are_spread_around_it():
    positions = layout_channels(np.ones((6, 2)), "som", seed=0)
    assert len(np.unique(positions.round(6), axis=0)) == 6


@pytest.mark.parametrize("method", ["mds", "pso_pso", "umap_som"])
def test_an_unknown_layout_is_an_error_that_lists_the_known(method):
    with pytest.raises(DataError, match="choose one of random, pso, graph, som, pca, tsne, umap"):
        layout_channels(np.ones((4, 2)), method, seed=0)


def test_a_package_that_is_missing_is_named_with_the_command_that_brings_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(
        FairnessError, match=r"umap-learn.*pip install 'pytest-fairness\[analyses\]'"
    ):
        layout_channels(np.eye(4), "umap", seed=0)


def test_rendering_is_linear_interpolation_with_nan_outside():
    rng = np.random.default_rng(0)
    positions, values = rng.random((30, 2)), rng.normal(size=(3, 30))
    renderer = Renderer.over(positions, 20)
    low, high = positions.min(axis=0), positions.max(axis=0)
    x, y = np.meshgrid(*(np.linspace(low[i], high[i], 20) for i in (0, 1)), indexing="ij")
    for own, theirs in zip(renderer.render(values), values, strict=True):
        reference = griddata(positions, theirs, (x, y), method="linear")
        inside = ~np.isnan(reference)
        assert own[inside] == pytest.approx(reference[inside])
        assert np.isnan(own[~inside]).mean() > 0.95
    assert 0 < np.isnan(renderer.render(values)).mean() < 1


@pytest.mark.parametrize(
    "positions",
    [
        pytest.param([[0.0, 0.0], [1.0, 1.0], [0.0, 1.0]], id="three points"),
        pytest.param([[0.0, 0.0], [0.2, 0.2], [0.5, 0.5], [1.0, 1.0], [0.7, 0.7]], id="a line"),
    ],
)
def test_where_no_triangles_can_be_laid_the_nearest_channel_counts(positions):
    renderer = Renderer.over(np.array(positions), 5)
    found = renderer.render(np.arange(float(len(positions)))[None])[0]
    assert renderer.nearest
    assert not np.isnan(found).any()
    assert found[0, 0] == 0.0


def test_like_groups_are_neighbours():
    colours = np.array([[1.0, 0.0], [-1.0, 0.1], [0.9, 0.1], [-0.9, 0.0]])
    order = group_order(colours).tolist()
    assert {frozenset(order[:2]), frozenset(order[2:])} == {frozenset({0, 2}), frozenset({1, 3})}


def test_a_rotated_layout_is_turned_back():
    rng = np.random.default_rng(3)
    positions = rng.random((40, 2))
    positions = (positions - positions.min(axis=0)) / np.ptp(positions, axis=0)
    colours = np.stack([positions[:, 0] - 0.5, positions[:, 1] - 0.5, positions[:, 0] ** 2])
    quarter = np.stack([1 - positions[:, 1], positions[:, 0]], axis=1)
    found = align_rotation((positions, colours), (quarter, colours))
    assert np.abs(found - positions).mean() < 0.1 * np.abs(quarter - positions).mean()


@pytest.mark.parametrize("how", ["resample", "blur"])
def test_smooth_maps_lose_less_than_rough_ones_and_a_flat_one_nothing(how):
    side = np.linspace(-1, 1, 60)
    smooth = np.tile(side, (60, 1))[None]
    rough = np.random.default_rng(0).permuted(smooth.ravel()).reshape(1, 60, 60)
    flat, low, high = (layout_quality(maps, how=how) for maps in (0 * smooth, smooth, rough))
    assert flat.area == pytest.approx(0, abs=1e-6)
    assert low.area < 0.2 * high.area
    assert high.errors[-1] > high.errors[0]
    assert high.errors.max() > 255  # 8-bit squares could not show it
    assert layout_quality(np.full((1, 60, 60), np.nan)).area == pytest.approx(0)


def representation(n: int = 200):
    """16 channels: eight tell f from m, eight tell nothing."""
    rng = np.random.default_rng(0)
    sex = np.array(["f", "m"])[np.arange(n) % 2]
    values = 0.1 * rng.normal(size=(n, 16))
    values[:, :8] += (sex == "m")[:, None]
    return values, sex


def test_maps_of_a_layer_share_layout_and_scale():
    values, sex = representation()
    found = topographic_maps(
        {"early": values[:, :4], "late": values}, sex, seed=0, layout="pca_pso", steps=50, size=30
    )
    assert found.skipped == {"early": "4 channels, fewer than 16"}
    late = found.layers["late"]
    assert late.limit == pytest.approx(0.5, abs=0.05)
    assert late.maps[0] == pytest.approx(-late.maps[1], nan_ok=True)
    assert np.nanmax(np.abs(late.maps)) <= late.limit + 1e-9
    assert late.counts.tolist() == [100, 100]


def test_one_group_has_nothing_to_be_compared_with():
    with pytest.raises(DataError, match=r"two groups or more, got \['f'\]"):
        topographic_maps({"l": np.ones((3, 16))}, ["f"] * 3, seed=0)


def test_figures_are_written_and_the_same_maps_give_the_same_bytes(tmp_path):
    pytest.importorskip("matplotlib")
    values, sex = representation()
    maps = topographic_maps({"late": values}, sex, seed=0, layout="pca", size=20).layers["late"]
    for name in ("a.png", "a.svg"):
        written = [save_maps(maps, tmp_path / f"{i}{name}").read_bytes() for i in range(2)]
        assert written[0] == written[1]
    assert b"<svg" in (tmp_path / "0a.svg").read_bytes()
    shown = draw_maps(maps, order=["m"]).axes[0]
    assert shown.get_title() == "m"
    assert shown.images[0].get_clim() == (-maps.limit, maps.limit)
    nasty = replace(maps, groups=("$f$\x1b[2K\n", *maps.groups[1:]), layer="late$\u202e")
    figure = draw_maps(nasty)
    assert figure.axes[0].get_title() == r"\$f\$\x1b[2K\n"
    assert figure.get_suptitle() == r"late\$\u202e"
    with pytest.raises(DataError, match=r"\.png or \.svg, got 'maps\.gif'"):
        save_maps(maps, "maps.gif")
    with pytest.raises(DataError, match="no group 'x'"):
        draw_maps(maps, order=["x"])
