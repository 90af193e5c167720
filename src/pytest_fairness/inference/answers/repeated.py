"""Whether answers are a function of the image: some images are asked again, in another batch."""

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.errors import ModelError
from pytest_fairness.inference.answers.remembered import Scorer
from pytest_fairness.wording import counted, listed

if TYPE_CHECKING:
    from pytest_fairness.data.images import Images

__all__ = ["Answer", "Asked", "ask_again"]

_MOST = 16
_SEED = 20_260_101
_SHOWN = 3
# Differences of scores, relative to the largest score, that rounding in another order can make.
_HALF, _TF32, _CARD, _CPU = 2e-2, 5e-3, 1e-3, 1e-4
_RANDOM = "two runs of the same batch differ too: something is random, or the model keeps a state"
_BATCH = (
    "the same batch got the same answers twice, so the other images of a batch seem to change an answer, "
    "as batch statistics do"
)

Scores = NDArray[np.floating]
# Scores (n, K) -> the answer to each image, in words.
Answer = Callable[[Scores], Sequence[str]]


class Asked(NamedTuple):
    """The images and the first answers of a model.

    Args:
        images: The images that could be read.
        scores: (N, K) their scores.
        answer: What scores mean.
    """

    images: "Images"
    scores: Scores
    answer: Answer


def ask_again(scorer: Scorer, asked: Asked, *, evaluation: str) -> dict[str, str]:
    """Run up to 16 images once more, in another order and other batches, and compare.

    Call it while the model is where it was run.

    Args:
        scorer: How the model was run. Answers of this check come from the cache where all of it is there.
        asked: What it answered at first.
        evaluation: Name of the evaluation.

    Returns:
        What the record says: `asked_again`, `asked_again_differ`, `asked_again_tolerance`; and of images
        that got another answer, `asked_again_images` (JSON: their ids) and `asked_again_cause`.

    Raises:
        ModelError: An image got another answer, or scores beyond the tolerance, and the policy does not
            let such a model be judged.
    """
    places = _chosen(len(asked.images))
    again = _scores(scorer, asked.images, places, purpose="asked again")
    tolerance = _tolerance(scorer)
    before, others = asked.scores[places], _differ(asked, asked.scores[places], again, tolerance)
    metadata = {
        "asked_again": str(len(places)),
        "asked_again_differ": str(int(others.sum())),
        "asked_again_tolerance": f"{tolerance:g}",
    }
    if not others.any():
        return metadata
    third = _scores(scorer, asked.images, places, purpose="asked a third time")
    cause = _RANDOM if _differ(asked, again, third, tolerance).any() else _BATCH
    ids = [asked.images.ids[place] for place in places[others]]
    if scorer.classifier.nondeterministic == "refuse":
        compared = _described(asked, before[others], again[others])
        msg = (
            f"model {scorer.classifier.name!r} on evaluation {evaluation!r}: its answers are no function "
            f"of the image. {counted(len(places), 'image was', 'images were')} asked again; {len(ids)} got {compared}: "
            f"{listed(ids[:_SHOWN])}; {cause}. Put the model into evaluation mode and take chance out of "
            'its preprocessing; or write nondeterministic = "tell" in its table of the policy'
        )
        raise ModelError(msg)
    listed_ids = json.dumps(ids, ensure_ascii=False)
    return metadata | {"asked_again_images": listed_ids, "asked_again_cause": cause}


def _chosen(n: int) -> NDArray[np.intp]:
    """Return up to 16 places among n, spread evenly, in another order than that of the set."""
    places = np.unique(np.linspace(0, n - 1, min(n, _MOST)).round().astype(np.intp))
    return np.random.default_rng(_SEED).permutation(places)


def _scores(scorer: Scorer, images: "Images", places: NDArray[np.intp], *, purpose: str) -> Scores:
    again = scorer.again(_batch_size(len(places), before=scorer.batch_size))
    return np.concatenate(list(again.scores(images.at(places.tolist()), purpose=purpose)))


def _batch_size(n: int, *, before: int) -> int:
    """Return another size of a batch: odd, since a balanced set has balanced batches of even sizes."""
    size = (n // 2 - 1) | 1 if n > 5 else (n + 1) // 2
    if n == 2 and before == 1:
        return 2
    return min(size, max(2, before))  # a larger batch might not fit into the memory


def _tolerance(scorer: Scorer) -> float:
    if scorer.half:
        return _HALF
    if scorer.precision == "tf32":
        return _TF32
    providers = scorer.classifier.notes.get("providers", "")
    on_cpu = scorer.device == "cpu" and providers in ("", "CPUExecutionProvider")
    return _CPU if on_cpu else _CARD


def _differ(asked: Asked, was: Scores, now: Scores, tolerance: float) -> NDArray[np.bool_]:
    """Return which images (n,) got another answer, or another score beyond the tolerance."""
    finite = was[np.isfinite(was)]
    bound = tolerance * max(1.0, float(np.abs(finite).max(initial=0.0)))
    with np.errstate(invalid="ignore"):
        near = (was == now) | (np.abs(was - now) <= bound)
    answers = np.array(asked.answer(was)) != np.array(asked.answer(now))
    return np.asarray(answers | ~near.all(axis=1))


def _described(asked: Asked, was: Scores, now: Scores) -> str:
    """Return by how much scores differ, and how many answers."""
    changed = np.count_nonzero(np.array(asked.answer(was)) != np.array(asked.answer(now)))
    with np.errstate(invalid="ignore"):
        gaps = np.abs(was - now)
    gap = float(gaps[np.isfinite(gaps)].max(initial=0.0))
    return f"other scores (by up to {gap:.2g}), {changed} of them another answer"
