"""An analysis: how often a mirrored image is given another class."""

from pytest_fairness import Analysis, ObservedDefinition, OfKind

FLIP_RATE = ObservedDefinition("mirror_flip_rate", "flip rate", higher_is_better=False, binary=True)
ALONG = OfKind("direction", '["left-right"]')
MIRROR = Analysis(
    "mirror", "mirrored images", (FLIP_RATE,), "fairness_example.analysis:observe", ALONG
)


def observe(classifier, samples, predictions, wanted, run):
    from dataclasses import replace

    from pytest_fairness.inference import Observed, observation, predict

    mirrored = replace(classifier, module=lambda images: classifier.module(images.flip(-1)))
    after = predict(mirrored, samples, device=run.device).table["prediction"].to_numpy()
    flipped = (after != predictions.table["prediction"].to_numpy()).astype(float)
    return Observed({observation(one.measure, one.of): flipped for one in wanted}, {})
