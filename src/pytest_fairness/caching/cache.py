"""The cache of one run: where it is, whether it may be used, and what the record says of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_fairness.caching.batches import KeptBatches
from pytest_fairness.caching.keys import key_of
from pytest_fairness.caching.store import Store
from pytest_fairness.policy.model_specs import ModelSpec

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
from pytest_fairness.wording import counted

__all__ = ["Cache"]


@dataclass(frozen=True, slots=True)
class Cache:
    """Scores of former runs, for one model.

    Args:
        store: Where they are kept.
        spec: The table of the model in the policy; None for a fixture without one.
        refused: Who refuses the cache in this run; empty where it may be used.
    """

    store: Store
    spec: ModelSpec | None = None
    refused: str = ""

    def batches(self, classifier: "Classifier", settings: Mapping[str, str]) -> KeptBatches:
        """Return what is kept of a model.

        Args:
            classifier: The model.
            settings: How it is run: device, batch size, precision.

        Raises:
            Unidentified: It cannot be told what decides its scores.
        """
        return KeptBatches(self.store, key_of(classifier, settings, self.spec))

    def told(self, remembered: int, n: int, why_not: str) -> dict[str, str]:
        """Return what the record says: how many images came from the cache, or why none could."""
        if self.refused:
            return {"cache": f"refused by {self.refused}"}
        if why_not:
            return {"cache": f"not used: {why_not}"}
        if self.store.problem and not remembered:
            return {"cache": f"broken: {self.store.problem}"}
        return {"cache": f"{remembered:,} of {counted(n, 'image')}"}
