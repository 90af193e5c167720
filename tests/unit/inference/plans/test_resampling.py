"""Images are resized on tensors as Pillow resizes them, bit for bit."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st
from PIL import Image

from pytest_fairness.inference.plans import resampling
from pytest_fairness.inference.plans.resampling import coefficients, resampled

KINDS = ("nearest", "bilinear", "bicubic", "lanczos")
SIDES = st.integers(1, 90)


def by_pillow(pixels: np.ndarray, size: tuple[int, int], kind: str) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling[kind.upper()]))


def by_tensors(pixels: np.ndarray, size: tuple[int, int], kind, box=None) -> np.ndarray:
    planes = torch.from_numpy(pixels).permute(2, 0, 1)
    return resampled(planes, size, kind, box).permute(1, 2, 0).numpy()


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(
    before=st.tuples(SIDES, SIDES),
    after=st.tuples(SIDES, SIDES),
    seed=st.integers(0, 99),
    harsh=st.booleans(),
)
def test_every_pixel_is_pillows(kind, before, after, seed, harsh):
    pixels = np.random.default_rng(seed).integers(0, 256, (*before, 3), dtype=np.uint8)
    if harsh:  # black and white: sums beyond 0 and 255, which are clipped
        pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
    assert np.array_equal(by_tensors(pixels, after, kind), by_pillow(pixels, after, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_a_part_is_that_of_the_whole(kind):
    pixels = np.random.default_rng(0).integers(0, 256, (61, 83, 3), dtype=np.uint8)
    whole = by_pillow(pixels, (40, 29), kind)
    part = by_tensors(pixels, (40, 29), kind, (7, 3, 31, 24))
    assert np.array_equal(part, whole[3:24, 7:31])


@pytest.mark.parametrize(("before", "after"), [((200, 20), (10, 18)), ((20, 200), (18, 10))])
def test_tall_and_wide_images_take_their_passes_in_pillows_order(before, after):
    pixels = np.random.default_rng(0).integers(0, 256, (*before, 3), dtype=np.uint8)
    size = (after[1], after[0])
    assert np.array_equal(by_tensors(pixels, size, "bicubic"), by_pillow(pixels, size, "bicubic"))


def test_the_order_of_passes_is_that_of_the_pillow_at_hand(monkeypatch):
    """Pillow before 12 always takes rows last: another order gives other pixels."""
    pixels = np.random.default_rng(0).integers(0, 256, (200, 20, 3), dtype=np.uint8)
    monkeypatch.setattr(resampling, "_rows_first_when_tall", lambda: False)
    others = by_tensors(pixels, (18, 10), "bicubic")
    monkeypatch.setattr(resampling, "_rows_first_when_tall", lambda: True)
    assert not np.array_equal(others, by_tensors(pixels, (18, 10), "bicubic"))


def test_several_images_at_once_are_each_alone():
    pixels = torch.randint(0, 256, (4, 3, 30, 20), generator=torch.Generator().manual_seed(0))
    images = pixels.to(torch.uint8)
    alone = torch.stack([resampled(image, (11, 17), "bilinear") for image in images])
    assert torch.equal(resampled(images, (11, 17), "bilinear"), alone)


def test_weights_of_a_pixel_by_hand():
    """4 to 2 pixels: the first takes 1, 2 and 3 halves of a triangle of reach 2, at 1.0."""
    found = coefficients(4, 2, "bilinear")
    # Centres .5, 1.5, 2.5 lie .5, .5 and 1.5 from 1.0: weights .75, .75 and .25, over 1.75.
    assert found.first == [0, 1]
    wanted = [round(weight / 1.75 * (1 << 22)) for weight in (0.75, 0.75, 0.25)]
    assert found.weights == [wanted, wanted[::-1]]
