"""The models of one run: those of the policy, candidates of the command line, and fixtures."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_fairness.classifiers.classifier import Classifier
from pytest_fairness.classifiers.load import describe_model, load_model
from pytest_fairness.errors import ModelError
from pytest_fairness.policy.model_specs import ModelSpec, candidate
from pytest_fairness.policy.text.toml_text import toml_header

__all__ = ["ModelsUnderTest"]


@dataclass(slots=True)
class ModelsUnderTest:
    """Finds a model by its name and loads it once.

    Args:
        declared: `[model.NAME]` tables of the policy.
        candidates: Name -> what the command line says of it, which goes before the policy.
        allow_pickle: Whether files that could run code may be read in this run.
    """

    declared: Mapping[str, ModelSpec] = field(default_factory=dict)
    candidates: Mapping[str, str] = field(default_factory=dict)
    allow_pickle: bool = False
    _loaded: dict[str, Classifier] = field(default_factory=dict)

    def spec(self, name: str) -> ModelSpec | None:
        """Return where a model is, or None for a fixture that no table describes.

        Raises:
            PolicyError: What the command line says of it is malformed, or there is no such file.
        """
        base = self.declared.get(name)
        if name in self.candidates:
            return candidate(base, self.candidates[name], name=name)
        return base

    def needs_fixture(self, name: str) -> bool:
        """Return whether a fixture must give the model."""
        spec = self.spec(name)
        return spec is None or spec.kind == "fixture"

    def refuse_twin(self, name: str) -> str | None:
        """Return a complaint where a fixture has the name of a model that the policy loads."""
        base = self.declared.get(name)
        if base is None or base.kind == "fixture" or name in self.candidates:
            return None
        return (
            f"model {name!r} is both a fixture and the table {toml_header('model', name)} "
            f'({base.where}): rename one, or write kind = "fixture" in the table, which then '
            "describes what the fixture returns"
        )

    def find(self, name: str, fixture: Callable[[str], Any]) -> Classifier:
        """Return a model, loaded on its first use.

        Args:
            name: Its name.
            fixture: Gives the value of a fixture.

        Raises:
            ModelError: It cannot be loaded, or the fixture returns no model.
        """
        if name not in self._loaded:
            self._loaded[name] = self._load(name, fixture)
        return self._loaded[name]

    def _load(self, name: str, fixture: Callable[[str], Any]) -> Classifier:
        spec = self.spec(name)
        if spec is not None and spec.kind != "fixture":
            return load_model(spec, allow_pickle=self.allow_pickle)
        made = fixture(name)
        if spec is not None:
            return describe_model(made, spec)
        if not isinstance(made, Classifier):
            msg = (
                f"model {name!r}: its fixture returns {type(made).__name__}; return a Classifier, or "
                f"describe it in the policy: {toml_header('model', name)} with "
                'kind = "fixture", labels, score and preprocessing'
            )
            raise ModelError(msg)
        if made.nondeterministic == "tell":
            msg = (
                f'model {name!r}: nondeterministic = "tell" is for the policy to say; write it in '
                f'{toml_header("model", name)} with kind = "fixture"'
            )
            raise ModelError(msg)
        return made
