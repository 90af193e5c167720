"""What `pytest-fairness init` cannot know or do, with the option that says it."""

from pytest_fairness.errors import FairnessError

__all__ = ["InitError"]


class InitError(FairnessError):
    """An option is missing, or a file exists already."""
