"""Images that cannot be read are named, counted, and borne up to a share that the policy states."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_fairness import judge
from pytest_fairness.classifiers import Classifier
from pytest_fairness.data import EvaluationSet, load_evaluation_set
from pytest_fairness.data.images import Images
from pytest_fairness.errors import DataError
from pytest_fairness.inference import Predictions, predict, read_predictions
from pytest_fairness.policy import Evaluation, load_policy
from pytest_fairness.report import table_lines

from .conftest import png

Make = Callable[[int], EvaluationSet]


def broken(found: EvaluationSet, *positions: int, max_errors: float = 0.0) -> EvaluationSet:
    entries = list(found.images.entries)
    for position in positions:
        entries[position] = b"not an image"
    images = Images(entries, found.images.ids, found.images.rows)
    return replace(found, images=images, max_errors=max_errors)


def test_a_broken_image_stops_the_run_unless_the_policy_bears_it(
    red: Classifier, evaluation_set: Make
) -> None:
    with pytest.raises(DataError, match=r"sample 'person-2': the image is truncated"):
        predict(red, broken(evaluation_set(5), 2), device="cpu")


@pytest.mark.parametrize("batch_size", [pytest.param(2, id="small"), pytest.param(64, id="one")])
def test_a_broken_image_has_no_prediction_and_is_listed(
    red: Classifier, evaluation_set: Make, batch_size: int
) -> None:
    samples = broken(evaluation_set(12), 2, 9, max_errors=0.4)
    found = predict(red, samples, device="cpu", batch_size=batch_size)
    whole = predict(red, evaluation_set(12), device="cpu")
    kept = [row for row in whole.table.to_pylist() if row["id"] not in ("person-2", "person-9")]
    assert found.table.to_pylist() == kept
    assert found.metadata["unreadable"] == "2"
    listed = json.loads(found.metadata["unreadable_images"])
    assert list(listed) == ["person-2", "person-9"]
    assert "row 9, sample 'person-9': the image is truncated, corrupt" in listed["person-9"]


def test_the_share_of_all_images_is_borne_up_to_its_limit(
    red: Classifier, evaluation_set: Make
) -> None:
    whole = replace(evaluation_set(20), levels={})
    assert len(predict(red, broken(whole, 1, 11, max_errors=0.1), device="cpu").table) == 18
    with pytest.raises(
        DataError,
        match=r"3 of 20 images of evaluation 'faces' cannot be read.* \(15\.0%\), and max_errors "
        r"allows 10\.0% of all images and of each group; the first of them:\n.*'person-1'",
    ):
        predict(red, broken(whole, 1, 11, 12, max_errors=0.1), device="cpu")


@pytest.mark.parametrize(
    ("positions", "group"),
    [
        pytest.param((0, 2, 10), r"3 of 10 images with skin_tone = 'dark'", id="level"),
        pytest.param((0, 1, 3), r"3 of 10 images with target = 'woman'", id="class"),
    ],
)
def test_the_share_holds_for_each_group_too(
    red: Classifier, evaluation_set: Make, positions: tuple[int, ...], group: str
) -> None:
    whole = evaluation_set(20)
    with pytest.raises(DataError, match=rf"{group} of .* \(30\.0%\), and max_errors allows 20\.0%"):
        predict(red, broken(whole, *positions, max_errors=0.2), device="cpu")
    assert (
        predict(red, broken(whole, *positions, max_errors=0.3), device="cpu").table.num_rows == 17
    )


def test_a_run_stops_as_soon_as_too_many_are_broken(red: Classifier, evaluation_set: Make) -> None:
    done: list[int] = []
    with pytest.raises(DataError, match=r"2 of 40 images .* cannot be read so far \(5.0%\)"):
        predict(
            red,
            broken(evaluation_set(40), *range(0, 40, 2), max_errors=0.01),
            device="cpu",
            batch_size=1,
            progress=lambda n, _: done.append(n),
        )
    assert len(done) < 10


def test_a_long_list_is_cut_and_says_so(red: Classifier, evaluation_set: Make) -> None:
    with pytest.raises(DataError, match=r"first of them:\n.*'person-0'.*\n.*\n.*\n… and 2 more$"):
        predict(red, broken(evaluation_set(5), *range(5), max_errors=0.9), device="cpu")


def test_a_set_of_which_nothing_can_be_read_is_an_error(
    red: Classifier, evaluation_set: Make
) -> None:
    with pytest.raises(DataError, match=r"4 of 4 images of .* \(100\.0%\)"):
        predict(red, broken(evaluation_set(4), *range(4), max_errors=0.9), device="cpu")


def test_nothing_broken_is_said_where_it_was_looked_for(
    red: Classifier, evaluation_set: Make
) -> None:
    assert "unreadable" not in predict(red, evaluation_set(2), device="cpu").metadata
    counted = predict(red, broken(evaluation_set(2), max_errors=0.1), device="cpu")
    assert counted.metadata["unreadable"] == "0"


POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {
        "faces": {
            "manifest": "faces.csv",
            "attributes": {"tone": ["light", "dark"]},
            "on_error": "count",
            "max_errors": 0.25,
        }
    },
    "rule": [{"metric": "accuracy", "min": 0.1}],
}


@pytest.fixture
def on_disk(tmp_path: Path) -> Evaluation:
    """Twenty images, of which one is missing, one is empty, and one is cut off."""
    lines = ["id,image,target,tone"]
    for i in range(20):
        lines.append(f"p{i},{i}.png,{'man' if i > 9 else 'woman'},{'light' if i % 2 else 'dark'}")
        (tmp_path / f"{i}.png").write_bytes(png(255 * (i > 9)))
    (tmp_path / "faces.csv").write_text("\n".join(lines))
    (tmp_path / "3.png").unlink()
    (tmp_path / "4.png").write_bytes(b"")
    (tmp_path / "15.png").write_bytes(png(255)[:40])
    return replace(load_policy(POLICY).evaluations["faces"], manifest=tmp_path / "faces.csv")


def test_missing_empty_and_truncated_files_are_counted(
    red: Classifier, on_disk: Evaluation, tmp_path: Path
) -> None:
    found = predict(red, load_evaluation_set(on_disk), device="cpu")
    assert list(json.loads(found.metadata["unreadable_images"])) == ["p3", "p4", "p15"]
    assert found.table.num_rows == 17
    found.to_parquet(tmp_path / "kept.parquet")
    again = read_predictions(tmp_path / "kept.parquet", on_disk)
    assert (
        again.metadata["unreadable"]
        == Predictions.from_parquet(tmp_path / "kept.parquet").metadata["unreadable"]
        == "3"
    )


def test_a_missing_file_stops_the_load_where_nothing_is_borne(on_disk: Evaluation) -> None:
    with pytest.raises(DataError, match=r"sample 'p3': image file .*3\.png is missing"):
        load_evaluation_set(replace(on_disk, on_error="fail", max_errors=0.0))


def test_the_hash_of_the_data_knows_what_could_not_be_read(
    on_disk: Evaluation, tmp_path: Path
) -> None:
    before = load_evaluation_set(on_disk).sha256
    (tmp_path / "3.png").write_bytes(png(0))
    assert load_evaluation_set(on_disk).sha256 != before


def test_the_record_and_the_summary_name_them(red: Classifier, on_disk: Evaluation) -> None:
    base: Any = POLICY["evaluation"]
    faces = base["faces"] | {"manifest": str(on_disk.manifest)}
    policy = POLICY | {"evaluation": {"faces": faces}}
    record = judge(policy, predict(red, load_evaluation_set(on_disk), device="cpu"))
    assert record.runs[0].n == 17
    assert record.runs[0].metadata["unreadable"] == "3"
    text = (
        "3 of 20 images of faces could not be read and have no prediction of red "
        "(max_errors 25.0%): 'p3', 'p4', 'p15'"
    )
    assert (text, "inconclusive") in [tuple(line) for line in table_lines(record)]


def test_the_summary_is_silent_where_all_were_read(red: Classifier, evaluation_set: Make) -> None:
    policy = POLICY | {"evaluation": {"faces": {"attributes": {"skin_tone": ["light", "dark"]}}}}
    whole = replace(evaluation_set(4), levels={"skin_tone": ("light", "dark")}, max_errors=0.5)
    record = judge(policy, predict(red, whole, device="cpu"))
    assert not any("could not be read" in line.text for line in table_lines(record))
