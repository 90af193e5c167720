"""Zero-shot classifiers: an image-text model of a local folder, and sentences for each class."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional
from typing_extensions import override

from pytest_fairness.classifiers.found import Found, Loading
from pytest_fairness.classifiers.labels.labels import named_labels
from pytest_fairness.classifiers.sources.huggingface import (
    Processor,
    from_folder,
    import_transformers,
    local_folder,
)
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["load_zero_shot"]


def load_zero_shot(spec: "ModelSpec", _: Loading) -> Found:
    """Read an image-text model, such as CLIP or SigLIP, and embed the prompts of each class.

    A class's embedding is the mean of the unit embeddings of its prompts, made unit again; its
    logit is the scaled cosine to the image's.

    Source: Radford et al. (2021), "Learning Transferable Visual Models From Natural Language
    Supervision", section 3.1.4 (prompt ensembling); Zhai et al. (2023) for the bias of SigLIP.

    Raises:
        ModelError: transformers is missing, or the folder is no image-text model.
    """
    folder, sha256 = local_folder(spec)
    transformers = import_transformers(spec)
    model = from_folder(transformers.AutoModelForZeroShotImageClassification, folder)
    processor = from_folder(transformers.AutoProcessor, folder)
    if not hasattr(processor, "tokenizer") or not hasattr(model, "get_text_features"):
        msg = f"{folder}: {type(model).__name__} is no image-text model with a tokenizer; give one"
        raise ModelError(msg)
    module = _ZeroShot(model, _embedded(model, processor.tokenizer, spec.prompts))
    preprocess = None
    if spec.preprocessing is None:
        preprocess = Processor(processor.image_processor)
    return Found(
        module,
        named_labels(list(spec.prompts)),
        preprocess,
        score="logit",
        activation="sigmoid" if hasattr(model, "logit_bias") else "softmax",
        notes={
            "model_file": folder.name,
            "model_sha256": sha256,
            "prompts": str(dict(spec.prompts)),
        },
    )


def _embedded(model: Any, tokenizer: Any, prompts: Mapping[str, Sequence[str]]) -> torch.Tensor:
    """Return the unit embedding (K, D) of each class."""
    # SigLIP was trained on texts that are filled up to the full length, without an attention mask.
    siglip = hasattr(model, "logit_bias")
    how = {
        "padding": "max_length" if siglip else True,
        "max_length": model.config.text_config.max_position_embeddings,
        "truncation": True,
        "return_tensors": "pt",
    }
    rows = []
    with torch.inference_mode():
        for texts in prompts.values():
            tokens = dict(tokenizer(list(texts), **how))
            if siglip:
                tokens.pop("attention_mask", None)
            each = functional.normalize(_features(model.get_text_features(**tokens)), dim=-1)
            rows.append(functional.normalize(each.mean(dim=0), dim=-1))
    return torch.stack(rows).clone()


def _features(found: Any) -> torch.Tensor:
    """Return the embedding itself: transformers 5 wraps it in an output."""
    features: torch.Tensor = getattr(found, "pooler_output", found)
    return features


class _ZeroShot(nn.Module):
    """Logits of classes; their embeddings are a buffer, so the hash of the weights covers the prompts."""

    classes: torch.Tensor

    def __init__(self, model: Any, classes: torch.Tensor) -> None:
        super().__init__()
        self.model = model
        self.register_buffer("classes", classes.detach())

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        found = _features(self.model.get_image_features(pixel_values=images))
        logits: torch.Tensor = functional.normalize(found, dim=-1) @ self.classes.T
        logits = logits * self.model.logit_scale.exp()
        bias: torch.Tensor | None = getattr(self.model, "logit_bias", None)
        return logits if bias is None else logits + bias
