"""A policy caps the waivers of those that extend it: how long, of which rules, by whom."""

import datetime as dt
from pathlib import Path

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import (
    compare,
    effective_lines,
    load_policy,
    read_document,
    restore_policy,
)

CAPS = '[waivers]\nlongest_days = 90\nallowed_rules = ["gap", "impact"]\napprovers = ["risk", "legal"]\n'
CHILD = 'schema = 1\nextends = "org.toml"\n'
TODAY = dt.datetime.now(dt.UTC).date()


def waiver(rule="gap", by="risk", days=90) -> str:
    until = TODAY + dt.timedelta(days=days)
    return f'[[waiver]]\nrule = "{rule}"\nreason = "r"\napproved_by = "{by}"\nuntil = {until}\n'


@pytest.fixture
def capped(write):
    text = Path("org.toml").read_text(encoding="utf-8")
    Path("org.toml").write_text(f"{text}\n{CAPS}", encoding="utf-8")
    return lambda text: write(CHILD + text)


def test_a_waiver_within_the_caps_is_allowed(capped):
    assert load_policy(capped(waiver())).waivers[0].rule == "gap"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            waiver(days=92),
            (
                r"team.toml:7: waiver of rule 'gap': until = .* is later than .*: \[waivers\] "
                r"longest_days = 90 of org.toml:35"
            ),
        ),
        (
            waiver(rule="floor"),
            (
                r"team.toml:4: .*rule = 'floor' cannot be waived; allowed: gap, impact: \[waivers\] "
                r"allowed_rules = .* of org.toml:36"
            ),
        ),
        (
            waiver(by="rsk"),
            (
                r"team.toml:6: .*approved_by = 'rsk' may not approve a waiver; did you mean 'risk'\? "
                r".*: \[waivers\] approvers = .* of org.toml:37"
            ),
        ),
    ],
    ids=["days", "rule", "approver"],
)
def test_a_waiver_beyond_a_cap_is_refused_with_both_lines(capped, text, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(capped(text))


def test_a_cap_holds_for_waivers_of_its_own_file_too(capped):
    path = capped(f"[waivers]\nlongest_days = 10\n{waiver(days=20)}")
    with pytest.raises(PolicyError, match=r"longest_days = 10 of team.toml:4"):
        load_policy(path)


def test_no_rule_can_be_waived_where_the_list_is_empty(capped):
    with pytest.raises(PolicyError, match="rule = 'gap' cannot be waived"):
        load_policy(capped(f"[waivers]\nallowed_rules = []\n{waiver()}"))


@pytest.mark.parametrize(
    "text",
    ["longest_days = 30", 'allowed_rules = ["gap"]', "allowed_rules = []", 'approvers = ["legal"]'],
)
def test_a_child_may_lower_a_cap(capped, text):
    child = load_policy(capped(f"[waivers]\n{text}"))
    (change,) = compare(read_document("org.toml"), child.document)
    assert change.kind == "tightened"


@pytest.mark.parametrize("text", CAPS.splitlines()[1:])
def test_a_child_may_set_a_cap_that_its_parent_leaves_out(write, text):
    child = load_policy(write(f"{CHILD}[waivers]\n{text}"))
    (change,) = compare(read_document("org.toml"), child.document)
    assert change.kind == "tightened"
    (removed,) = compare(child.document, read_document("org.toml"))
    assert removed.kind == "removed"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "longest_days = 91",
            r"team.toml:4: \[waivers\]: longest_days = 91 loosens .* org.toml:35",
        ),
        ('allowed_rules = ["gap", "floor"]', r"team.toml:4: .*allowed_rules = .* org.toml:36"),
        ('approvers = ["risk", "me"]', r"team.toml:4: .*approvers = .* loosens .* org.toml:37"),
    ],
)
def test_a_child_may_not_raise_a_cap(capped, text, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(capped(f"[waivers]\n{text}"))


def test_explain_shows_the_caps_with_their_lines(capped):
    lines = effective_lines(load_policy(capped("")).document)
    (line,) = [line for line in lines if line.startswith("longest_days")]
    assert line.endswith("# org.toml:35")


def test_a_record_is_checked_as_of_its_day(capped):
    """Days later, a waiver that was too long is within the cap of that later day."""
    texts = load_policy(capped(waiver(days=90))).texts
    assert restore_policy(texts, today=TODAY).waivers
    with pytest.raises(PolicyError, match="longest_days = 90"):
        restore_policy(texts, today=TODAY - dt.timedelta(days=1))
