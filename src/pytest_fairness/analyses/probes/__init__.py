"""Linear probes: how well an attribute can be read off the layers of a model."""

from pytest_fairness.analyses.probes.activations import Activations, capture_activations
from pytest_fairness.analyses.probes.convex import SoftmaxFits, fit_softmax
from pytest_fairness.analyses.probes.kinds import ConvexProbe, Probe
from pytest_fairness.analyses.probes.layers import choose_layers
from pytest_fairness.analyses.probes.paper import PaperProbe
from pytest_fairness.analyses.probes.per_layer import ProbeObservation, observe_probes
from pytest_fairness.analyses.probes.pooling import pool_activations
from pytest_fairness.analyses.probes.probing import linear_probes
from pytest_fairness.analyses.probes.results import LinearProbes, ProbeResult

__all__ = [
    "Activations",
    "ConvexProbe",
    "LinearProbes",
    "PaperProbe",
    "Probe",
    "ProbeObservation",
    "ProbeResult",
    "SoftmaxFits",
    "capture_activations",
    "choose_layers",
    "fit_softmax",
    "linear_probes",
    "observe_probes",
    "pool_activations",
]
