"""`[model.NAME]`: what a table may say, what it must, and how files and the command line extend it."""

from pathlib import Path

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import load_policy, restore_policy
from pytest_fairness.policy.effective import effective_lines
from pytest_fairness.policy.load import read_document
from pytest_fairness.policy.model_specs import LabelFile, PixelSpec, candidate, parse_model
from pytest_fairness.policy.tightening.compare import compare

HEAD = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.faces]
attributes = { sex = ["f", "m"] }

[[rule]]
metric = "accuracy"
min = 0.5
"""
RELEASE = """
[model.release]
path = "build/release.pt2"
labels = ["no", "yes"]
score = "logit"
preprocessing = { resize = 256, crop = 224, mean = [0.5, 0.5, 0.5] }
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text, encoding="utf-8")
    return path


def model(text: str, tmp_path: Path):
    return load_policy(write(tmp_path / "policy.toml", HEAD + text)).models


def test_a_table_becomes_a_record_with_paths_of_the_policy(tmp_path):
    text = RELEASE + 'label_groups = { yes = ["yes"] }\nsha256 = "' + "AB" * 32 + '"\n'
    found = model(text, tmp_path)["release"]
    assert found.kind == "exported"
    assert found.path == tmp_path / "build/release.pt2"
    assert found.labels == ("no", "yes")
    assert found.preprocessing == PixelSpec(resize=256, crop=224, mean=(0.5, 0.5, 0.5))
    assert found.sha256 == "ab" * 32
    assert found.where == f"{tmp_path / 'policy.toml'}:13"


def test_every_path_of_a_table_starts_from_its_file(tmp_path):
    text = """
[model.a]
factory = "model.py:build"
weights = "w.safetensors"
labels = { file = "d.csv", order = "ids.txt" }
[model.b]
factory = "package.model:build"
labels = "names.txt"
"""
    found = model(text, tmp_path)
    assert found["a"].factory == f"{tmp_path / 'model.py'}:build"
    assert found["a"].weights == tmp_path / "w.safetensors"
    assert found["a"].labels == LabelFile(tmp_path / "d.csv", order=tmp_path / "ids.txt")
    assert found["b"].factory == "package.model:build"
    assert found["b"].labels == LabelFile(tmp_path / "names.txt")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("m.pt2", "exported"),
        ("m.ONNX", "onnx"),
        ("m.ts", "torchscript"),
        ("m.pth", "torch file"),
        ("m.joblib", "pickle"),
        ("vit-base-v1.0", "huggingface"),
    ],
)
def test_the_ending_tells_the_kind(path, kind, tmp_path):
    text = RELEASE.replace("build/release.pt2", path)
    if kind == "huggingface":
        text = f'\n[model.release]\npath = "{path}"\n'
    assert model(text, tmp_path)["release"].kind == kind


BAD = {
    "no score": (
        'score = "logit"\n',
        "",
        ":13: model 'release': kind 'exported' needs the key 'score'; add one of: ",
    ),
    "no labels": (
        'labels = ["no", "yes"]\n',
        "",
        ":13: model 'release': .*needs the key 'labels'; write",
    ),
    "unknown key": ("score", "skore", r":16: unknown key 'skore'; did you mean 'score'"),
    "unknown inner key": ("crop", "corp", r":17: unknown key 'corp'; did you mean 'crop'\?"),
    "unknown word": (
        '"logit"',
        '"logits"',
        r":16: model\.release\.score = 'logits': input should be",
    ),
    "other kind": (
        "score",
        'prompts = { a = "b" }\nscore',
        ":16: .*prompts is not for kind 'exported'",
    ),
    "no kind": (
        'path = "build/release.pt2"\n',
        "",
        ":13: .*needs kind, factory or path; allowed kinds: f",
    ),
    "weights alone": (
        ".pt2",
        ".safetensors",
        ":14: .*holds weights without their network; name it",
    ),
    "architecture": (
        "path",
        'architecture = "x"\nweights',
        r":14: .*needs kind = .torchvision. or",
    ),
    "half a crop": (", crop = 224", "", ":17: .*preprocessing takes size, or resize and crop"),
    "crop too large": ("crop = 224", "crop = 300", ":17: .*crop = 300 is larger than resize = 256"),
    "division by 0": (
        "mean = [0.5, 0.5, 0.5]",
        "std = [1.0, 0.0, 1.0]",
        r":17: .*std = \[1\.0, 0\.0, 1\.0\] divides by 0",
    ),
    "sum of logits": (
        "score",
        'reduce = "sum"\nscore',
        ":16: .*adds probabilities, and the scores are lo",
    ),
    "no table": (
        "{ resize = 256, crop = 224, mean = [0.5, 0.5, 0.5] }",
        "3",
        r":17: model\.release\.prep",
    ),
    "name of weights": (
        "{ resize = 256, crop = 224, mean = [0.5, 0.5, 0.5] }",
        '"IMAGENET1K_V1"',
        ":17: .*names torchvision weights; write a table for 'exported'",
    ),
    "short hash": ("score", 'sha256 = "abc"\nscore', r":16: model\.release\.sha256 = 'abc'"),
    "two groups": (
        "score",
        'label_groups = { a = ["no"], b = ["no", "yes"] }\nscore',
        ":16: .*label 'no' is in two groups, 'a' and 'b': remove it from one",
    ),
    "ten crops of a square": (
        "{ resize = 256, crop = 224, mean = [0.5, 0.5, 0.5] }",
        '{ size = 224 }\nviews = "ten-crop"',
        ":18: .*needs preprocessing with resize and crop instead of size",
    ),
}


@pytest.mark.parametrize(("old", "new", "message"), BAD.values(), ids=BAD)
def test_a_bad_table_names_its_line(old, new, message, tmp_path):
    assert old in RELEASE
    text = RELEASE.replace(old, new, 1)
    with pytest.raises(PolicyError, match=message):
        model(text, tmp_path)


def test_a_zero_shot_model_takes_its_labels_from_its_prompts(tmp_path):
    text = (
        '\n[model.clip]\npath = "clip"\nprompts = { man = "a man", woman = ["a woman", "she"] }\n'
    )
    found = model(text, tmp_path)["clip"]
    assert (found.kind, found.prompts) == (
        "zero_shot",
        {"man": ("a man",), "woman": ("a woman", "she")},
    )
    with pytest.raises(
        PolicyError, match="the labels of kind 'zero_shot' are those of its prompts"
    ):
        model(text + 'labels = ["a", "b"]\n', tmp_path)


def test_the_effective_policy_is_a_policy_with_the_same_models(tmp_path):
    policy = load_policy(write(tmp_path / "policy.toml", HEAD + RELEASE))
    again = write(tmp_path / "again.toml", "\n".join(effective_lines(policy.document)))
    found, expected = load_policy(again).models["release"], policy.models["release"]
    assert (found.path, found.preprocessing) == (expected.path, expected.preprocessing)


def test_a_record_keeps_models_without_their_files(tmp_path):
    text = HEAD + '\n[model.a]\npath = "hf"\n[model.b]\nfactory = "m.py:f"\nlabels = "gone.txt"\n'
    policy = load_policy(write(tmp_path / "policy.toml", text))
    assert restore_policy(policy.texts).models.keys() == {"a", "b"}


def test_a_team_adds_models_and_keeps_those_that_it_inherits(tmp_path):
    write(tmp_path / "org.toml", HEAD + RELEASE)
    child = write(
        tmp_path / "teams" / "faces.toml",
        'schema = 1\nextends = "../org.toml"\n[model.own]\npath = "own"\n',
    )
    found = load_policy(child).models
    assert found["release"].path == tmp_path / "build/release.pt2"
    assert found["own"].path == tmp_path / "teams" / "own"
    text = child.read_text()
    write(child, text.replace('[model.own]\npath = "own"', '[model.release]\npath = "own.pt2"'))
    with pytest.raises(
        PolicyError, match=r"changes path = .*release\.pt2.*; what is inherited keeps"
    ):
        load_policy(child)


def test_a_diff_shows_models(tmp_path):
    before = read_document(write(tmp_path / "a.toml", HEAD + RELEASE))
    after = read_document(
        write(
            tmp_path / "b.toml",
            HEAD + RELEASE.replace("logit", "probability") + "\n[model.x]\nkind = 'fixture'\n",
        )
    )
    texts = [change.text for change in compare(before, after)]
    assert [text.split(" (")[0] for text in texts] == [
        'changed    [model.release]: score = "logit" -> score = "probability"',
        "added      [model.x]",
    ]


@pytest.fixture
def base(tmp_path):
    return model(RELEASE, tmp_path)["release"]


def test_a_candidate_takes_the_place_of_the_file_and_keeps_the_rest(base, tmp_path):
    path = write(tmp_path / "candidate.pt2", "")
    found = candidate(base, str(path), name="release")
    assert (found.path, found.labels, found.sha256) == (path, base.labels, None)
    assert found.where == f"--fairness-model release={path}"


def test_a_candidate_of_an_architecture_is_its_weights(tmp_path):
    text = (
        '\n[model.r]\nkind = "timm"\narchitecture = "vit"\nweights = "a.pth"\nlabels = ["a", "b"]\n'
    )
    base = model(text, tmp_path)["r"]
    path = write(tmp_path / "b.safetensors", "")
    assert candidate(base, str(path), name="r").weights == path


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (
            "gone.pt2",
            "--fairness-model release=gone.pt2: no such file or folder: gone.pt2; give a path",
        ),
        (
            "{file}.onnx",
            r"is of kind 'exported', .*\.onnx is not; give a file of the same kind, or a TOML",
        ),
        (
            "{{ kind = 'onxn' }}",
            "--fairness-model rel.*unknown kind of model 'onxn'; did you mean 'onnx'",
        ),
        ("{{ kind = ", "cannot be read as the TOML table of a model"),
    ],
    ids=["missing", "other kind", "bad table", "malformed"],
)
def test_a_bad_candidate_is_named_with_its_option(spec, message, base, tmp_path):
    write(tmp_path / "x.onnx", "")
    with pytest.raises(PolicyError, match=message):
        candidate(base, spec.format(file=tmp_path / "x"), name="release")


def test_a_candidate_without_a_table_needs_all_that_a_table_says(tmp_path):
    path = write(tmp_path / "x.onnx", "")
    with pytest.raises(PolicyError, match="model 'new': kind 'onnx' needs the key 'labels'"):
        candidate(None, str(path), name="new")
    assert candidate(None, "package.models:build", name="new").factory == "package.models:build"


def test_a_fixture_has_no_file_to_replace(tmp_path):
    base = model("\n[model.r]\nkind = 'fixture'\n", tmp_path)["r"]
    path = write(tmp_path / "b.pt2", "")
    with pytest.raises(PolicyError, match="is of kind 'fixture', which has no file"):
        candidate(base, str(path), name="r")


def test_a_mapping_is_checked_like_a_table():
    with pytest.raises(PolicyError, match="a model: unknown key 'lables'; did you mean 'labels'"):
        parse_model({"factory": "a:b", "lables": ["a"]}, name="x", folder=Path())


@pytest.mark.parametrize("allowed", [True, False])
def test_only_the_policy_lets_answers_that_are_no_function_of_the_image_pass(allowed, tmp_path):
    says = "nondeterministic = 'tell'"
    base = model(f"\n[model.r]\nkind = 'fixture'\n{says * allowed}\n", tmp_path)["r"]
    assert base.nondeterministic == ("tell" if allowed else "refuse")
    spec = "{ factory = 'torch.nn:Flatten', nondeterministic = 'tell' }"
    if allowed:
        assert candidate(base, spec, name="r").nondeterministic == "tell"
        return
    for known in (base, None):
        with pytest.raises(PolicyError, match="is for the policy to say; write it in"):
            candidate(known, spec, name="r")
