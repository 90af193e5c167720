"""What a data set holds, before a model is judged on it: `profile_data(request) -> DataProfile`.

`source` reads the table, `groups`, `columns` and `classes` count it, `scan` reads every image
once, from which follow `images`, `duplicates`, `leakage` and `audit`; `run` puts them together.
"""

from pytest_fairness.data.profile.record import DataProfile
from pytest_fairness.data.profile.request import AuditRequest, ProfileRequest, ProfileUsageError
from pytest_fairness.data.profile.run import profile_data

__all__ = ["AuditRequest", "DataProfile", "ProfileRequest", "ProfileUsageError", "profile_data"]
