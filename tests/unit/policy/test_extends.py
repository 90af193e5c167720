"""A policy inherits key by key, over several files, and keeps the line of each key."""

import hashlib
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from pytest_fairness import judge
from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import Limit, compare, load_policy, read_document

CHILD = 'schema = 1\nextends = "org.toml"\n'
FIXTURES = Path(__file__).parents[3] / "fixtures" / "policies"


def org_text() -> str:
    return Path("org.toml").read_text(encoding="utf-8")


def rule_of(policy, name: str):
    (rule,) = [rule for rule in policy.rules if rule.id == name]
    return rule


def test_what_a_child_does_not_mention_is_inherited(write):
    policy = load_policy(write(CHILD))
    assert [rule.id for rule in policy.rules] == ["floor", "gap", "impact"]
    assert policy.decision.inconclusive == "fail"
    assert policy.evaluations["faces"].attributes["tone"] == ("light", "dark")
    assert policy.required[0].group == {"tone": "dark"}


def test_a_rule_is_merged_key_by_key_and_each_key_keeps_its_line(write):
    policy = load_policy(write(CHILD + '[[rule]]\nid = "floor"\nmin = 0.8\n'))
    floor = rule_of(policy, "floor")
    assert floor.limit == Limit("min", 0.8, 1.0)
    assert floor.min_samples == 20
    assert floor.where == "team.toml:3"
    assert floor.origins["min"] == "team.toml:5"
    assert floor.origins["by"] == "org.toml:17"
    assert rule_of(policy, "impact").origins["between"] == "preset four-fifths.toml:11"


def test_extends_reaches_over_several_levels_each_relative_to_its_file(write):
    write(
        CHILD.replace("org.toml", "../org.toml") + '[[rule]]\nid = "gap"\nmax = 0.08\n', "a/b.toml"
    )
    leaf = write(
        'schema = 1\nextends = "../b.toml"\n[[rule]]\nid = "floor"\nmin = 0.9\n', "a/c/leaf.toml"
    )
    policy = load_policy(leaf)
    assert rule_of(policy, "gap").limit.high == 0.08
    assert rule_of(policy, "floor").limit.low == 0.9
    assert [file.source for file in policy.texts] == ["org.toml", "a/b.toml", "a/c/leaf.toml"]
    assert policy.evaluations["faces"].manifest == Path("faces.csv")


def test_the_hash_covers_every_file_and_is_the_files_own_where_there_is_one(write):
    alone = load_policy("org.toml")
    assert alone.sha256 == hashlib.sha256(org_text().encode()).hexdigest()
    child = write(CHILD)
    before = load_policy(child).sha256
    Path("org.toml").write_text(org_text() + "# a word\n", encoding="utf-8")
    after = load_policy(child).sha256
    assert len({alone.sha256, before, after}) == 3


def test_the_record_keeps_the_text_of_every_file(write):
    policy = load_policy(write(CHILD))
    frame = pd.DataFrame(
        [(name, "female", "light", "yes", "yes") for name in ("a", "b")],
        columns=["id", "sex", "tone", "target", "prediction"],
    )
    frame.assign(split=["test", "holdout"]).to_csv("faces.csv", index=False)
    kept = judge(policy, frame).policy.files
    assert [(file.source, file.text) for file in kept] == [
        ("org.toml", org_text()),
        ("team.toml", CHILD),
    ]


def test_a_circle_is_named(write):
    write('schema = 1\nextends = "b.toml"\n', "a.toml")
    write('schema = 1\nextends = "a.toml"\n', "b.toml")
    with pytest.raises(
        PolicyError, match=r"b.toml:2: extends goes round.*a.toml -> b.toml -> a.toml"
    ):
        load_policy("a.toml")


def test_a_missing_parent_names_the_line_that_asks_for_it(write):
    with pytest.raises(
        PolicyError, match=r"team.toml:2: extends = 'none.toml': no such policy file"
    ):
        load_policy(write(CHILD.replace("org.toml", "none.toml")))


def test_extends_is_one_path(write):
    with pytest.raises(PolicyError, match=r"team.toml:2: extends = \['org.toml'\]"):
        load_policy(write('schema = 1\nextends = ["org.toml"]\n'))


def test_a_mistake_in_the_parent_names_the_parents_line(write):
    Path("org.toml").write_text(org_text().replace("min = 0.7", "minn = 0.7"), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"org.toml:18: rule 'floor': unknown key 'minn'"):
        load_policy(write(CHILD))


def test_an_id_that_no_inherited_rule_has_is_named(write):
    with pytest.raises(
        PolicyError, match=r"team.toml:3: .*no inherited rule has its id; did you mean 'gap'"
    ):
        load_policy(write(CHILD + '[[rule]]\nid = "gapp"\nmax = 0.05\n'))


def test_a_rule_without_id_is_a_new_one_and_may_not_share_an_inherited_name(write):
    Path("org.toml").write_text(org_text().replace('id = "floor"\n', ""), encoding="utf-8")
    with pytest.raises(
        PolicyError,
        match=r"rule 'accuracy' appears twice, here and at org.toml:14: .*to tighten the inherited",
    ):
        load_policy(write(CHILD + '[[rule]]\nmetric = "accuracy"\nmin = 0.9\n'))
    named = load_policy(write(CHILD + '[[rule]]\nid = "accuracy"\nmin = 0.9\n'))
    assert rule_of(named, "accuracy").limit.low == 0.9


def test_a_parent_may_leave_the_evaluations_to_its_children(write):
    start, rest = org_text().split("[evaluation.faces]")
    faces, rules = rest.split("[[rule]]", 1)
    Path("org.toml").write_text(f"{start}[[rule]]{rules}", encoding="utf-8")
    with pytest.raises(PolicyError, match="the policy needs the key 'evaluation'"):
        load_policy("org.toml")
    assert load_policy(write(f"{CHILD}[evaluation.faces]{faces}")).rules[0].by == (
        ("sex",),
        ("tone",),
    )


@pytest.mark.parametrize("team", ["photo_search", "avatars"])
def test_the_teams_of_the_example_tighten_their_organisation(team):
    org, path = FIXTURES / "org.toml", FIXTURES / "teams" / f"{team}.toml"
    kinds = {change.kind for change in compare(read_document(org), load_policy(path).document)}
    assert kinds <= {"tightened", "added"}


@pytest.mark.parametrize("name", ["org.toml", "teams/photo_search.toml", "teams/avatars.toml"])
def test_the_published_schema_accepts_files_of_several_levels(name):
    import json

    import jsonschema

    schema = json.loads(
        (FIXTURES.parents[1] / "docs/policy.schema.json").read_text(encoding="utf-8")
    )
    policy = tomllib.loads((FIXTURES / name).read_text(encoding="utf-8"))
    for waiver in policy.get("waiver", []):
        waiver["until"] = waiver["until"].isoformat()
    jsonschema.validate(policy, schema)
    whole = {key: value for key, value in policy.items() if key not in ("extends", "decision")}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(whole, schema)
