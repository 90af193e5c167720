"""How an evaluation is read: its reader, its derived columns, its broken images."""

import json
from pathlib import Path

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import compare, load_policy, read_document

HEAD = 'schema = 1\n[decision]\ninconclusive = "fail"\n[[rule]]\nmetric = "accuracy"\nmin = 0.5\n'
SEX = 'attributes = { sex = ["f", "m"] }'
FACES = f"[evaluation.faces]\n{SEX}\n"


@pytest.fixture
def policy_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text: str, folder: str = "gate") -> Path:
        path = Path(folder, "policy.toml")
        path.parent.mkdir(exist_ok=True)
        path.write_text(HEAD + FACES + text, encoding="utf-8")
        return path

    return write


def test_a_root_is_relative_to_the_policy(policy_file):
    text = 'reader = "celeba"\nroot = "../celeba"\nsplit = "test"\noptions.images = "img"\n'
    faces = load_policy(policy_file(text)).evaluations["faces"]
    assert faces.source == faces.root == Path("gate/../celeba")
    assert (faces.reader, faces.split, faces.options) == ("celeba", ("test",), {"images": "img"})


def test_the_source_of_a_manifest_is_the_manifest(policy_file):
    faces = load_policy(policy_file('manifest = "faces.csv"\n')).evaluations["faces"]
    assert (faces.reader, faces.source) == ("manifest", Path("gate/faces.csv"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            'reader = "celebb"\nroot = "x"',
            "unknown reader 'celebb'; did you mean 'celeba'",
            id="reader",
        ),
        pytest.param('reader = "celeba"', "reader 'celeba' needs root", id="no root"),
        pytest.param('root = "x"', "root is for a reader of data sets", id="no reader"),
        pytest.param('manifest = "m.csv"\nsplit = "x"', "split is for a reader", id="split"),
        pytest.param(
            'reader = "celeba"\nroot = "x"\nmanifest = "m.csv"', "keep one of the two", id="both"
        ),
        pytest.param('on_error = "count"', r"needs max_errors, .* such as 0\.01", id="no share"),
        pytest.param("max_errors = 0.1", 'needs on_error = "count"', id="share alone"),
        pytest.param('on_error = "count"\nmax_errors = 0', "greater than 0", id="share 0"),
        pytest.param('on_error = "count"\nmax_errors = 1.0', "less than 1", id="share 1"),
        pytest.param(
            'derive.g = { from = "age" }',
            "derive.g: it needs one of: bins with labels, scale, merge",
            id="nothing",
        ),
        pytest.param("derive.g = { bins = [0] }", "needs the key 'from'", id="no source"),
        pytest.param(
            'derive.g = { from = "age", bin = [0] }',
            "unknown key 'bin'; did you mean 'bins'",
            id="misspelt",
        ),
        pytest.param(
            'derive.g = { from = "age", bins = [0, 18] }',
            "bins has 2 edges and labels has 0",
            id="no labels",
        ),
        pytest.param(
            'derive.g = { from = "age", bins = [0, 0], labels = ["a"] }',
            "bins must rise",
            id="flat",
        ),
        pytest.param(
            'derive.g = { from = "a", bins = [0], labels = ["a"], scale = "ita" }',
            "bins and scale are both given: remove one",
            id="two ways",
        ),
        pytest.param(
            'derive.g = { from = ["a", "b"], scale = "fitzpatrick" }',
            "from names 2 columns",
            id="two sources",
        ),
        pytest.param(
            'derive.g = { from = "a", merge = { x = ["1"], y = [1] } }',
            "'1' appears twice in merge: remove one",
            id="twice",
        ),
        pytest.param(
            'derive.g = { from = "a", merge = { x = ["1"] }, missing = ["1"] }',
            "'1' appears in merge and in missing: remove one",
            id="merged and missing",
        ),
        pytest.param(
            'derive.g = { from = "a", scale = "ita", rest = "x" }',
            "merge does not list: add merge",
            id="rest",
        ),
        pytest.param('derive.g = { from = "a", scale = "monk" }', "'monk'.*'ita'", id="scale"),
    ],
)
def test_what_cannot_be_read_is_an_error_with_its_line(policy_file, text, problem):
    with pytest.raises(PolicyError, match=rf"gate/policy\.toml:\d+: .*{problem}"):
        load_policy(policy_file(text + "\n"))


def test_the_line_of_a_wrong_derivation_is_named(policy_file):
    text = 'derive.a = { from = "x", scale = "ita" }\n[evaluation.faces.derive.b]\nfrom = "x"\n'
    with pytest.raises(PolicyError, match=r"policy\.toml:10: .*derive\.b: it needs one of"):
        load_policy(policy_file(text))


BASE = 'derive.age_group = { from = "age", bins = [0], labels = ["x"] }\n'
COUNTS = 'on_error = "count"\nmax_errors = 0.05\n'


@pytest.mark.parametrize(
    ("made", "levels"),
    [
        pytest.param('bins = [0, 18], labels = ["young", "old"]', ["young", "old"], id="bins"),
        pytest.param('merge = { x = ["1"] }, rest = "y"', ["x", "y"], id="merge"),
        pytest.param('scale = "fitzpatrick"', ["I", "VI"], id="fitzpatrick"),
        pytest.param('scale = "ita"', ["tan", "very light"], id="ita"),
        pytest.param('scale = "ita", merge = { x = ["tan"] }, rest = "y"', ["x"], id="both"),
    ],
)
def test_a_declared_level_that_a_derivation_never_gives_is_refused(policy_file, made, levels):
    def write(*declared):
        path = policy_file(f'derive.skin = {{ from = "a", {made} }}\n')
        skin = f"attributes.skin = {json.dumps([*levels, *declared])}"
        text = path.read_text(encoding="utf-8").replace(SEX, skin)
        path.write_text(text, encoding="utf-8")
        return path

    assert load_policy(write("(missing)")).evaluations["faces"].derive["skin"].column == "skin"
    with pytest.raises(
        PolicyError, match=r"toml:8: .*attributes\.skin declares 'lihgt', which derive\.skin never"
    ):
        load_policy(write("lihgt"))


@pytest.mark.parametrize(
    ("text", "kind", "shown"),
    [
        pytest.param(
            'attributes.g = ["tan"]\nderive.g = { from = "b", scale = "ita" }',
            "added",
            "derive.g = {",
            id="a column more",
        ),
        pytest.param("max_errors = 0.01", "tightened", "max_errors = 0.05", id="a smaller share"),
    ],
)
def test_a_child_may_add_columns_and_bear_fewer_broken_images(policy_file, text, kind, shown):
    policy_file(BASE + COUNTS, folder="org")
    child = Path("team.toml")
    child.write_text(f'schema = 1\nextends = "org/policy.toml"\n[evaluation.faces]\n{text}\n')
    changes = compare(read_document("org/policy.toml"), load_policy(child).document)
    assert {change.kind for change in changes} == {kind}
    assert shown in changes[-1].text


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param(
            "max_errors = 0.06",
            'on_error = "count", max_errors = 0.06 loosens on_error = "count", max_errors = 0.05',
            id="share",
        ),
        pytest.param(
            "max_unpredicted = 0.1", "max_unpredicted = 0.1 loosens max_unpredicted = 0", id="lack"
        ),
        pytest.param("derive.age_group.bins = [1]", r"derive.age_group = .* changes", id="bins"),
        pytest.param(
            'derive.sex = { from = "sex", merge = { f = ["f", "m"] } }',
            "an inherited column would change its meaning",
            id="in place",
        ),
        pytest.param('reader = "celeba"\nroot = "x"', 'reader = "celeba" changes', id="reader"),
    ],
)
def test_a_child_may_not_bear_more_or_read_otherwise(policy_file, text, problem):
    policy_file(BASE + COUNTS + 'manifest = "m.csv"\n', folder="org")
    child = Path("team.toml")
    child.write_text(f'schema = 1\nextends = "org/policy.toml"\n[evaluation.faces]\n{text}\n')
    with pytest.raises(PolicyError, match=rf"team\.toml:\d+: .*{problem}"):
        load_policy(child)


def test_a_child_may_not_start_to_count_broken_images(policy_file):
    policy_file("", folder="org")
    child = Path("team.toml")
    child.write_text(f'schema = 1\nextends = "org/policy.toml"\n[evaluation.faces]\n{COUNTS}')
    with pytest.raises(PolicyError, match=r'max_errors = 0\.05 loosens on_error = "fail"'):
        load_policy(child)


def test_a_derivation_that_lost_a_key_is_shown_as_changed(policy_file):
    made = 'derive.g = { from = "a", merge = { x = ["1"] }, rest = "y" }\n'
    before = read_document(policy_file(made, folder="before"))
    after = read_document(policy_file(made.replace(', rest = "y"', ""), folder="after"))
    (change,) = compare(before, after)
    assert (change.kind, change.where_after) == ("changed", "after/policy.toml:9")
