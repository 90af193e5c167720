"""Batches of a plan are those of the preprocessing, wherever they are made."""

import io

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image
from torchvision import transforms

from pytest_fairness.classifiers import Preprocessing
from pytest_fairness.classifiers.preprocessing.pixels import Crops
from pytest_fairness.data.images import Images
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError, ModelError
from pytest_fairness.inference.plans import feeding
from pytest_fairness.inference.plans.checks import Checks, PlanDiffersError
from pytest_fairness.inference.plans.feeding import planned_batches
from pytest_fairness.inference.plans.recognise import plan_of

CPU = torch.device("cpu")


def encoded(seed: int, size: tuple[int, int], kind: str) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind)
    return buffer.getvalue()


def images_of(contents: list[bytes]) -> Images:
    ids = [f"person-{place}" for place in range(len(contents))]
    rows = pd.DataFrame({"id": ids})
    return Images(contents, ids, Rows(rows, "faces.csv", "faces", DataError))


def mixed(n: int) -> list[bytes]:
    """Images of five sizes in three formats."""
    sizes = [(40, 30), (30, 40), (25, 25), (60, 20), (24, 33)]
    return [encoded(i, sizes[i % 5], ("JPEG", "PNG", "WEBP")[i % 3]) for i in range(n)]


def batches(preprocess, contents, *, size=4, there=False, broken=None, checks=None):
    plan = plan_of(preprocess)
    assert plan is not None
    return list(
        planned_batches(
            images_of(contents),
            plan,
            checks or Checks(preprocess, model="m"),
            size=size,
            device=CPU,
            broken=broken,
            resize_there=there,
        )
    )


@pytest.mark.parametrize("there", [False, True], ids=["host", "device"])
@pytest.mark.parametrize("large", [1, 1 << 20], ids=["large", "small"])
@pytest.mark.parametrize("preprocess", [Preprocessing(16), Crops(20, 16), Crops(20, 16, ten=True)])
def test_batches_hold_every_image_once_and_in_order(preprocess, there, large, monkeypatch):
    monkeypatch.setattr(feeding, "_LARGE", large)
    contents = mixed(11)
    images = images_of(contents)
    found = batches(preprocess, contents, there=there)
    assert [len(batch) for batch in found] == [4, 4, 3]
    wanted = torch.stack([preprocess(images.read(place)) for place in range(11)])
    assert torch.equal(torch.cat(found), wanted)


@pytest.mark.parametrize("there", [False, True], ids=["host", "device"])
def test_an_image_that_cannot_be_read_is_left_out_and_told(there):
    contents = mixed(6)
    contents[2] = contents[2][: len(contents[2]) // 2]
    broken: dict[int, DataError] = {}
    found = batches(Preprocessing(16), contents, there=there, broken=broken)
    assert list(broken) == [2]
    assert "'person-2'" in str(broken[2])
    assert sum(map(len, found)) == 5
    with pytest.raises(DataError, match="person-2"):
        batches(Preprocessing(16), contents, there=there)


@pytest.mark.parametrize("there", [False, True], ids=["host", "device"])
def test_images_of_several_shapes_are_refused_as_without_a_plan(there):
    only_short = transforms.Compose([transforms.Resize(20), transforms.ToTensor()])
    with pytest.raises(
        ModelError, match=r"gives \(3, 26, 20\) for sample 'person-1', but \(3, 20, 26\)"
    ):
        batches(only_short, mixed(4), there=there)


def test_channels_are_last_in_memory():
    (batch,) = batches(Preprocessing(16), mixed(3))
    assert batch.is_contiguous(memory_format=torch.channels_last)


def test_the_first_image_of_each_size_and_each_fiftieth_are_compared():
    checks = Checks(Preprocessing(16), model="m")
    batches(Preprocessing(16), mixed(12), checks=checks)
    assert checks.compared == 5
    checks = Checks(Preprocessing(16), model="m")
    same = [encoded(i, (8, 8), "PNG") for i in range(101)]
    batches(Preprocessing(16), same, checks=checks, size=64)
    assert checks.compared == 3


def test_many_sizes_do_not_make_every_image_be_compared():
    checks = Checks(Preprocessing(16), model="m")
    assert sum(checks.wants((side, 5)) for side in range(1000)) == 64 + 1000 // 50 - 64 // 50


class Other:
    """What a plan that is wrong would be compared with."""

    def __init__(self, change):
        self.change = change

    def __call__(self, image):
        return self.change(Preprocessing(16)(image))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda x: torch.nextafter(x, x + 1), "[0-9]+ of 768 numbers differ"),
        (lambda x: x[:, :8], r"\(3, 16, 16\) float32 instead of \(3, 8, 16\) float32"),
        (lambda x: x.half(), "float32 instead of .* float16"),
    ],
    ids=["a bit", "shape", "type"],
)
def test_another_number_is_noticed(change, told):
    checks = Checks(Other(change), model="m")
    with pytest.raises(PlanDiffersError, match=told):
        batches(Preprocessing(16), mixed(3), checks=checks)
