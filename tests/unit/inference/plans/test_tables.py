"""A table holds what the preprocessing makes of each pixel, or there is none."""

import numpy as np
import pytest
import torch
from torchvision import transforms

from pytest_fairness.classifiers.preprocessing.pixels import Pixels
from pytest_fairness.inference.plans.tables import table_of

EVERY = torch.arange(256, dtype=torch.uint8)[:, None].expand(256, 3)


@pytest.mark.parametrize("white", [1, 255])
@pytest.mark.parametrize("channels", ["rgb", "bgr", "grey"])
def test_arithmetic_and_table_give_the_same_bits(white, channels):
    pixels = Pixels((0.4, 0.5, 0.6), (0.2, 0.3, 0.7), channels, white)
    table = table_of(pixels, grey=channels == "grey", mean=pixels.mean, std=pixels.std)
    assert table is not None
    assert table.formula is not None
    colours = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (50, 3), dtype=np.uint8))
    colours = colours[:, :1] if channels == "grey" else colours
    looked_up = type(table)(table.values, table.order).numbers(colours)
    assert torch.equal(table.numbers(colours), looked_up)


def test_unknown_arithmetic_is_looked_up():
    table = table_of(lambda image: transforms.functional.to_tensor(image) ** 2)
    assert table is not None
    assert table.formula is None
    assert torch.equal(table.numbers(EVERY), (EVERY / 255.0) ** 2)


@pytest.mark.parametrize(
    "tail",
    [
        pytest.param(lambda x: x / x.max(), id="the whole image"),
        pytest.param(lambda x: x - x.mean(0, keepdim=True), id="other channels"),
        pytest.param(lambda x: x.roll(1, 1), id="other pixels"),
        pytest.param(lambda x: x[[1, 0, 2]], id="another order"),
        pytest.param(lambda x: x.double(), id="64 bits"),
        pytest.param(lambda x: x[:, :8], id="another shape"),
        pytest.param(lambda x: x.flatten(), id="flat"),
    ],
)
def test_what_is_no_function_of_a_pixel_has_no_table(tail):
    assert table_of(lambda image: tail(transforms.functional.to_tensor(image))) is None
