"""A reader: a JSON file with a list of samples."""

from pytest_fairness import Reader

JSON_LIST = Reader("json_list", "fairness_example.reader:read", options={"file": str})


def read(source):
    import pandas as pd

    from pytest_fairness.data import Listing

    path = source.find("the list of samples", source.options.get("file", "samples.json"))
    return Listing(source.rows(pd.read_json(path), path), source.root)
