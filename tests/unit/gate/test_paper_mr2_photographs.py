"""The whole way on 74 photographs in the layout of MR2: spreadsheet, images, model, verdicts."""

import tomllib
from pathlib import Path

import pytest
import torch
from PIL import Image

from fixtures.mr2.counts import predictions
from fixtures.mr2.retell import POLICY
from pytest_fairness import Classifier, Preprocessing, RunRecord, judge_model

LABELS = ("Man", "Boy", "Woman", "Girl", "Tree")
METRICS = {"H1": "error_rate_difference", "H2": "statistical_parity_difference"}


@pytest.fixture(params=["H1", "H2"])
def reading(request) -> str:
    return request.param


@pytest.fixture
def mr2(tmp_path: Path, reading: str) -> Path:
    """Photographs as red as the man is sure who is called one, in a folder beside the spreadsheet."""
    rows = predictions(reading)
    names = [f"MR2-{number:02}" for number in range(len(rows))]
    for name, called in zip(names, rows["prediction"], strict=True):
        Image.new("RGB", (6, 8), (230, 0, 0) if called == "Male" else (20, 0, 0)).save(
            tmp_path / f"{name}.png"
        )
    rows.assign(photograph=names)[["photograph", "sex", "race"]].to_csv(
        tmp_path / "MR2.csv", index=False
    )
    return tmp_path


def of_photographs(folder: Path) -> dict:
    """The policy of the counts, as a team with the photographs writes it."""
    policy = tomllib.loads(POLICY.read_text(encoding="utf-8"))
    for evaluation in policy["evaluation"].values():
        evaluation |= {"reader": "mr2", "root": str(folder)}
    return policy


def red(images: torch.Tensor) -> torch.Tensor:
    """Logits of five labels: Boy and Girl below Man and Woman, something else above all."""
    sure = images[:, 0].mean(dim=(1, 2)) - 0.5
    return torch.stack([sure, sure - 3, -sure, -sure - 3, sure.abs() + 9], dim=1)


@pytest.fixture
def ads() -> Classifier:
    classes = {"Male": ("Man", "Boy"), "Female": ("Woman", "Girl")}
    return Classifier("ads", red, LABELS, Preprocessing(size=8), classes=classes)


def judged(mr2: Path, ads: Classifier, evaluation: str) -> RunRecord:
    return judge_model(of_photographs(mr2), ads, evaluation=evaluation)


def test_photographs_give_the_published_differences(mr2, ads, reading):
    record = judged(mr2, ads, "everybody")

    found = {
        v.group["race"]: v.value
        for v in record.verdicts
        if v.metric == METRICS[reading] and "race" in v.group
    }
    assert found == pytest.approx({"African": 21 / 88, "Asian": 7 / 110})
    assert record.runs[0].n == 74


def test_women_only_leaves_the_men_out_and_says_so(mr2, ads, reading):
    record = judged(mr2, ads, "women")

    called_male = {
        v.group["race"]: v.successes for v in record.verdicts if v.metric == "false_positive_rate"
    }
    assert called_male == dict(
        zip(
            ("African", "Asian", "European"),
            {"H1": (12, 4, 3), "H2": (14, 6, 3)}[reading],
            strict=True,
        )
    )
    assert record.runs[0].n == 41
    assert record.runs[0].metadata["left_out"] == "33"
