"""Each model runs once over each evaluation set, whatever the number of tests and processes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_fairness.files import file_name
from pytest_fairness.plugin.options import Settings

if TYPE_CHECKING:
    from pytest_fairness.caching.cache import Cache
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.gate.questions import Question
    from pytest_fairness.inference import Predictions
    from pytest_fairness.policy import Evaluation
from pytest_fairness.wording import counted

__all__ = ["ModelRuns"]


@dataclass(slots=True)
class ModelRuns:
    """The models and evaluation sets of one process, and what the models answered.

    Args:
        settings: Device, batch size, and where predictions are kept.
        progress: Called with a line of progress.
        cache_of: Gives the cache of a model.
    """

    settings: Settings
    progress: Callable[[str], None]
    cache_of: "Callable[[str], Cache]"
    _samples: "dict[str, EvaluationSet]" = field(default_factory=dict)
    _predictions: "dict[tuple[str, str], Predictions]" = field(default_factory=dict)

    def samples(self, evaluation: "Evaluation") -> "EvaluationSet":
        """Return the samples of an evaluation, read once.

        Raises:
            FairnessError: They cannot be used as they are.
        """
        from pytest_fairness.data import load_evaluation_set

        if evaluation.name not in self._samples:
            self._samples[evaluation.name] = load_evaluation_set(evaluation)
        return self._samples[evaluation.name]

    def predictions(
        self,
        classifier: "Callable[[], Classifier]",
        model: str,
        evaluation: "Evaluation",
        asked: "Sequence[Question]",
        folder: Path,
    ) -> "Predictions":
        """Predict, or wait for the worker that predicts. The workers share the file.

        Args:
            classifier: Gives the model under test.
            model: Its name.
            evaluation: What it is run on.
            asked: Questions that this run asks of both: their analyses are made too.
            folder: A folder that all processes of this run share.

        Raises:
            FairnessError: The model or the data cannot be used.
        """
        key = model, evaluation.name
        if key not in self._predictions:
            self._predictions[key] = self._predict_once(
                classifier, model, evaluation, asked, folder
            )
        return self._predictions[key]

    def _predict_once(
        self,
        classifier: "Callable[[], Classifier]",
        model: str,
        evaluation: "Evaluation",
        asked: "Sequence[Question]",
        folder: Path,
    ) -> "Predictions":
        from filelock import FileLock

        from pytest_fairness.gate.estimates.wanted import observe_wanted
        from pytest_fairness.inference import Predictions, predict

        kept = self.settings.save_predictions or folder
        for path in (folder, kept):
            path.mkdir(parents=True, exist_ok=True)
        file = kept / file_name(model, evaluation.name, ending=".parquet")
        done = folder / f"{file.name}.done"
        device, batch_size = self.settings.device, self.settings.batch_size
        what = f"{model} on {evaluation.name}"
        with FileLock(folder / f"{file.name}.lock"):
            if done.exists():
                return Predictions.from_parquet(file)
            found, samples, cache = classifier(), self.samples(evaluation), self.cache_of(model)
            predictions = predict(
                found,
                samples,
                device=device,
                batch_size=batch_size,
                precision=self.settings.precision,
                cache=cache,
                progress=lambda n, total: self.progress(
                    f"{what}: {n:,} of {counted(total, 'image')}"
                ),
            )
            predictions = observe_wanted(
                asked, found, samples, predictions, evaluation=evaluation, device=device,
                batch_size=batch_size,
                progress=lambda part, n, total: self.progress(
                    f"{what}, {part}: {n:,} of {total:,}"
                ),
            )  # fmt: skip
            cache.store.close()
            predictions.to_parquet(file)
            done.touch()
            return predictions
