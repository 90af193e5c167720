"""A policy inherits key by key and may only tighten; what loosens is refused with both lines."""

import hashlib
import tomllib
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, strategies as st

from pytest_fairness import judge
from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import Limit, compare, load_policy, read_document

ORG = """\
schema = 1

[decision]
inconclusive = "fail"
level = 0.95

[evaluation.faces]
manifest = "faces.csv"
positive = "yes"
attributes = { sex = ["female", "male"], tone = ["light", "dark"] }
reference = { sex = "male" }
where = { split = ["test", "holdout"] }

[[rule]]
id = "floor"
metric = "accuracy"
by = ["sex", "tone"]
min = 0.7
min_samples = 20

[[rule]]
id = "gap"
metric = "false_positive_rate_difference"
by = ["sex"]
max = 0.1

[[rule]]
id = "impact"
preset = "four-fifths"

[[required]]
group = { tone = "dark" }
"""
CHILD = 'schema = 1\nextends = "org.toml"\n'
FIXTURES = Path(__file__).parents[3] / "fixtures" / "policies"


@pytest.fixture
def write(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("org.toml").write_text(ORG, encoding="utf-8")

    def write_policy(text: str, name: str = "team.toml") -> Path:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return write_policy


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
    assert alone.sha256 == hashlib.sha256(ORG.encode()).hexdigest()
    child = write(CHILD)
    before = load_policy(child).sha256
    Path("org.toml").write_text(ORG + "# a word\n", encoding="utf-8")
    after = load_policy(child).sha256
    assert len({alone.sha256, before, after}) == 3


def test_the_record_keeps_the_text_of_every_file(write):
    policy = load_policy(write(CHILD))
    frame = pd.DataFrame(
        [("female", "light", "yes", "yes")], columns=["sex", "tone", "target", "prediction"]
    )
    kept = judge(policy, frame.assign(split="test")).policy.files
    assert [(file.source, file.text) for file in kept] == [("org.toml", ORG), ("team.toml", CHILD)]


TIGHTER = {
    "limit": ('[[rule]]\nid = "gap"\nmax = 0.05', "rule 'gap': max = 0.1 -> max = 0.05"),
    "limit of a preset": (
        '[[rule]]\nid = "impact"\nbetween = [0.9, 1.1]',
        "between = [0.8, 1.25] -> between = [0.9, 1.1]",
    ),
    "limit of another kind": (
        '[[rule]]\nid = "gap"\nbetween = [-0.1, 0.05]',
        "max = 0.1 -> between = [-0.1, 0.05]",
    ),
    "more groups": (
        '[[rule]]\nid = "gap"\nby = ["tone", "sex", "tone*sex"]',
        'by = ["sex"] -> by = ["tone", "sex", "sex*tone"]',
    ),
    "min_samples": ('[[rule]]\nid = "floor"\nmin_samples = 50', "min_samples = 20 -> min_samples"),
    "level": ("[decision]\nlevel = 0.99", "level = 0.95 -> level = 0.99"),
    "every pair": ('[[rule]]\nid = "gap"\nreference = "all"', '-> reference = "all"'),
    "a level more": (
        '[evaluation.faces]\nattributes.tone = ["light", "medium", "dark"]',
        'attributes.tone = ["light", "medium", "dark"]',
    ),
}
ADDED = {
    "rule": '[[rule]]\nmetric = "error_rate"\nmax = 0.4',
    "attribute": '[evaluation.faces.attributes]\nage = ["young", "old"]',
    "reference of a new attribute": (
        '[evaluation.faces]\nattributes.age = ["young", "old"]\nreference.age = "young"'
    ),
    "evaluation": (
        '[evaluation.more]\npositive = "yes"\nattributes.sex = ["female", "male"]\n'
        'attributes.tone = ["light", "dark"]'
    ),
    "waiver": ('[[waiver]]\nrule = "gap"\nreason = "r"\napproved_by = "a"\nuntil = 2030-01-01'),
    "required": '[[required]]\nevaluation = "faces"',
    "column": '[evaluation.faces]\nscore = "p"',
}


@pytest.mark.parametrize(("text", "shown"), TIGHTER.values(), ids=TIGHTER)
def test_a_child_may_tighten(write, text, shown):
    policy = load_policy(write(CHILD + text))
    (change,) = compare(read_document("org.toml"), policy.document)
    assert change.kind == "tightened"
    assert shown in change.text


@pytest.mark.parametrize("text", ADDED.values(), ids=ADDED)
def test_a_child_may_add(write, text):
    policy = load_policy(write(CHILD + text))
    kinds = {change.kind for change in compare(read_document("org.toml"), policy.document)}
    assert kinds == {"added"}


def test_warn_may_become_fail(write):
    Path("org.toml").write_text(ORG.replace('"fail"', '"warn"'), encoding="utf-8")
    assert (
        load_policy(write(CHILD + '[decision]\ninconclusive = "fail"')).decision.inconclusive
        == "fail"
    )


LOOSER = {
    "limit": (
        '[[rule]]\nid = "gap"\nmax = 0.2',
        r"team.toml:5: rule 'gap': max = 0.2 loosens max = 0.1 of org.toml:25; .*\[\[waiver\]\]",
    ),
    "limit on one side": (
        '[[rule]]\nid = "gap"\nbetween = [-0.5, 0.01]',
        r"between = \[-0.5, 0.01\] loosens max = 0.1 of org.toml:25",
    ),
    "limit of a preset": (
        '[[rule]]\nid = "impact"\nbetween = [0.7, 1.25]',
        r"team.toml:5: rule 'impact': between = .* of preset four-fifths.toml:11",
    ),
    "min_samples": (
        '[[rule]]\nid = "floor"\nmin_samples = 5',
        r"team.toml:5: rule 'floor': min_samples = 5 loosens min_samples = 20 of org.toml:19",
    ),
    "level": (
        "[decision]\nlevel = 0.9",
        r"team.toml:4: \[decision\]: level = 0.9 loosens .*org.toml:5",
    ),
    "inconclusive": (
        '[decision]\ninconclusive = "warn"',
        r'team.toml:4: \[decision\]: inconclusive = "warn" loosens inconclusive = "fail" of org.toml:4',
    ),
    "decide": (
        '[decision]\ndecide = "estimate"',
        r'decide = "estimate" loosens decide = "interval" \(default\) of org.toml:3',
    ),
    "decide of a rule": (
        '[[rule]]\nid = "gap"\ndecide = "estimate"',
        r"team.toml:5: rule 'gap': decide = \"estimate\" loosens .* of org.toml:21",
    ),
    "fewer groups": (
        '[[rule]]\nid = "floor"\nby = ["sex", "sex*tone"]',
        r"team.toml:5: rule 'floor': by = .* loosens by = \[\"sex\", \"tone\"\] of org.toml:17",
    ),
    "fewer groups than all": (
        '[[rule]]\nid = "impact"\nby = ["sex"]',
        r"by = \[\"sex\"\] loosens by = \[\"sex\", \"tone\"\]",
    ),
    "fewer evaluations": (
        (
            '[evaluation.more]\nattributes = { sex = ["female", "male"], tone = ["light", "dark"] }\n'
            'positive = "yes"\n[[rule]]\nid = "gap"\nevaluations = ["more"]'
        ),
        r"evaluations = \[\"more\"\] loosens evaluations = \[\"faces\"\]",
    ),
    "reference of a rule": (
        '[[rule]]\nid = "gap"\nreference = { sex = "female" }',
        r"reference = .* changes the evaluation's reference of org.toml:21; .*beside it",
    ),
    "metric": (
        '[[rule]]\nid = "floor"\nmetric = "precision"',
        r"metric = \"precision\" changes metric = \"accuracy\" of org.toml:16",
    ),
    "preset": (
        '[[rule]]\nid = "floor"\npreset = "four-fifths"',
        r"preset = .* changes what is inherited",
    ),
    "a level less": (
        '[evaluation.faces]\nattributes.tone = ["light"]',
        (
            r"team.toml:4: \[evaluation.faces\]: attributes.tone = \[\"light\"\] loosens "
            r"attributes.tone = \[\"light\", \"dark\"\] of org.toml:10"
        ),
    ),
    "reference level": (
        '[evaluation.faces]\nreference.sex = "female"',
        r"team.toml:4: .*reference.sex = \"female\" changes reference.sex = \"male\" of org.toml:11",
    ),
    "a reference where all groups were compared": (
        '[evaluation.faces]\nreference.tone = "light"',
        r"reference.tone = \"light\" changes comparing all groups of tone",
    ),
    "positive": (
        '[evaluation.faces]\npositive = "no"',
        r"positive = \"no\" changes positive = \"yes\"",
    ),
    "other data": ('[evaluation.faces]\nmanifest = "easy.csv"', r"manifest = \"easy.csv\" changes"),
    "fewer samples": (
        '[evaluation.faces]\nwhere.split = ["test"]',
        r"where = .* changes where = .* of org.toml:12; other samples would be judged",
    ),
    "fewer samples by another column": (
        '[evaluation.faces]\nwhere.vendor = ["a"]',
        "other samples",
    ),
}


@pytest.mark.parametrize(("text", "message"), LOOSER.values(), ids=LOOSER)
def test_a_child_may_not_loosen_and_the_error_shows_both_lines(write, text, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(write(CHILD + text))


def test_every_loosening_is_told_at_once(write):
    path = write(CHILD + '[decision]\nlevel = 0.9\n[[rule]]\nid = "gap"\nmax = 0.3\n')
    with pytest.raises(PolicyError, match=r"level = 0.9(.|\n)*max = 0.3"):
        load_policy(path)


def test_a_grandchild_may_not_loosen_what_its_parent_tightened(write):
    write(CHILD + '[[rule]]\nid = "gap"\nmax = 0.05\n')
    leaf = write(
        'schema = 1\nextends = "team.toml"\n[[rule]]\nid = "gap"\nmax = 0.08\n', "leaf.toml"
    )
    with pytest.raises(
        PolicyError, match=r"leaf.toml:5: .*max = 0.08 loosens max = 0.05 of team.toml:5"
    ):
        load_policy(leaf)


@pytest.mark.parametrize(
    ("org", "text"),
    [
        ("", "[decision]\nlevel = 0.99"),
        ("", '[[rule]]\nid = "floor"\nmin_samples = 50'),
        ("", '[[rule]]\nid = "floor"\nmin_share = 0.5'),
        ('decide = "estimate"', '[decision]\ndecide = "interval"'),
    ],
    ids=["level", "min_samples", "min_share", "decide"],
)
def test_with_warn_more_open_questions_would_loosen_so_fail_is_asked_for(write, org, text):
    warns = ORG.replace('inconclusive = "fail"', f'inconclusive = "warn"\n{org}')
    Path("org.toml").write_text(warns, encoding="utf-8")
    with pytest.raises(
        PolicyError, match=r"lets through what would have failed: write inconclusive"
    ):
        load_policy(write(CHILD + text))
    stricter = f"[decision]\n{text.removeprefix('[decision]')}"
    if "[[rule]]" in text:
        stricter = f'[decision]\ninconclusive = "fail"\n{text}'
    else:
        stricter += '\ninconclusive = "fail"'
    assert load_policy(write(CHILD + stricter)).decision.inconclusive == "fail"


@given(limit=st.floats(0, 1), other=st.floats(0, 1))
def test_a_limit_is_accepted_exactly_when_it_is_not_wider(limit, other):
    parent, child = (
        {
            "schema": 1,
            "decision": {"inconclusive": "fail"},
            "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
            "rule": [{"id": "gap", "metric": "accuracy_difference", "max": value}],
        }
        for value in (limit, other)
    )
    kinds = {change.kind for change in compare(read_document(parent), read_document(child))}
    assert kinds == (set() if limit == other else {"tightened" if other < limit else "loosened"})


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
    Path("org.toml").write_text(ORG.replace("min = 0.7", "minn = 0.7"), encoding="utf-8")
    with pytest.raises(PolicyError, match=r"org.toml:18: rule 'floor': unknown key 'minn'"):
        load_policy(write(CHILD))


def test_an_id_that_no_inherited_rule_has_is_named(write):
    with pytest.raises(
        PolicyError, match=r"team.toml:3: .*no inherited rule has its id; did you mean 'gap'"
    ):
        load_policy(write(CHILD + '[[rule]]\nid = "gapp"\nmax = 0.05\n'))


def test_a_rule_without_id_is_a_new_one_and_may_not_share_an_inherited_name(write):
    Path("org.toml").write_text(ORG.replace('id = "floor"\n', ""), encoding="utf-8")
    with pytest.raises(
        PolicyError,
        match=r"rule 'accuracy' stands here and at org.toml:14; .*to tighten the inherited",
    ):
        load_policy(write(CHILD + '[[rule]]\nmetric = "accuracy"\nmin = 0.9\n'))
    named = load_policy(write(CHILD + '[[rule]]\nid = "accuracy"\nmin = 0.9\n'))
    assert rule_of(named, "accuracy").limit.low == 0.9


def test_a_parent_may_leave_the_evaluations_to_its_children(write):
    start, rest = ORG.split("[evaluation.faces]")
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
