"""A mean: how sure the model is of the class that it gives, 0 to 1."""

from pytest_fairness import SampleMean

SURENESS = SampleMean("sureness", "fairness_example.mean:sureness", bounds=(0, 1))


def sureness(predictions, evaluation):
    import numpy as np

    scores = predictions.table.select([f"score:{name}" for name in predictions.classes]).to_pandas()
    shares = np.exp(scores.to_numpy())
    return (shares / shares.sum(axis=1, keepdims=True)).max(axis=1)
