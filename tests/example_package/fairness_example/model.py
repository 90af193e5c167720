"""A kind of model: the left half of an image is bright enough, or it is not."""

from pytest_fairness import Classifier, ModelKind, Preprocessing

BRIGHT_HALF = ModelKind("bright_half", "fairness_example.model:load", endings=(".half",))


def load(spec, loading):
    import torch

    limit = float(spec.path.read_text(encoding="utf-8"))

    def scores(images):
        bright = images[..., : images.shape[-1] // 2].mean((1, 2, 3))
        return torch.stack([limit - bright, bright - limit], dim=1)

    return Classifier(spec.name, scores, ("dark", "bright"), Preprocessing(size=8))
