"""Does a small change of the image harm one group more than another?"""

from pytest_fairness.analyses.perturbation.changes import Perturbation
from pytest_fairness.analyses.perturbation.parity import (
    Parity,
    perturbation_parity,
    perturbed_predictions,
)

__all__ = ["Parity", "Perturbation", "perturbation_parity", "perturbed_predictions"]
