"""The policies that a policy extends, each as it stands alone: what fails by one of them fails.

A child may raise `level` or `min_samples`, or add questions among which a failure may be chance.
So each file that it extends is judged by itself too: its own questions, limits and correction.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.text.document import Document
from pytest_fairness.policy.tightening.compare_rules import has_limit

__all__ = ["alone"]

_Resolved = TypeVar("_Resolved")
_JUDGED = ("decision", "evaluation", "rule")


def alone(
    documents: Sequence[Document], resolve: Callable[[int, Document], _Resolved]
) -> list[_Resolved]:
    """Return each policy that another extends, resolved by itself, where it asks something.

    A file without an evaluation that its rules can be asked of takes those of the next file that
    has them.

    Args:
        documents: The effective policy of each file, the one that extends nothing first; the last
            one is the policy that was asked for.
        resolve: Position and document -> the resolved policy.

    Raises:
        PolicyError: The rules of a file cannot be asked of any of these evaluations.
    """
    resolved = []
    for position, document in enumerate(documents[:-1]):
        if _judged(document) == _judged(documents[position + 1]):
            continue  # the next file changes no answer
        if any(map(has_limit, document.tables("rule"))):
            resolved.append(_first(position, _completed(documents[position:]), resolve))
    return resolved


def _judged(document: Document) -> list[Any]:
    return [document.raw.get(key) for key in _JUDGED]


def _first(
    position: int,
    candidates: Iterator[Document],
    resolve: Callable[[int, Document], _Resolved],
) -> _Resolved:
    problem = PolicyError("no evaluation")
    for document in candidates:
        try:
            return resolve(position, document)
        except PolicyError as error:
            problem = error
    raise problem


def _completed(documents: Sequence[Document]) -> Iterator[Document]:
    """The first document with its own evaluations, then with those of each after it."""
    own = documents[0]
    kept = [(i, rule) for i, rule in enumerate(own.tables("rule")) if has_limit(rule)]
    origins = {path: place for path, place in own.origins.items() if path[:1] != ("rule",)}
    for number, (index, _) in enumerate(kept):
        origins |= {
            ("rule", number, *path[2:]): place
            for path, place in own.origins.items()
            if path[:2] == ("rule", index)
        }
    for document in documents:
        if evaluations := document.table("evaluation"):
            raw = {
                "schema": 1,
                # What an open question does is the child's to say; only failures are carried over.
                "decision": {"inconclusive": "warn", **own.table("decision")},
                "evaluation": evaluations,
                "rule": [rule for _, rule in kept],
            }
            yield Document(own.name, raw, {**document.origins, **origins})
