"""Predictions survive the disk, and need no torch to be read."""

import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from pytest_fairness.errors import PredictionError
from pytest_fairness.inference import Predictions

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=5)


@given(
    rows=st.lists(st.tuples(WORDS, WORDS, st.floats(width=32, allow_nan=False)), max_size=4),
    names=st.lists(WORDS, min_size=1, max_size=3, unique=True),
)
def test_everything_comes_back_from_the_disk(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, float]],
    names: list[str],
) -> None:
    before = Predictions(
        table=pa.table(
            {
                "id": pa.array([row[0] for row in rows], pa.string()),
                "skin_tone": pa.array([row[1] for row in rows], pa.string()),
                "score:man": pa.array([row[2] for row in rows], pa.float32()),
            }
        ),
        model="ads",
        evaluation="faces",
        classes=tuple(names),
        levels={"skin_tone": tuple(names)},
        metadata={name: name for name in names},
    )
    path = tmp_path_factory.mktemp("predictions") / "p.parquet"
    before.to_parquet(path)
    assert Predictions.from_parquet(path) == before


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=r"gone\.parquet: predictions cannot be read"):
        Predictions.from_parquet(tmp_path / "gone.parquet")


def test_table_of_another_origin_is_told_from_ours(tmp_path: Path) -> None:
    pq.write_table(pa.table({"id": ["a"]}), tmp_path / "p.parquet")
    with pytest.raises(
        PredictionError, match=r"not written by pytest-fairness; .*read_predictions"
    ):
        Predictions.from_parquet(tmp_path / "p.parquet")


def test_reading_predictions_imports_no_torch() -> None:
    code = (
        "import sys; from pytest_fairness.inference import read_predictions; "
        "print(*sorted({'torch', 'torchvision'} & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "\n"


def test_unknown_name_is_an_attribute_error() -> None:
    import pytest_fairness.inference as room

    with pytest.raises(AttributeError, match=r"'pytest_fairness\.inference' has no .* 'guess'"):
        _ = room.guess


def test_no_module_hides_a_public_name() -> None:
    import pytest_fairness.inference as room

    modules = {path.stem for path in Path(room.__path__[0]).glob("*.py")}
    assert not modules & set(room.__all__)  # importing the module would replace the name
    assert all(callable(getattr(room, name)) for name in room.__all__)
