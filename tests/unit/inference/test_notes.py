"""What a run record keeps of how a model was loaded and how its labels were read."""

import json

import torch

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.inference import predict


def test_the_record_says_how_label_groups_were_read(evaluation_set):
    module = torch.nn.Module()
    module.forward = lambda images: torch.tensor([[0.4, 0.3, 0.3]]).expand(len(images), 3)
    groups = {"man": ("man",), "woman": ("girl", "woman")}
    grouped = Classifier(
        "ads",
        module,
        ("man", "woman", "girl"),
        Preprocessing(size=8),
        score="probability",
        classes=groups,
        reduce="sum",
        notes={"model_file": "ads.pt2", "source": "is not overwritten"},
    )
    found = predict(grouped, evaluation_set(4), device="cpu")
    assert set(found.table["prediction"].to_pylist()) == {"woman"}
    expected = {
        "reduce": "sum",
        "reduce_compared": "max, sum, logsumexp",
        "reduce_disagreements": "4",
        "model_file": "ads.pt2",
        "source": "faces.parquet",
    }
    assert {key: found.metadata[key] for key in expected} == expected
    assert json.loads(found.metadata["label_groups"]) == {k: list(v) for k, v in groups.items()}


def test_the_hash_of_a_file_is_kept_where_there_is_no_module(evaluation_set):
    def scores(images):
        return torch.zeros(len(images), 2)

    plain = Classifier("x", scores, ("woman", "man"), Preprocessing(size=8), weights_sha256="ab")
    found = predict(plain, evaluation_set(2), device="cpu")
    assert found.metadata["weights_sha256"] == "ab"
    assert found.metadata["device"] == "cpu"
    assert "reduce" not in found.metadata
