"""CelebAMask-HQ: photographs, their attributes, the mapping to CelebA, and the masks of parts."""

import io

import numpy as np
import pytest
from PIL import Image

from pytest_fairness.data.readers.celebamask_hq import GROUPS, PART_IDS, merge_parts
from pytest_fairness.errors import DataError

READER = "celebamask_hq"
ATTRIBUTES = "3\nMale Smiling\n0.jpg  -1  1\n1.jpg  1  -1\n2000.jpg  1 1\n"
MAPPING = "idx orig_idx orig_file\n0 119613 119614.jpg\n1 3 000003.jpg\n2000 9 000009.jpg\n"
SMILING = {"target": "Smiling", "attributes": {"Male": ("yes", "no")}}


def drawn(*pixels: tuple[int, int], mode: str = "L", size: int = 4) -> bytes:
    """A file of one part as the set has them: white where the part is."""
    values = np.zeros((size, size), np.uint8)
    for row, column in pixels:
        values[row, column] = 255
    buffer = io.BytesIO()
    Image.fromarray(values).convert(mode).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def celeba_hq(write):
    write("CelebAMask-HQ-attribute-anno.txt", ATTRIBUTES)
    write("CelebA-HQ-to-CelebA-mapping.txt", MAPPING)
    for number in (0, 1, 2000):
        write(f"CelebA-HQ-img/{number}.jpg", number % 200)
    anno = "CelebAMask-HQ-mask-anno"
    write(f"{anno}/0/00000_skin.png", drawn((0, 0), (0, 1), (1, 0)))
    write(f"{anno}/0/00000_l_eye.png", drawn((0, 1), mode="RGB"))
    write(f"{anno}/0/00000_hair.png", drawn((1, 0), (3, 3)))
    write(f"{anno}/0/00001_cloth.png", drawn((2, 2)))
    write(f"{anno}/1/02000_u_lip.png", drawn((2, 1)))
    write(f"{anno}/1/02000_mouth.png", drawn((2, 1), (2, 2)))
    return write


def test_nineteen_parts_are_fourteen_groups():
    assert len(PART_IDS) == 19
    assert len(GROUPS) == 14
    assert sorted(part for parts in GROUPS.values() for part in parts) == sorted(PART_IDS)


def test_samples_know_their_names_in_celeba(celeba_hq, load):
    found = load(**SMILING)
    assert found.samples["id"].tolist() == ["0.jpg", "1.jpg", "2000.jpg"]
    assert found.samples["Male"].tolist() == ["no", "yes", "yes"]
    assert found.manifest["celeba"].tolist() == ["119614.jpg", "000003.jpg", "000009.jpg"]
    assert found.masks is None


def test_splits_and_identities_come_from_celeba(celeba_hq, load):
    lines = {"000003.jpg": "2", "000009.jpg": "0", "119614.jpg": "2", "000001.jpg": "1"}
    celeba_hq("list_eval_partition.txt", "".join(f"{k} {v}\n" for k, v in lines.items()))
    celeba_hq("identity_CelebA.txt", "".join(f"{k} 7{v}\n" for k, v in lines.items()))
    found = load(split=("test",), cluster="identity", **SMILING)
    assert found.samples["id"].tolist() == ["0.jpg", "1.jpg"]
    assert found.samples["identity"].tolist() == ["72", "72"]


def test_a_split_needs_the_partition_of_celeba(celeba_hq, load):
    with pytest.raises(DataError, match=r"the split of CelebA is missing.*list_eval_partition"):
        load(split=("test",), **SMILING)


def test_masks_of_parts_are_painted_in_order_and_grouped(celeba_hq, load):
    masks = load(masks="CelebAMask-HQ-mask-anno", **SMILING).masks
    assert masks is not None
    assert masks.parts == tuple(GROUPS)
    first = masks.read(0)
    where = {part: np.argwhere(mask).tolist() for part, mask in first.items() if mask.any()}
    background = where.pop("background")
    assert where == {"skin": [[0, 0]], "eyes": [[0, 1]], "hair": [[1, 0], [3, 3]]}
    assert len(background) == 12
    np.testing.assert_array_equal(sum(mask.astype(int) for mask in first.values()), 1)
    assert np.argwhere(masks.read(2)["mouth"]).tolist() == [[2, 1], [2, 2]]


def test_masks_follow_the_samples_that_are_kept(celeba_hq, load):
    masks = load(masks="CelebAMask-HQ-mask-anno", where={"Male": ("yes",)}, **SMILING).masks
    assert masks is not None
    assert np.argwhere(masks.read(0)["cloth"]).tolist() == [[2, 2]]


def test_masks_may_be_pictures_of_part_numbers(celeba_hq, load):
    for number in (0, 1, 2000):
        values = np.full((2, 2), PART_IDS.index("ear_r") if number == 1 else 0, np.uint8)
        buffer = io.BytesIO()
        Image.fromarray(values).save(buffer, "PNG")
        celeba_hq(f"mask/{number}.png", buffer.getvalue())
    masks = load(masks="mask", **SMILING).masks
    assert masks is not None
    assert masks.read(1)["earrings"].all()
    assert masks.read(0)["background"].all()


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        pytest.param({}, r"no file 0/00001_<part>\.png and no 1\.png", id="none"),
        pytest.param(
            {"skin": drawn(), "hair": drawn(size=2)}, r"size \(2, 2\), .* \(4, 4\)", id="size"
        ),
        pytest.param({"skin": b""}, r"00001_skin\.png: the image is empty", id="empty"),
    ],
)
def test_a_mask_that_cannot_be_used_is_named(celeba_hq, load, root, files, problem):
    (root / "CelebAMask-HQ-mask-anno/0/00001_cloth.png").unlink()
    for part, content in files.items():
        celeba_hq(f"CelebAMask-HQ-mask-anno/0/00001_{part}.png", content)
    masks = load(masks="CelebAMask-HQ-mask-anno", **SMILING).masks
    with pytest.raises(DataError, match=rf"mask of sample '1\.jpg'.*{problem}"):
        masks.read(1)


def test_a_missing_folder_of_masks_is_named(celeba_hq, load):
    with pytest.raises(DataError, match="the folder of masks is missing, looked for 'masks'"):
        load(masks="masks", **SMILING)


def test_a_number_that_is_no_part_is_named():
    with pytest.raises(
        DataError, match="x: part number 19 is not allowed; the parts have numbers 0 to 18"
    ):
        merge_parts(np.array([[19]]), name="x")
