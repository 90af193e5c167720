"""Whether a model computed as exactly as the policy asks."""

from collections.abc import Mapping

from pytest_fairness.errors import PredictionError
from pytest_fairness.policy import Policy

__all__ = ["check_computed", "precision_problem"]


def check_computed(policy: Policy, metadata: Mapping[str, str], *, model: str) -> None:
    """Refuse predictions that were computed less exactly than a policy asks.

    Predictions of a file that does not say how they were computed pass.

    Args:
        policy: The policy, with its `[precision]`.
        metadata: What the predictions say about themselves.
        model: Name of the model.

    Raises:
        PredictionError: Their precision is not allowed, or may change too many answers.
    """
    problem = precision_problem(policy, metadata)
    if problem:
        msg = f"model {model!r}: {problem}"
        raise PredictionError(msg)


def precision_problem(policy: Policy, metadata: Mapping[str, str]) -> str | None:
    """Return what `[precision]` of a policy does not allow, or None.

    Args:
        policy: The policy.
        metadata: What the predictions say about themselves.
    """
    rule, precision = policy.precision, metadata.get("precision")
    if precision is None:
        return None
    if rule.allowed is not None and precision not in rule.allowed:
        place = policy.document.place(("precision", "allowed"))
        return (
            f"it ran in precision {precision}, and {place} allows {', '.join(rule.allowed)}; "
            "leave out --fairness-precision, or give weights of 32 bits"
        )
    if rule.max_flips is None or precision == "strict":
        return None
    place = policy.document.place(("precision", "max_flips"))
    if "precision_flips_high" not in metadata:
        return (
            f"precision {precision} was compared with no strict run, and {place} bounds the answers that "
            "may change; allow only strict, or give weights of 32 bits"
        )
    high = float(metadata["precision_flips_high"])
    if high <= rule.max_flips:
        return None
    return (
        f"precision {precision} changed {metadata['precision_flips']} of "
        f"{metadata['precision_compared']} answers, which may be {high:.2%} of all, and {place} "
        f"allows {rule.max_flips:.2%}; run it without --fairness-precision"
    )
