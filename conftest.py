"""The reference gate's wiring: its models are fixtures; its policy is named in pyproject.toml."""

import os
from importlib.util import find_spec

from models.ads import ads
from models.baseline import baseline
from models.resnet18_celeba import resnet18_celeba
from models.se_resnet101 import se_resnet101
from models.skewed import skewed

__all__ = ["ads", "baseline", "resnet18_celeba", "se_resnet101", "skewed"]

if find_spec("hypothesis"):  # comes with the extra `test`; the gate runs without it
    from hypothesis import Phase, settings

    # A release may not depend on luck: examples are the same on every run.
    settings.register_profile("ci", derandomize=True, database=None, deadline=None)
    settings.register_profile("dev", deadline=None)
    settings.register_profile("nightly", deadline=None, max_examples=1000)
    # Many runs that only ask whether a test fails: never look for the smallest example.
    few = settings(derandomize=True, database=None, deadline=None, max_examples=20)
    settings.register_profile("mutants", few, phases=[Phase.explicit, Phase.generate])
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
