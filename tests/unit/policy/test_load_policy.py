"""A policy is read whole, and every mistake in it is named with its line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import Limit, load_policy, policy_schema

POLICY = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.faces]
manifest = "faces/manifest.csv"
positive = "yes"
classes = ["no", "yes"]
attributes = { sex = ["female", "male"], old = [true, false], stage = [1, 2] }
reference = { sex = "male" }

[[rule]]
id = "floor"
metric = "accuracy"
by = ["sex", "sex*old"]
min = 0.7

[[rule]]
metric = "disparate_impact"
preset = "four-fifths"
reference = "best"
"""

ROOT = Path(__file__).parents[3]


@pytest.fixture
def write(tmp_path):
    def write_policy(text: str) -> Path:
        path: Path = tmp_path / "policy.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write_policy


def test_a_valid_policy_is_read_with_defaults_paths_and_lines(write):
    path = write(POLICY)
    policy = load_policy(path)
    assert policy.decision.decide == "interval"
    assert policy.decision.confidence == 0.95
    faces = policy.evaluations["faces"]
    assert faces.manifest == path.parent / "faces/manifest.csv"
    assert faces.attributes == {
        "sex": ("female", "male"),
        "old": ("True", "False"),
        "stage": ("1", "2"),
    }
    floor, impact = policy.rules
    assert floor.by == (("sex",), ("sex", "old"))
    assert floor.limit == Limit("min", 0.7, 1.0)
    assert floor.where == f"{path}:13"
    assert impact.id == "disparate_impact"
    assert impact.by == (("sex",), ("old",), ("stage",))
    assert impact.limit == Limit("between", 0.8, 1.25)


def test_a_mapping_of_the_same_shape_gives_the_same_rules(write):
    path = write(POLICY)
    import tomllib

    from_mapping = load_policy(tomllib.loads(POLICY))
    from_file = load_policy(path)
    assert [rule.limit for rule in from_mapping.rules] == [rule.limit for rule in from_file.rules]
    assert load_policy(from_file) is from_file


def test_max_of_a_difference_bounds_its_absolute_value(write):
    text = POLICY.replace('"accuracy"', '"accuracy_difference"').replace("min = 0.7", "max = 0.1")
    assert load_policy(write(text)).rules[0].limit == Limit("max", -0.1, 0.1)


def test_an_attribute_without_a_reference_is_compared_between_all_groups(write):
    text = POLICY.replace('"accuracy"', '"accuracy_difference"').replace("min = 0.7", "max = 0.1")
    policy = load_policy(write(text))
    rule, faces = policy.rules[0], policy.evaluations["faces"]
    assert rule.reference_for(("sex",), faces) == {"sex": "male"}
    assert rule.reference_for(("sex", "old"), faces) == "all"
    assert policy.rules[1].reference_for(("sex",), faces) == "best"


MISTAKES = {
    "inconclusive has no default": (
        'inconclusive = "warn"',
        "",
        r"policy.toml:3: \[decision\] needs the key 'inconclusive'; write inconclusive = \"fail\"",
    ),
    "inconclusive of another word": (
        '"warn"',
        '"ignore"',
        r"policy.toml:4: decision.inconclusive = 'ignore': input should be 'fail' or 'warn'",
    ),
    "misspelt key": (
        "min = 0.7",
        "minn = 0.7",
        r"policy.toml:17: rule 'floor': unknown key 'minn'; did you mean 'min'\?",
    ),
    "unknown table": (
        "[decision]",
        "[decisions]\n[decision]",
        r"policy.toml:3: unknown key 'decisions'; did you mean 'decision'\?",
    ),
    "unknown metric": (
        '"accuracy"',
        '"acuracy"',
        r"policy.toml:15: rule 'floor': unknown metric 'acuracy'; did you mean 'accuracy'\?",
    ),
    "unknown attribute": (
        '"sex*old"',
        '"sex*tone"',
        r"policy.toml:16: rule 'floor': by names attribute 'tone', which \[evaluation.faces\] does not",
    ),
    "limit in percent": (
        "min = 0.7",
        "min = 70",
        r"policy.toml:17: rule 'floor': min = 70.0 must be in \[0, 1\].*0.05 for 5 points",
    ),
    "limit that is no number": (
        "min = 0.7",
        "min = nan",
        r"policy.toml:17: rule 'floor': rule.0.min = nan: input should be a finite number",
    ),
    "no limit": ("min = 0.7", "", r"rule 'floor': one limit is needed, got none"),
    "two limits": (
        "min = 0.7",
        "min = 0.7\nmax = 0.9",
        r"rule 'floor': one limit is needed, got min = 0.7, max = 0.9",
    ),
    "limits the wrong way round": (
        "min = 0.7",
        "between = [0.9, 0.1]",
        r"between = \[0.9, 0.1\] must be in \[0, 1\], the smaller first",
    ),
    "min of a difference": (
        '"accuracy"\nby',
        '"accuracy_difference"\nby',
        r"a difference has a sign, so min alone is ambiguous; write max = X",
    ),
    "preset and a limit": (
        'preset = "four-fifths"',
        'preset = "four-fifths"\nmin = 0.5',
        r"rule with preset 'four-fifths' also writes min",
    ),
    "unknown preset": (
        "four-fifths",
        "five-sixths",
        r"policy.toml:21: unknown preset 'five-sixths'",
    ),
    "unknown reference word": (
        '"best"',
        '"worst"',
        r"policy.toml:22: rule 'disparate_impact': reference = 'worst'; write levels such as",
    ),
    "reference level not declared": (
        '"best"',
        '{ sex = "x", old = true, stage = 1 }',
        r"reference sex = 'x' is not declared in \[evaluation.faces\]; allowed: female, male",
    ),
    "reference of too few attributes": (
        '"best"',
        '{ sex = "male" }',
        r"reference gives no level for old, stage; add it, or split the rule",
    ),
    "reference where nothing is compared": (
        "min = 0.7",
        'min = 0.7\nreference = "best"',
        r"metric 'accuracy' compares no groups; drop reference",
    ),
    "evaluation's reference not declared": (
        'reference = { sex = "male" }',
        'reference = { sex = "Male" }',
        r"policy.toml:11: evaluation 'faces': reference sex = 'Male' is not a declared level.*'male'\?",
    ),
    "positive that is no class": (
        'positive = "yes"',
        'positive = "maybe"',
        r"policy.toml:8: evaluation 'faces': positive = 'maybe' is not one of classes",
    ),
    "no positive class": (
        'positive = "yes"\n',
        "",
        r"'disparate_impact' needs a positive class; write positive",
    ),
    "two rules of one name": (
        'id = "floor"',
        'id = "disparate_impact"',
        r"policy.toml:19: rule 'disparate_impact' appears twice, here and at .*policy.toml:13",
    ),
    "attribute crossed with itself": ('"sex*old"', '"sex*sex"', "crosses an attribute with itself"),
    "groups asked twice": ('"sex*old"', '"sex*old", "old*sex"', "lists the same groups twice"),
    "level declared twice": (
        '"female", "male"',
        '"male", "male"',
        "'sex' lists a group value twice",
    ),
    "not TOML": ("[[rule]]\nid", "[[rule]\nid", r"policy.toml: not valid TOML: .*line 13"),
    "no schema": ("schema = 1\n", "", r"the policy needs the key 'schema'; write schema = 1"),
    "later schema": ("schema = 1", "schema = 2", r"policy.toml:1: schema = 2: input should be 1"),
    "level out of range": (
        '"warn"',
        '"warn"\nlevel = 95',
        r"policy.toml:5: decision.level = 95: input should be less than 1",
    ),
    "limit as text": ("min = 0.7", 'min = "0.7"', "min = '0.7': input should be a valid number"),
    "min_samples as a truth value": (
        "min = 0.7",
        "min = 0.7\nmin_samples = true",
        "min_samples = True: input should be a valid integer",
    ),
    "min_share as text": (
        "min = 0.7",
        'min = 0.7\nmin_share = "0.1"',
        "min_share = '0.1': input should be a valid number",
    ),
    "level as text": (
        '"warn"',
        '"warn"\nlevel = "0.9"',
        "decision.level = '0.9': input should be a valid number",
    ),
    "limit as a truth value": (
        "min = 0.7",
        "min = true",
        "min = True: input should be a valid num",
    ),
    "min_samples of zero": (
        "min = 0.7",
        "min = 0.7\nmin_samples = 0",
        "greater than or equal to 1",
    ),
    "unknown evaluation": (
        "min = 0.7",
        'min = 0.7\nevaluations = ["face"]',
        r"no \[evaluation.face\]; did you mean 'faces'\? Allowed: faces",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_named_with_its_line_and_what_is_allowed(write, old, new, message):
    assert old in POLICY
    with pytest.raises(PolicyError, match=message):
        load_policy(write(POLICY.replace(old, new, 1)))


def test_a_missing_file_says_where_it_was_looked_for(tmp_path):
    with pytest.raises(PolicyError, match=r"no such policy file .*--fairness-policy"):
        load_policy(tmp_path / "none.toml")


def test_a_file_that_is_not_text_is_named(tmp_path):
    path = tmp_path / "policy.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(PolicyError, match=r"policy.toml: the policy file cannot be read"):
        load_policy(path)


def test_lines_inside_a_long_text_are_not_taken_for_tables(write):
    text = POLICY.replace("schema = 1", 'schema = 1\n"note" = """\n[[rule]]\nmin = 3\n"""', 1)
    with pytest.raises(PolicyError, match=r"policy.toml:2: unknown key 'note'"):
        load_policy(write(text))
    moved = POLICY.replace("min = 0.7", "min = 7").replace("# ", "")
    with pytest.raises(PolicyError, match=r"policy.toml:17: "):
        load_policy(write(moved))


def test_a_mapping_names_the_rule_instead_of_a_line():
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
        "rule": [{"metric": "accuracy", "min": 0.5}, {"metric": "error_rate", "max": 5}],
    }
    with pytest.raises(
        PolicyError, match=r"policy, rule 2: rule 'error_rate': max = 5.0 must be in"
    ):
        load_policy(policy)


MINIMAL = {
    "schema": 1,
    "decision": {"inconclusive": "fail"},
    "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
    "rule": [{"metric": "accuracy", "min": 0.5}],
}


@pytest.mark.parametrize("looks", [0, -1, 2.5, True, "ever", "5"])
def test_looks_are_a_whole_number_or_any(looks):
    policy = MINIMAL | {"decision": {"inconclusive": "fail", "looks": looks}}
    with pytest.raises(
        PolicyError, match=rf"looks = {looks!r}; write a whole number of looks .* or \"any\""
    ):
        load_policy(policy)


@pytest.mark.parametrize(
    ("decision", "rule"), [({"decide": "estimate"}, {}), ({}, {"decide": "estimate"})]
)
@pytest.mark.parametrize("looks", [2, "any"])
def test_several_looks_at_a_measured_value_are_refused(decision, rule, looks):
    policy = {
        **MINIMAL,
        "decision": {"inconclusive": "fail", "looks": looks, **decision},
        "rule": [{"metric": "accuracy", "min": 0.5, **rule}],
    }
    with pytest.raises(PolicyError, match=r'decide = "estimate" compares .*remove looks = '):
        load_policy(policy)


def test_a_pass_level_that_no_rule_uses_is_refused():
    decision = {"inconclusive": "fail", "pass_level": 0.9, "decide": "estimate"}
    with pytest.raises(PolicyError, match=r"pass_level = 0\.9 is the level of an interval.*remove"):
        load_policy(MINIMAL | {"decision": decision})
    rules = [
        {"id": "one", "metric": "accuracy", "min": 0.5},
        {"id": "two", "metric": "accuracy", "min": 0.5, "decide": "interval"},
    ]
    assert (
        load_policy({**MINIMAL, "decision": decision, "rule": rules}).decision.confidence_to_pass
        == 0.9
    )


@pytest.mark.parametrize(
    ("decision", "rule", "why"),
    [
        ({"correction": "none"}, {}, "choose a correction"),
        ({}, {"decide": "estimate"}, "spends none"),
        ({"decide": "estimate"}, {}, "spends none"),
    ],
)
def test_a_weight_of_questions_that_spend_no_error_is_refused(decision, rule, why):
    policy = {
        **MINIMAL,
        "decision": {"inconclusive": "fail", **decision},
        "rule": [{"metric": "accuracy", "min": 0.5, "weight": 2.0, **rule}],
    }
    with pytest.raises(PolicyError, match=f"weight = 2 shares the error among questions.*{why}"):
        load_policy(policy)


def test_the_published_schema_is_the_one_that_policies_are_checked_by():
    published = json.loads((ROOT / "docs/policy.schema.json").read_text(encoding="utf-8"))
    assert published == json.loads(json.dumps(policy_schema()))


def test_the_published_schema_accepts_the_reference_policy_and_rejects_a_misspelt_key():
    import tomllib

    import jsonschema

    schema = json.loads((ROOT / "docs/policy.schema.json").read_text(encoding="utf-8"))
    policy = tomllib.loads((ROOT / "fixtures/policies/default.toml").read_text(encoding="utf-8"))
    jsonschema.validate(policy, schema)
    policy["rule"][0]["minn"] = 0.7
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(policy, schema)


@pytest.mark.parametrize(
    "module", ["pytest_fairness", "pytest_fairness.plugin.hooks", "pytest_fairness.policy"]
)
def test_importing_loads_nothing_heavy(module):
    code = (
        f"import sys, {module}; "
        "print([m for m in ('torch', 'torchvision', 'pandas', 'numpy', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_table_in_an_error_is_written_as_toml_writes_it(write):
    text = POLICY.replace("[evaluation.faces]", "[evaluation.'a.b']").replace("sex*old", "tone")
    with pytest.raises(PolicyError, match=r"which \[evaluation\.\"a\.b\"\] does not declare"):
        load_policy(write(text))
    with pytest.raises(PolicyError, match=r"evaluation\.\"a\.b\"\.target = 1: "):
        load_policy(write(text.replace("positive", "target = 1\npositive")))
