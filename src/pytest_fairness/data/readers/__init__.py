"""One module a data set: its own files -> the list of its samples.

Each is declared by a `Reader` with the options that it takes, as those of other packages are.
"""

from typing import TYPE_CHECKING

from pytest_fairness.data.derived import derive_columns
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.doors.declarations import Reader
from pytest_fairness.doors.registry import declared, load_object
from pytest_fairness.errors import DataError
from pytest_fairness.wording import listed, suggest

if TYPE_CHECKING:
    from pytest_fairness.policy.records import Evaluation

__all__ = ["list_samples"]


def list_samples(evaluation: "Evaluation") -> Listing:
    """Return the samples of an evaluation, with derived columns. No image is opened.

    Raises:
        DataError: Files are missing or malformed, counts disagree, or an option is not known.
    """
    root = evaluation.source
    if root is None:
        msg = (
            f"evaluation {evaluation.name!r} has no images to run a model on; give its `manifest`, "
            "or a `reader` with its `root`, or judge predictions"
        )
        raise DataError(msg)
    reader: Reader = declared("readers", evaluation.reader)
    _check_options(evaluation, reader)
    if evaluation.reader != "manifest" and not root.exists():
        msg = (
            f"{root}: no such folder (root of evaluation {evaluation.name!r}); correct the path, "
            "which a policy gives relative to its own folder"
        )
        raise DataError(msg)
    source = Source(evaluation, root, evaluation.options)
    listing = load_object(reader.read)(source)
    if not isinstance(listing, Listing):
        msg = (
            f"evaluation {evaluation.name!r}: {reader.read} of reader {reader.name!r} returned "
            f"{type(listing).__name__}; it must return a Listing"
        )
        raise DataError(msg)
    masks = listing.masks
    if evaluation.masks is not None and masks is None:
        masks = source.masks_in(root if root.is_dir() else root.parent)
    return Listing(derive_columns(listing.rows, evaluation), listing.folder, masks)


def _check_options(evaluation: "Evaluation", reader: Reader) -> None:
    for name, value in evaluation.options.items():
        if name not in reader.options:
            takes = (
                f"the options are {listed(reader.options)}" if reader.options else "it takes none"
            )
            msg = (
                f"evaluation {evaluation.name!r}: reader {reader.name!r} has no option "
                f"{name!r}{suggest(name, reader.options)}; {takes}"
            )
            raise DataError(msg)
        if not isinstance(value, reader.options[name]):
            msg = (
                f"evaluation {evaluation.name!r}: option {name} = {value!r} of reader "
                f"{reader.name!r} must be of kind {reader.options[name].__name__}"
            )
            raise DataError(msg)
