"""What one pytest session knows: the policy, the questions asked, the verdicts given."""

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from pytest_fairness.errors import FairnessError, PolicyError
from pytest_fairness.files import file_name, of_file
from pytest_fairness.plugin.options import Settings

if TYPE_CHECKING:
    from pytest_fairness.caching.cache import Cache
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.classifiers.under_test import ModelsUnderTest
    from pytest_fairness.gate.questions import Question
    from pytest_fairness.gate.record.run_record import JudgedRun, Verdict
    from pytest_fairness.gate.run import Judged
    from pytest_fairness.inference import Predictions
    from pytest_fairness.plugin.running.model_runs import ModelRuns
    from pytest_fairness.plugin.running.sharing import Shared
    from pytest_fairness.policy import Policy
    from pytest_fairness.report.explain import Explainer

__all__ = ["GateSession"]


@dataclass(slots=True)
class GateSession:
    """State of the gate in one process.

    Under xdist each worker has one, and so has the controller.
    """

    settings: Settings
    is_worker: bool = False
    """Whether this process is one of several of a run, which share what they judge."""
    progress: Callable[[str], None] = print
    problem: str | None = None
    _policy: "Policy | None" = None
    _everything: "list[Question] | None" = None
    _under_test: "ModelsUnderTest | None" = None
    _model_runs: "ModelRuns | None" = None
    _explainers: "dict[tuple[str, str], Explainer]" = field(default_factory=dict)
    _judged: "dict[tuple[str, str], Judged | Shared | FairnessError]" = field(default_factory=dict)
    runs: "dict[tuple[str, str], JudgedRun]" = field(default_factory=dict)
    verdicts: "dict[str, Verdict]" = field(default_factory=dict)
    _answers: "dict[str, Verdict]" = field(default_factory=dict)
    """Key of a question -> its verdict, asked for or not."""
    tests: dict[str, str] = field(default_factory=dict)
    """Key of a question -> id of the test that asked for its verdict."""
    judging: set[str] = field(default_factory=set)
    """Ids of the tests that asked for a verdict in this process."""
    extras: "dict[str, Verdict]" = field(default_factory=dict)
    """Verdicts on levels that only the data know: missing values that the policy does not declare."""
    kept: dict[tuple[str, str], Path] = field(default_factory=dict)
    """Predictions of this run, to be written beside its record."""
    selected: set[str] | None = None
    """Keys of the questions that this run asks; None before the tests are collected."""
    asking: set[str] = field(default_factory=set)
    """Ids of the tests that ask them."""
    not_written: str = ""
    """Why a file of the record could not be written."""
    errors: dict[tuple[str, str], str] = field(default_factory=dict)
    """Model and evaluation -> why they could not be judged."""
    _told: dict[str, str] = field(default_factory=dict)
    """An error -> id of the test that showed it."""
    not_asked: list[str] = field(default_factory=list)
    """Tests of which the policy asks nothing."""
    collected: bool = False
    deselected: int = 0
    today: dt.date = field(default_factory=lambda: dt.datetime.now(dt.UTC).date())
    """Day (UTC) on which waivers must still hold."""

    @property
    def policy(self) -> "Policy":
        """The policy, read on first use.

        Raises:
            PolicyError: There is none, or it is not valid.
        """
        if self._policy is None:
            from pytest_fairness.policy import load_policy

            if self.settings.policy is None:
                msg = (
                    "no policy: give one with --fairness-policy FILE or write "
                    'fairness_policy = "policy.toml" under [tool.pytest] in pyproject.toml'
                )
                raise PolicyError(msg)
            self._policy = load_policy(self.settings.policy)
        return self._policy

    @property
    def under_test(self) -> "ModelsUnderTest":
        """The models under test, those of the command line first."""
        if self._under_test is None:
            from pytest_fairness.classifiers.under_test import ModelsUnderTest

            self._under_test = ModelsUnderTest(
                self.policy.models,
                self.settings.candidates,
                allow_pickle=self.settings.allow_pickle,
            )
        return self._under_test

    @property
    def models(self) -> tuple[str, ...]:
        """The names of the models under test. Predictions from a file need no fixture.

        Raises:
            PolicyError: There is none.
        """
        if self.settings.models:
            return self.settings.models
        if self.settings.predictions:
            return ("predictions",)
        if self.policy.models:
            return tuple(self.policy.models)
        msg = (
            "no model under test: write [model.NAME] in the policy, name a fixture with "
            '--fairness-model NAME, or write fairness_models = ["NAME"] under [tool.pytest] in '
            "pyproject.toml"
        )
        raise PolicyError(msg)

    @property
    def without_predictions(self) -> set[str]:
        """The evaluations that have no file of predictions although others have one."""
        files = self.settings.predictions
        names = {self.policy.evaluation_named(name).name for name in files}
        return set(self.policy.evaluations) - names if names else set()

    @property
    def asked(self) -> "list[Question]":
        """The questions that tests ask: not those of evaluations that have no predictions."""
        lacking = self.without_predictions
        return [one for one in self.everything if one.evaluation not in lacking]

    @property
    def everything(self) -> "list[Question]":
        """The questions of the policy, of all its evaluations."""
        if self._everything is None:
            from pytest_fairness.gate.questions import questions

            self._everything = questions(self.policy, self.models)
        return self._everything

    def questions(
        self, metrics: Sequence[str] = (), *, against: str | None = "any"
    ) -> "list[Question]":
        """Return all questions, or those of some metrics.

        Args:
            metrics: Names of metrics; all when empty.
            against: `baseline` for the rules against it, None for all others, `any` for both.
        """
        return [
            question
            for question in self.asked
            if (not metrics or question.rule.metric.name in metrics)
            and against in ("any", question.rule.against)
        ]

    def judge(
        self,
        question: "Question",
        find_model: "Callable[[str], Classifier]",
        folder: Path,
        *,
        test: str,
    ) -> "Verdict":
        """Judge a question. The model runs once for all questions of an evaluation.

        Args:
            question: What is asked.
            find_model: Model under test by its name.
            folder: A folder that all processes of this run share.
            test: Id of the test that asks.

        Raises:
            FairnessError: The model, the data or the predictions cannot be used.
        """
        key = question.model, question.evaluation
        if key not in self._judged:
            try:
                self._judged[key] = (
                    self._judge_shared(question, find_model, folder)
                    if self.is_worker
                    else self._judge(question, find_model, folder)
                )
            except FairnessError as error:
                self._judged[key] = error
            except OSError as error:
                self._judged[key] = FairnessError(of_file(error))
        judged = self._judged[key]
        if isinstance(judged, FairnessError):
            self._raise_once(judged, key, test)
        if key not in self.runs:
            self._take(judged)
        verdict = self._answers[question.key]
        # Kept here and not read from the test's report, which other plugins may rewrite.
        self.verdicts[verdict.question] = verdict
        self.tests[verdict.question] = test
        self.judging.add(test)
        return verdict

    def _take(self, judged: "Judged | Shared") -> None:
        """Take over the verdicts of a model on an evaluation set, once for all its questions."""
        self.runs[judged.run.model, judged.run.evaluation] = judged.run
        answers = {verdict.question: verdict for verdict in judged.verdicts}
        self._answers |= answers
        asked = {question.key for question in self.everything}
        self.extras |= {key: verdict for key, verdict in answers.items() if key not in asked}

    def _raise_once(self, error: FairnessError, key: tuple[str, str], test: str) -> NoReturn:
        """Raise what keeps a model from being judged; after the first test, only where it is told."""
        text = f"{type(error).__name__}: {error}"
        self.errors.setdefault(key, text)
        first = self._told.setdefault(text, test)
        if first == test:
            raise error
        msg = f"model {key[0]!r} on evaluation {key[1]!r} could not be judged; {first} shows why"
        raise type(error)(msg)

    def _judge_shared(
        self, question: "Question", find_model: "Callable[[str], Classifier]", folder: Path
    ) -> "Shared":
        """Judge all questions of one model on one evaluation set, once for all processes."""
        from pytest_fairness.plugin.running.sharing import judged_once

        key = question.model, question.evaluation
        return judged_once(
            key, folder, lambda: self._judge(question, find_model, folder), self.kept
        )

    def _judge(
        self, question: "Question", find_model: "Callable[[str], Classifier]", folder: Path
    ) -> "Judged":
        """Judge all questions of one model on one evaluation set."""
        from pytest_fairness.gate.run import judge_predictions

        evaluation = self.policy.evaluations[question.evaluation]
        predictions = self.predictions(question.model, evaluation.name, find_model, folder)
        if self.settings.record is not None:
            self._keep(predictions, folder)
        baselines = self.settings.baseline
        return judge_predictions(
            self.policy,
            predictions,
            evaluation,
            baseline=baselines.get(evaluation.name) or baselines.get(None),
            today=self.today,
        )

    def _keep(self, predictions: "Predictions", folder: Path) -> None:
        """Keep predictions until the record is written; each process has a file of its own."""
        key = predictions.model, predictions.evaluation
        file = folder / file_name(*key, ending=f".{os.getpid()}.kept.parquet")
        try:
            predictions.to_parquet(file)
        except OSError as error:  # the verdicts stand; the record that lacks them is not written
            self.not_written = self.not_written or of_file(error)
        else:
            self.kept[key] = file

    def predictions(
        self,
        model: str,
        evaluation: str,
        find_model: "Callable[[str], Classifier]",
        folder: Path,
    ) -> "Predictions":
        """Return what a model answers on an evaluation set, from a file or by running it once.

        Args:
            model: Name of the model.
            evaluation: Name of the evaluation.
            find_model: Model under test by its name.
            folder: A folder that all processes of this run share.

        Raises:
            FairnessError: The model, the data or the predictions cannot be used.
        """
        chosen = self.policy.evaluations[evaluation]
        if files := self.settings.predictions:
            from pytest_fairness.inference import read_predictions

            file = files.get(evaluation) or files[None]  # None: the only evaluation
            return read_predictions(file, chosen, model=model)
        asked = [
            one
            for one in self.asked
            if (one.model, one.evaluation) == (model, evaluation)
            and (self.selected is None or one.key in self.selected)
        ]
        return self.model_runs.predictions(lambda: find_model(model), model, chosen, asked, folder)

    def explain(
        self, verdict: "Verdict", find_model: "Callable[[str], Classifier]", folder: Path
    ) -> str:
        """Draw why a question failed, and return where the drawing is, or why there is none.

        Args:
            verdict: The failure.
            find_model: Model under test by its name.
            folder: A folder that all processes of this run share.
        """
        if self.settings.predictions:
            return "not explained: predictions from a file, and no model to ask"
        from pytest_fairness.report.explain import Explainer

        key = verdict.model, verdict.evaluation
        if key not in self._explainers:
            evaluation = self.policy.evaluations[verdict.evaluation]
            self._explainers[key] = Explainer(
                find_model(verdict.model),
                self.model_runs.samples(evaluation),
                self.predictions(*key, find_model, folder),
                evaluation.positive,
                self.settings.device,
            )
        explainer = self._explainers[key]
        try:
            path = explainer.explain(
                verdict, self.settings.explain_folder, most=self.settings.explain
            )
        except FairnessError as error:
            return f"not explained: {error}"
        return f"explained in {path}" if path else "not explained: no sample counts against it"

    @property
    def model_runs(self) -> "ModelRuns":
        """The models and evaluation sets of this process."""
        if self._model_runs is None:
            from pytest_fairness.plugin.running.model_runs import ModelRuns

            self._model_runs = ModelRuns(self.settings, self.progress, self._cache_of)
        return self._model_runs

    def _cache_of(self, model: str) -> "Cache":
        """The cache as a model may use it in this run."""
        from pytest_fairness.plugin.running.cached import cache_of

        spec = self.under_test.spec(model)
        return cache_of(self.settings, spec, policy=self.policy.decision.cache)

    def payload(self) -> dict[str, Any]:
        """Return what an xdist worker sends to the controller."""
        return {
            "runs": [run.model_dump_json() for run in self.runs.values()],
            "verdicts": [verdict.model_dump_json() for verdict in self.verdicts.values()],
            "extras": [verdict.model_dump_json() for verdict in self.extras.values()],
            "tests": self.tests,
            "selected": sorted(self.selected or ()),
            "not_written": self.not_written,
            "asking": sorted(self.asking),
            "kept": [[*key, str(file)] for key, file in self.kept.items()],
            "collected": self.collected,
            "deselected": self.deselected,
            "problem": self.problem,
            "errors": [[*key, text] for key, text in self.errors.items()],
        }

    def merge(self, payload: Mapping[str, Any]) -> None:
        """Take over what a worker sent."""
        from pytest_fairness.gate.record.run_record import JudgedRun, Verdict

        for text in payload["runs"]:
            run = JudgedRun.model_validate_json(text)
            self.runs[run.model, run.evaluation] = run
        for model, evaluation, file in payload["kept"]:
            self.kept[model, evaluation] = Path(file)
        for model, evaluation, text in payload["errors"]:
            self.errors.setdefault((model, evaluation), text)
        for kind, verdicts in (("verdicts", self.verdicts), ("extras", self.extras)):
            for text in payload[kind]:
                verdict = Verdict.model_validate_json(text)
                verdicts[verdict.question] = verdict
        self.tests |= payload["tests"]
        self.selected = {*(self.selected or ()), *payload["selected"]}
        self.asking |= set(payload["asking"])
        self.not_written = self.not_written or payload["not_written"]
        self.collected = self.collected or payload["collected"]
        self.deselected = max(self.deselected, payload["deselected"])
        self.problem = self.problem or payload["problem"]
