"""What people read, on numbers that are fixed by hand."""

import pytest

from pytest_fairness.gate.record.details import NeededRecord, UnanswerableRecord
from pytest_fairness.gate.record.run_record import PolicyRecord, RunRecord, Verdict
from pytest_fairness.report import describe, table_lines
from pytest_fairness.report.messages import interval_level_text

GAP = Verdict(
    rule="fpr-gap",
    metric="false_positive_rate_difference",
    model="ads",
    evaluation="faces",
    by=("skin_tone",),
    group={"skin_tone": "dark"},
    reference={"skin_tone": "light"},
    comparison=None,
    outcome="fail",
    value=0.1835,
    low=0.094,
    high=0.271,
    level=0.95,
    n=158,
    successes=49,
    reference_n=158,
    reference_successes=20,
    limit=0.1,
    bound="max",
    decide="interval",
    within_noise=False,
    reason="the whole interval breaks the limit",
    n_to_settle=None,
    where="fixtures/policies/default.toml:23",
    question="fpr-gap[ads-faces-skin_tone-dark_v_light]",
)


def test_a_failed_gap_reads_as_one_sentence():
    verdict = GAP.model_copy(update={"low": 0.101})
    assert describe(GAP.model_copy(update={"low": 0.12})) == (
        "FPR difference, skin_tone dark vs light: +0.183 (95 % interval +0.12 … +0.27), limit 0.10 -> fail; "
        "FPR 0.31 (49 of 158) vs 0.13 (20 of 158); rule fpr-gap, fixtures/policies/default.toml:23"
    )
    assert "+0.101 … +0.27" in describe(verdict)


def test_a_rate_tells_its_count_and_what_would_settle_it():
    verdict = GAP.model_copy(
        update={
            "metric": "accuracy",
            "reference": None,
            "reference_n": None,
            "reference_successes": None,
            "outcome": "inconclusive",
            "value": 0.72,
            "low": 0.65,
            "high": 0.781,
            "limit": 0.7,
            "bound": "min",
            "reason": "the interval reaches over the limit",
            "n_to_settle": 2317,
            "needed": NeededRecord(more=2159, reference_more=None, of="samples", chance=0.8),
        }
    )
    assert describe(verdict) == (
        "accuracy, skin_tone dark: 0.720 (95 % interval 0.65 … 0.78), limit at least 0.70 -> inconclusive; "
        "49 of 158 samples; the interval reaches over the limit; about 2,200 more samples would be "
        "enough in 4 of 5 cases, if the rates stay as seen; looking again needs looks in [decision]; "
        "rule fpr-gap, fixtures/policies/default.toml:23"
    )
    looked = verdict.model_copy(update={"looks": "any", "look_level": 0.9977})
    assert describe(looked) == (
        "accuracy, skin_tone dark: 0.720 (interval 0.65 … 0.78, 95 % at any number of looks (99.8 % at "
        "this one)), limit at least 0.70 -> inconclusive; 49 of 158 samples; the interval reaches over "
        "the limit; about 2,200 more samples would be enough in 4 of 5 cases, if the rates stay as seen; "
        "rule fpr-gap, fixtures/policies/default.toml:23"
    )


@pytest.mark.parametrize(
    ("looks", "look_level", "text"),
    [
        (1, None, "95 %"),
        (3, 1 - 0.05 / 3, "95 % at up to 3 looks (98.3 % at this one)"),
        ("any", 0.99953, "95 % at any number of looks (99.95 % at this one)"),
        ("any", 1 - 1e-9, "95 % at any number of looks (99.9999999 % at this one)"),
        ("any", 1.0, "95 % at any number of looks (100 % at this one)"),
        ("any", None, "95 % at any number of looks"),
    ],
)
def test_the_level_of_an_interval_is_told_with_the_looks_that_it_holds_for(looks, look_level, text):
    verdict = GAP.model_copy(update={"looks": looks, "look_level": look_level})
    assert interval_level_text(verdict) == text


@pytest.mark.parametrize(
    ("more", "reference_more", "text"),
    [
        pytest.param(94, 94, "about 94 more designs in each group would", id="both alike"),
        pytest.param(94, 12, "about 94 more designs in dark and 12 in light would", id="both"),
        pytest.param(0, 94, "about 94 more designs in light would", id="the reference alone"),
        pytest.param(940, None, "about 940 more designs would", id="no reference"),
    ],
)
def test_what_is_collected_is_counted_in_clusters_and_for_each_group(more, reference_more, text):
    needed = NeededRecord(more=more, reference_more=reference_more, of="design", chance=0.8)
    update = {"outcome": "inconclusive", "cluster": "design", "needed": needed}
    assert text in describe(GAP.model_copy(update=update))


def test_an_unanswerable_question_says_what_is_missing_and_is_counted_apart():
    never = UnanswerableRecord(
        reason="no negatives in skin_tone dark",
        more=46,
        reference_more=None,
        of="negatives",
        can_fail=False,
    )
    update = {"outcome": "inconclusive", "unanswerable": never}
    verdict = GAP.model_copy(update=update)
    assert "limit 0.10 -> unanswerable; " in describe(verdict)
    assert (
        "no model can pass with this evaluation set: no negatives in skin_tone dark; a pass needs about "
        "46 more negatives; rule fpr-gap"
    ) in describe(verdict)
    open_ = GAP.model_copy(update={"outcome": "inconclusive", "question": "another"})
    lines = [line.text for line in table_lines(record_of(verdict, open_))]
    assert lines[1].startswith("  inconclusive")
    assert lines[2].startswith("  unanswerable")
    assert lines[2].endswith("a pass needs about 46 more negatives")
    assert "2 questions: 1 inconclusive, 1 unanswerable; " in lines[-1]


def test_an_undefined_value_is_called_undefined_and_has_no_interval():
    undefined = {"value": None, "low": None, "high": None, "n": 0, "successes": 0}
    reason = "undefined: no negatives in skin_tone dark"
    verdict = GAP.model_copy(update={**undefined, "outcome": "inconclusive", "reason": reason})
    assert describe(verdict).startswith(
        "FPR difference, skin_tone dark vs light: undefined, limit 0.10 -> inconclusive; FPR undefined "
        "(0 of 0) vs 0.13 (20 of 158); undefined: no negatives in skin_tone dark"
    )


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"limit": (0.8, 1.25), "bound": "between", "metric": "disparate_impact"},
            "limit 0.80 … 1.25",
        ),
        ({"limit": 0.875, "bound": "min", "metric": "accuracy"}, "limit at least 0.875"),
        ({"comparison": "all"}, "skin_tone largest gap (dark vs light)"),
        ({"comparison": "best"}, "skin_tone dark vs best (light)"),
        (
            {"by": ("skin_tone", "sex"), "group": {"skin_tone": "dark", "sex": "f"}},
            "skin_tone*sex dark, f vs light",
        ),
    ],
    ids=["between", "three decimals", "all groups", "best group", "intersection"],
)
def test_limits_and_groups_read_as_the_policy_means_them(change, text):
    assert text in describe(GAP.model_copy(update=change))


def record_of(*verdicts: Verdict, inconclusive: str = "warn") -> RunRecord:
    policy = PolicyRecord(
        source="policy.toml",
        sha256="0" * 64,
        text="",
        inconclusive=inconclusive,
        decide="interval",
        level=0.95,
    )
    return RunRecord(created="", versions={}, policy=policy, runs=[], verdicts=list(verdicts))


def test_the_table_shows_failures_first_and_counts_outcomes():
    kept = GAP.model_copy(update={"outcome": "pass", "value": 0.01, "low": -0.03, "high": 0.05})
    lines = table_lines(record_of(kept, GAP))
    assert [line.text for line in lines] == [
        "ads on faces: FPR difference, limit 0.10 (rule fpr-gap)",
        "  fail          skin_tone dark vs light  +0.183  +0.09 … +0.27  n 158 vs 158",
        "  pass          skin_tone dark vs light  +0.010  -0.03 … +0.05  n 158 vs 158",
        "",
        "2 questions: 1 fail, 1 pass; intervals of 95 %, policy policy.toml",
    ]
    assert [line.outcome for line in lines] == [None, "fail", "pass", None, None]


def test_decisions_on_the_bare_estimate_say_how_many_lie_within_noise():
    noisy = GAP.model_copy(update={"decide": "estimate", "within_noise": True, "low": 0.05})
    texts = [line.text for line in table_lines(record_of(noisy))]
    assert texts[0] == (
        "ads on faces: FPR difference, limit 0.10, decided on the measured value (rule fpr-gap)"
    )
    assert texts[1].endswith("inconclusive by its interval")
    assert "(1 of the passes and failures are inconclusive by their intervals)" in texts[-1]


def test_a_table_of_many_passes_is_one_line_a_rule():
    kept = GAP.model_copy(update={"outcome": "pass"})
    texts = [line.text for line in table_lines(record_of(*[kept] * 100, GAP))]
    assert texts[1] == "  pass          100 questions"
    assert texts[2].startswith("  fail")
    assert len(texts) == 5


def test_one_person_who_decides_the_width_of_the_interval_is_told():
    clustered = GAP.model_copy(
        update={"cluster": "person", "effective_n": 3.2, "largest_cluster": 0.604}
    )
    assert "(one person holds 60 % of the images)" in describe(clustered)
    alone = clustered.model_copy(
        update={
            "metric": "false_positive_rate",
            "reference": None,
            "reference_n": None,
            "reference_successes": None,
        }
    )
    assert "3 independent images; one person holds 60 % of the images)" in describe(alone)
    unheard = clustered.model_copy(update={"largest_cluster": None})
    assert "holds" not in describe(unheard)
