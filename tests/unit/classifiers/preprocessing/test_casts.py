"""A cast keeps every value, or says which it would change."""

import numpy as np
import pytest
import torch

from pytest_fairness.classifiers.preprocessing.casts import as_pixels, as_tensor, exact_cast
from pytest_fairness.errors import ModelError

LOSSY = {
    "fractions as bytes": (torch.tensor([0.0, 0.5, 1.0]), torch.uint8, "0.5"),
    "more than a byte": (torch.tensor([256.0]), torch.uint8, "256"),
    "less than a byte": (torch.tensor([-1.0]), torch.uint8, "-1"),
    "not a number": (torch.tensor([torch.nan]), torch.uint8, "nan"),
    "unsigned as signed": (torch.tensor([200], dtype=torch.uint8), torch.int8, "200"),
    "fractions as integers": (torch.tensor([0.25]), torch.int64, "0.25"),
    "more than 32 bits": (torch.tensor([2.0**31]), torch.int32, "2.14748e"),
    "more than half precision": (torch.tensor([70000.0]), torch.float16, "70000"),
    "more than single precision": (torch.tensor([1e300], dtype=torch.float64), torch.float32, "1e"),
}
EXACT = {
    "bytes": (torch.tensor([0.0, 255.0]), torch.uint8),
    "bytes as floats": (torch.arange(256).to(torch.uint8), torch.float32),
    "bytes as halves": (torch.arange(256).to(torch.uint8), torch.float16),
    "rounded, but finite": (torch.tensor([0.1]), torch.float16),
    "infinite before": (torch.tensor([torch.inf]), torch.float16),
    "signed": (torch.tensor([-128.0, 127.0]), torch.int8),
}


@pytest.mark.parametrize(("values", "dtype", "example"), LOSSY.values(), ids=LOSSY)
def test_a_cast_that_changes_a_value_is_an_error_with_an_example(values, dtype, example):
    with pytest.raises(ModelError, match=r"pixels: a cast from .* would change 1 of") as caught:
        exact_cast(values, dtype, title="pixels")
    assert f"e.g. {example}" in str(caught.value)


@pytest.mark.parametrize(("values", "dtype"), EXACT.values(), ids=EXACT)
def test_a_cast_that_keeps_every_value_is_made(values, dtype):
    assert exact_cast(values, dtype, title="pixels").dtype == dtype


@pytest.mark.parametrize("dtype", ["float32", "float64", ">f4", "uint8", "int16", "bool"])
def test_numpy_arrays_of_numbers_are_pixels(dtype):
    array = np.ones((2, 3, 4), dtype=dtype)[:, ::-1]
    found = as_pixels(array, model="m", sample="s")
    assert torch.equal(found, torch.ones(2, 3, 4).to(found.dtype))
    assert found.dtype != torch.float64  # which most networks refuse


@pytest.mark.parametrize("given", ["text", None, [[1]], np.array(["a"]), np.array([1j])], ids=repr)
def test_anything_else_is_refused_in_one_line(given):
    with pytest.raises(ModelError, match=r"sample 's' must be a tensor or a NumPy array") as caught:
        as_pixels(given, model="m", sample="s")
    assert "\n" not in str(caught.value)


def test_a_tensor_is_taken_as_it_is():
    tensor = torch.zeros(1, dtype=torch.float64)
    assert as_tensor(tensor, title="it") is tensor
