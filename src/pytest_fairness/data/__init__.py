"""Manifests -> `EvaluationSet`: groups are declared, and missing is a level of its own."""

from pytest_fairness.data.evaluation_set import EvaluationSet
from pytest_fairness.data.levels import MISSING
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.manifest import load_evaluation_set
from pytest_fairness.data.masks import Masks

__all__ = ["MISSING", "EvaluationSet", "Listing", "Masks", "Source", "load_evaluation_set"]
