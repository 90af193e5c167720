"""How fast the models under test are: run by name, `pytest fairness_tests/bench_inference.py`.

pytest-benchmark times nothing under `-n`, so run it without.
"""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from pytest_fairness import Classifier, EvaluationSet, load_evaluation_set, load_policy, predict
from pytest_fairness.inference import left_as_found

POLICY = Path(__file__).parent.parent / "fixtures" / "policies" / "default.toml"
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
BATCH_SIZES = [1, 8, 32, 128]


@pytest.fixture(params=["ads", "baseline"])
def classifier(request: pytest.FixtureRequest) -> Classifier:
    model: Classifier = request.getfixturevalue(request.param)
    return model


@pytest.fixture(scope="session")
def samples() -> EvaluationSet:
    """One skin tone of the evaluation set: enough images for every batch size."""
    whole = load_policy(POLICY).evaluations["emoji_people"]
    return load_evaluation_set(replace(whole, where={"skin_tone": ("light",)}))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_batch_through_the_model(
    benchmark: Any, classifier: Classifier, samples: EvaluationSet, batch_size: int, device: str
) -> None:
    """The module alone: its images are decoded and on the device already."""
    decoded = [classifier.preprocess(samples.images.read(i)) for i in range(batch_size)]
    images = torch.stack(decoded).to(device)

    def run() -> torch.Tensor:
        scores = classifier.module(images)
        if device == "cuda":  # otherwise only the launch of the kernels would be timed
            torch.cuda.synchronize()
        return scores

    with left_as_found(classifier.module, torch.device(device)):
        scores = benchmark.pedantic(run, rounds=10, warmup_rounds=3)
    note_speed(benchmark, images=batch_size)
    assert scores.shape == (batch_size, len(classifier.labels))


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_whole_prediction(
    benchmark: Any, classifier: Classifier, samples: EvaluationSet, batch_size: int, device: str
) -> None:
    """All that the gate does for an evaluation set, decoding included."""
    found = benchmark.pedantic(
        predict,
        args=(classifier, samples),
        kwargs={"device": device, "batch_size": batch_size},
        rounds=3,
        warmup_rounds=1,
    )
    note_speed(benchmark, images=len(samples))
    assert found.table.num_rows == len(samples)


def note_speed(benchmark: Any, *, images: int) -> None:
    if benchmark.stats is not None:  # None with --benchmark-disable
        benchmark.extra_info["images_per_second"] = images / benchmark.stats.stats.mean
