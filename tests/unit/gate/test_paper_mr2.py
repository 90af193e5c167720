"""The numbers of arXiv 2107.09211, through the engine: known answers, and what they lack."""

from dataclasses import replace
from fractions import Fraction
from itertools import product

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from fixtures.mr2 import emoji
from fixtures.mr2.counts import READINGS, predictions, table1
from fixtures.mr2.retell import PAGE, POLICY, retold
from models.ads import load_ads
from models.baseline import load_baseline
from pytest_fairness import RunRecord, judge, load_evaluation_set, load_policy, predict

RACES = ("African", "Asian", "European")
SIZES = {"African": (18, 14), "Asian": (12, 8), "European": (11, 11)}  # women, men; Table 1
PUBLISHED = {"African": Fraction(21, 88), "Asian": Fraction(7, 110)}
DEFINITION = {"H1": "error_rate_difference", "H2": "statistical_parity_difference"}


@pytest.fixture(scope="module")
def records() -> dict[tuple[str, str], RunRecord]:
    policy = load_policy(POLICY)
    return {
        (reading, name): judge(policy, predictions(reading), evaluation=name)
        for reading in READINGS
        for name in policy.evaluations
    }


def found(record: RunRecord, metric: str, **group: str):
    """The verdict on a group, alone or beside its reference."""
    (verdict,) = [v for v in record.verdicts if v.metric == metric and v.group == group]
    return verdict


def values(record: RunRecord, metric: str, by: str = "race"):
    return {v.group[by]: v.value for v in record.verdicts if v.metric == metric and by in v.group}


def test_table_1_has_the_74_photographs_of_the_paper():
    sizes = table1().pivot_table(index="race", columns="sex", values="n")

    assert {race: (row["Female"], row["Male"]) for race, row in sizes.iterrows()} == SIZES
    assert sizes.sum().to_dict() == {"Female": 41, "Male": 33}


@pytest.mark.parametrize("reading", READINGS)
def test_each_reading_calls_all_photographs_of_table_1_and_no_man_wrongly(reading):
    rows = predictions(reading)

    assert_frame_equal(
        rows.groupby(["race", "sex"]).size().rename("n").reset_index(),
        table1()[["race", "sex", "n"]],
    )
    assert (rows.loc[rows["sex"] == "Male", "prediction"] == "Male").all()


@pytest.mark.parametrize("reading", READINGS)
def test_each_reading_gives_the_published_differences_by_its_definition(records, reading):
    differences = values(records[reading, "everybody"], DEFINITION[reading])

    assert differences == pytest.approx({race: float(x) for race, x in PUBLISHED.items()})
    assert {race: f"{x:.4f}" for race, x in differences.items()} == {
        "African": "0.2386",
        "Asian": "0.0636",
    }


@pytest.mark.parametrize(
    ("reading", "other", "african", "asian"),
    [
        pytest.param("H1", "H2", 0.17614, -0.03636, id="H1"),
        pytest.param("H2", "H1", 0.30114, 0.16364, id="H2"),
    ],
)
def test_the_other_definition_gives_other_numbers(records, reading, other, african, asian):
    differences = values(records[reading, "everybody"], DEFINITION[other])

    assert differences == pytest.approx({"African": african, "Asian": asian}, abs=1e-5)


@pytest.mark.parametrize(
    ("reading", "women", "total"), [("H1", (12, 4, 3), 19), ("H2", (14, 6, 3), 23)], ids=READINGS
)
def test_no_other_counts_give_the_published_differences(reading, women, total):
    """All 18 x 12 x 11 possible counts, men all right; 0.238 may be cut, 0.064 rounded."""

    def rate(race: str, wrong: int) -> Fraction:
        n_women, n_men = SIZES[race]
        return Fraction(wrong + (n_men if reading == "H2" else 0), n_women + n_men)

    def fits(race: str, wrong: int, of_europeans: int, shown: Fraction) -> bool:
        x = rate(race, wrong) - rate("European", of_europeans)
        return abs(x - shown) <= Fraction(1, 2000) or 0 <= x - shown < Fraction(1, 1000)

    fitting = [
        counts
        for counts in product(range(19), range(13), range(12))
        if fits("African", counts[0], counts[2], Fraction(238, 1000))
        and fits("Asian", counts[1], counts[2], Fraction(64, 1000))
    ]
    called = predictions(reading).query("sex == 'Female' and prediction == 'Male'")

    assert fitting == [women]
    assert tuple(called.groupby("race").size()) == women
    assert len(called) == total


def test_a_constant_true_label_turns_a_false_positive_rate_into_the_second_reading():
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {
            "mr2": {
                "target": "label",
                "positive": "Male",
                "classes": ["Female", "Male"],
                "attributes": {"race": list(RACES)},
                "reference": {"race": "European"},
            }
        },
        "rule": [{"metric": "false_positive_rate_difference", "max": 0.1}],
    }

    record = judge(policy, predictions("H2").assign(label="Female"))

    assert values(record, "false_positive_rate_difference") == pytest.approx(
        {race: float(x) for race, x in PUBLISHED.items()}
    )


@pytest.mark.parametrize(
    ("reading", "shares", "gaps"),
    [
        pytest.param("H1", (12 / 18, 4 / 12, 3 / 11), (0.394, 0.061), id="H1"),
        pytest.param("H2", (14 / 18, 6 / 12, 3 / 11), (0.505, 0.227), id="H2"),
    ],
)
def test_women_only_as_in_figure_7(records, reading, shares, gaps):
    record = records[reading, "women"]

    assert record.runs[0].n == 41
    assert values(record, "false_positive_rate") == pytest.approx(
        dict(zip(RACES, shares, strict=True))
    )
    assert tuple(values(record, "false_positive_rate_difference").values()) == pytest.approx(
        gaps, abs=5e-4
    )


@pytest.mark.parametrize(
    ("reading", "within", "overall"),
    [("H1", (0.333, 0.667, 0.727), 0.537), ("H2", (0.222, 0.5, 0.727), 0.439)],
    ids=READINGS,
)
def test_disparate_impact_by_sex_as_in_figure_5(records, reading, within, overall):
    one_by_one = [
        found(records[reading, race.lower()], "accuracy_ratio", sex="Female").value
        for race in RACES
    ]

    assert one_by_one == pytest.approx(within, abs=5e-4)
    everybody = records[reading, "everybody"]
    assert found(everybody, "accuracy_ratio", sex="Female").value == pytest.approx(
        overall, abs=5e-4
    )


@pytest.mark.parametrize(
    ("reading", "lowest", "african"), [("H1", 0.31, 0.41), ("H2", 0.40, 0.52)], ids=READINGS
)
def test_worse_for_women_is_shown_and_worse_for_a_race_is_not(records, reading, lowest, african):
    """The conclusions of docs/paper-mr2.md."""
    record, women = records[reading, "everybody"], records[reading, "women"]
    by_sex = found(record, "error_rate_difference", sex="Female")
    by_race = [v for v in record.verdicts if v.metric == DEFINITION[reading] and "race" in v.group]

    assert (by_sex.outcome, round(by_sex.low, 2)) == ("fail", lowest)
    assert [v.outcome for v in by_race] == ["inconclusive"] * 2
    assert all(v.low < 0 < v.high for v in by_race)
    assert by_sex.correction.questions == 18
    assert round(found(women, "false_positive_rate", race="African").low, 2) == african
    assert not record.passed


def test_a_model_without_errors_would_have_a_difference_by_the_second_reading(records):
    rows = predictions("H2")
    perfect = judge(POLICY, rows.assign(prediction=rows["sex"]), evaluation="everybody")

    assert values(perfect, DEFINITION["H2"]) == pytest.approx({"African": -0.0625, "Asian": -0.1})
    assert values(perfect, DEFINITION["H1"]) == {"African": 0, "Asian": 0}


def women(race: str, right: int, n: int) -> pd.DataFrame:
    called = ["Female"] * right + ["Male"] * (n - right)
    return pd.DataFrame({"race": race, "sex": "Female", "prediction": called})


@pytest.mark.parametrize("men_right", [1, 11])
def test_disparate_impact_by_sex_of_the_baseline_is_zero(men_right):
    called = ["Male"] * men_right + ["Female"] * (11 - men_right)
    men = pd.DataFrame({"race": "European", "sex": "Male", "prediction": called})

    record = judge(POLICY, pd.concat([predictions("baseline"), men]), evaluation="european")
    verdict = found(record, "accuracy_ratio", sex="Female")

    assert (verdict.value, verdict.low) == (0, 0)
    assert verdict.high > 0


@pytest.mark.parametrize(
    ("right", "outcome", "low"), [(18, "fail", 3.5), (1, "inconclusive", 0.04)], ids=["all", "one"]
)
def test_disparate_impact_by_race_of_the_baseline_is_infinite(right, outcome, low, tmp_path):
    rows = pd.concat([predictions("baseline"), women("African", right, 18)])

    record = judge(POLICY, rows, evaluation="women")
    verdict = found(record, "accuracy_ratio", race="African")

    assert verdict.value == verdict.high == float("inf")
    assert verdict.low == pytest.approx(low, abs=0.01)
    assert verdict.outcome == outcome
    record.to_json(tmp_path / "record.json")
    assert RunRecord.from_json(tmp_path / "record.json") == record


def test_zero_divided_by_zero_is_undefined_with_its_reason():
    rows = pd.concat([predictions("baseline"), women("African", 0, 18)])

    verdict = found(judge(POLICY, rows, evaluation="women"), "accuracy_ratio", race="African")

    assert verdict.value is None
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == "undefined: 0 divided by 0: the rate is 0 in both groups"


def test_the_page_holds_the_gates_output_of_today():
    page = PAGE.read_text(encoding="utf-8")

    assert retold(page) == page, "out of date: run python -m fixtures.mr2.retell"
    assert page.count("<!-- end -->") == 10


def test_a_block_of_an_unknown_name_is_refused():
    with pytest.raises(KeyError, match="nowhere"):
        retold("<!-- nowhere -->\n<!-- end -->")


def test_women_only_is_a_where_of_the_policy_of_the_emoji_people():
    policy = load_policy(emoji.POLICY)

    record = judge(policy, emoji.answers("ads"), evaluation="women")

    assert record.runs[0].n == 5 * 164
    assert {v.n for v in record.verdicts} == {164}
    assert set(values(record, "false_positive_rate_difference", by="skin_tone")) == {
        "medium-light",
        "medium",
        "medium-dark",
        "dark",
    }


@pytest.mark.parametrize("load", [load_ads, load_baseline], ids=emoji.MODELS)
def test_the_kept_answers_are_the_models_own(load):
    classifier = load()
    evaluation = load_policy(emoji.POLICY).evaluations["people"]
    some = tuple(emoji.answers(classifier.name)["design"].unique()[::25])
    samples = load_evaluation_set(replace(evaluation, where={**evaluation.where, "design": some}))

    answered = predict(classifier, samples).table.select(["id", "prediction"]).to_pandas()
    kept = emoji.answers(classifier.name).set_index("id").loc[answered["id"], "prediction"]

    assert len(answered) >= 60
    assert answered["prediction"].tolist() == kept.tolist()


def test_every_emoji_person_of_the_policy_has_an_answer():
    evaluation = load_policy(emoji.POLICY).evaluations["people"]

    tones = emoji.answers("baseline")["skin_tone"].value_counts()

    assert tones.to_dict() == dict.fromkeys(evaluation.attributes["skin_tone"], 326)
