"""Before any model runs: which questions of a policy an evaluation set can settle, and how."""

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.counterfactual import match
from pytest_fairness.gate.designs import Design, Levels, Target, design_of, target_of
from pytest_fairness.gate.details import FrozenRecord
from pytest_fairness.gate.estimates import group_rates, named
from pytest_fairness.gate.judging import judge_counts
from pytest_fairness.gate.multiplicity import first_step_level
from pytest_fairness.gate.questions import Question, ask, questions
from pytest_fairness.gate.record import Outcome, Verdict
from pytest_fairness.inference import Predictions
from pytest_fairness.policy import Evaluation, Policy
from pytest_fairness.policy.records import LimitKind
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.names import RateDefinition
from pytest_fairness.statistics.power import MOST_SAMPLES, Settled, smallest_size

__all__ = ["Plan", "PlannedQuestion"]
