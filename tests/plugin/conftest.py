"""An outside project with a gate of its own, as small as one can be."""

import textwrap
from pathlib import Path

import pandas as pd
import pytest

# Runs of pytest in this process keep modules that were there before, so these are loaded once.
import pytest_fairness.caching.cache
import pytest_fairness.caching.folder
import pytest_fairness.commands.plan
import pytest_fairness.gate.run
import pytest_fairness.inference.local
import pytest_fairness.inference.reading.read
import pytest_fairness.planning.answerable
import pytest_fairness.planning.at_hand
import pytest_fairness.report  # noqa: F401

POLICY = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.faces]
positive = "yes"
attributes = { sex = ["female", "male"], tone = ["light", "dark"] }
reference = { sex = "male", tone = "light" }

[[rule]]
id = "floor"
metric = "accuracy"
by = ["sex", "tone"]
min = 0.7

[[rule]]
id = "fpr-gap"
metric = "false_positive_rate_difference"
by = ["tone"]
max = 0.2
"""

GATE = """
import pytest

@pytest.mark.fairness("accuracy")
def test_group_accuracy(fairness_question, fairness_gate):
    fairness_gate(fairness_question)

@pytest.mark.fairness("false_positive_rate_difference")
def test_fpr_difference(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""


def predictions(*, wrong_in_dark: int = 2, size: int = 400) -> pd.DataFrame:
    """`size` samples in four equal groups; of every 20 in dark, so many are wrong, of 20 in light, 2."""
    rows = []
    for number in range(size):
        tone = "dark" if number % 2 else "light"
        target = "yes" if number // 2 % 2 else "no"
        sex = "female" if number // 4 % 2 else "male"
        wrong = number % 40 < 2 * wrong_in_dark if tone == "dark" else number % 40 < 4
        other = "no" if target == "yes" else "yes"
        rows.append((f"s{number}", sex, tone, target, other if wrong else target))
    return pd.DataFrame(rows, columns=["id", "sex", "tone", "target", "prediction"])


@pytest.fixture
def gate(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a policy, a gate and two files of predictions."""
    (pytester.path / "policy.toml").write_text(POLICY, encoding="utf-8")
    pytester.makepyfile(test_gate=GATE)
    predictions().to_csv(pytester.path / "good.csv", index=False)
    predictions(wrong_in_dark=18).to_csv(pytester.path / "bad.csv", index=False)
    return pytester


@pytest.fixture
def model_gate(gate: pytest.Pytester) -> pytest.Pytester:
    """The same project with images and a model: it reads the class off the brightness."""

    _write_images(gate.path)
    gate.makeconftest(
        textwrap.dedent("""
        import pytest

        @pytest.fixture(scope="session")
        def bright():
            import torch
            from pytest_fairness import Classifier, Preprocessing

            def module(images):
                with open("calls.txt", "a") as file:
                    file.write("called\\n")
                mean = images.mean(dim=(1, 2, 3))
                return torch.stack([0.5 - mean, mean - 0.5], dim=1)

            return Classifier("bright", module, ("no", "yes"), Preprocessing(size=8))
        """)
    )
    policy = POLICY.replace("[evaluation.faces]\n", '[evaluation.faces]\nmanifest = "faces.csv"\n')
    (gate.path / "policy.toml").write_text(policy, encoding="utf-8")
    return gate


def _write_images(folder: Path) -> None:
    from PIL import Image

    frame = predictions(size=80)
    (folder / "images").mkdir()
    for row in frame.itertuples():
        level = 200 if row.prediction == "yes" else 50
        Image.new("RGB", (8, 8), (level,) * 3).save(folder / "images" / f"{row.id}.png")
    frame["image"] = "images/" + frame["id"] + ".png"
    frame.drop(columns="prediction").to_csv(folder / "faces.csv", index=False)
