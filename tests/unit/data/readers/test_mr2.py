"""MR2: a spreadsheet, and the photographs that it names."""

import sys

import pandas as pd
import pytest

from pytest_fairness.errors import DataError

READER = "mr2"
SEX = {"target": "sex", "attributes": {"race": ("African", "Asian", "European")}}
ROWS = pd.DataFrame(
    {
        "Face": ["F001", "M002", "F003"],
        "sex": ["Female", "Male", "Female"],
        "race": ["African", "European", "Asian"],
        "age": [27, 31, 24.5],
        "note": ["", None, "NA"],
    }
)


@pytest.fixture
def photographs(write):
    for place, name in enumerate(("F001.jpg", "m002.JPG", "F003.jpg")):
        write(f"photos/{name}", place)
    return write


@pytest.fixture(params=[pytest.param("xlsx", id="xlsx"), pytest.param("csv", id="csv")])
def mr2(photographs, root, request):
    def sheet(frame: pd.DataFrame = ROWS) -> None:
        if request.param == "csv":
            frame.to_csv(root / "MR2.csv", index=False)
        else:
            frame.to_excel(root / "MR2.xlsx", index=False)

    sheet()
    return sheet


def test_rows_find_their_photographs_by_name(mr2, load):
    found = load(**SEX)
    assert found.samples.to_dict("list") == {
        "id": ["F001", "M002", "F003"],
        "target": ["Female", "Male", "Female"],
        "race": ["African", "European", "Asian"],
    }
    assert [found.images.read(i).getpixel((0, 0))[0] for i in range(3)] == [0, 1, 2]
    assert [float(age) for age in found.manifest["age"]] == [27, 31, 24.5]
    assert found.manifest["note"].fillna("?").tolist() == ["?", "?", "NA"]


def test_the_column_of_names_may_be_named_and_have_endings(mr2, load):
    mr2(ROWS.assign(Face=["F001.jpg", "M002.JPG", "F003.jpg"], sex=["F001", "M002", "F003"]))
    found = load(target="Face", options={"column": "Face"}, attributes=SEX["attributes"])
    assert found.samples["id"].tolist() == ["F001.jpg", "M002.JPG", "F003.jpg"]


def test_rows_and_photographs_must_agree(mr2, load, root):
    (root / "photos/m002.JPG").rename(root / "photos/m004.JPG")
    with pytest.raises(
        DataError,
        match=r"3 rows, and 3 photographs in .*: rows without a photograph: 'm002'; photographs "
        r"without a row: 'photos/m004\.JPG'",
    ):
        load(**SEX)


def test_a_row_without_a_name_is_named_with_its_line(mr2, load):
    mr2(ROWS.assign(Face=["F001", "", "F003"]))
    with pytest.raises(DataError, match="line 3: no photograph named"):
        load(**SEX)


def test_a_sheet_without_names_of_photographs_says_what_they_are_like(mr2, load):
    mr2(ROWS.drop(columns="Face"))
    with pytest.raises(
        DataError, match=r"no column holds the names .* like 'f001', 'f003'; name it"
    ):
        load(**SEX)
    with pytest.raises(DataError, match="no column 'File'; there are 'sex'"):
        load(options={"column": "File"}, **SEX)


def test_two_photographs_of_one_name_are_refused(mr2, load, write):
    write("photos/small/f001.png", 9)
    with pytest.raises(
        DataError, match=r"'photos/F001\.jpg' and 'photos/small/f001\.png' have the same"
    ):
        load(**SEX)
    write("photos/small/f001.png", 9).unlink()
    assert len(load(options={"images": "photos"}, **SEX)) == 3


def test_a_chosen_sheet_is_read(photographs, load, root):
    with pd.ExcelWriter(root / "MR2.xlsx") as book:
        pd.DataFrame({"a": [1]}).to_excel(book, sheet_name="notes", index=False)
        ROWS.to_excel(book, sheet_name="faces", index=False)
    assert len(load(options={"sheet": "faces"}, **SEX)) == 3
    with pytest.raises(DataError, match=r"MR2\.xlsx: cannot be read as \.xlsx: .*'face'"):
        load(options={"sheet": "face"}, **SEX)


def test_one_spreadsheet_must_be_there_or_be_named(photographs, load, root):
    with pytest.raises(DataError, match="set: 0 spreadsheets"):
        load(**SEX)
    ROWS.to_csv(root / "MR2.csv", index=False)
    ROWS.to_csv(root / "ratings.csv", index=False)
    with pytest.raises(DataError, match=r"2 spreadsheets \('MR2\.csv', 'ratings\.csv'\)"):
        load(**SEX)
    assert len(load(options={"spreadsheet": "MR2.csv"}, **SEX)) == 3


def test_without_openpyxl_the_message_says_how_to_get_it(photographs, load, root, monkeypatch):
    ROWS.to_excel(root / "MR2.xlsx", index=False)
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    with pytest.raises(DataError, match=r"pip install 'pytest-fairness\[xlsx\]', or save .* \.csv"):
        load(**SEX)


def test_a_broken_spreadsheet_is_named(photographs, load, write):
    write("MR2.xlsx", "no zip")
    with pytest.raises(DataError, match=r"MR2\.xlsx: cannot be read as \.xlsx"):
        load(**SEX)
