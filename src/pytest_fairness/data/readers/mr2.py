"""MR2: 74 face photographs with self-identified sex and race, in a spreadsheet.

Strohminger et al. (2016), The MR2: A Multi-Racial, Mega-Resolution Database of Facial Stimuli.
"""

from collections.abc import Mapping
from pathlib import Path
from zipfile import BadZipFile

import pandas as pd

from pytest_fairness.data.levels import as_levels
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.files import image_files
from pytest_fairness.data.rows import read_rows
from pytest_fairness.errors import DataError
from pytest_fairness.wording import counted, listed

__all__ = ["read"]

_ENDINGS = (".xlsx", ".csv")


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, and every column of the spreadsheet.

    The option `column` names the column that holds the names of the photographs, with or without
    their endings; without it, the one whose every value is such a name.
    """
    path = _spreadsheet(source)
    frame = _read_sheet(source, path).dropna(how="all")
    folder = source.find("the folder of photographs", source.options.get("images", "."))
    photographs = _photographs(source, folder)
    column = source.options.get("column") or _column_of_names(source, frame, photographs, path)
    if column not in frame.columns:
        source.error(f"{path}: no column {column!r}; there are {listed(map(str, frame.columns))}")
    keys = as_levels(frame[column]).map(_key, na_action="ignore")
    _check_both(source, keys, photographs, path, folder)
    ids = as_levels(frame[column])
    frame = frame.assign(id=ids, image=keys.map(photographs))
    return Listing(source.rows(frame, path, first_line=2), folder)


def _spreadsheet(source: Source) -> Path:
    if name := source.options.get("spreadsheet"):
        return source.find("the spreadsheet", name)
    found = [
        path
        for path in sorted(source.root.iterdir())
        if path.suffix.lower() in _ENDINGS and not path.name.startswith(("~", "."))
    ]
    if len(found) != 1:
        source.error(
            f"{source.root}: {len(found)} spreadsheets ({listed(path.name for path in found)}); "
            "put one .xlsx or .csv file there, or name one in the option `spreadsheet`"
        )
    return found[0]


def _read_sheet(source: Source, path: Path) -> pd.DataFrame:
    if path.suffix.lower() != ".xlsx":
        return read_rows(path, evaluation=source.evaluation.name, error=DataError).frame
    try:
        import openpyxl  # noqa: F401, PLC0415  (pandas reads .xlsx through it)
    except ImportError:
        source.error(
            f"{path}: reading .xlsx needs the package openpyxl; pip install "
            "'pytest-fairness[xlsx]', or save the sheet as .csv"
        )
    try:
        frame: pd.DataFrame = pd.read_excel(
            path,
            sheet_name=source.options.get("sheet", 0),
            keep_default_na=False,
            na_values=[""],
            engine="openpyxl",
        )
    except (OSError, ValueError, KeyError, BadZipFile) as problem:
        source.error(f"{path}: cannot be read as .xlsx: {problem}")
    return frame.rename(columns=str)


def _key(name: str) -> str:
    """A photograph's name without folder and ending, in lower case."""
    return Path(name).stem.casefold() if "." in name else name.rsplit("/", 1)[-1].casefold()


def _photographs(source: Source, folder: Path) -> dict[str, str]:
    """Key -> path below the folder."""
    found: dict[str, str] = {}
    for path in image_files(source, folder):
        if (other := found.setdefault(_key(path), path)) != path:
            source.error(
                f"{folder}: {other!r} and {path!r} have the same name; remove or rename one"
            )
    if not found:
        source.error(f"{folder}: no photographs below this folder; correct root or `images`")
    return found


def _column_of_names(
    source: Source, frame: pd.DataFrame, photographs: Mapping[str, str], path: Path
) -> str:
    shares = {
        str(name): as_levels(frame[name]).dropna().map(_key).isin(list(photographs)).mean()
        for name in frame.columns
    }
    best = max(shares, key=lambda name: shares[name], default="")
    if not best or not shares[best] > 0.5:
        source.error(
            f"{path}: no column holds the names of the photographs, which are like "
            f"{listed(list(photographs)[:2])}; name it in the option `column`; the columns are "
            f"{listed(shares)}"
        )
    return best


def _check_both(
    source: Source, keys: pd.Series, photographs: Mapping[str, str], path: Path, folder: Path
) -> None:
    """Raise unless every row has its photograph and every photograph its row."""
    if keys.isna().any():
        line = int(keys.index[keys.isna()][0]) + 2
        source.error(f"{path}, line {line}: no photograph named; fill it in, or remove the row")
    rows = set(keys)
    without, unlisted = sorted(rows - set(photographs)), sorted(set(photographs) - rows)
    if without or unlisted:
        source.error(
            f"{path}: {counted(len(keys), 'row')}, and {counted(len(photographs), 'photograph')} in {folder}: "
            f"rows without a photograph: {listed(without) or 'none'}; photographs without a row: "
            f"{listed(photographs[key] for key in unlisted) or 'none'}; each photograph needs a row, and each row a photograph"
        )
