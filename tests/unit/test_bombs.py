"""Small files that stand for any amount of memory or time are refused in one clear line."""

import io
import os
import zipfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pytest_fairness.classifiers.files.checkpoint import check_sha256, read_checkpoint
from pytest_fairness.classifiers.files.pickles import globals_of
from pytest_fairness.classifiers.files.zips import check_zip, read_zip
from pytest_fairness.data import load_evaluation_set, parquet
from pytest_fairness.data.masks import _table
from pytest_fairness.errors import DataError, FairnessError, ModelError, PredictionError
from pytest_fairness.gate.audit.tied import model_differences
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.hashing import sha256_of
from pytest_fairness.inference import Predictions, read_predictions
from pytest_fairness.policy.records import Evaluation

FACES = Evaluation("faces", attributes={"tone": ("light", "dark")})
MEGABYTE = 2**20
RECORD = Path(__file__).parents[1] / "data" / "record_v1.json"


@pytest.fixture
def small_memory(monkeypatch):
    """A limit of 64 MiB, so that the bombs of the tests are small too."""
    monkeypatch.setattr(parquet, "_MOST_UNPACKED", 64 * MEGABYTE)


def rows(number: int, **columns: object) -> pa.Table:
    given = {"id": [f"s{i}" for i in range(number)], "target": ["a", "b"] * (number // 2)}
    given |= {"prediction": ["a", "b"] * (number // 2), "tone": ["light"] * number}
    return pa.table(given | columns)


def write(table: pa.Table, path: Path) -> Path:
    pq.write_table(table, path, compression="zstd", dictionary_pagesize_limit=8 * MEGABYTE)
    return path


def test_a_dictionary_of_one_long_text_is_refused_before_it_is_unpacked(tmp_path, small_memory):
    """4 MiB once, and a reference to it in each of 2,000 rows: 8 GiB as text."""
    pages = pa.DictionaryArray.from_arrays(pa.array([0] * 2000, pa.int32()), ["x" * 4 * MEGABYTE])
    path = write(rows(2000, note=pages), tmp_path / "p.parquet")
    assert path.stat().st_size < MEGABYTE
    before = pa.total_allocated_bytes()
    with pytest.raises(PredictionError, match=r"p\.parquet.*bytes or more in memory; allowed are"):
        read_predictions(path, FACES)
    assert pa.total_allocated_bytes() - before < 8 * MEGABYTE


def test_pages_that_unpack_to_more_than_the_limit_are_refused(tmp_path, small_memory):
    long = ["y" * 100_000 + str(i) for i in range(1000)]
    path = write(rows(1000, note=long), tmp_path / "p.parquet")
    assert path.stat().st_size < MEGABYTE
    with pytest.raises(PredictionError, match="bytes or more in memory"):
        read_predictions(path, FACES)
    with pytest.raises(PredictionError, match="bytes or more in memory"):
        Predictions.from_parquet(path)


def test_an_honest_table_with_dictionaries_is_read_as_before(tmp_path, small_memory):
    notes = ["n" * 10_000, "m" * 10_000] * 1000
    table = rows(2000, note=notes)
    path = write(table, tmp_path / "p.parquet")
    assert 2000 * pq.read_metadata(path).row_group(0).column(4).total_uncompressed_size > 2**25
    assert parquet.read_parquet(path).equals(table)
    assert parquet.read_parquet(path, ["tone"]).column_names == ["tone"]
    with pytest.raises(ValueError, match="no column 'gone'; the columns are 'id', 'target'"):
        parquet.read_parquet(path, ["id", "gone"])


def test_masks_are_read_within_the_same_limit(tmp_path, small_memory):
    mask = pa.DictionaryArray.from_arrays(
        pa.array([0] * 2000, pa.int32()), pa.array([b"z" * 4 * MEGABYTE])
    )
    path = write(rows(2000, mask=mask).select(["id", "mask"]), tmp_path / "m.parquet")
    with pytest.raises(DataError, match=r"masks cannot be read: .*bytes or more in memory"):
        _table(path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,target," + "x" * 200_000 + "\na,b,c\n", "field larger than field limit"),
        ("id,target\n" + "\n" * 1000 + 'a,"' + "x" * MEGABYTE, "EOF inside string"),
        (",".join(f"c{i}" for i in range(20_000)) + "\n", "20,000 columns"),
    ],
    ids=["header", "quote without end", "columns"],
)
def test_a_csv_file_of_huge_fields_is_refused(tmp_path, text, problem):
    (tmp_path / "p.csv").write_text(text, encoding="utf-8")
    with pytest.raises(PredictionError, match=rf"p\.csv: cannot be read as csv.*{problem}"):
        read_predictions(tmp_path / "p.csv", FACES)


def test_a_csv_file_of_too_many_rows_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_fairness.data.rows.MOST_ROWS", 10)
    monkeypatch.setattr(parquet, "MOST_ROWS", 10)
    (tmp_path / "p.csv").write_text("id,target\n" + "a,b\n" * 1000, encoding="utf-8")
    with pytest.raises(PredictionError, match="11 rows and 2 columns; allowed are 10 rows"):
        read_predictions(tmp_path / "p.csv", FACES)


def test_an_image_of_few_bytes_and_many_pixels_is_refused(tmp_path):
    Image.new("1", (30_000, 30_000)).save(tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_size < MEGABYTE
    (tmp_path / "faces.csv").write_text("id,image,target\na,a.png,x\n", encoding="utf-8")
    found = load_evaluation_set(Evaluation("faces", manifest=tmp_path / "faces.csv"))
    with pytest.raises(DataError, match=r"sample 'a'.*pixels"):
        found.images.read(0)


def zip_bomb(path: Path, name: str = "archive/data.pkl", *, size: int = 200 * MEGABYTE) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, bytes(size))
    return path


@pytest.mark.parametrize("ending", [".pt", ".pth", ".ckpt"])
def test_a_checkpoint_that_unpacks_to_much_more_is_refused(tmp_path, ending):
    path = zip_bomb(tmp_path / f"w{ending}")
    with pytest.raises(ModelError, match="bytes that unpack to 209,715,200"):
        read_checkpoint(path)


def test_an_exported_program_that_unpacks_to_much_more_is_refused(tmp_path):
    path = zip_bomb(tmp_path / "m.pt2", "m/serialized_exported_program.json")
    with pytest.raises(ValueError, match="bytes that unpack to 209,715,200"):
        read_zip(path)
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a/data.pkl", bytes(50 * MEGABYTE))
    with pytest.raises(ValueError, match="unpack"):
        check_zip(inner)


def test_an_honest_archive_is_none(tmp_path):
    with zipfile.ZipFile(tmp_path / "w.pt", "w") as archive:
        archive.writestr("a/data", os.urandom(3 * MEGABYTE))
    check_zip(tmp_path / "w.pt")
    assert list(read_zip(tmp_path / "w.pt")) == ["a/data"]


def test_the_search_for_what_a_pickle_calls_reads_a_bounded_part(tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_fairness.classifiers.files.pickles._MOST_BYTES", 100)
    path = zip_bomb(tmp_path / "w.pt", "a/data.pkl")
    assert globals_of(path) == ()


def test_a_safetensors_file_whose_header_has_no_end_is_refused(tmp_path):
    path = tmp_path / "w.safetensors"
    for length in (2**62, 2**31):
        path.write_bytes(length.to_bytes(8, "little") + b"{}")
        with pytest.raises(ModelError, match="not a whole safetensors file"):
            read_checkpoint(path)


def test_the_hash_of_a_pipe_or_of_nothing_is_an_error(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="not a regular file"):
        sha256_of(tmp_path / "pipe")
    with pytest.raises(FileNotFoundError):
        sha256_of(tmp_path / "gone")
    with pytest.raises(ModelError, match="pipe: cannot be read: not a regular file"):
        check_sha256(tmp_path / "pipe", None)
    record = RunRecord.from_json(RECORD)
    with pytest.raises(FairnessError, match="pipe' cannot be read: not a regular file"):
        model_differences(record, str(tmp_path / "pipe"))
