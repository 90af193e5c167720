"""Hugging Face models of a local folder, random and tiny: no network, no code of the folder's own.

Importing transformers takes seconds, so there are few tests, and the folders are made once.
"""

import json
import os
import shutil
import socket

import pytest
import torch

from pytest_fairness.classifiers import load_model
from pytest_fairness.errors import ModelError

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # read once, when transformers is imported
os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
transformers = pytest.importorskip("transformers")

SIZES = {
    "hidden_size": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "intermediate_size": 8,
}
VISION = SIZES | {"image_size": 16, "patch_size": 8}
START, END = "<|startoftext|>", "<|endoftext|>"


@pytest.fixture(scope="module")
def vit(tmp_path_factory):
    """A ViT with three labels, and its processor."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("vit")
    labels = {0: "cat", 1: "woman", 2: "man"}
    config = transformers.ViTConfig(**VISION, id2label=labels)
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    transformers.ViTImageProcessor(size={"height": 16, "width": 16}).save_pretrained(folder)
    return folder


def tokenizer():
    """A tokenizer of single characters, written without a download."""
    letters = "aphotfmnwe"
    vocab = {
        name: i for i, name in enumerate([*letters, *(f"{c}</w>" for c in letters), START, END])
    }
    return transformers.CLIPTokenizer(vocab=vocab, merges=[], model_max_length=32), vocab


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("clip")
    tokens, vocab = tokenizer()
    ends = {"bos_token_id": vocab[START], "eos_token_id": vocab[END], "pad_token_id": vocab[END]}
    text = SIZES | {"vocab_size": len(vocab), "max_position_embeddings": 32} | ends
    config = transformers.CLIPConfig(text_config=text, vision_config=VISION, projection_dim=8)
    transformers.CLIPModel(config).save_pretrained(folder)
    size = {"size": {"shortest_edge": 16}, "crop_size": {"height": 16, "width": 16}}
    transformers.CLIPProcessor(transformers.CLIPImageProcessor(**size), tokens).save_pretrained(
        folder
    )
    return folder


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    def refuse(*args):
        pytest.fail(f"tried to reach the network: {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def test_a_classifier_brings_labels_and_processor(vit, image, scores):
    made = load_model(vit, name="vit")
    model = transformers.AutoModelForImageClassification.from_pretrained(vit).eval()
    inputs = transformers.AutoImageProcessor.from_pretrained(vit)(images=image, return_tensors="pt")
    with torch.inference_mode():
        expected = model(**inputs).logits
    assert torch.allclose(scores(made, 1), expected, atol=1e-6)
    assert (made.labels, made.score, made.activation) == (
        ("cat", "woman", "man"),
        "logit",
        "softmax",
    )
    assert '"image_processor_type": "ViTImageProcessor"' in repr(made.preprocess)
    assert "0x" not in repr(made.preprocess)
    assert made.notes["model_kind"] == "huggingface"


def test_a_folder_with_code_of_its_own_is_refused(vit, tmp_path, mark):
    folder = shutil.copytree(vit, tmp_path / "remote")
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {"AutoModelForImageClassification": "modeling.Net"}
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "modeling.py").write_text(f"open({str(mark)!r}, 'w')")
    with pytest.raises(ModelError, match=r"config\.json: auto_map runs Python files of the folder"):
        load_model(folder, allow_pickle=True)
    assert not mark.exists()


def test_weights_that_would_need_unpickling_are_refused(vit, tmp_path, evil, mark):
    folder = shutil.copytree(vit, tmp_path / "bin")
    (folder / "model.safetensors").unlink()
    torch.save({"weight": evil}, folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"pytorch_model\.bin: a checkpoint that holds more than"):
        load_model(folder)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("remove", "message"),
    [
        ("config.json", "has no config.json; give a folder that save_pretrained wrote"),
        ("preprocessor_config.json", "AutoImageProcessor cannot read it"),
        ("model.safetensors", "AutoModelForImageClassification cannot read it"),
    ],
)
def test_an_incomplete_folder_is_named(remove, message, vit, tmp_path):
    folder = shutil.copytree(vit, tmp_path / "part")
    (folder / remove).unlink()
    with pytest.raises(ModelError, match=message):
        load_model(folder)


def test_weights_that_do_not_fit_are_named(vit, tmp_path):
    folder = shutil.copytree(vit, tmp_path / "other")
    config = json.loads((folder / "config.json").read_text())
    config["num_hidden_layers"] = 2
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match=r"the weights do not fit ViTForImage.*missing_keys"):
        load_model(folder)


def test_zero_shot_logits_are_those_of_the_model_itself(clip, image, scores):
    made = load_model(
        {"path": str(clip), "prompts": {"man": "a photo of a man", "woman": ["a woman"]}},
        name="clip",
    )
    model = transformers.CLIPModel.from_pretrained(clip).eval()
    processor = transformers.CLIPProcessor.from_pretrained(clip)
    texts = ["a photo of a man", "a woman"]
    inputs = processor(text=texts, images=image, return_tensors="pt", padding=True)
    with torch.inference_mode():
        expected = model(**inputs).logits_per_image
    assert torch.allclose(scores(made, 1), expected, atol=1e-5)
    assert (made.labels, made.score, made.activation) == (("man", "woman"), "logit", "softmax")


def test_several_prompts_of_a_class_are_averaged_as_embeddings(clip, image, scores):
    prompts = {"man": ["a man", "a photo of a man"], "woman": "a woman"}
    made = load_model({"path": str(clip), "prompts": prompts})
    each = [
        load_model({"path": str(clip), "prompts": {"man": text, "woman": "a woman"}})
        for text in prompts["man"]
    ]
    mean = torch.stack([one.module.classes[0] for one in each]).mean(dim=0)
    assert torch.allclose(made.module.classes[0], mean / mean.norm(), atol=1e-6)
    low, high = sorted(float(scores(one, 1)[0, 0]) for one in each)
    assert low != high
    from pytest_fairness.classifiers.files.weights import hash_weights

    assert len({hash_weights(one.module) for one in (made, *each)}) == 3


def test_the_bias_of_siglip_counts_and_its_scores_are_sigmoids(tmp_path, image, scores):
    torch.manual_seed(0)
    tokens, vocab = tokenizer()
    ends = {"bos_token_id": vocab[START], "eos_token_id": vocab[END], "pad_token_id": vocab[END]}
    text = SIZES | {"vocab_size": len(vocab), "max_position_embeddings": 32} | ends
    config = transformers.SiglipConfig(text_config=text, vision_config=VISION)
    model = transformers.SiglipModel(config).eval()
    model.logit_bias.data.fill_(-3.0)
    model.save_pretrained(tmp_path)
    processor = transformers.SiglipImageProcessor(size={"height": 16, "width": 16})
    transformers.CLIPProcessor(processor, tokens).save_pretrained(tmp_path)
    made = load_model({"path": str(tmp_path), "prompts": {"man": "a man", "woman": "a woman"}})
    # As SigLIP was trained: texts filled up to the full length, and no attention mask.
    inputs = tokens(["a man", "a woman"], padding="max_length", return_tensors="pt")
    pixels = processor(images=image, return_tensors="pt")
    with torch.inference_mode():
        expected = model(input_ids=inputs["input_ids"], **pixels).logits_per_image
    assert torch.allclose(scores(made, 1), expected, atol=1e-5)
    assert made.activation == "sigmoid"


def test_a_model_without_texts_is_no_zero_shot_model(vit):
    with pytest.raises(ModelError, match=r"cannot read it|is no image-text model"):
        load_model({"path": str(vit), "kind": "zero_shot", "prompts": {"man": "a man"}})
