"""What is planned is decided as the gate decides it, at the gate's own levels."""

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import judge, load_policy
from pytest_fairness.gate.questions import questions
from pytest_fairness.planning.designs import Levels, design_of, target_of
from pytest_fairness.statistics.looks import Looks, look_level
from pytest_fairness.statistics.power.margins import Margins
from pytest_fairness.statistics.power.power import pair_power, rate_power

TONES = ["light", "medium", "dark"]


def policy_of(metric: str, reference: str | None, *, looks: Looks = 1, **limit):
    compared = {} if reference is None else {"reference": reference}
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", "correction": "none", "looks": looks},
            "evaluation": {"faces": {"classes": ["no", "yes"], "attributes": {"tone": TONES}}},
            "rule": [{"metric": metric, "by": ["tone"], **compared} | limit],
        }
    )


def design_for(policy, sizes):
    question = questions(policy, ["m"])[-1]
    return design_of(
        question,
        [{"tone": tone} for tone in TONES],
        sizes=sizes,
        base=0.5,
        target=target_of(question),
        levels=Levels(kept=0.95, broken=0.95, looks=policy.decision.looks),
    )


def fails(policy, right, sizes) -> bool:
    """Whether the gate calls the last question a failure when so many of each group are right."""
    frame = pd.DataFrame({"tone": np.repeat(TONES, sizes), "target": "no"})
    hits = np.concatenate([np.arange(n) < x for x, n in zip(right, sizes, strict=True)])
    record = judge(policy, frame.assign(prediction=np.where(hits, "no", "yes")))
    return record.verdicts[-1].outcome == "fail"


@pytest.mark.parametrize(("looks", "sizes_tried"), [(1, range(4, 20)), ("any", range(16, 52, 4))])
@pytest.mark.parametrize("reference", ["all", "best"])
def test_a_question_can_fail_where_the_gate_fails_the_worst_result_and_only_there(
    reference, looks, sizes_tried
):
    policy = policy_of("accuracy_difference", reference, max=0.5, looks=looks)
    found = []
    for n in sizes_tried:
        sizes = np.array([n, n, n])
        design = design_for(policy, sizes)
        # The last group is always wrong, the others are always right.
        found.append(fails(policy, (n, n, 0), sizes))
        assert design.can_fail(sizes) == found[-1], n
    assert set(found) == {True, False}


def test_the_power_over_all_groups_pays_for_every_pair():
    sizes = np.array([150, 120, 90])
    policy = policy_of("accuracy_difference", "all", max=0.1)
    design = design_for(policy, sizes)
    # The two smallest groups lie 0.3 apart; the failure is that of one pair among three.
    expected = pair_power(
        (0.5, 0.8),
        (120, 90),
        kind="difference",
        margins=Margins(-0.1, 0.1),
        confidence=1 - 0.05 / 3,
        settled="broken",
    )
    assert 0.1 < expected < 0.99
    assert design.power(0.3, sizes, "broken") == pytest.approx(expected, abs=1e-6)


def test_the_power_against_the_best_pays_for_every_rival():
    sizes = np.array([150, 120, 90])
    policy = policy_of("accuracy_difference", "best", max=0.1)
    design = design_for(policy, sizes)
    expected = max(
        float(
            pair_power(
                (0.25, 0.5),
                (90, rival),
                kind="difference",
                margins=Margins(-0.1, 1.0),
                confidence=1 - 0.05 / 2,
                settled="broken",
            )
        )
        for rival in (150, 120)
    )
    assert 0.1 < expected < 0.99
    assert design.power(-0.25, sizes, "broken") == pytest.approx(expected, abs=1e-6)


def test_a_passing_question_pays_for_no_pair():
    sizes = np.array([900, 700, 600])
    policy = policy_of("accuracy_difference", "all", max=0.1)
    design = design_for(policy, sizes)
    misses = sum(
        1
        - pair_power(
            (0.5, 0.5), pair, kind="difference", margins=Margins(-0.1, 0.1), confidence=0.95,
            settled="kept",
        )
        for pair in ((900, 700), (900, 600), (700, 600))
    )  # fmt: skip
    assert design.power(0.0, sizes, "kept") == pytest.approx(max(1 - misses, 0), abs=1e-6)


def test_what_is_planned_for_several_looks_is_decided_at_the_level_of_each_size():
    sizes = np.array([[150, 150, 5], [150, 150, 100], [150, 150, 400]])
    alone = design_for(policy_of("accuracy", None, min=0.8, looks="any"), sizes[0])
    margins = Margins(0.8, 1.0)
    expected = [0.0] + [
        float(
            rate_power(
                0.9,
                n,
                margins=margins,
                confidence=float(look_level(0.95, n, "any")),
                settled="kept",
            )
        )
        for n in (100, 400)
    ]
    assert alone.power(0.9, sizes, "kept").tolist() == pytest.approx(expected, abs=0.02)
    assert not alone.can_fail(sizes[0])
    assert alone.can_fail(sizes[1])


def test_the_power_of_pairs_takes_a_level_for_each():
    levels = np.array([0.95, 0.99, 1.0])
    rates, sizes = (0.2, 0.2), ([300] * 3, [300] * 3)
    margins = Margins(-0.1, 0.1)
    found = pair_power(
        rates, sizes, kind="difference", margins=margins, confidence=levels, settled="kept"
    )
    for power, level in zip(found[:2], levels[:2].tolist(), strict=True):
        one = pair_power(
            rates, (300, 300), kind="difference", margins=margins, confidence=level, settled="kept"
        )
        assert power == one
    assert found[2] == 0
