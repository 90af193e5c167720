"""`init` guesses nothing: it asks by option for what the model and the data do not say."""

from pathlib import Path

import pandas as pd
import pytest

from pytest_fairness import load_policy
from tests.unit.commands.conftest import (
    DATA,
    GOOD,
    ONNX,
    PIXELS,
    POLICY,
    init,
    refused,
    samples,
    written,
)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*ONNX[:2], *DATA), ["kind 'onnx'", "--labels", "--score", "--size", "--mean"]),
        ((*ONNX, *PIXELS[:4], *DATA), ["--std R,G,B"]),
        (("--model", "w.safetensors", *DATA), ["without their network", "--architecture"]),
        (
            ("--model", "w.safetensors", "--architecture", "resnet18", *DATA),
            ["torchvision:resnet18 or timm:resnet18"],
        ),
        (
            ("--model", "w.safetensors", "--architecture", "torchvision:resnet18", *DATA),
            ["kind 'torchvision'", "--labels", "--size"],
        ),
        (("--model", "m.pkl", *DATA), ["is a pickle", "may run code", "--model file.py:function"]),
        (("--model", "w.pth", *DATA), ["weights alone, or a pickled object", "--architecture"]),
        (("--model", "gone.onnx", *DATA), ["gone.onnx: no such file"]),
        (("--model", "own.models:build", *DATA), ["no module 'own.models'"]),
        (("--model", "folder", *DATA), ["without config.json"]),
        (("--model", "faces/manifest.csv", *DATA), ["not known by its ending '.csv'"]),
        ((*ONNX[:2], "--labels", "Woman,Man", *ONNX[4:], *PIXELS, *DATA), ["--group CLASS=LABEL"]),
        ((*ONNX[:2], "--labels", "man,man", *ONNX[4:], *PIXELS, *DATA), ["names repeat"]),
        (
            (*GOOD, "--group", "man=Mann", "--group", "woman=woman"),
            ["label_groups.man names 'Mann', which is none of the model's 2 labels"],
        ),
    ],
    ids=[
        *("onnx", "half of the preprocessing", "weights", "whose network", "torchvision"),
        *("pickle", "torch file", "no file", "no module", "folder", "other file"),
        *("labels are no classes", "repeated labels", "group of unknown labels"),
    ],
)
def test_what_a_model_does_not_say_is_asked_for_by_option(project, capsys, arguments, words):
    for name in ("w.safetensors", "m.pkl", "w.pth"):
        Path(name).write_bytes(b"something")
    Path("folder").mkdir()
    message = refused(capsys, *arguments)
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (DATA[:2], ["which column holds the true class", "gender (woman, man)"]),
        (DATA[:4], ["'woman', 'man'", "--positive CLASS"]),
        ((*DATA[:4], "--positive", "men"), ["no such class", "did you mean 'man'?"]),
        ((*DATA[:2], "--target", "gendre"), ["no column", "did you mean 'gender'?"]),
        ((*DATA[:2], "--target", "height"), ["24 classes in 24 samples"]),
        ((*DATA, "--attributes", "tone"), ["--attributes tone", "no column"]),
        ((*DATA, "--reference", "skin_tone=ligth"), ["did you mean 'light'?"]),
        ((*DATA, "--reference", "camera=a"), ["the attributes are 'skin_tone', 'age'"]),
        ((*DATA, "--image", "person"), ["'p0', which is no file"]),
        (("--reader", "celeba"), ["--root DIR"]),
    ],
    ids=[
        *("no target", "no positive", "positive", "unknown target", "not a class", "attribute"),
        *("level", "reference", "image", "no root"),
    ],
)
def test_what_the_data_do_not_say_is_asked_for_by_option(project, capsys, arguments, words):
    message = refused(capsys, *ONNX, *PIXELS, *arguments)
    assert [word for word in words if word not in message] == []


def test_all_that_is_missing_is_asked_for_in_one_message(project, capsys):
    """Each option that the message asks for leaves one problem less, and the last run writes."""
    frame = samples().drop(columns=["skin_tone", "age"])
    frame.rename(columns={"file": "picture"}).to_csv("faces/manifest.csv", index=False)
    message = refused(capsys, *ONNX[:2], *DATA[:2])
    assert message.startswith("4 things are missing or wrong; nothing was written:\n1. ")
    for option in ("--image COLUMN", "--target COLUMN", "--attributes A,B", "--labels", "--score"):
        assert option in message
    known = ("--image", "picture", "--target", "gender")
    message = refused(capsys, *ONNX[:2], *DATA[:2], *known)
    for option in ("--positive CLASS", "--attributes A,B", "--size"):
        assert option in message
    assert "--image COLUMN" not in message
    rest = (*known, "--positive", "man", "--attributes", "camera")
    message = refused(capsys, *ONNX, *DATA[:2], *rest, "--cluster", "persn", "--reference", "x=y")
    assert "--cluster persn" in message
    assert "--reference x=y" in message
    assert init(*ONNX, *PIXELS, *DATA[:2], *rest) == 0


def test_without_a_usual_name_attributes_are_asked_for(project, capsys):
    frame = samples().drop(columns=["skin_tone", "age"])
    frame.to_csv("faces/manifest.csv", index=False)
    message = refused(capsys, *GOOD)
    assert "Give --attributes A,B; columns with few values: gender (woman, man); " in message
    assert "camera (a, b)" in message


def test_an_attribute_of_many_values_wants_groups(project, capsys):
    frame = pd.concat([samples()] * 5)
    frame["age"] = range(len(frame))
    frame.to_csv("faces/manifest.csv", index=False)
    message = refused(capsys, *GOOD, "--attributes", "age")
    assert "--attributes age: 120 different values" in message
    assert "`derive`" in message


def test_a_protected_attribute_that_is_left_out_is_said_and_can_be_uncommented(project, capsys):
    frame = pd.concat([samples()] * 2)
    frame["age"] = range(20, 68)
    frame["country"] = "AT"
    frame["race"] = [f"race {i}" for i in range(48)]
    frame.to_csv("faces/manifest.csv", index=False)
    assert init(*GOOD) == 0
    out = capsys.readouterr().out
    for left in ("age (48 values)", "country (1 value)", "race (48 values)"):
        assert f"not asked about: {left}" in out
    text = POLICY.read_text(encoding="utf-8")
    assert "# NOT ASKED ABOUT: column 'country', which has one value only, AT.\n" in text
    assert "(`derive` with `merge`)" in text
    assert list(written()["evaluation"]["faces"]["attributes"]) == ["skin_tone"]
    for key in ("derive.age_group", "attributes.age_group"):
        assert text.count(f"# {key} = ") == 1
        text = text.replace(f"# {key} = ", f"{key} = ")
    POLICY.write_text(text, encoding="utf-8")
    faces = load_policy(POLICY).evaluations["faces"]
    assert faces.attributes["age_group"] == ("0 to 17", "18 to 64", "65 and more")
    assert "age_group" in faces.derive
