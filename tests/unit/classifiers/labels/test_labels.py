"""Names of score columns from files as the published data sets write them."""

import json

import pytest

from pytest_fairness.classifiers.labels.labels import Labels, named_labels, read_labels
from pytest_fairness.errors import ModelError
from pytest_fairness.policy.model_specs import LabelFile

V3 = '/m/04yx4,Man\n/m/02wvth,"Fiat 500 ""topolino"""\n/m/0abc,"Drink, hot"\n/m/05r655,Girl\n'
V6 = f"LabelName,DisplayName\n{V3}"


def write(path, text, encoding="utf-8"):
    path.write_text(text, encoding=encoding)
    return path


@pytest.mark.parametrize("text", [V3, V6], ids=["V3 without header", "V6 with header"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"], ids=["plain", "BOM"])
def test_open_images_class_descriptions_are_read(text, encoding, tmp_path):
    file = write(tmp_path / "class-descriptions.csv", text, encoding)
    labels = read_labels(LabelFile(file))
    assert labels.names == ("Man", 'Fiat 500 "topolino"', "Drink, hot", "Girl")
    assert labels.ids == ("/m/04yx4", "/m/02wvth", "/m/0abc", "/m/05r655")


def test_one_name_of_many_ids_means_all_of_them(tmp_path):
    file = write(tmp_path / "d.csv", "/m/1,Crane\n/m/2,Dog\n/m/3,Crane\n")
    labels = read_labels(LabelFile(file))
    assert labels.names == ("Crane (/m/1)", "Dog", "Crane (/m/3)")
    assert labels.meant_by("Crane") == ("Crane (/m/1)", "Crane (/m/3)")
    assert labels.meant_by("/m/3") == labels.meant_by("Crane (/m/3)") == ("Crane (/m/3)",)


def test_names_keep_their_case_and_are_found_without_it():
    labels = named_labels(["Bow", "bow", "Man"])
    assert labels.meant_by("Bow") == ("Bow",)
    assert labels.meant_by("BOW") == ("Bow", "bow")
    assert labels.meant_by("man") == ("Man",)
    assert labels.meant_by("woman") == ()


def test_the_order_of_the_columns_comes_from_a_file_of_ids(tmp_path):
    file = write(tmp_path / "d.csv", V6)
    order = write(tmp_path / "classes-trainable.txt", "/m/05r655\n/m/04yx4\n")
    assert read_labels(LabelFile(file, order=order)).names == ("Girl", "Man")
    write(order, "/m/05r655\n/m/nowhere\n")
    with pytest.raises(ModelError, match=r"id '/m/nowhere' has no name in .*d.csv; give the descr"):
        read_labels(LabelFile(file, order=order))


@pytest.mark.parametrize(
    ("content", "names"),
    [
        (["no", "yes"], ("no", "yes")),
        ({"no": 0, "yes": 1}, ("no", "yes")),
        ({"1": "yes", "0": "no"}, ("no", "yes")),
        (
            {"0": ["n02012849", "crane"], "1": ["n03126707", "crane"]},
            ("crane (n02012849)", "crane (n03126707)"),
        ),
    ],
    ids=["list", "label to column", "column to label", "ImageNet index"],
)
def test_json_is_read_in_each_shape(content, names, tmp_path):
    file = write(tmp_path / "labels.json", json.dumps(content))
    assert read_labels(LabelFile(file)).names == names


def test_lines_are_read_and_blank_ones_left_out(tmp_path):
    file = write(tmp_path / "labels", " no \r\n\r\nyes\r\n", "utf-8-sig")
    assert read_labels(LabelFile(file, "lines")).names == ("no", "yes")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("l.json", '["a",\n"b"', r"l\.json:2: not JSON"),
        ("l.json", '{"a": 0, "b": 2}', r"must have the columns 0 to 1, each once"),
        ("l.json", '{"a": [1]}', r"must have the columns 0 to 0|expected a list of labels"),
        ("l.json", "3", r"expected a list of labels"),
        (
            "l.csv",
            "/m/1,Man\n/m/2,Drink, hot\n",
            r"l\.csv:2: expected an id and a name, got 3 fields",
        ),
        ("l.csv", "/m/1,Man\n/m/1,Boy\n", r"id '/m/1' appears twice\. Each id must be unique"),
        ("l.csv", '/m/1,"Man\n', r"l\.csv:\d: not CSV"),
        ("l.txt", "\n\n", r"l\.txt: no labels; write one for each score column"),
        ("l.xml", "<a/>", r"labels are read from \.txt, \.json and \.csv; write format ="),
    ],
    ids=[
        "broken JSON",
        "gap",
        "bad index",
        "number",
        "unquoted comma",
        "id twice",
        "open quote",
        "empty",
        "ending",
    ],
)
def test_a_bad_file_is_named_with_its_line(name, text, message, tmp_path):
    with pytest.raises(ModelError, match=message):
        read_labels(LabelFile(write(tmp_path / name, text)))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.txt: no such file of labels; correct the path"):
        read_labels(LabelFile(tmp_path / "gone.txt"))


def test_bytes_that_are_no_text_are_named(tmp_path):
    (tmp_path / "l.txt").write_bytes(b"\xff\xfe\xfa")
    with pytest.raises(ModelError, match=r"cannot be read: .*utf-8"):
        read_labels(LabelFile(tmp_path / "l.txt"))


GENDERS = Labels(
    ("Man", "Boy", "Woman", "Girl (/m/1)", "Girl (/m/2)"),
    called=("Man", "Boy", "Woman", "Girl", "Girl"),
)


def test_groups_take_every_label_of_a_name():
    found = GENDERS.grouped({"Male": ("Man", "boy"), "Female": ("Girl",)}, where="model 'x'")
    assert found == {"Male": ("Man", "Boy"), "Female": ("Girl (/m/1)", "Girl (/m/2)")}


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (
            {"Male": ("Mann",)},
            r"model 'x': label_groups\.Male names 'Mann', .* 5 labels; did you mean 'Man'",
        ),
        (
            {"Male": ("Man",), "Female": ("man",)},
            r"label 'Man' is in two groups, 'Male' and 'Female'",
        ),
    ],
    ids=["unknown", "two groups"],
)
def test_a_group_that_cannot_be_read_is_named(groups, message):
    with pytest.raises(ModelError, match=message):
        GENDERS.grouped(groups, where="model 'x'")
