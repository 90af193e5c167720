"""What both models do to an image before they look at it."""

from pytest_fairness.classifiers import Preprocessing

__all__ = ["PREPROCESSING"]

PREPROCESSING = Preprocessing(size=48, mean=(0.5, 0.5, 0.5), std=(0.25, 0.25, 0.25))
