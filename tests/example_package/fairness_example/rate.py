"""A rate: how many samples of a group are positive, whatever the model says."""

from pytest_fairness import FN, FP, TN, TP, Rate

PREVALENCE = Rate("prevalence", "prevalence", seen=TP | FN, among=TP | FP | FN | TN)
