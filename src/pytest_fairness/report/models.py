"""What a reader must know about how a model was loaded and read, one line each."""

from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord

__all__ = ["model_lines"]


def model_lines(record: RunRecord) -> list[str]:
    """Return what of a record's models could change how its numbers are trusted."""
    found = [text for run in record.runs for text in _of(run)]
    return list(dict.fromkeys(found))


def _of(run: JudgedRun) -> list[str]:
    metadata = run.metadata
    lines = []
    if count := int(metadata.get("reduce_disagreements", 0)):
        lines.append(
            f"{run.model} on {run.evaluation}: label groups are read by {metadata['reduce']}; "
            f"{metadata['reduce_compared']} disagree on {count:,} of {run.n:,} samples"
        )
    if file := metadata.get("unpickled"):
        lines.append(f"{run.model}: code in {file} could run when it was read")
    if legacy := metadata.get("legacy"):
        lines.append(f"{run.model}: {legacy}")
    return lines
