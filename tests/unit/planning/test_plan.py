"""`pytest-fairness plan`: what an evaluation set can settle, before any model runs."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import judge, load_policy
from pytest_fairness.cli import main
from pytest_fairness.planning.at_hand import Given, read_at_hand
from pytest_fairness.planning.plan import plan
from pytest_fairness.statistics.power.margins import Margins
from pytest_fairness.statistics.power.power import rate_power

POLICY = """\
schema = 1

[decision]
inconclusive = "fail"

[evaluation.faces]
manifest = "faces.csv"
positive = "yes"
classes = ["no", "yes"]
attributes = { tone = ["light", "medium", "dark"], sex = ["woman", "man"] }
reference = { tone = "light", sex = "man" }
"""
WITHOUT_MANIFEST = POLICY.replace('manifest = "faces.csv"\n', "")
FLOOR = """
[[rule]]
id = "floor"
metric = "accuracy"
by = ["tone"]
min = 0.8
"""
GAP = """
[[rule]]
id = "fpr-gap"
metric = "false_positive_rate_difference"
by = ["tone"]
max = 0.1
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """600 light, 120 medium, no dark; one in four is positive. Images are not there."""
    monkeypatch.chdir(tmp_path)
    tones = ["light"] * 600 + ["medium"] * 120
    frame = pd.DataFrame({"image": [f"{i}.png" for i in range(720)], "tone": tones})
    frame["sex"] = np.where(np.arange(720) % 3, "woman", "man")
    frame["target"] = np.where(np.arange(720) % 4, "no", "yes")
    frame.to_csv("faces.csv", index=False)
    frame["prediction"] = np.where(np.arange(720) % 7, frame["target"], "yes")
    frame.to_csv("answers.csv", index=False)
    return tmp_path


def write(*rules: str, head: str = POLICY) -> None:
    Path("policy.toml").write_text(head + "".join(rules), encoding="utf-8")


def run_plan(capsys, *arguments: str) -> str:
    assert main(["plan", "--policy", "policy.toml", *arguments]) == 0
    return capsys.readouterr().out


def planned(capsys, *arguments: str) -> dict[str, dict]:
    questions = json.loads(run_plan(capsys, "--json", *arguments))["questions"]
    return {f"{one['rule']} {' '.join(one['group'].values())}".strip(): one for one in questions}


def test_the_table_names_n_what_can_be_told_apart_and_what_is_needed(folder, capsys):
    write(FLOOR)
    lines = run_plan(capsys).splitlines()
    assert lines[0] == "plan of faces (faces.csv) by policy.toml"
    assert "accuracy by tone, limit at least 0.80 (rule floor)" in lines
    (light,) = [line.split() for line in lines if line.startswith("  light")]
    assert light == ["light", "600", "0.845", "0.749", "113", "177"]
    told = "1 of 3 questions cannot be answered by this evaluation set, whatever the model does:"
    assert lines[-2:] == [told, "  floor: dark"]


def test_no_line_is_wider_than_100_columns(folder, capsys):
    attributes = ", ".join(f'"a very long level number {i}"' for i in range(8))
    head = POLICY.replace('"light", "medium", "dark"', f'"light", "medium", {attributes}')
    write(
        FLOOR.replace('["tone"]', '["tone*sex"]'),
        GAP.replace('["tone"]', '["tone*sex"]'),
        head=head,
    )
    out = run_plan(capsys)
    assert max(map(len, out.splitlines())) <= 100
    assert "a very long level number 3, woman vs light, man" in out


def test_what_is_counted_among_the_negatives_needs_no_predictions(folder, capsys):
    write(GAP)
    medium = planned(capsys)["fpr-gap medium"]
    assert (medium["n"], medium["reference_n"]) == (90, 450)
    assert medium["counted"] == "negatives"


def test_no_image_is_read_and_the_manifest_may_be_another(folder, capsys):
    write(FLOOR)
    pd.read_csv("faces.csv").query("tone == 'medium'").to_csv("other.csv", index=False)
    found = planned(capsys, "--data", "other.csv")
    assert [found[f"floor {tone}"]["n"] for tone in ("light", "medium", "dark")] == [0, 120, 0]


def test_an_absent_group_can_never_pass_and_says_why(folder, capsys):
    write(FLOOR)
    dark = planned(capsys)["floor dark"]
    assert dark["n"] == 0
    assert dark["never_passes"] == "undefined: no samples in tone dark"
    assert dark["unanswerable"]["more"] == 17
    assert (dark["passes_at"], dark["fails_at"]) == (None, None)
    assert dark["to_pass"] == {"value": 0.9, "n": 113}


@pytest.mark.parametrize(
    ("n", "reason"),
    [
        (16, "the best possible answers give an interval of 0.794 … 1.000"),
        (17, ""),
    ],
    ids=["too few", "enough"],
)
def test_too_few_samples_for_even_a_perfect_result_can_never_pass(folder, capsys, n, reason):
    write(FLOOR)
    dark = planned(capsys, "--n", f"dark={n}")["floor dark"]
    assert dark["n"] == n
    assert dark["never_passes"] == reason


def test_too_few_samples_for_even_the_worst_result_can_never_fail(folder, capsys):
    write(FLOOR)
    assert "can never fail: even the worst result" in run_plan(capsys, "--n", "dark=1")
    assert "can never fail" not in run_plan(capsys, "--n", "dark=100")


def test_fewer_samples_than_min_samples_can_never_pass(folder, capsys):
    write(FLOOR + "min_samples = 200\n")
    medium = planned(capsys)["floor medium"]
    assert medium["never_passes"] == "n = 120 is below min_samples = 200"
    assert (medium["unanswerable"]["more"], medium["unanswerable"]["of"]) == (80, "samples")
    assert medium["to_pass"]["n"] == 200


def test_a_group_below_min_share_can_never_pass(folder, capsys):
    write(FLOOR + "min_share = 0.2\n")
    medium = planned(capsys)["floor medium"]
    reason = "excluded: tone medium is 17 % of the samples, below min_share = 20 %"
    assert medium["never_passes"] == reason
    assert medium["unanswerable"]["more"] == 30  # 150 of 750


def test_a_pass_is_planned_at_the_level_of_a_pass(folder, capsys):
    write(FLOOR)
    plain = planned(capsys)["floor light"]
    write(FLOOR, head=POLICY.replace("[decision]", "[decision]\npass_level = 0.9"))
    easier = planned(capsys)["floor light"]
    assert (plain["kept_level"], easier["kept_level"]) == (0.95, 0.9)
    assert easier["to_pass"]["n"] < plain["to_pass"]["n"]
    assert easier["to_fail"] == plain["to_fail"]


def test_the_cost_of_the_correction_is_told(folder, capsys):
    write(FLOOR, GAP)
    lines = run_plan(capsys).splitlines()
    at = lines.index(
        "correction holm: a failure needs as many times the images of a single question:"
    )
    # Five questions: (2.326 + 0.842)^2 and (2.576 + 0.842)^2 over (1.960 + 0.842)^2.
    assert lines[at + 1] == "  1.28 (3 questions), 1.49 (2 questions)"
    write(FLOOR, head=POLICY.replace("[decision]", '[decision]\ncorrection = "none"'))
    assert "correction" not in run_plan(capsys)
    (cost,) = {one["correction_cost"] for one in planned(capsys).values()}
    assert cost == 1


def test_the_values_told_apart_are_those_that_the_gate_settles_with_that_chance(folder, capsys):
    write(FLOOR)
    light = planned(capsys)["floor light"]
    margins = Margins(0.8, 1.0)

    def power(value, settled, confidence):
        return rate_power(value, 600, margins=margins, confidence=confidence, settled=settled)

    assert (
        power(light["passes_at"], "kept", 0.95)
        >= 0.8
        > power(light["passes_at"] - 0.001, "kept", 0.95)
    )
    confidence = light["broken_level"]
    # Three questions; a minimum is broken in one direction only.
    assert confidence == pytest.approx(1 - 2 * 0.05 / 3)
    assert (
        power(light["fails_at"], "broken", confidence)
        >= 0.8
        > power(light["fails_at"] + 0.002, "broken", confidence)
    )


def test_more_power_needs_more_samples(folder, capsys):
    write(FLOOR, GAP)
    usual, more = planned(capsys), planned(capsys, "--power", "0.95")
    for name in ("floor dark", "fpr-gap medium"):
        for aim in ("to_pass", "to_fail"):
            assert more[name][aim]["n"] > usual[name][aim]["n"]


def test_the_assumed_rate_matters_and_is_shown(folder, capsys):
    write(GAP)
    usual, low = planned(capsys), planned(capsys, "--rate", "false_positive_rate=0.1")
    assert usual["fpr-gap medium"]["assumed_rate"] == 0.5
    assert low["fpr-gap medium"]["assumed_rate"] == 0.1
    assert low["fpr-gap medium"]["to_pass"]["n"] < usual["fpr-gap medium"]["to_pass"]["n"]
    assert "reference FPR 0.1" in run_plan(capsys, "--rate", "false_positive_rate=0.1")


def test_without_correction_fewer_samples_fail(folder, capsys):
    write(FLOOR, GAP)
    corrected = planned(capsys)
    write(FLOOR, GAP, head=POLICY.replace('"fail"\n', '"fail"\ncorrection = "none"\n', 1))
    plain = planned(capsys)
    for name in ("floor dark", "fpr-gap medium"):
        assert plain[name]["to_fail"]["n"] < corrected[name]["to_fail"]["n"]
        assert plain[name]["to_pass"] == corrected[name]["to_pass"]


def test_samples_may_be_given_for_one_group_or_for_all(folder, capsys):
    write(FLOOR, GAP)
    found = planned(capsys, "--n", "300", "--n", "dark=50")
    assert [found[f"floor {tone}"]["n"] for tone in ("light", "medium", "dark")] == [300, 300, 50]
    assert found["fpr-gap dark"]["n"] == 50


def test_a_group_that_may_be_one_of_several_asks_for_its_attribute(folder, capsys):
    same = POLICY.replace('["woman", "man"]', '["woman", "man", "dark"]')
    write(FLOOR.replace('["tone"]', '["tone", "sex"]'), head=same)
    assert main(["plan", "--policy", "policy.toml", "--n", "dark=50"]) == 4
    assert (
        "the group 'dark' may be one of tone or of sex; write tone:dark" in capsys.readouterr().err
    )
    found = run_plan(capsys, "--n", "tone:dark=50", "--json")
    sizes = {json.dumps(q["group"]): q["n"] for q in json.loads(found)["questions"]}
    assert (sizes['{"tone": "dark"}'], sizes['{"sex": "dark"}']) == (50, 0)


def test_an_unknown_group_is_a_wrong_use(folder, capsys):
    write(FLOOR)
    assert main(["plan", "--policy", "policy.toml", "--n", "drak=50"]) == 4
    assert "no question is about the group 'drak'; allowed: 'light'" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("--n", "dark=many"),
        ("--rate", "fpr=0.1"),
        ("--rate", "accuracy=2"),
        ("--power", "1"),
        ("--data", "a.csv", "--predictions", "b.csv"),
    ],
    ids=["n", "rate name", "rate", "power", "two files"],
)
def test_a_wrong_option_is_a_wrong_use(folder, capsys, arguments):
    write(FLOOR)
    with pytest.raises(SystemExit) as stopped:
        main(["plan", "--policy", "policy.toml", *arguments])
    assert stopped.value.code == 4
    assert "error: argument" in capsys.readouterr().err


def test_without_data_it_says_what_would_be_needed(folder, capsys):
    write(FLOOR, head=WITHOUT_MANIFEST)
    dark = planned(capsys)["floor dark"]
    assert (dark["n"], dark["passes_at"], dark["never_passes"]) == (None, None, "")
    assert dark["to_pass"]["n"] == 113
    assert run_plan(capsys).endswith("no samples given\n")


def test_predictions_bring_rates_verdicts_and_the_number_that_would_settle_them(folder, capsys):
    write(FLOOR.replace("0.8", "0.88"), GAP)
    found = planned(capsys, "--predictions", "answers.csv")
    record = judge("policy.toml", "answers.csv")
    for verdict in record.verdicts:
        one = found[f"{verdict.rule} {verdict.group['tone']}"]
        assert (one["outcome"], one["n_to_settle"]) == (verdict.outcome, verdict.n_to_settle)
        assert one["n"] == verdict.n
    open_ = [v for v in record.verdicts if v.n_to_settle is not None]
    assert open_
    light = record.verdicts[-1].reference_successes / record.verdicts[-1].reference_n
    assert found["fpr-gap medium"]["assumed_rate"] == pytest.approx(light)


def test_at_the_number_that_would_settle_a_verdict_the_chance_is_four_of_five(folder):
    """Verdict and plan answer the same: one at the rate seen, the other with a chance."""
    write(FLOOR, head=WITHOUT_MANIFEST)
    policy = load_policy("policy.toml")
    for right in (850, 830, 770):
        frame = pd.DataFrame({"tone": "light", "sex": "man", "target": ["no"] * 200})
        frame["prediction"] = ["no"] * round(right / 5) + ["yes"] * (200 - round(right / 5))
        verdict = judge(policy, frame).verdicts[0]
        assert verdict.n_to_settle is not None
        settled = "kept" if verdict.value > 0.8 else "broken"
        confidence = 0.95 if settled == "kept" else 1 - 2 * 0.05 / 3
        power = rate_power(
            verdict.value,
            verdict.n_to_settle,
            margins=Margins(0.8, 1.0),
            confidence=confidence,
            settled=settled,
        )
        assert 0.78 < power < 0.86


def test_clusters_count_once_until_a_model_was_seen(folder, capsys):
    frame = pd.read_csv("answers.csv").assign(person=[f"p{i // 4}" for i in range(720)])
    frame.drop(columns="prediction").to_csv("faces.csv", index=False)
    frame.to_csv("answers.csv", index=False)
    write(FLOOR, head=POLICY + 'cluster = "person"\n')
    before = planned(capsys)["floor light"]
    assert (before["n"], before["effective_n"]) == (600, 150)
    after = planned(capsys, "--predictions", "answers.csv")["floor light"]
    assert 150 < after["effective_n"] <= 600
    assert before["to_pass"]["n"] == 4 * 113
    assert "clustered by person: before a model was seen" in run_plan(capsys)


@pytest.mark.parametrize(
    ("rule", "note"),
    [
        ('metric = "macro_recall"\nmin = 0.8\n', "not planned: it is made of several rates"),
        ('metric = "accuracy"\nmin = 0.0\n', "always passes: no value breaks the limit"),
        (
            'metric = "accuracy_difference"\nagainst = "baseline"\nmax_widening = 0.1\n',
            "not planned: it depends on the gaps of both releases",
        ),
    ],
    ids=["several rates", "no limit", "widening"],
)
def test_what_is_not_planned_says_why(folder, capsys, rule, note):
    write(f'[[rule]]\nby = ["tone"]\n{rule}')
    assert note in run_plan(capsys)


@pytest.mark.parametrize("reference", ["best", "all"])
def test_groups_that_the_data_choose_need_more_samples_than_one_pair(folder, capsys, reference):
    write(GAP, GAP.replace("fpr-gap", "chosen") + f'reference = "{reference}"\n')
    found = planned(capsys, "--n", "100")
    chosen = found["chosen dark"] if reference == "best" else found["chosen"]
    assert chosen["to_pass"]["n"] > found["fpr-gap dark"]["to_pass"]["n"]
    assert chosen["comparison"] == reference


def test_a_drop_since_the_baseline_is_planned_from_the_same_images(folder, capsys):
    write('[[rule]]\nmetric = "accuracy"\nby = ["tone"]\nagainst = "baseline"\nmax_drop = 0.02\n')
    found = planned(capsys)
    assert found["accuracy medium"]["passes_at"] is None
    assert found["accuracy light"]["passes_at"] is not None
    # A model that is better than the baseline may pass, so that nothing is known beforehand.
    assert found["accuracy medium"]["never_passes"] == ""
    assert found["accuracy light"]["to_pass"]["value"] == 0.01


@pytest.mark.parametrize("reference", ["best", "all"])
def test_the_needed_samples_settle_a_gap_of_several_groups(folder, reference):
    """Simulated with the gate itself: at least the planned chance."""
    write(GAP + f'reference = "{reference}"\n', head=WITHOUT_MANIFEST)
    policy = load_policy("policy.toml")
    at_hand = read_at_hand(policy.evaluation_named(None), given=[Given((), 100)])
    question = plan(policy, at_hand).questions[-1]
    n, rng, passed = question.to_pass.n, np.random.default_rng(7), []
    rates = {"light": 0.5, "medium": 0.5, "dark": 0.55}
    if reference == "all":
        rates = {"light": 0.475, "medium": 0.5, "dark": 0.525}
    for _ in range(60):
        parts = [
            pd.DataFrame(
                {
                    "tone": tone,
                    "sex": "man",
                    "target": "no",
                    "prediction": np.where(rng.random(n) < rate, "yes", "no"),
                }
            )
            for tone, rate in rates.items()
        ]
        frame = pd.concat([*parts, parts[0].head(1).assign(target="yes")])
        passed.append(judge(policy, frame).verdicts[-1].outcome == "pass")
    assert np.mean(passed) >= 0.7
