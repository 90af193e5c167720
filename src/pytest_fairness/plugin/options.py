"""The command line and ini keys of the gate, and what they say."""

from argparse import ArgumentTypeError, Namespace
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from pytest_fairness.plugin.inconclusive import WAYS, read_way
from pytest_fairness.wording import allowed_names

if TYPE_CHECKING:
    from pytest_fairness.inference.as_found import Precision

__all__ = ["OPTIONS_WITH_VALUE", "Settings", "add_options", "read_settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of the command line and the ini file."""

    policy: str | None
    models: tuple[str, ...]
    candidates: Mapping[str, str] = field(default_factory=dict)
    """Name of a model -> where it is, as the command line says."""
    allow_pickle: bool = False
    predictions: Mapping[str | None, Path] = field(default_factory=dict)
    baseline: Mapping[str | None, Path] = field(default_factory=dict)
    record: Path | None = None
    partial: bool = False
    release: bool = False
    """Whether only a run of all questions may end with 0."""
    exit_codes: bool = False
    inconclusive: str = WAYS[0]
    """How an inconclusive question that stops no release travels to pytest and its reports."""
    named: bool = False
    """Whether the command line names a model or predictions, so that questions are expected."""
    reports: tuple[tuple[str | None, Path], ...] = ()
    """Name of a report, or None where the ending tells it, and its file."""
    sign: Path | None = None
    save_predictions: Path | None = None
    explain: int = 0
    explain_folder: Path = Path("fairness-explanations")
    device: str = "auto"
    batch_size: int = 64
    precision: "Precision" = "strict"
    no_cache: bool = False
    cache_size: str = ""
    """Size limit of the cache as the ini file writes it; empty for the default."""


def parse_predictions(text: str) -> tuple[str | None, Path]:
    """Split `[EVALUATION=]FILE`. The file must exist."""
    return _split(text, "a Parquet, CSV, JSON Lines or NumPy file")


def parse_baseline(text: str) -> tuple[str | None, Path]:
    """Split `[EVALUATION=]FILE`. The file must exist."""
    return _split(text, "a run record (.json), or predictions as a Parquet or CSV file")


def _split(text: str, what: str) -> tuple[str | None, Path]:
    evaluation, equals, file = text.partition("=")
    if not equals or Path(text).exists():
        evaluation, file = "", text
    if not Path(file).is_file():
        msg = f"{file!r} is not a file; give {what}, or EVALUATION=FILE"
        raise ArgumentTypeError(msg)
    return evaluation or None, Path(file)


def parse_report(text: str) -> tuple[str | None, Path]:
    """Split `[NAME=]FILE`. A path may hold `=` itself.

    Example:
        >>> parse_report("text=summary.log")[0], parse_report("runs/a=1.txt")[0]
        ('text', None)
    """
    name, equals, file = text.partition("=")
    if equals and file and name.replace("-", "_").isidentifier():
        return name, Path(file)
    return None, Path(text)


def parse_batch_size(text: str) -> int:
    """Return a batch size of at least 1."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"got {text!r}, allowed is a whole number from 1"
        raise ArgumentTypeError(msg)
    return int(text)


_PRECISIONS = ("strict", "tf32", "bf16", "fp16")
_OPTIONS: Mapping[str, Mapping[str, Any]] = {
    "--fairness-policy": {
        "metavar": "FILE",
        "help": "Policy (TOML) that the models are judged by; ini: fairness_policy.",
    },
    "--fairness-model": {
        "action": "append",
        "default": [],
        "metavar": "NAME[=SPEC]",
        "help": "Model under test: the name of a fixture or of a [model.NAME] of the policy; or a "
        "candidate: NAME=file or folder of a model, NAME=package.module:function, or NAME=a TOML "
        "file with the keys of [model.NAME]. Repeatable; ini: fairness_models.",
    },
    "--fairness-allow-pickle": {
        "action": "store_true",
        "help": "Read models and checkpoints whose code could run when they are unpickled; the record "
        "says so.",
    },
    "--fairness-predictions": {
        "action": "append",
        "default": [],
        "type": parse_predictions,
        "metavar": "[EVALUATION=]FILE",
        "help": "Judge the predictions of a file (Parquet, CSV, JSON Lines; NumPy for a bare y_pred) instead "
        "of running a model. "
        "Repeatable, one file an evaluation.",
    },
    "--fairness-baseline": {
        "action": "append",
        "default": [],
        "type": parse_baseline,
        "metavar": "[EVALUATION=]FILE",
        "help": "Compare with the last release: a run record (JSON), or predictions (Parquet, CSV). "
        "Repeatable, one file an evaluation; ini: fairness_baseline.",
    },
    "--fairness-record": {
        "type": Path,
        "metavar": "FILE",
        "help": "Write the run record (JSON): verdicts, counts, policy, hashes, versions; and beside "
        "it the predictions (Parquet), so that a later run can be compared image by image.",
    },
    "--fairness-partial": {
        "action": "store_true",
        "help": "Ask a part of the questions (-k, -m, a test's id) without judging the release: exit 0 "
        "when none of those asked stops it. Such a run leaves no record.",
    },
    "--fairness-release": {
        "action": "store_true",
        "help": "This run decides about a release: it is red unless it asks and answers every question "
        "of the policy, and --fairness-partial is refused; ini: fairness_release.",
    },
    "--fairness-exit-codes": {
        "action": "store_true",
        "help": "Tell more by the exit code: 1 a question failed, 10 none failed but some cannot be "
        "told, 11 questions were not judged; ini: fairness_exit_codes.",
    },
    "--fairness-inconclusive": {
        "metavar": "WAY",
        "help": "How pytest and its reports see an inconclusive question that stops no release: warned "
        "(default: passed, with a line in the summary of warnings), skipped (with the reason), or "
        "passed. Exit code and record stay the same; ini: fairness_inconclusive.",
    },
    "--fairness-report": {
        "action": "append",
        "default": [],
        "type": parse_report,
        "metavar": "[NAME=]FILE",
        "help": "Write a report of the run, chosen by NAME or by the ending of FILE: text (.txt), or "
        "one that a package declares. Repeatable; pytest-fairness report does it later from a record.",
    },
    "--fairness-sign": {
        "type": Path,
        "metavar": "KEY",
        "help": "Sign the record with this private Ed25519 key (PEM): a statement (in-toto) is written "
        "beside it. Needs the extra pytest-fairness[sign].",
    },
    "--fairness-save-predictions": {
        "type": Path,
        "metavar": "DIR",
        "help": "Keep the predictions as DIR/MODEL-EVALUATION.parquet.",
    },
    "--fairness-explain": {
        "type": parse_batch_size,
        "default": 0,
        "metavar": "N",
        "help": "For each failing question, draw the N worst samples of the group with what the model "
        "looked at (Grad-CAM) and what spoke for and against its answer (LIME).",
    },
    "--fairness-explain-folder": {
        "type": Path,
        "default": Path("fairness-explanations"),
        "metavar": "DIR",
        "help": "Where the drawings are written (default fairness-explanations).",
    },
    "--fairness-device": {
        "default": "auto",
        "metavar": "DEVICE",
        "help": "Where models run: auto (default), cpu, cuda, cuda:1, mps.",
    },
    "--fairness-batch-size": {
        "type": parse_batch_size,
        "default": 64,
        "metavar": "N",
        "help": "Images in a batch (default 64).",
    },
    "--fairness-precision": {
        "choices": _PRECISIONS,
        "help": "How exactly models compute: strict 32-bit numbers (default), tf32 on CUDA cards, bf16 "
        "or fp16. All but strict also run up to 500 images strictly, and tell how many answers "
        "differ; ini: fairness_precision.",
    },
    "--fairness-no-cache": {
        "action": "store_true",
        "help": "Compute every score, and keep none for later runs (docs/cache.md); ini: fairness_no_cache.",
    },
}
"""Name of an option -> what the parser is told of it."""
OPTIONS_WITH_VALUE = frozenset(
    name for name, arguments in _OPTIONS.items() if arguments.get("action") != "store_true"
)


def add_options(parser: pytest.Parser) -> None:
    """Add the `--fairness-*` options and their ini keys."""
    group = parser.getgroup("fairness", "fairness gate")
    for name, arguments in _OPTIONS.items():
        group.addoption(name, **arguments)
    parser.addini("fairness_policy", "Policy file, relative to the root folder.", default=None)
    parser.addini(
        "fairness_baseline", "Record to compare with, relative to the root folder.", default=None
    )
    parser.addini("fairness_models", "Models under test.", type="args", default=[])
    parser.addini(
        "fairness_precision",
        "How exactly models compute: strict, tf32, bf16, fp16.",
        default="strict",
    )
    parser.addini(
        "fairness_release",
        "Refuse any run that does not ask all questions.",
        type="bool",
        default=False,
    )
    parser.addini(
        "fairness_inconclusive",
        "How pytest sees an inconclusive question: warned, skipped or passed.",
        default="",
    )
    parser.addini(
        "fairness_exit_codes",
        "Exit with 10 where nothing failed but some cannot be told, 11 where some was not judged.",
        type="bool",
        default=False,
    )
    parser.addini(
        "fairness_no_cache", "Compute every score in every run.", type="bool", default=False
    )
    parser.addini(
        "fairness_cache_size", 'Most that the cache of scores may hold, e.g. "2 GB".', default=""
    )


def read_settings(config: pytest.Config) -> Settings:
    """Return what the command line says, and the ini file where it is silent."""
    option = config.option
    policy = option.fairness_policy
    if policy is None:
        policy = _of_ini_file(config, "fairness_policy")
    predictions = _one_each(option.fairness_predictions, "--fairness-predictions")
    baseline = _one_each(option.fairness_baseline, "--fairness-baseline")
    if not baseline and (file := _of_ini_file(config, "fairness_baseline")):
        baseline = {None: Path(file)}
    release = option.fairness_release or bool(config.getini("fairness_release"))
    _refuse_contradictions(option, release=release, policy=policy)
    models = option.fairness_model or ([] if predictions else config.getini("fairness_models"))
    names, candidates = _candidates(models)
    return Settings(
        policy=policy,
        models=names,
        candidates=candidates,
        allow_pickle=option.fairness_allow_pickle,
        predictions=predictions,
        baseline=baseline,
        record=option.fairness_record,
        partial=option.fairness_partial,
        release=release,
        exit_codes=option.fairness_exit_codes or bool(config.getini("fairness_exit_codes")),
        inconclusive=_way(config),
        named=bool(option.fairness_model or predictions),
        reports=tuple(option.fairness_report),
        sign=option.fairness_sign,
        save_predictions=option.fairness_save_predictions,
        explain=option.fairness_explain,
        explain_folder=option.fairness_explain_folder,
        device=option.fairness_device,
        batch_size=option.fairness_batch_size,
        precision=_precision(config),
        no_cache=option.fairness_no_cache or bool(config.getini("fairness_no_cache")),
        cache_size=config.getini("fairness_cache_size"),
    )


def _precision(config: pytest.Config) -> "Precision":
    """The precision of the command line, or of the ini file where that is silent."""
    if config.option.fairness_precision is not None:
        return cast("Precision", config.option.fairness_precision)
    named = str(config.getini("fairness_precision"))
    if named not in _PRECISIONS:
        msg = f"fairness_precision = {named!r} in the ini file{allowed_names(named, _PRECISIONS)}"
        raise pytest.UsageError(msg)
    return cast("Precision", named)


def _way(config: pytest.Config) -> str:
    given = config.option.fairness_inconclusive
    if given is not None:
        return read_way(given, "--fairness-inconclusive")
    key = "fairness_inconclusive"
    return read_way(config.getini(key) or WAYS[0], f"{key} (ini file)")


def _of_ini_file(config: pytest.Config, key: str) -> str | None:
    """The file that a key of the ini file names, relative to the root folder."""
    file = config.getini(key)
    return _shortened(config.rootpath / file, config.invocation_params.dir) if file else None


def _refuse_contradictions(option: Namespace, *, release: bool, policy: str | None) -> None:
    """Refuse options that cannot both be followed."""
    if option.fairness_precision and option.fairness_predictions:
        msg = (
            "--fairness-precision: no model runs, because the predictions are those of a file; drop "
            "one of the two options"
        )
        raise pytest.UsageError(msg)
    if release and option.fairness_partial:
        msg = (
            "--fairness-partial: a run that decides about a release asks all questions; drop it, or "
            "--fairness-release (in the ini file: -o fairness_release=false)"
        )
        raise pytest.UsageError(msg)
    if release and policy is None:
        msg = "--fairness-release: there is no policy to judge by; name it with --fairness-policy FILE"
        raise pytest.UsageError(msg)
    if option.fairness_sign is not None and option.fairness_record is None:
        msg = (
            "--fairness-sign: there is nothing to sign; write a record with --fairness-record FILE"
        )
        raise pytest.UsageError(msg)
    if option.fairness_partial and (option.fairness_record or option.fairness_report):
        left = "--fairness-record" if option.fairness_record else "--fairness-report"
        msg = (
            "--fairness-partial: a run of a part of the questions leaves no record or report; drop "
            f"{left}, or ask all questions"
        )
        raise pytest.UsageError(msg)


def _candidates(given: Iterable[str]) -> tuple[tuple[str, ...], dict[str, str]]:
    """Split `NAME` and `NAME=SPEC` into names, and what is said about some of them."""
    names: dict[str, None] = {}
    candidates: dict[str, str] = {}
    for text in given:
        name, equals, spec = text.partition("=")
        if equals and not (name.strip() and spec.strip()):
            msg = f"--fairness-model: got {text!r}; write NAME, or NAME=file or folder of a model"
            raise pytest.UsageError(msg)
        if equals and candidates.setdefault(name, spec) != spec:
            msg = f"--fairness-model: two places for model {name!r}: {candidates[name]} and {spec}"
            raise pytest.UsageError(msg)
        names[name] = None
    return tuple(names), candidates


def _one_each(given: Iterable[tuple[str | None, Path]], option: str) -> dict[str | None, Path]:
    files: dict[str | None, Path] = {}
    for evaluation, file in given:
        if evaluation in files:
            msg = f"{option}: two files for {evaluation or 'the evaluation'}"
            raise pytest.UsageError(msg)
        files[evaluation] = file
    return files


def _shortened(path: Path, folder: Path) -> str:
    """The path as a person in `folder` would write it, for messages."""
    return str(path.relative_to(folder)) if path.is_relative_to(folder) else str(path)
