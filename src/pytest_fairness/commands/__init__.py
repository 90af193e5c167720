"""The commands of `pytest-fairness`, one module each."""
