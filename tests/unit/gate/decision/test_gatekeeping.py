"""An intersection may fail once one of its attributes has, and weights say whose error it is."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from pytest_fairness import load_policy
from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.decision.gatekeeping import Gatekeeping, gates_of
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.decision.multiplicity import Fixed, Holm, Shares
from pytest_fairness.gate.questions import questions
from pytest_fairness.statistics.counts import GroupCounts

LEVELS = {"sex": ("f", "m"), "tone": ("l", "d")}
ACCURACY = {"metric": "accuracy", "by": ["sex", "tone", "sex*tone"], "min": 0.8}


def policy_of(*rules: dict, correction: str = "gatekeeping", reference: dict | None = None):
    faces = {
        "positive": "yes",
        "classes": ["no", "yes"],
        "attributes": {name: list(levels) for name, levels in LEVELS.items()},
        "reference": reference or {},
    }
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", "correction": correction},
            "evaluation": {"faces": faces},
            "rule": [{"id": f"rule {i}", **rule} for i, rule in enumerate(rules)],
        }
    )


def gates(*rules: dict, reference: dict | None = None) -> dict[str, set[str]]:
    """Intersection -> its gates, by their levels; `all` where all groups are compared."""
    asked = questions(policy_of(*rules, reference=reference), ["m"])
    found: dict[str, set[str]] = {}
    for gate, behind in gates_of(asked):
        found.setdefault(name_of(asked[behind]), set()).add(name_of(asked[gate]))
    return found


def name_of(question) -> str:
    return "*".join(question.group.values()) or f"all {'*'.join(question.by)}"


def test_the_questions_of_its_attributes_stand_before_an_intersection():
    assert gates(ACCURACY) == {
        "f*l": {"f", "l"},
        "f*d": {"f", "d"},
        "m*l": {"m", "l"},
        "m*d": {"m", "d"},
    }


def test_a_reference_is_no_gate_and_what_has_no_gate_is_looked_at_first():
    rule = {"metric": "accuracy_difference", "by": ["sex", "tone", "sex*tone"], "max": 0.1}
    reference = {"sex": "m", "tone": "l"}
    assert gates(rule, reference=reference) == {"f*l": {"f"}, "f*d": {"f", "d"}, "m*d": {"d"}}
    by = {"by": ["sex", "sex*tone"]}
    assert gates(rule | by, reference=reference) == {"f*l": {"f"}, "f*d": {"f"}}


def test_where_all_groups_are_compared_so_are_those_of_the_gates():
    rule = {"metric": "accuracy_difference", "by": ["sex", "tone", "sex*tone"], "max": 0.1}
    assert gates(rule) == {"all sex*tone": {"all sex", "all tone"}}
    assert gates(rule, reference={"sex": "m"}) == {"all sex*tone": {"f", "all tone"}}


def test_rules_classes_and_all_samples_together_are_no_gates():
    assert gates(ACCURACY | {"by": ["overall", "sex*tone"]}) == {}
    assert gates(ACCURACY | {"by": ["sex"]}, ACCURACY | {"by": ["sex*tone"]}) == {}
    rates = {"metric": "true_positive_rate", "by": ["sex", "sex*tone"], "min": 0.5}
    asked = questions(policy_of(rates | {"positive": "each"}), ["m"])
    assert {(asked[i].positive, asked[j].positive) for i, j in gates_of(asked)} == {
        ("no", "no"),
        ("yes", "yes"),
    }


def test_the_largest_parts_of_a_crossing_are_its_gates(monkeypatch):
    monkeypatch.setitem(LEVELS, "age", ("y", "o"))
    found = gates(ACCURACY | {"by": ["sex", "tone", "age", "sex*tone", "sex*tone*age"]})
    assert found["f*l*y"] == {"f*l", "y"}
    assert found["f*l"] == {"f", "l"}


def test_shares_by_hand():
    asked = questions(policy_of(ACCURACY), ["m"])
    names = [name_of(one) for one in asked]
    shares = Gatekeeping.of(0.08, np.ones(len(asked)), asked)

    def errors(*confirmed: str) -> dict[str, float]:
        found = shares.errors(np.array([name in confirmed for name in names]))
        pairs = zip(names, found.round(12).tolist(), strict=True)
        return {name: error for name, error in pairs if name not in confirmed and error}

    assert errors() == {"f": 0.02, "m": 0.02, "l": 0.02, "d": 0.02}
    # What f had goes on to its two intersections ...
    assert errors("f") == {"m": 0.02, "l": 0.02, "d": 0.02, "f*l": 0.01, "f*d": 0.01}
    # ... to the other one, once one of them is confirmed ...
    assert errors("f", "f*l") == {"m": 0.02, "l": 0.02, "d": 0.02, "f*d": 0.02}
    # ... back to the attributes, once nothing is left behind f ...
    assert errors("f", "f*l", "f*d") == pytest.approx({"m": 0.08 / 3, "l": 0.08 / 3, "d": 0.08 / 3})
    # ... and an intersection with two confirmed attributes has a share of each.
    assert errors("f", "d")["f*d"] == 0.02
    assert shares.first.round(12).tolist() == [0.02] * 8
    assert errors(*names) == {}


def test_a_share_goes_on_through_several_crossings(monkeypatch):
    monkeypatch.setitem(LEVELS, "age", ("y", "o"))
    rule = ACCURACY | {"by": ["sex", "sex*tone", "sex*tone*age"]}
    asked = questions(policy_of(rule), ["m"])
    names = [name_of(one) for one in asked]
    shares = Gatekeeping.of(0.08, np.ones(len(asked)), asked)

    def error(name: str, *confirmed: str) -> float:
        found = shares.errors(np.array([one in confirmed for one in names]))
        return float(found[names.index(name)])

    assert error("f*l*y", "f") == 0
    assert error("f*l*y", "f", "f*l") == pytest.approx(0.08 / 2 / 2 / 2)
    # f is kept open by f*l*o alone, two steps behind it.
    others = ("f", "f*l", "f*d", "f*d*y", "f*d*o", "f*l*y")
    assert error("f*l*o", *others) == error("m", *others) == pytest.approx(0.08 / 2)
    assert error("f*d", "f", "f*l", "f*l*y", "f*l*o") == pytest.approx(0.08 / 2)


def by_ways(shares: Gatekeeping, confirmed: np.ndarray) -> list[float]:
    """The definition: the sum over all ways to a question, of the error times a part a step."""
    pairs = list(zip(shares.gate.tolist(), shares.behind.tolist(), strict=True))

    def behind(gate: int) -> list[int]:
        return [j for i, j in pairs if i == gate]

    def left(i: int) -> bool:
        return not confirmed[i] or any(left(j) for j in behind(i))

    def part(i: int, beside: list[int]) -> float:
        return shares.weights[i] / sum(shares.weights[j] for j in beside if left(j))

    entry = [i for i in range(len(shares.weights)) if i not in shares.behind]

    def share(i: int) -> float:
        if not left(i):
            return 0.0
        ways = [j for j, k in pairs if k == i]
        if not ways:
            return shares.error * part(i, entry)
        return sum(share(j) * part(i, behind(j)) for j in ways if confirmed[j])

    return [share(i) for i in range(len(shares.weights))]


@st.composite
def graphs(draw):
    """Questions that cross one to three attributes, each behind some that cross fewer."""
    attributes = np.sort(draw(st.lists(st.integers(1, 3), min_size=1, max_size=8)))
    possible = [
        (i, j)
        for i in range(len(attributes))
        for j in range(len(attributes))
        if attributes[i] < attributes[j]
    ]
    pairs = draw(st.lists(st.sampled_from(possible), unique=True)) if possible else []
    weights = draw(
        st.lists(st.floats(0.01, 100), min_size=len(attributes), max_size=len(attributes))
    )
    ends = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    return Gatekeeping(0.05, np.array(weights), attributes, ends[:, 0], ends[:, 1])


@given(shares=graphs(), data=st.data())
def test_shares_add_up_to_the_error_and_never_shrink(shares, data):
    size = len(shares.weights)
    flags = st.lists(st.booleans(), min_size=size, max_size=size)
    fewer = np.array(data.draw(flags))
    more = fewer | np.array(data.draw(flags))
    errors = [shares.errors(confirmed) for confirmed in (fewer, more)]
    for confirmed, found in zip((fewer, more), errors, strict=True):
        assert found.tolist() == pytest.approx(by_ways(shares, confirmed), abs=1e-12)
        assert (found >= 0).all()
        assert found[~confirmed].sum() <= 0.05 * (1 + 1e-9)
        # All of it is in use, as long as a question is left.
        assert confirmed.all() or found[~confirmed].sum() == pytest.approx(0.05)
    assert (errors[1][~more] >= errors[0][~more] * (1 - 1e-9)).all()


@given(
    weights=st.lists(st.floats(0.01, 100), min_size=1, max_size=8),
    data=st.data(),
)
def test_without_intersections_gatekeeping_is_holm(weights, data):
    size = len(weights)
    confirmed = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)))
    nothing = np.zeros(0, dtype=np.int64)
    one = Gatekeeping(0.05, np.array(weights), np.ones(size, dtype=np.int64), nothing, nothing)
    other = Holm(0.05, np.array(weights))
    assert one.errors(confirmed)[~confirmed] == pytest.approx(other.errors(confirmed)[~confirmed])


# Mean of each crossing of two sexes and two tones; above 0 it is beyond its limit.
TRUTHS = {
    "all on the limit": [[0, 0], [0, 0]],
    "one sex beyond, its crossings too": [[4, 4], [0, 0]],
    "one crossing beyond, and so its attributes": [[0, 5], [0, 0]],
    "one crossing beyond and its attributes not": [[-5, 5], [0, -5]],
}


@pytest.mark.parametrize("means", TRUTHS.values(), ids=TRUTHS)
def test_a_kept_limit_is_called_broken_in_one_of_twenty_runs_at_most(means):
    """One-sided normal tests about the same images, of which attributes are sums of crossings."""
    asked = questions(policy_of(ACCURACY), ["m"])
    of = np.array(
        [
            [
                all(one.group.get(name) in (None, level) for name, level in cell.items())
                for cell in [{"sex": s, "tone": t} for s in LEVELS["sex"] for t in LEVELS["tone"]]
            ]
            for one in asked
        ],
        dtype=np.float64,
    )
    of /= np.sqrt(of.sum(axis=1, keepdims=True))
    kept = of @ np.ravel(means) <= 0
    runs, rng = 1000, np.random.default_rng(8)
    p = stats.norm.sf(rng.normal(np.ravel(means), 1, (runs, 4)) @ of.T)
    equal, unequal = np.ones(len(asked)), np.linspace(0.5, 4, len(asked))
    every = {
        "holm": Holm(0.05, equal),
        "weighted": Holm(0.05, unequal),
        "gatekeeping": Gatekeeping.of(0.05, equal, asked),
        "weighted gatekeeping": Gatekeeping.of(0.05, unequal, asked),
        "none": Fixed(np.full(len(asked), 0.05)),
    }
    wrong = {
        name: np.mean([broken(shares, one)[kept].any() for one in p])
        for name, shares in every.items()
    }
    assert wrong.pop("none") > 0.1
    assert max(wrong.values()) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / runs)


def broken(shares: Shares, p: np.ndarray) -> np.ndarray:
    """Which questions are confirmed, step by step."""
    confirmed = np.zeros(len(p), dtype=bool)
    while (newly := ~confirmed & (p <= shares.errors(confirmed))).any():
        confirmed |= newly
    return confirmed


def counts_of(wrong: dict[tuple[str, str], int], n: int) -> GroupCounts:
    cells = np.zeros((2, 2, 2, 2), dtype=np.int64)
    for i, sex in enumerate(LEVELS["sex"]):
        for j, tone in enumerate(LEVELS["tone"]):
            missed = wrong.get((sex, tone), 0)
            cells[i, j, 0] = [n - missed, missed]
    return GroupCounts(LEVELS, ("no", "yes"), cells)


def judged(policy, counts):
    faces = policy.evaluations["faces"]
    found = judge_counts(policy, counts, evaluation=faces, model="m")
    return {"*".join(verdict.group.values()): verdict for verdict in found}


def test_an_intersection_fails_once_one_of_its_attributes_has():
    # 80 of 200 of f*d are wrong: among all of f, 80 of 400 are, which is on the limit.
    alone = judged(policy_of(ACCURACY), counts_of({("f", "d"): 80}, 200))
    assert (alone["f"].outcome, alone["f*d"].outcome) == ("inconclusive", "inconclusive")
    assert alone["f*d"].reason == (
        "the interval breaks the limit, but an intersection fails only after a question about one "
        "of its attributes has failed (correction = gatekeeping)"
    )
    assert (alone["f*d"].correction.level, alone["f*d"].correction.low) == (1.0, 0.0)
    assert judged(policy_of(ACCURACY, correction="holm"), counts_of({("f", "d"): 80}, 200))[
        "f*d"
    ].outcome == ("fail")
    both = judged(policy_of(ACCURACY), counts_of({("f", "d"): 80, ("f", "l"): 50}, 200))
    assert (both["f"].outcome, both["f*d"].outcome) == ("fail", "fail")
    # The four attributes share the error; f leaves its share to f*l and f*d.
    assert both["f"].correction.level == pytest.approx(1 - 2 * 0.05 / 4)
    assert both["f*d"].correction.level == pytest.approx(1 - 2 * 0.05 / 8)
    assert both["f"].correction.method == "gatekeeping"


def test_fewer_images_are_enough_to_fail_an_attribute_than_under_holm():
    counts = counts_of({("f", "d"): 55, ("f", "l"): 55}, 200)
    sizes = {
        correction: judged(policy_of(ACCURACY, correction=correction), counts)["f"].n_to_settle
        for correction in ("gatekeeping", "holm")
    }
    assert sizes["gatekeeping"] is None or sizes["gatekeeping"] < sizes["holm"]


def test_a_weight_is_a_share_of_the_error():
    heavy = ACCURACY | {"by": ["sex"], "weight": 3}
    light = ACCURACY | {"by": ["tone"], "metric": "true_negative_rate"}
    found = judged(
        policy_of(heavy, light, correction="holm"),
        counts_of({("f", "d"): 100, ("m", "l"): 60}, 200),
    )
    assert found["f"].outcome == found["d"].outcome == "fail"
    # Two questions of weight 3 and two of weight 1, of which the first leaves a weight of 5.
    assert found["f"].correction.level == pytest.approx(1 - 2 * 0.05 * 3 / 8)
    assert found["d"].correction.level == pytest.approx(1 - 2 * 0.05 * 1 / 5)


def test_weighted_steps_are_those_of_holm():
    """Against the step-down on p-values that Holm wrote down: the smallest p over its weight."""
    rng = np.random.default_rng(3)
    for _ in range(200):
        p, weights = rng.uniform(0, 0.05, 6), rng.uniform(0.2, 3, 6)
        found = broken(Holm(0.05, weights), p)
        expected, left = set(), list(np.argsort(p / weights))
        while left and p[left[0]] / weights[left[0]] <= 0.05 / weights[left].sum():
            expected.add(int(left.pop(0)))
        assert set(np.flatnonzero(found).tolist()) == expected


def test_under_max_t_a_heavier_question_has_more_of_the_error():
    heavy, light = ACCURACY | {"by": ["sex"], "weight": 4}, ACCURACY | {"by": ["tone"]}
    counts = counts_of({("f", "d"): 100, ("m", "l"): 100}, 200)
    errors = {
        name: 1 - verdict.correction.level
        for name, verdict in judged(policy_of(heavy, light, correction="max-t"), counts).items()
        if verdict.correction
    }
    assert errors["f"] == pytest.approx(4 * errors["d"])
    assert errors["f"] + errors["d"] >= 2 * 0.05 * (4 + 1) / 10


@pytest.mark.parametrize("weight", [0, -1, 1000, "2", True, float("nan")])
def test_a_weight_is_a_number_from_a_hundredth_to_a_hundred(weight):
    with pytest.raises(PolicyError, match="weight"):
        policy_of(ACCURACY | {"weight": weight})


def test_a_weight_without_a_correction_is_an_error():
    with pytest.raises(PolicyError, match=r"weight = 2 shares the error .* remove weight"):
        policy_of(ACCURACY | {"weight": 2}, correction="none")


def test_evaluations_share_the_error_by_the_weight_of_their_questions():
    faces = {"positive": "yes", "classes": ["no", "yes"], "attributes": {"sex": ["f", "m"]}}
    policy = load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {"faces": faces, "street": faces},
            "rule": [
                {
                    "id": "a",
                    "metric": "accuracy",
                    "min": 0.8,
                    "weight": 3,
                    "evaluations": ["faces"],
                },
                {"id": "b", "metric": "true_negative_rate", "min": 0.8},
            ],
        }
    )
    cells = np.array([[[100, 100], [0, 0]], [[200, 0], [0, 0]]])
    counts = GroupCounts({"sex": ("f", "m")}, ("no", "yes"), cells)
    levels = {
        (name, verdict.rule): verdict.correction.level
        for name, evaluation in policy.evaluations.items()
        for verdict in judge_counts(policy, counts, evaluation=evaluation, model="m")
        if verdict.outcome == "fail"
    }
    # Two questions of weight 3 and four of weight 1: 8 of 10 parts of the error are for faces.
    assert levels == {
        ("faces", "a"): pytest.approx(1 - 2 * 0.05 * 3 / 10),
        ("faces", "b"): pytest.approx(1 - 2 * 0.05 * 1 / 10),
        ("street", "b"): pytest.approx(1 - 2 * 0.05 * 1 / 10),
    }
