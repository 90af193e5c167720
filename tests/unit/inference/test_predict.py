"""Running a model: what comes out, what is refused, and how the model is left."""

import hashlib
import itertools
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from PIL.Image import Image

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.data import EvaluationSet
from pytest_fairness.data.images import Images
from pytest_fairness.errors import DataError, ModelError, PredictionError
from pytest_fairness.inference import Predictions, predict

Make = Callable[[int], EvaluationSet]


def scores(predictions: Predictions, name: str) -> np.ndarray[Any, Any]:
    values: np.ndarray[Any, Any] = predictions.table[f"score:{name}"].to_numpy()
    return values


def always(*row: float) -> Callable[[torch.Tensor], torch.Tensor]:
    return lambda images: torch.tensor([row]).repeat(len(images), 1)


def test_predictions_have_a_row_for_each_sample_in_order(
    red: Classifier, evaluation_set: Make
) -> None:
    found = predict(red, evaluation_set(5), device="cpu")
    assert found.table.column_names == [
        *("id", "target", "prediction", "skin_tone"),
        *("score:woman", "score:man"),
    ]
    assert found.table["id"].to_pylist() == [f"person-{i}" for i in range(5)]
    assert found.table["prediction"].to_pylist() == ["woman", "woman", "man", "man", "man"]
    np.testing.assert_allclose(scores(found, "man"), [0, 0.25, 0.5, 0.75, 1], atol=0.003)
    assert (found.model, found.evaluation, found.classes) == ("red", "faces", ("woman", "man"))
    assert found.levels == {"skin_tone": ("light", "medium", "dark")}


def test_metadata_tell_what_made_the_predictions(red: Classifier, evaluation_set: Make) -> None:
    found = dict(predict(red, evaluation_set(4), device="cpu", batch_size=3).metadata)
    assert float(found.pop("seconds")) > 0
    assert float(found.pop("images_per_second")) > 0
    assert len(found.pop("weights_sha256")) == 64
    assert found == {
        "source": "faces.parquet",
        "ground_truth": "manifest",
        "data_sha256": "0" * 64,
        "left_out": "5",
        "where": '{"vendor": ["one"]}',
        "preprocessing": repr(Preprocessing(size=4)),
        "preprocessing_sha256": hashlib.sha256(repr(Preprocessing(size=4)).encode()).hexdigest(),
        "preprocessing_plan": "resize to 4 x 4 (bilinear), 0 to 255 become 0/0/0 to 1/1/1",
        "preprocessing_compared": "1",
        "score": "probability",
        "device": "cpu",
        "torch": torch.__version__,
        "batch_size": "3",
        "precision": "strict",
        "asked_again": "4",
        "asked_again_differ": "0",
        "asked_again_tolerance": "0.0001",
    }


def test_preprocessing_is_described_without_memory_addresses(
    red: Classifier, evaluation_set: Make
) -> None:
    def shrink(image: Image) -> torch.Tensor:
        return Preprocessing(size=2)(image)

    found = predict(replace(red, preprocess=shrink), evaluation_set(2), device="cpu")
    assert "0x" not in found.metadata["preprocessing"]
    assert "shrink" in found.metadata["preprocessing"]


@pytest.mark.parametrize("batch_size", [1, 3, 16, 17, 100])
def test_batched_is_the_same_as_one_by_one(evaluation_set: Make, batch_size: int) -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Conv2d(3, 4, 3),
        torch.nn.BatchNorm2d(4),
        torch.nn.Flatten(),
        torch.nn.LazyLinear(2),
    )
    module(torch.rand(2, 3, 8, 8))
    model = Classifier("net", module, ("man", "woman"), Preprocessing(size=8))
    samples = evaluation_set(17)
    found = predict(model, samples, device="cpu", batch_size=batch_size)
    with torch.inference_mode():
        module.eval()
        alone = [module(model.preprocess(samples.images.read(i))[None])[0] for i in range(17)]
    np.testing.assert_allclose(scores(found, "man"), [float(row[0]) for row in alone], rtol=1e-5)
    np.testing.assert_allclose(scores(found, "woman"), [float(row[1]) for row in alone], rtol=1e-5)


def test_class_speaks_with_its_highest_label(evaluation_set: Make) -> None:
    labels = ("man", "boy", "girl", "woman", "tree")
    speaking = {"man": ("man", "boy"), "woman": ("woman", "girl")}
    model = Classifier(
        "many", always(-3.0, 2.0, 1.0, 0.0, 9.0), labels, Preprocessing(size=4), classes=speaking
    )
    found = predict(model, evaluation_set(2))
    assert found.table["prediction"].to_pylist() == ["man", "man"]
    assert scores(found, "man").tolist() == [2, 2]
    assert scores(found, "woman").tolist() == [1, 1]


def test_equal_scores_give_the_first_class(evaluation_set: Make, red: Classifier) -> None:
    found = predict(replace(red, module=always(0.5, 0.5)), evaluation_set(2))
    assert found.table["prediction"].to_pylist() == ["woman", "woman"]


def test_class_that_only_the_model_knows_is_kept(evaluation_set: Make, red: Classifier) -> None:
    model = replace(red, module=always(0, 0, 1), labels=("man", "woman", "dog"))
    found = predict(model, evaluation_set(2))
    assert found.classes == ("woman", "man", "dog")
    assert found.table["prediction"].to_pylist() == ["dog", "dog"]


def test_progress_is_told_after_each_batch(red: Classifier, evaluation_set: Make) -> None:
    told: list[tuple[int, int]] = []
    predict(
        red,
        evaluation_set(5),
        device="cpu",
        batch_size=2,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(2, 5), (4, 5), (5, 5)]


def test_next_batch_is_decoded_while_the_model_runs(red: Classifier, evaluation_set: Make) -> None:
    decoded = threading.Semaphore(0)

    def decode(image: Image) -> torch.Tensor:
        decoded.release()
        return Preprocessing(size=4)(image)

    def model(images: torch.Tensor) -> torch.Tensor:
        # Two images are decoded for each batch; more come only from work done ahead.
        enough = [decoded.acquire(timeout=5) for _ in range(4 if next(batches) == 0 else 0)]
        assert all(enough)
        return torch.zeros(len(images), 2)

    batches = itertools.count()
    predict(replace(red, module=model, preprocess=decode), evaluation_set(6), batch_size=2)


def test_bf16_computes_in_half_precision(evaluation_set: Make) -> None:
    seen: list[torch.dtype] = []
    linear = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(48, 2))
    linear.register_forward_hook(lambda _module, _given, out: seen.append(out.dtype))
    model = Classifier("linear", linear, ("man", "woman"), Preprocessing(size=4))
    found = predict(model, evaluation_set(2), device="cpu", precision="bf16")
    assert set(seen) == {torch.bfloat16, torch.float32}  # two images run strictly too
    assert found.metadata["precision"] == "bf16"


@pytest.mark.parametrize("fails", [False, True], ids=["after success", "after an error"])
def test_model_is_left_as_found(red: Classifier, evaluation_set: Make, *, fails: bool) -> None:
    module = red.module
    assert isinstance(module, torch.nn.Module)
    module.train()
    module.get_submodule("dropout").eval()
    before = [part.training for part in module.modules()]
    broken = replace(red, labels=("man", "woman", "dog")) if fails else red
    try:
        predict(broken, evaluation_set(3), device="cpu")
    except ModelError:
        assert fails
    assert [part.training for part in module.modules()] == before == [True, False]
    assert torch.is_grad_enabled()
    assert not torch.is_inference_mode_enabled()
    module(torch.rand(2, 3, 4, 4)).sum().backward()  # the weights can still be trained


def test_model_predicts_in_evaluation_mode(red: Classifier, evaluation_set: Make) -> None:
    module = red.module
    assert isinstance(module, torch.nn.Module)
    module.train()
    found = predict(red, evaluation_set(5), device="cpu")
    np.testing.assert_allclose(scores(found, "man"), [0, 0.25, 0.5, 0.75, 1], atol=0.003)


@pytest.mark.parametrize(
    ("fits", "batches", "final"),
    [
        pytest.param(4, [8, 4, 4, 2], 4, id="halved once"),
        pytest.param(1, [8, 4, 2, *[1] * 10], 1, id="halved down to one"),
    ],
)
def test_batch_is_halved_when_memory_runs_out(
    red: Classifier, evaluation_set: Make, fits: int, batches: list[int], final: int
) -> None:
    assert isinstance(red.module, torch.nn.Module)
    model = red.module.eval()
    seen: list[int] = []

    def small(images: torch.Tensor) -> torch.Tensor:
        seen.append(len(images))
        if len(images) > fits:
            msg = "CUDA out of memory"
            raise torch.cuda.OutOfMemoryError(msg)
        answer: torch.Tensor = model(images)
        return answer

    found = predict(replace(red, module=small), evaluation_set(10), batch_size=8)
    assert seen[: len(batches)] == batches  # then some images are asked again
    assert found.metadata["batch_size"] == str(final)
    assert found.table == predict(red, evaluation_set(10), device="cpu").table


def test_image_that_does_not_fit_alone_is_an_error(red: Classifier, evaluation_set: Make) -> None:
    def never(images: torch.Tensor) -> torch.Tensor:
        msg = "CUDA out of memory"
        raise torch.cuda.OutOfMemoryError(msg)

    with pytest.raises(ModelError, match="'red': one image does not fit into the memory of cpu"):
        predict(replace(red, module=never), evaluation_set(3))


@pytest.mark.parametrize(
    ("module", "got"),
    [
        pytest.param(always(1, 2, 3), r"a tensor of shape \(3, 3\)", id="too many labels"),
        pytest.param(lambda images: images, r"shape \(3, 3, 4, 4\)", id="no scores"),
        pytest.param(lambda images: images[0, :2, 0], r"shape \(2, 4\)", id="too few rows"),
        pytest.param(lambda images: (images, None), r"shape \(3, 3, 4, 4\)", id="tuple"),
        pytest.param(lambda _: "scores", "got str", id="text"),
    ],
)
def test_wrong_output_names_model_and_shapes(
    red: Classifier, evaluation_set: Make, module: Callable[..., Any], got: str
) -> None:
    with pytest.raises(
        ModelError, match=rf"model 'red': expected scores of shape \(3, 2\).*its 2 labels, .*{got}"
    ):
        predict(replace(red, module=module), evaluation_set(3))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), float("-inf")], ids=str)
def test_score_that_is_no_number_names_the_first_sample(
    red: Classifier, evaluation_set: Make, bad: float
) -> None:
    def breaks(images: torch.Tensor) -> torch.Tensor:
        found = torch.zeros(len(images), 2)
        found[images[:, 0, 0, 0] > 0.6, 1] = bad
        return found

    with pytest.raises(
        PredictionError,
        match=rf"'red' gives {bad} as score of 'woman' for sample 'person-3' of evaluation 'faces'"
        r", and scores that are NaN or infinite for 2 of 5",
    ):
        predict(replace(red, module=breaks), evaluation_set(5), batch_size=2)


def test_logarithm_of_zero_is_a_log_probability(red: Classifier, evaluation_set: Make) -> None:
    model = replace(red, module=always(0.0, float("-inf")), score="log_probability")
    assert predict(model, evaluation_set(2)).table["prediction"].to_pylist() == ["man", "man"]


@pytest.mark.parametrize(
    "row",
    [
        pytest.param((float("nan"), 0.0), id="nan"),
        pytest.param((float("inf"), 0.0), id="infinite"),
        pytest.param((float("-inf"), float("-inf")), id="no label is possible"),
    ],
)
def test_log_probability_must_still_name_a_class(
    red: Classifier, evaluation_set: Make, row: tuple[float, float]
) -> None:
    model = replace(red, module=always(*row), score="log_probability")
    with pytest.raises(PredictionError, match="for 2 of 2 samples"):
        predict(model, evaluation_set(2))


def test_class_that_the_model_cannot_predict_names_both_sets(
    red: Classifier, evaluation_set: Make
) -> None:
    with pytest.raises(
        ModelError,
        match="'red' cannot predict class 'woman' of evaluation 'faces': the model's classes are "
        "'man', 'lady', the evaluation's are 'woman', 'man'",
    ):
        predict(replace(red, labels=("man", "lady")), evaluation_set(3))


def test_broken_image_stops_the_run_and_names_the_sample(
    red: Classifier, evaluation_set: Make
) -> None:
    whole = evaluation_set(9)
    entries = list(whole.images.entries)
    entries[6] = b"no image"
    images = Images(entries, whole.images.ids, whole.images.rows)
    with pytest.raises(DataError, match=r"faces\.parquet, row 6, sample 'person-6': the image is"):
        predict(red, replace(whole, images=images), device="cpu", batch_size=2)


def test_preprocessing_must_give_one_shape(red: Classifier, evaluation_set: Make) -> None:
    def crop(image: Image) -> torch.Tensor:
        brightest = image.getextrema()[0]
        assert isinstance(brightest, tuple)
        return torch.zeros(3, 4, 4 if brightest[1] < 200 else 5)

    with pytest.raises(
        ModelError, match=r"gives \(3, 4, 5\) for sample 'person-3', but \(3, 4, 4\) for .*-2'"
    ):
        predict(replace(red, preprocess=crop), evaluation_set(4), device="cpu", batch_size=2)


def test_function_gets_its_images_on_the_cpu(
    red: Classifier, evaluation_set: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    found = predict(replace(red, module=always(0, 1)), evaluation_set(2))
    assert (found.metadata["device"], found.metadata["weights_sha256"]) == ("cpu", "")


def test_batch_size_must_be_positive(red: Classifier, evaluation_set: Make) -> None:
    with pytest.raises(ModelError, match="batch_size must be at least 1, got 0"):
        predict(red, evaluation_set(2), device="cpu", batch_size=0)
