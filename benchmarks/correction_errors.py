"""How often does a correction call a kept limit broken? `python -m benchmarks.correction_errors`.

All questions are about the same images: several metrics by sex, by tone and by their cross, so
that errors go together. `on the limit`: every true value lies on its limit, where a wrong failure
is likeliest. `one beyond`: one tone is far beyond its limits, all others lie on them, so that the
wrong failures of gatekeeping are those behind a gate that has failed.

Limits of rates can be broken in one direction only, those of differences in both; `mixed` has both.
`holm, weighted` is Holm's correction where the first rule weighs three times as much as the others.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.remembered import only_decisions
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.policy import load_policy
from pytest_fairness.statistics.counts import GroupCounts

__all__ = [
    "CORRECTIONS",
    "Outcome",
    "mixed_rules",
    "one_sided_rules",
    "simulate_corrections",
    "two_sided_rules",
]

CORRECTIONS = ("none", "holm", "holm, weighted", "max-t", "gatekeeping")
_WEIGHT = 3
_SEXES, _TONES = 2, 4
_RIGHT = 0.8
_BY = ["sex", "tone", "sex*tone"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a correction did in the runs.

    Args:
        wrong: Share of the runs in which some kept limit was called broken.
        found: Share of the broken limits that were called so; nan where none is broken.
        crossed: The same among intersections alone.
    """

    wrong: float
    found: float
    crossed: float


def one_sided_rules() -> list[dict[str, Any]]:
    """Five metrics of each group, with its true value as the limit."""
    return [
        {"metric": "accuracy", "by": _BY, "min": _RIGHT},
        {"metric": "true_positive_rate", "by": _BY, "min": _RIGHT},
        {"metric": "true_negative_rate", "by": _BY, "min": _RIGHT},
        {"metric": "false_negative_rate", "by": _BY, "max": 1 - _RIGHT},
        {"metric": "precision", "by": _BY, "min": _RIGHT},
    ]


def mixed_rules() -> list[dict[str, Any]]:
    """Two of each kind."""
    return one_sided_rules()[:2] + two_sided_rules()[:2]


def two_sided_rules() -> list[dict[str, Any]]:
    """Differences to a reference that may not differ from 0 at all."""
    names = ("accuracy", "true_positive_rate", "false_positive_rate", "selection_rate")
    return [{"metric": f"{name}_difference", "by": _BY, "max": 0.0} for name in names]


def simulate_corrections(
    rules: list[dict[str, Any]],
    *,
    size: int,
    beyond: bool,
    runs: int,
    seed: int,
    corrections: Sequence[str] = CORRECTIONS,
) -> dict[str, Outcome]:
    """Judge the same draws under each correction.

    Args:
        rules: Rules whose limits are the true values.
        size: Images of each crossing of sex and tone.
        beyond: Whether the model is right in half of the images of the last tone only.
        runs: Number of runs.
        seed: Seed of the draws.
        corrections: Some of `CORRECTIONS`.
    """
    rng = np.random.default_rng([seed, size, beyond])
    right = np.full((_SEXES, _TONES), _RIGHT)
    if beyond:
        right[:, -1] = 0.5
    policies = {name: _policy(rules, name) for name in corrections}
    wrong: dict[str, list[bool]] = {name: [] for name in corrections}
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in corrections}
    for _ in range(runs):
        counts = _draw(right, size, rng)
        for name, policy in policies.items():
            faces = policy.evaluations["faces"]
            verdicts = judge_counts(policy, counts, evaluation=faces, model="m")
            failed = np.array([one.outcome == "fail" for one in verdicts])
            # The groups by sex alone have images of the last tone, and so are off the limit too.
            last = np.array([one.group.get("tone") == f"t{_TONES - 1}" for one in verdicts])
            others = np.array(["tone" in one.group for one in verdicts]) & ~last
            crossed = last & np.array([len(one.group) == 2 for one in verdicts])
            wrong[name].append(bool(failed[others].any() if beyond else failed.any()))
            shares = float(failed[last].mean()), float(failed[crossed].mean())
            found[name].append(shares if beyond else (np.nan, np.nan))
    return {
        name: Outcome(float(np.mean(wrong[name])), *np.mean(found[name], axis=0).tolist())
        for name in wrong
    }


def _policy(rules: list[dict[str, Any]], correction: str) -> Any:
    levels = {
        "sex": [f"s{i}" for i in range(_SEXES)],
        "tone": [f"t{i}" for i in range(_TONES)],
    }
    evaluation = {"positive": "yes", "classes": ["no", "yes"], "attributes": levels}
    method, *weighted = correction.split(", ")
    weights = [_WEIGHT if weighted and i == 0 else 1 for i in range(len(rules))]
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", "correction": method},
            "evaluation": {"faces": evaluation | {"reference": {"sex": "s0", "tone": "t0"}}},
            "rule": [
                {"id": f"rule {i}", "weight": weights[i], **rule} for i, rule in enumerate(rules)
            ],
        }
    )


def _draw(right: NDArray[np.float64], size: int, rng: np.random.Generator) -> GroupCounts:
    """Half of the targets are positive; the model is right at the same rate in both halves."""
    cells = np.zeros((_SEXES, _TONES, 2, 2), dtype=np.int64)
    for target in (0, 1):
        hits = rng.binomial(size // 2, right)
        cells[..., target, target], cells[..., target, 1 - target] = hits, size // 2 - hits
    levels = {
        "sex": tuple(f"s{i}" for i in range(_SEXES)),
        "tone": tuple(f"t{i}" for i in range(_TONES)),
    }
    return GroupCounts(levels, ("no", "yes"), cells)


ASKED = {
    "5 rates": one_sided_rules(),
    "4 differences": two_sided_rules(),
    "mixed": mixed_rules(),
}


def rows(asked: list[str], sizes: list[int], *, runs: int, seed: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| questions | images a crossing | truth | " + " | ".join(CORRECTIONS) + " |"
    yield "|" + "---|" * (3 + len(CORRECTIONS))
    for name, size, beyond in product(asked, sizes, (False, True)):
        with only_decisions():
            found = simulate_corrections(
                ASKED[name], size=size, beyond=beyond, runs=runs, seed=seed
            )
        shown = [
            f"{one.wrong:.3f}"
            + (f" (finds {one.found:.2f}, crossed {one.crossed:.2f})" if beyond else "")
            for one in found.values()
        ]
        truth = "one beyond" if beyond else "on the limit"
        yield f"| {name} | {size} | {truth} | " + " | ".join(shown) + " |"


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=300)
    parser.add_argument("--sizes", type=int, nargs="*", default=[20, 100, 400])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--asked", nargs="*", default=list(ASKED), choices=list(ASKED))
    options = parser.parse_args()
    for row in rows(options.asked, options.sizes, runs=options.runs, seed=options.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
