"""What a reader must know of the runs of a record beside the verdicts, one line each."""

import json
from collections.abc import Mapping

from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord
from pytest_fairness.report.messages import number_of_looks
from pytest_fairness.statistics.looks import Looks
from pytest_fairness.wording import counted

__all__ = ["look_lines", "model_lines"]


def model_lines(record: RunRecord) -> list[str]:
    """Return what of a record's models could change how its numbers are trusted."""
    found = [text for run in record.runs for text in _of(run)]
    return list(dict.fromkeys(found))


def _of(run: JudgedRun) -> list[str]:
    metadata = run.metadata
    name = f"{run.model} on {run.evaluation}"
    lines = []
    if metadata.get("ground_truth") == "predictions":
        lines.append(f"{run.model} on {run.evaluation}: ground truth from the predictions file")
    if count := int(metadata.get("reduce_disagreements", 0)):
        lines.append(
            f"{run.model} on {run.evaluation}: label groups are read by {metadata['reduce']}; "
            f"{metadata['reduce_compared']} disagree on {count:,} of {counted(run.n, 'sample')}"
        )
    lines += [f"{name}: {text}" for text in json.loads(metadata.get("contradictions", "[]"))]
    if text := metadata.get("below_chance"):
        lines.append(
            f"WARNING {name}: {text}. A model that guesses is right more often: are the labels in the "
            "order of the score columns?"
        )
    if differ := int(metadata.get("asked_again_differ", 0)):
        lines.append(
            f"WARNING {name}: {differ} of {counted(int(metadata['asked_again']), 'image')} that were asked again got "
            f'another answer, and nondeterministic = "tell" lets that pass; {metadata["asked_again_cause"]}'
        )
    cache = metadata.get("cache", "")
    if cache.startswith("broken"):
        lines.append(f"{name}: the cache of scores is not used: {cache.removeprefix('broken: ')}")
    elif cache[:1].isdigit() and not cache.startswith("0 "):
        lines.append(f"{name}: the scores of {cache} are from the cache")
    lines += [f"{name}: {text}" for text in _precision(metadata)]
    if prefix := metadata.get("weights_prefix"):
        lines.append(f"{run.model}: {prefix!r} before the name of every weight was taken off")
    if single := metadata.get("single_score"):
        lines.append(f"{run.model}: gives one score an image, read as that {single}")
    if file := metadata.get("unpickled"):
        lines.append(f"{run.model}: code in {file} could run when it was read")
    if legacy := metadata.get("legacy"):
        lines.append(f"{run.model}: {legacy}")
    return lines


def _precision(metadata: Mapping[str, str]) -> list[str]:
    precision = metadata.get("precision", "strict")
    if compared := metadata.get("precision_compared"):
        low, high = (float(metadata[f"precision_flips_{end}"]) for end in ("low", "high"))
        return [
            (
                f"precision {precision} changed {metadata['precision_flips']} of {compared} answers, "
                f"{low:.2%} to {high:.2%} of all"
            )
        ]
    return [] if precision == "strict" else [f"computed in {precision} precision"]


def look_lines(record: RunRecord) -> list[str]:
    """Return one line for each set that was judged before, and one for each record that tells nothing of it."""
    looks = [
        text for run in record.runs if (text := _look_line(run, record.policy.looks)) is not None
    ]
    return looks + [
        f"{file}: this record cannot be read, so the looks it holds are not counted; remove it, or "
        "read it with the release that wrote it"
        for file in record.unread
    ]


def _look_line(run: JudgedRun, looks: Looks) -> str | None:
    look = run.look
    if look is None:
        return None
    policy = "" if look.same_policy else ", by another policy"
    seen = (
        f"{run.model} on {run.evaluation}: look {look.number}, {counted(look.n, 'image')}; the look before had "
        f"{look.n_before:,} ({look.source}{policy})"
    )
    if looks == "any" or look.number <= looks:
        return f"{seen}; the intervals hold at {number_of_looks(looks)}"
    return (
        f"{seen}; the policy allows {looks} look{'s' * (looks != 1)}, so a verdict is wrong more often "
        "than its level says: raise looks in [decision]"
    )
