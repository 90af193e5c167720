"""A mean: how sure the model is of the class that it gives, 0 to 1."""

from pytest_fairness import ObservedDefinition

SURENESS = ObservedDefinition("sureness", "sureness", derive="fairness_example.mean:sureness")


def sureness(predictions, evaluation, positive):
    import numpy as np

    scores = predictions.table.select([f"score:{name}" for name in predictions.classes]).to_pandas()
    shares = np.exp(scores.to_numpy())
    return (shares / shares.sum(axis=1, keepdims=True)).max(axis=1)
