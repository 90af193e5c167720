"""LIME: the same rows and segments give the `lime` package's coefficients; known answers; memory."""

import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from PIL import Image

from pytest_fairness import Classifier, Preprocessing
from pytest_fairness.analyses import lime_explain

HALVES = np.repeat([[0] * 8 + [1] * 8], 16, axis=0)
QUARTERS = np.add.outer(2 * (np.arange(16) // 8), np.arange(16) // 8)


def picture(seed=0, size=16):
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)


def smooth(images):
    """Three classes by a non-linear function of the pixels."""
    x = np.asarray(images, dtype=np.float64) / 255
    raw = np.stack(
        [x[:, :8].mean((1, 2, 3)), x[:, :, :8].mean((1, 2, 3)) ** 2, x[..., 0].mean((1, 2))], axis=1
    )
    shifted = np.exp(6 * raw)
    return shifted / shifted.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("hide", [None, 0], ids=["mean_colour", "black"])
@pytest.mark.parametrize("seed", [1, 2], ids=["one", "two"])
def test_coefficients_are_those_of_the_lime_package(hide, seed):
    lime_image = pytest.importorskip("lime.lime_image")
    image = picture(seed)
    random = np.random.RandomState(seed)
    random.randint(0, high=1000)  # its seed of quickshift
    rows = random.randint(0, 2, 200 * 4).reshape(200, 4)
    rows[0] = 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = lime_image.LimeImageExplainer(
            random_state=np.random.RandomState(seed)
        ).explain_instance(
            image,
            smooth,
            top_labels=3,
            hide_color=hide,
            num_samples=200,
            segmentation_fn=lambda _: QUARTERS,
        )
    ours = lime_explain(smooth, image, segments=QUARTERS, rows=rows, hide_colour=hide)
    assert set(ours.weights) == set(theirs.top_labels)
    for label in theirs.top_labels:
        expected = dict(theirs.local_exp[label])
        assert ours.weights[label] == pytest.approx([expected[i] for i in range(4)], abs=1e-6)
        assert ours.intercepts[label] == pytest.approx(theirs.intercept[label], abs=1e-6)
    most_probable = theirs.top_labels[0]  # the package keeps the last one's only
    assert ours.local[most_probable] == pytest.approx(float(theirs.local_pred[0]), abs=1e-6)
    assert ours.fits[most_probable] == pytest.approx(float(theirs.score), abs=1e-6)


def test_weights_of_rows_by_the_published_kernel():
    from pytest_fairness.analyses.lime import _distances

    rows = np.zeros((4, 10), dtype=int)
    for i, on in enumerate((10, 5, 1, 0)):
        rows[i, :on] = 1
    weights = np.exp(-(_distances(rows) ** 2) / (2 * 0.25**2))
    assert weights == pytest.approx([1, 0.50344, 0.023746, 0.000335], abs=1e-5)


def test_a_linear_model_of_the_segments_is_found_exactly_but_for_the_ridge():
    from sklearn.linear_model import Ridge

    truth = np.array([0.5, -0.2, 0.0, 0.1])
    image = np.full((16, 16, 3), 255, dtype=np.uint8)

    def linear(images):
        on = np.stack([images[:, i == QUARTERS].mean((1, 2)) / 255 for i in range(4)], axis=1)
        value = 0.3 + on @ truth
        return np.stack([value, 1 - value], axis=1)

    rng = np.random.default_rng(0)
    rows = np.vstack([np.ones((1, 4), int), rng.integers(0, 2, (999, 4))])
    found = lime_explain(linear, image, segments=QUARTERS, rows=rows, hide_colour=0)
    weights = np.exp(-((1 - np.sqrt(rows.mean(1))) ** 2) / (2 * 0.25**2))
    expected = Ridge(alpha=1).fit(rows, 0.3 + rows @ truth, sample_weight=weights)
    assert found.weights[0] == pytest.approx(expected.coef_)
    assert found.intercepts[0] == pytest.approx(expected.intercept_)
    assert found.fits[0] > 0.999
    assert found.top(0) == [0, 3]
    assert found.top(0, positive=False, most=1) == [1]
    assert found.mask(0, most=1).tolist() == (QUARTERS == 0).tolist()


def quadrant(images: torch.Tensor) -> torch.Tensor:
    """Looks at the top left quarter only."""
    bright = images[:, :, :8, :8].mean((1, 2, 3))
    return torch.stack([-4 * bright, 4 * bright], 1)


def test_a_classifier_that_looks_at_one_quarter_is_explained_by_that_quarter():
    image = np.full((16, 16, 3), 230, dtype=np.uint8)
    model = Classifier("corner", quadrant, ("off", "on"), Preprocessing(16))
    found = lime_explain(model, image, segments=QUARTERS, hide_colour=0, samples=300)
    assert found.top(1) == [0]
    others = np.abs(found.weights[1][1:])
    assert (others < 0.02 * found.weights[1][0]).all()
    assert found.probabilities.sum() == pytest.approx(1)


def test_the_same_seed_gives_the_same_explanation_whatever_the_batches():
    image = picture(3)
    one, two, other = (
        lime_explain(
            smooth,
            image,
            segments=QUARTERS,
            samples=100,
            batch_size=size,
            rng=np.random.default_rng(seed),
        )
        for size, seed in ((7, 5), (100, 5), (100, 6))
    )
    assert one.weights[0].tolist() == pytest.approx(two.weights[0].tolist())
    assert one.weights[0].tolist() != pytest.approx(other.weights[0].tolist())


def test_no_batch_is_larger_than_asked():
    sizes = []

    def counting(images):
        sizes.append(len(images))
        return smooth(images)

    lime_explain(counting, picture(), segments=QUARTERS, samples=100, batch_size=32)
    assert sizes == [32, 32, 32, 4]


def test_superpixels_are_quickshifts_and_seeded():
    pytest.importorskip("skimage")
    image = np.asarray(Image.fromarray(picture(4)).resize((48, 48)))
    one, two = (
        lime_explain(smooth, image, samples=20, rng=np.random.default_rng(1)) for _ in range(2)
    )
    assert one.segments.shape == (48, 48)
    assert one.segments.tolist() == two.segments.tolist()


def test_one_segment_is_still_solved():
    found = lime_explain(smooth, picture(), segments=np.zeros((16, 16), dtype=int), samples=10)
    assert np.isfinite(found.weights[0]).all()


def test_a_module_is_left_as_found():
    module = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Dropout(), torch.nn.LazyLinear(2))
    module(torch.zeros(2, 3, 16, 16))
    module.train()
    model = Classifier("net", module, ("a", "b"), Preprocessing(16))
    lime_explain(model, picture(), segments=HALVES, samples=10)
    assert all(part.training for part in module.modules())
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"segments": np.zeros((4, 4), int)}, r"segments must be one number a pixel, \(16, 16\)"),
        ({"rows": np.ones((5, 3), int)}, r"rows must be 0 or 1, \(rows, 2 segments\)"),
        ({"rows": np.array([[1, 0], [1, 1]])}, r"first row must have all segments on"),
        ({"labels": [7]}, r"class \[7\] does not exist; allowed: 0 … 2"),
    ],
    ids=["segments", "rows", "first_row", "label"],
)
def test_wrong_arguments_are_refused(more, message):
    with pytest.raises(ValueError, match=message):
        lime_explain(smooth, picture(), **({"segments": HALVES, "samples": 10} | more))


@given(st.permutations(range(4)))
@settings(max_examples=10)
def test_renaming_segments_only_renames_their_weights(order):
    image, rng = picture(9), np.random.default_rng(2)
    rows = np.vstack([np.ones((1, 4), int), rng.integers(0, 2, (99, 4))])
    plain = lime_explain(smooth, image, segments=QUARTERS, rows=rows)
    place = np.array(order)
    renamed_rows = np.empty_like(rows)
    renamed_rows[:, place] = rows
    renamed = lime_explain(smooth, image, segments=place[QUARTERS], rows=renamed_rows)
    assert renamed.weights[0][place] == pytest.approx(plain.weights[0])


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1)])
def test_a_grey_image_is_explained_as_three_equal_channels(shape):
    image = np.arange(16, dtype=np.uint8).reshape(shape)
    seen = []

    def predict(images):
        seen.append(images.shape[1:])
        return np.stack([images.mean((1, 2, 3)), 255 - images.mean((1, 2, 3))], axis=1) / 255

    halves = np.repeat([[0, 0, 1, 1]], 4, axis=0)
    assert lime_explain(predict, image, segments=halves, samples=8).segments.shape == (4, 4)
    assert set(seen) == {(4, 4, 3)}


def test_an_image_of_pillow_is_read_and_one_of_four_channels_refused():
    def predict(images):
        return np.full((len(images), 2), 0.5)

    segments = np.zeros((4, 4), dtype=int)
    assert lime_explain(predict, Image.new("L", (4, 4)), segments=segments, samples=4)
    with pytest.raises(ValueError, match=r"or grey \(height, width\), of numbers, got \(4, 4, 4\)"):
        lime_explain(predict, np.zeros((4, 4, 4)), segments=segments)
