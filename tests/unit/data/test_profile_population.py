"""A column of a table beside a reference population from a file."""

import pandas as pd
import pytest

from pytest_fairness.data.profile import ProfileRequest, ProfileUsageError, profile_data
from pytest_fairness.data.profile.record import DataProfile
from pytest_fairness.policy.records import Evaluation

WORLD = "level,share\nAsia,0.6\nAfrica,0.18\nEurope,0.1\nAmericas,0.12\n"


@pytest.fixture
def compare(tmp_path):
    """Profile rows of countries beside a reference; `counts` is level -> rows."""

    def make(
        counts: dict[str, int], *, reference: str = WORLD, copies: int = 1, **asked
    ) -> DataProfile:
        names = [name for name, n in counts.items() for _ in range(n)]
        frame = pd.DataFrame({"place": names, "sex": "F"})
        frame["person"] = range(len(frame))
        frame = frame.loc[frame.index.repeat(copies)]
        # Half of the images were taken on a day that shows one place.
        frame["day"] = [i // 80 if i % 2 else i % 16 for i in range(len(frame))]
        frame.to_csv(tmp_path / "open.csv", index=False)
        (tmp_path / "world.csv").write_text(reference, encoding="utf-8")
        cluster = asked.pop("cluster", None)
        evaluation = Evaluation(
            "open", manifest=tmp_path / "open.csv", attributes={"sex": ()}, cluster=cluster
        )
        references = {"place": tmp_path / "world.csv"}
        return profile_data(ProfileRequest(evaluation, references=references, **asked))

    return make


SKEWED = {"Asia": 100, "Africa": 50, "Europe": 450, "Americas": 400}


def test_a_skewed_distribution_is_shown_level_by_level(compare):
    found = compare(SKEWED)
    (population,) = found.populations
    rows = {row.level: row for row in population.rows}
    assert rows["Asia"].share == 0.1
    assert rows["Asia"].difference == pytest.approx(-0.5)
    assert [rows[name].verdict for name in rows] == ["fewer", "fewer", "more", "more"]
    assert all(row.low < row.share < row.high for row in rows.values())
    assert population.distance == pytest.approx(0.63)
    assert population.chi_square == pytest.approx(
        500**2 / 600 + 130**2 / 180 + 350**2 / 100 + 280**2 / 120
    )
    assert population.p_value < 1e-9
    assert population.freedom == 3
    texts = [one.text for one in found.problems if one.kind == "reference"]
    assert len(texts) == 4
    assert texts[0].startswith("place Asia: 0.100 of 1,000 rows (0.0")
    assert "0.600 in" in texts[0]


def test_a_difference_within_the_tolerance_is_no_problem(compare):
    found = compare(SKEWED, tolerance=0.45)
    assert [one.text[:10] for one in found.problems] == ["place Asia"]
    assert [row.verdict for row in found.populations[0].rows].count("fewer") == 2


def test_a_small_sample_shows_nothing_and_says_so(compare):
    (population,) = compare({"Asia": 4, "Europe": 2, "Africa": 1}).populations
    assert population.method == "simulated"
    assert population.smallest_expected == pytest.approx(0.7)
    assert "expected count is below 5" in population.note
    assert {row.verdict for row in population.rows} == {"not shown to differ"}


def test_images_of_the_same_persons_do_not_make_a_difference_surer(compare):
    counts = {"Asia": 50, "Africa": 18, "Europe": 15, "Americas": 17}
    (one,) = compare(counts).populations
    (plain,) = compare(counts, copies=20).populations
    (clustered,) = compare(counts, copies=20, cluster="person").populations
    assert plain.chi_square == pytest.approx(20 * one.chi_square)
    assert clustered.design_effect == pytest.approx(20, rel=0.15)
    assert clustered.chi_square == pytest.approx(one.chi_square, rel=0.15)
    assert one.p_value > 0.05 > plain.p_value
    assert clustered.p_value > 0.05
    assert plain.rows[0].verdict == "fewer"
    assert clustered.rows[0].verdict == "not shown to differ"


def test_two_columns_make_a_difference_less_sure_than_one(compare):
    counts = {"Asia": 50, "Africa": 18, "Europe": 15, "Americas": 17}
    effects = [
        compare(counts, copies=8, cluster=cluster).populations[0].design_effect
        for cluster in ("person", ("person", "day"))
    ]
    assert effects[1] > effects[0]


def test_levels_that_the_reference_lacks_and_missing_values_are_counted_beside(compare):
    found = compare({"Asia": 60, "Africa": 40, "Oceania": 5, "": 7})
    (population,) = found.populations
    assert (population.n, population.missing, population.unlisted) == (100, 7, {"Oceania": 5})
    assert any("5 rows have levels that" in one.text for one in found.problems)


def test_a_reference_may_give_counts(compare):
    text = "level,count\nAsia,4800\nAfrica,1500\nEurope,700\nAmericas,1000\n"
    (population,) = compare(SKEWED, reference=text).populations
    assert population.rows[0].reference == 0.6


def test_a_level_that_does_not_exist_there_leaves_no_test(compare):
    text = "level,share\nAsia,1.0\nMars,0\n"
    (population,) = compare({"Asia": 10, "Mars": 1}, reference=text).populations
    assert (population.method, population.p_value) == ("undefined", None)
    assert "share in the reference is 0" in population.note


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("level,part\nAsia,1\n", r"needs the columns level and share \(or count\), got 'level'"),
        ("level,share\nAsia,60\nAfrica,40\n", "add up to 100, they must add up to 1; write 0.05"),
        ("level,share\nAsia,0.6\nAfrica,0.2\n", "add up to 0.8"),
        ("level,share\nAsia,0.6\nAsia,0.4\n", "line 3: level 'Asia'.*appears once"),
        ("level,share\nAsia,0.6\nAfrica,many\n", "line 3: level 'Africa' with share 'many'"),
        ("level,count\nAsia,0\nAfrica,0\n", "every count is 0"),
        ("level,share\nMars,1\n", "no value of 'place' is a level of"),
    ],
    ids=["columns", "percent", "sum", "twice", "text", "zero", "other levels"],
)
def test_a_reference_that_is_none_is_an_error(compare, reference, message):
    with pytest.raises(ProfileUsageError, match=message):
        compare(SKEWED, reference=reference)
