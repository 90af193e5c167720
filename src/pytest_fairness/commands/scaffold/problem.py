"""What `pytest-fairness init` cannot know or do, with the option that says it."""

from pytest_fairness.errors import FairnessError

__all__ = ["InitError"]


class InitError(FairnessError):
    """Something is missing from the command line, or a file is in the way."""
