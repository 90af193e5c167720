"""Errors that users meet: each says where, what was got, what is allowed and what to do."""

from pytest_fairness.wording import printable_lines

__all__ = [
    "AttestationError",
    "CacheError",
    "DataError",
    "DeclarationError",
    "FairnessError",
    "ModelError",
    "PolicyError",
    "PredictionError",
    "SigningKeyError",
    "UnknownNameError",
]


class FairnessError(Exception):
    """Base of every error that this package raises on purpose."""

    def __str__(self) -> str:  # type: ignore[explicit-override]
        """Return the message, with the names in it printable."""
        return printable_lines(super().__str__())


class PolicyError(FairnessError):
    """The policy file is missing, malformed, or asks for something that cannot be judged."""


class DeclarationError(FairnessError):
    """A declaration is not valid, cannot be loaded, or has a name that is taken."""


class UnknownNameError(DeclarationError, KeyError):
    """Nobody declares a name that a policy, a record or a command line asks for."""

    def __str__(self) -> str:  # type: ignore[explicit-override]
        """Return the message as it is; `KeyError` would quote it."""
        return printable_lines(str(self.args[0]))


class DataError(FairnessError):
    """The manifest or an image of the evaluation set cannot be used as it is."""


class ModelError(FairnessError):
    """The model under test cannot be loaded or does not give the outputs that it declares."""


class PredictionError(FairnessError):
    """Predictions are incomplete, duplicated, or hold values that are not allowed."""


class AttestationError(FairnessError):
    """The signed statement about a record is missing, or does not vouch for it."""


class SigningKeyError(FairnessError):
    """A key cannot be used for signatures, or the package that makes them is not installed."""


class CacheError(FairnessError):
    """The cache of scores cannot be used as it is asked for."""
