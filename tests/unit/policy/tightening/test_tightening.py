"""A policy may only tighten what it extends; what loosens is refused with both lines."""

from pathlib import Path

import pytest
from hypothesis import given, strategies as st

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import compare, load_policy, read_document

CHILD = 'schema = 1\nextends = "org.toml"\n'


def org_text() -> str:
    return Path("org.toml").read_text(encoding="utf-8")


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
    "level of a pass": (
        "[decision]\npass_level = 0.99",
        "0.95 (that of level) -> pass_level = 0.99",
    ),
    "looks": ("[decision]\nlooks = 5", "looks = 1 (default) -> looks = 5"),
    "any number of looks": ('[decision]\nlooks = "any"', 'looks = 1 (default) -> looks = "any"'),
    "no cache": ('[decision]\ncache = "refuse"', 'cache = "allow" (default) -> cache = "refuse"'),
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
    "columns of a new attribute": (
        '[evaluation.faces]\nattributes.band = ["young", "old"]\n'
        'derive.band = { from = "age", bins = [0, 18], labels = ["young", "old"] }'
    ),
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
    Path("org.toml").write_text(org_text().replace('"fail"', '"warn"'), encoding="utf-8")
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
    "level of a pass": (
        "[decision]\npass_level = 0.9",
        r"team.toml:4: .* pass_level = 0.9 loosens pass_level = 0.95 \(that of level\) of org.toml:5",
    ),
    "level of a pass below the one that is inherited with a level": (
        "[decision]\nlevel = 0.99\npass_level = 0.9",
        r"team.toml:5: \[decision\]: pass_level = 0.9 loosens pass_level = 0.95 \(that of level\) of ",
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
    "column of the answers": (
        '[evaluation.faces]\nprediction = "gender"',
        r"team.toml:4: .*prediction = \"gender\" changes prediction = \"prediction\" of org.toml:7",
    ),
    "a score": (
        '[evaluation.faces]\nscore = "p"',
        r"score = \"p\" changes an evaluation without score of org.toml:7",
    ),
    "a cluster": (
        '[evaluation.faces]\ncluster = "everybody"',
        r"cluster = \"everybody\" changes an evaluation without cluster of org.toml:7; .*beside it",
    ),
    "an inherited column that is derived anew": (
        '[evaluation.faces.derive]\ntone = { from = "other", merge = { light = ["a"] } }',
        r"derive.tone = .* changes what is inherited.*attributes that it adds",
    ),
    "the answers, derived": (
        '[evaluation.faces.derive]\nprediction = { from = "gender", merge = { yes = ["f"] } }',
        r"derive.prediction = .* changes",
    ),
    "all groups, where the limit bounds one direction only": (
        '[[rule]]\nmetric = "accuracy"\nmin = 0.1\n[[rule]]\nid = "upper"\nreference = "all"',
        r"rule 'upper': reference = \"all\" changes the evaluation's reference",
    ),
    "a share that leaves out the best group": (
        '[[rule]]\nid = "best"\nmin_share = 0.4',
        r"rule 'best': min_share = 0.4 changes .* another group could become the best",
    ),
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
    more = (
        '\n[[rule]]\nid = "upper"\nmetric = "selection_rate_ratio"\nby = ["sex"]\nmax = 1.25\n'
        '[[rule]]\nid = "best"\nmetric = "accuracy_difference"\nreference = "best"\nmax = 0.1\n'
    )
    Path("org.toml").write_text(org_text() + more, encoding="utf-8")
    with pytest.raises(PolicyError, match=message):
        load_policy(write(CHILD + text))


def test_a_higher_level_raises_the_level_of_a_pass_unless_that_is_written(write):
    for text in ("level = 0.99", "level = 0.99\npass_level = 0.95"):
        policy = load_policy(write(CHILD + f"[decision]\n{text}"))
        (change,) = compare(read_document("org.toml"), policy.document)
        assert (change.kind, change.before, change.after) == (
            "tightened",
            "level = 0.95",
            "level = 0.99",
        )
    Path("org.toml").write_text(org_text().replace("level = 0.95", "pass_level = 0.9"), "utf-8")
    assert load_policy(write(CHILD + "[decision]\nlevel = 0.99")).decision.confidence_to_pass == 0.9
    with pytest.raises(PolicyError, match=r"pass_level = 0.85 loosens pass_level = 0.9 of org"):
        load_policy(write(CHILD + "[decision]\npass_level = 0.85"))


def test_a_new_rule_is_no_heavier_than_those_that_are_inherited(write):
    added = '[[rule]]\nmetric = "error_rate"\nmax = 0.4\nweight = {}'
    with pytest.raises(
        PolicyError, match=r"rule 'error_rate': weight = 2 loosens weight = 1 of org.toml:1.*error"
    ):
        load_policy(write(CHILD + added.format(2)))
    assert load_policy(write(CHILD + added.format(0.5))).rules[-1].weight == 0.5
    Path("org.toml").write_text(org_text().replace("min = 0.7", "min = 0.7\nweight = 3"), "utf-8")
    with pytest.raises(PolicyError, match=r"weight = 2 loosens weight = 1 of org.toml:2"):
        load_policy(write(CHILD + added.format(2)))


@pytest.mark.parametrize("weight", [0.5, 2])
def test_the_weight_of_an_inherited_rule_stays_what_it_is(write, weight):
    text = f'[[rule]]\nid = "gap"\nweight = {weight}'
    with pytest.raises(PolicyError, match=rf"rule 'gap': weight = {weight} changes weight = 1"):
        load_policy(write(CHILD + text))


@pytest.mark.parametrize("correction", ["none", "holm", "max-t", "gatekeeping"])
def test_the_correction_of_an_inherited_policy_stays_what_it_is(write, correction):
    other = "holm" if correction != "holm" else "gatekeeping"
    text = org_text().replace("level = 0.95", f'correction = "{correction}"')
    Path("org.toml").write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError, match=rf'correction = "{other}" changes'):
        load_policy(write(CHILD + f'[decision]\ncorrection = "{other}"'))


def test_no_gate_is_put_before_what_is_inherited(write):
    text = org_text().replace("level = 0.95", 'correction = "gatekeeping"')
    Path("org.toml").write_text(text.replace('["sex", "tone"]', '["sex*tone"]'), encoding="utf-8")
    with pytest.raises(
        PolicyError, match=r"by = \[.*loosens.*'sex' would stand before what is inh"
    ):
        load_policy(write(CHILD + '[[rule]]\nid = "floor"\nby = ["sex", "sex*tone"]'))
    Path("org.toml").write_text(text, encoding="utf-8")
    child = write(CHILD + '[[rule]]\nid = "floor"\nby = ["sex", "tone", "sex*tone"]')
    assert load_policy(child).rules[0].by[-1] == ("sex", "tone")


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
        ("", '[decision]\nlooks = "any"'),
        ('decide = "estimate"', '[decision]\ndecide = "interval"'),
    ],
    ids=["level", "min_samples", "min_share", "looks", "decide"],
)
def test_the_inherited_policy_is_kept_beside_what_opens_questions(write, org, text):
    warns = org_text().replace('inconclusive = "fail"', f'inconclusive = "warn"\n{org}')
    Path("org.toml").write_text(warns, encoding="utf-8")
    policy = load_policy(write(CHILD + text))
    assert {change.kind for change in compare(read_document("org.toml"), policy.document)} == {
        "tightened"
    }
    (alone,) = policy.alone
    inherited = load_policy("org.toml")
    assert alone.decision == inherited.decision
    assert alone.rules == inherited.rules
    assert alone.evaluations == inherited.evaluations
    assert inherited.alone == ()


def test_a_child_that_changes_no_answer_leaves_nothing_to_judge_twice(write):
    assert load_policy(write(CHILD + ADDED["waiver"])).alone == ()


def test_a_rule_that_a_parent_leaves_without_a_limit_is_not_judged_by_itself(write):
    Path("org.toml").write_text(org_text().replace("min = 0.7\n", ""), encoding="utf-8")
    (alone,) = load_policy(write(CHILD + '[[rule]]\nid = "floor"\nmin = 0.7')).alone
    assert [(rule.id, rule.where) for rule in alone.rules] == [
        ("gap", "org.toml:20"),
        ("impact", "org.toml:26"),
    ]


@pytest.mark.parametrize(("org", "team"), [(3, 2), ('"any"', 20), ('"any"', 1)])
def test_a_child_never_allows_fewer_looks_than_it_inherited(write, org, team):
    several = org_text().replace('inconclusive = "fail"', f'inconclusive = "fail"\nlooks = {org}')
    Path("org.toml").write_text(several, encoding="utf-8")
    with pytest.raises(PolicyError, match=rf"looks = {team} loosens looks = {org} of org.toml:5"):
        load_policy(write(CHILD + f"[decision]\nlooks = {team}"))


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


def test_a_child_may_refuse_a_model_that_the_parent_tells_of_but_not_the_reverse(tmp_path):
    def policy(name, first, says):
        model = f'[model.m]\nkind = "fixture"\nnondeterministic = "{says}"\n'
        (tmp_path / name).write_text(first + model, encoding="utf-8")
        return tmp_path / name

    org = 'schema = 1\ndecision.inconclusive = "fail"\n'
    child = 'schema = 1\nextends = "parent.toml"\n'
    parent = policy("parent.toml", org, "tell")
    strict = read_document(policy("child.toml", child, "refuse"))
    (change,) = compare(read_document(parent), strict)
    assert change.kind == "tightened"
    policy("parent.toml", org, "refuse")
    policy("child.toml", child, "tell")
    with pytest.raises(PolicyError, match=r'nondeterministic = "tell" loosens nondeterministic'):
        load_policy(tmp_path / "child.toml")
