"""`pytest-fairness init`: what it proposes, what it asks for, and what it leaves alone."""

import sys
import tomllib
import zipfile
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import pandas as pd
import pytest

from pytest_fairness import load_policy
from pytest_fairness.cli import main

POLICY = Path("fairness_tests/policy.toml")
ONNX = ("--model", "candidate.onnx", "--labels", "woman,man", "--score", "logit")
PIXELS = ("--size", "8", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25")
DATA = ("--manifest", "faces/manifest.csv", "--target", "gender", "--positive", "man")
GOOD = (*ONNX, *PIXELS, *DATA)
FACTORY = """
from pytest_fairness import Classifier, Preprocessing

def build():
    return Classifier("own", lambda images: images, ("woman", "man"), Preprocessing(size=8))

def bare():
    return lambda images: images
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with a model file and 24 samples; only the first image is looked at."""
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()
    Path("candidate.onnx").write_bytes(b"a graph")
    Path("faces/0.png").write_bytes(b"an image")
    samples().to_csv("faces/manifest.csv", index=False)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "ours"]:
        del sys.modules[name]  # another test's repository may have such a package, too


def samples() -> pd.DataFrame:
    rows = [
        (
            "0.png",
            "woman" if i % 4 < 2 else "man",
            ["light", "dark"][i % 2],
            ["10", "9", "70"][i % 3],
            f"p{i // 2}",
            "ab"[i % 2],
            i * 1.5,
        )
        for i in range(24)
    ]
    names = ["file", "gender", "skin_tone", "age", "person", "camera", "height"]
    return pd.DataFrame(rows, columns=names)


def init(*arguments: str) -> int:
    return main(["init", *arguments])


def refused(capsys, *arguments: str) -> str:
    """The message of a wrong use, after which nothing was written."""
    before = {path for path in Path().rglob("*") if "__pycache__" not in path.parts}
    assert init(*arguments) == 4
    assert {path for path in Path().rglob("*") if "__pycache__" not in path.parts} == before
    return capsys.readouterr().err


def written() -> dict:
    return tomllib.loads(POLICY.read_text(encoding="utf-8"))


def test_it_writes_a_policy_a_test_and_settings_and_says_what_is_next(project, capsys):
    assert init(*GOOD) == 0
    out = capsys.readouterr().out
    for path in (POLICY, Path("fairness_tests/test_fairness.py"), Path("pytest.ini")):
        assert f"wrote {path}\n" in out
        assert path.is_file()
    assert "pytest-fairness plan --policy fairness_tests/policy.toml\n" in out
    assert out.endswith("then:    pytest fairness_tests\n")
    assert "outside of the repository" not in out
    assert Path("pytest.ini").read_text(encoding="utf-8") == (
        "[pytest]\nfairness_policy = fairness_tests/policy.toml\n"
    )
    assert not Path("fairness_tests/conftest.py").exists()


def test_the_policy_holds_the_model_the_data_and_limits_and_is_valid(project):
    init(*GOOD, "--reference", "skin_tone=light")
    policy = load_policy(POLICY)
    model = policy.models["candidate"]
    assert (model.kind, model.labels, model.score) == ("onnx", ("woman", "man"), "logit")
    assert model.path.resolve() == (project / "candidate.onnx").resolve()
    assert (model.preprocessing.size, model.preprocessing.std) == (8, (0.25, 0.25, 0.25))
    faces = policy.evaluations["faces"]
    assert faces.manifest.resolve() == (project / "faces" / "manifest.csv").resolve()
    assert (faces.image, faces.target, faces.positive) == ("file", "gender", "man")
    assert faces.reference == {"skin_tone": "light"}
    assert [rule.id for rule in policy.rules] == ["accuracy", "fpr-gap", "four-fifths"]
    assert all(rule.by == (("skin_tone",), ("age",)) for rule in policy.rules)


def test_levels_come_from_the_data_by_number_or_as_they_appear(project):
    init(*GOOD)
    found = written()["evaluation"]["faces"]["attributes"]
    assert found == {"skin_tone": ["light", "dark"], "age": ["9", "10", "70"]}
    text = POLICY.read_text(encoding="utf-8")
    assert "# light 12, dark 12.\n" in text
    assert "# 9 8, 10 8, 70 8.\n" in text


def test_what_only_looks_like_something_is_a_comment(project):
    init(*GOOD)
    assert "cluster" not in written()["evaluation"]["faces"]
    text = POLICY.read_text(encoding="utf-8")
    assert '# cluster = "person"\n' in text
    assert "# Not asked about, though their values are few: camera (a, b).\n" in text
    assert '# reference = { skin_tone = "light", age = "9" }\n' in text
    assert "# sha256 = " in text


def test_a_named_cluster_and_named_attributes_are_taken(project):
    init(*GOOD, "--cluster", "person", "--attributes", "camera")
    found = written()["evaluation"]["faces"]
    assert found["cluster"] == "person"
    assert found["attributes"] == {"camera": ["a", "b"]}


def test_missing_values_are_counted_in_the_policy(project):
    frame = samples()
    frame.loc[:2, "skin_tone"] = None
    frame.to_csv("faces/manifest.csv", index=False)
    init(*GOOD)
    assert '3 have none: add "(missing)"' in POLICY.read_text(encoding="utf-8")
    assert written()["evaluation"]["faces"]["attributes"]["skin_tone"] == ["dark", "light"]


@pytest.mark.parametrize(
    ("options", "value", "said"),
    [
        ((), "fail", "init chose the strict one"),
        (("--inconclusive", "fail"), "fail", "blocks the release.\n"),
        (("--inconclusive", "warn"), "warn", "lets the release through"),
    ],
    ids=["silent", "fail", "warn"],
)
def test_what_an_undecided_question_does_is_strict_unless_said(project, options, value, said):
    init(*GOOD, *options)
    assert written()["decision"]["inconclusive"] == value
    assert said in POLICY.read_text(encoding="utf-8")


def test_more_than_two_classes_need_no_positive_one(project):
    init(
        *ONNX[:2], "--labels", "9,10,70", "--score", "logit", *PIXELS, *DATA[:2], "--target", "age"
    )
    policy = load_policy(POLICY)
    assert policy.evaluations["faces"].classes == ("9", "10", "70")
    assert [rule.id for rule in policy.rules] == ["accuracy", "error-gap", "recall-gap"]
    assert policy.rules[2].positive == "each"


def test_labels_of_a_file_are_grouped_into_classes(project):
    Path("labels.txt").write_text("Man\nBoy\nWoman\n", encoding="utf-8")
    groups = ("--group", "man=Man,Boy", "--group", "woman=Woman")
    init(*ONNX[:2], "--labels", "labels.txt", *groups, "--score", "logit", *PIXELS, *DATA)
    model = load_policy(POLICY).models["candidate"]
    assert model.labels.file.resolve() == (project / "labels.txt").resolve()
    assert model.label_groups == {"man": ("Man", "Boy"), "woman": ("Woman",)}


def test_a_label_without_samples_is_a_class_that_may_be_answered(project):
    init(*ONNX[:2], "--labels", "woman,man,other", "--score", "logit", *PIXELS, *DATA)
    assert written()["evaluation"]["faces"]["classes"] == ["woman", "man", "other"]


def test_a_published_data_set_is_read_in_its_own_format(project):
    for age in (20, 70):
        for gender in (0, 1):
            name = f"{age}_{gender}_0_20170116174525125.jpg"
            Path("utk").mkdir(exist_ok=True)
            Path("utk", name).write_bytes(b"an image")
    model = (*ONNX[:2], "--labels", "male,female", "--score", "logit", *PIXELS)
    utk = ("--reader", "utkface", "--root", "utk", "--option", "ignore=a.jpg,b.jpg")
    assert init(*model, *utk, "--target", "gender", "--positive", "male") == 0
    found = written()["evaluation"]["utk"]
    assert (found["reader"], found["root"]) == ("utkface", "../utk")
    assert found["options"] == {"ignore": ["a.jpg", "b.jpg"]}
    assert found["attributes"] == {"age": ["20", "70"]}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((*ONNX[:2], *DATA), ["kind 'onnx'", "--labels", "--score", "--size", "--mean"]),
        ((*ONNX, *PIXELS[:4], *DATA), ["--std R,G,B"]),
        (("--model", "w.safetensors", *DATA), ["without their network", "--architecture"]),
        (
            ("--model", "w.safetensors", "--architecture", "resnet18", *DATA),
            ["torchvision:resnet18 or timm:resnet18"],
        ),
        (
            ("--model", "w.safetensors", "--architecture", "torchvision:resnet18", *DATA),
            ["kind 'torchvision'", "--labels", "--size"],
        ),
        (("--model", "m.pkl", *DATA), ["is a pickle", "may run code", "--model file.py:function"]),
        (("--model", "w.pth", *DATA), ["weights alone, or a pickled object", "--architecture"]),
        (("--model", "gone.onnx", *DATA), ["gone.onnx: no such file"]),
        (("--model", "own.models:build", *DATA), ["no module 'own.models'"]),
        (("--model", "folder", *DATA), ["without config.json"]),
        (("--model", "faces/manifest.csv", *DATA), ["not known by its ending '.csv'"]),
        ((*ONNX[:2], "--labels", "Woman,Man", *ONNX[4:], *PIXELS, *DATA), ["--group CLASS=LABEL"]),
        ((*ONNX[:2], "--labels", "man,man", *ONNX[4:], *PIXELS, *DATA), ["names repeat"]),
        (
            (*GOOD, "--group", "man=Mann", "--group", "woman=woman"),
            ["label_groups.man names 'Mann', which is none of the model's 2 labels"],
        ),
    ],
    ids=[
        *("onnx", "half of the preprocessing", "weights", "whose network", "torchvision"),
        *("pickle", "torch file", "no file", "no module", "folder", "other file"),
        *("labels are no classes", "repeated labels", "group of unknown labels"),
    ],
)
def test_what_a_model_does_not_say_is_asked_for_by_option(project, capsys, arguments, words):
    for name in ("w.safetensors", "m.pkl", "w.pth"):
        Path(name).write_bytes(b"something")
    Path("folder").mkdir()
    message = refused(capsys, *arguments)
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (DATA[:2], ["which column holds the true class", "gender (woman, man)"]),
        (DATA[:4], ["'woman', 'man'", "--positive CLASS"]),
        ((*DATA[:4], "--positive", "men"), ["no such class", "did you mean 'man'?"]),
        ((*DATA[:2], "--target", "gendre"), ["no column", "did you mean 'gender'?"]),
        ((*DATA[:2], "--target", "height"), ["24 classes in 24 samples"]),
        ((*DATA, "--attributes", "tone"), ["--attributes tone", "no column"]),
        ((*DATA, "--reference", "skin_tone=ligth"), ["did you mean 'light'?"]),
        ((*DATA, "--reference", "camera=a"), ["the attributes are 'skin_tone', 'age'"]),
        ((*DATA, "--image", "person"), ["'p0', which is no file"]),
        (("--reader", "celeba"), ["--root DIR"]),
    ],
    ids=[
        *("no target", "no positive", "positive", "unknown target", "not a class", "attribute"),
        *("level", "reference", "image", "no root"),
    ],
)
def test_what_the_data_do_not_say_is_asked_for_by_option(project, capsys, arguments, words):
    message = refused(capsys, *ONNX, *PIXELS, *arguments)
    assert [word for word in words if word not in message] == []


def test_without_a_usual_name_attributes_are_asked_for(project, capsys):
    frame = samples().drop(columns=["skin_tone", "age"])
    frame.to_csv("faces/manifest.csv", index=False)
    message = refused(capsys, *GOOD)
    assert "Give --attributes A,B; columns with few values: gender (woman, man); " in message
    assert "camera (a, b)" in message


def test_an_attribute_of_many_values_wants_groups(project, capsys):
    frame = pd.concat([samples()] * 5)
    frame["age"] = range(len(frame))
    frame.to_csv("faces/manifest.csv", index=False)
    message = refused(capsys, *GOOD, "--attributes", "age")
    assert "--attributes age: 120 different values" in message
    assert "`derive`" in message


def test_a_protected_attribute_that_is_left_out_is_said_and_can_be_uncommented(project, capsys):
    frame = pd.concat([samples()] * 2)
    frame["age"] = range(20, 68)
    frame["country"] = "AT"
    frame["race"] = [f"race {i}" for i in range(48)]
    frame.to_csv("faces/manifest.csv", index=False)
    assert init(*GOOD) == 0
    out = capsys.readouterr().out
    for left in ("age (48 values)", "country (1 values)", "race (48 values)"):
        assert f"not asked about: {left}" in out
    text = POLICY.read_text(encoding="utf-8")
    assert "# NOT ASKED ABOUT: column 'country', which has one value only, AT.\n" in text
    assert "(`derive` with `merge`)" in text
    assert list(written()["evaluation"]["faces"]["attributes"]) == ["skin_tone"]
    for key in ("derive.age_group", "attributes.age_group"):
        assert text.count(f"# {key} = ") == 1
        text = text.replace(f"# {key} = ", f"{key} = ")
    POLICY.write_text(text, encoding="utf-8")
    faces = load_policy(POLICY).evaluations["faces"]
    assert faces.attributes["age_group"] == ("0 to 17", "18 to 64", "65 and more")
    assert "age_group" in faces.derive


def test_no_file_is_overwritten_without_force(project, capsys):
    POLICY.parent.mkdir()
    POLICY.write_text("ours", encoding="utf-8")
    message = refused(capsys, *GOOD)
    assert message.startswith("fairness_tests/policy.toml: exists already; nothing was written.")
    assert POLICY.read_text(encoding="utf-8") == "ours"
    assert init(*GOOD, "--force") == 0
    assert written()["schema"] == 1


@pytest.mark.parametrize(
    ("name", "text", "lines"),
    [
        ("pyproject.toml", "[tool.pytest]\n", ["[tool.pytest]", 'fairness_policy = "fairness_t']),
        (
            "pyproject.toml",
            "[tool.pytest.ini_options]\n",
            ["[tool.pytest.ini_options]", 'fairness_policy = "fairness_tests/policy.toml"'],
        ),
        ("setup.cfg", "[tool:pytest]\n", ["[tool:pytest]", "fairness_policy = fairness_tests/"]),
        ("tox.ini", "[pytest]\n", ["tox.ini", "fairness_policy = fairness_tests/policy.toml"]),
        ("pytest.ini", "", ["pytest.ini", "[pytest]"]),
        (
            "pytest.ini",
            "[pytest]\nfairness_policy = old.toml\n",
            ["instead of 'old.toml'", "fairness_policy = fairness_tests/policy.toml"],
        ),
    ],
    ids=[
        "tool.pytest",
        "ini_options",
        "setup.cfg",
        "tox.ini",
        "empty pytest.ini",
        "another policy",
    ],
)
def test_settings_of_the_team_stay_and_the_line_to_add_is_shown(project, capsys, name, text, lines):
    Path(name).write_text(text, encoding="utf-8")
    assert init(*GOOD) == 0
    out = capsys.readouterr().out
    assert [line for line in (name, *lines) if line not in out] == []
    assert "pytest fairness_tests --fairness-policy=fairness_tests/policy.toml\n" in out
    assert Path(name).read_text(encoding="utf-8") == text
    assert name == "pytest.ini" or not Path("pytest.ini").exists()


def test_settings_elsewhere_do_not_keep_pytest_ini_from_being_written(project, capsys):
    Path("pyproject.toml").write_text('[project]\nname = "ours"\n', encoding="utf-8")
    init(*GOOD)
    assert Path("pytest.ini").is_file()
    assert "--fairness-policy" not in capsys.readouterr().out
    init(*GOOD, "--force")
    assert "was not changed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("there", "options", "path"),
    [
        ((), (), None),
        ((".github/x",), (), ".github/workflows/fairness.yml"),
        ((".github/x",), ("--ci", "none"), None),
        ((".gitlab-ci.yml",), (), ".gitlab/fairness.yml"),
        ((), ("--ci", "gitlab"), ".gitlab-ci.yml"),
        ((), ("--ci", "github"), ".github/workflows/fairness.yml"),
    ],
    ids=["nothing", "github", "none asked", "gitlab", "gitlab asked", "github asked"],
)
def test_the_ci_job_is_that_of_the_repository(project, capsys, there, options, path):
    for name in there:
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text("stages: []\n", encoding="utf-8")
    assert init(*GOOD, *options) == 0
    made = [one for one in Path().rglob("*.yml") if str(one) not in there]
    assert [one.as_posix() for one in made] == ([] if path is None else [path])
    if path is not None:
        job = import_module("yaml").safe_load(Path(path).read_text(encoding="utf-8"))
        text = str(job)
        assert 'pip install "pytest-fairness[onnx]"' in text
        for part in ("pytest fairness_tests", "--fairness-record=", "--junitxml=", "always"):
            assert part in text
    includes = "include:\n    - local: .gitlab/fairness.yml" in capsys.readouterr().out
    assert includes == (path == ".gitlab/fairness.yml")


def test_a_function_that_says_all_needs_no_option_and_gets_a_conftest(project):
    Path("src/ours").mkdir(parents=True)
    Path("src/ours/models.py").write_text(FACTORY, encoding="utf-8")
    Path("requirements.txt").write_text("torch\n", encoding="utf-8")
    assert init("--model", "ours.models:build", *DATA, "--ci", "github") == 0
    assert written()["model"]["build"] == {"factory": "ours.models:build"}
    conftest = Path("fairness_tests/conftest.py").read_text(encoding="utf-8")
    assert 'Path(__file__).parent / "../src"' in conftest
    workflow = Path(".github/workflows/fairness.yml").read_text(encoding="utf-8")
    assert "pip install pytest-fairness -r requirements.txt\n" in workflow


def test_a_function_of_an_installed_package_needs_no_conftest(project):
    assert init("--model", "torch.nn:Flatten", *ONNX[2:], *PIXELS, *DATA, "--name", "flat") == 0
    assert written()["model"]["flat"]["factory"] == "torch.nn:Flatten"
    assert not Path("fairness_tests/conftest.py").exists()


def test_a_function_that_does_not_say_all_is_asked_for_it(project, capsys):
    Path("own_models.py").write_text(FACTORY, encoding="utf-8")
    message = refused(capsys, "--model", "own_models.py:bare", *DATA)
    assert [
        one for one in ("--labels", "--score", "--size", "Classifier") if one not in message
    ] == []
    assert init("--model", "own_models.py:bare", *ONNX[2:], *PIXELS, *DATA) == 0
    assert written()["model"]["bare"]["factory"] == "../own_models.py:bare"


@pytest.mark.parametrize(
    ("name", "options", "kind"),
    [
        ("m.pt2", PIXELS, "exported"),
        ("m.pt", PIXELS, "torchscript"),
        ("w.pth", ("--architecture", "timm:resnet18"), "timm"),
        ("w.pth", ("--architecture", "torchvision:resnet18", "--transforms", "V1"), "torchvision"),
    ],
    ids=["exported", "torchscript", "timm", "published transforms"],
)
def test_a_file_is_of_a_kind_that_the_policy_accepts(project, name, options, kind):
    with zipfile.ZipFile(name, "w") as archive:
        archive.writestr("m/constants.pkl" if kind == "torchscript" else "m/data.pkl", "")
    score = ONNX[4:] if "--architecture" not in options else ()
    assert init("--model", name, *ONNX[2:4], *score, *options, *DATA) == 0
    (model,) = load_policy(POLICY).models.values()
    assert model.kind == kind
    assert (model.path or model.weights).resolve() == (project / name).resolve()


def test_weights_go_into_a_named_network(project):
    Path("w.safetensors").write_bytes(b"something")
    network = ("--architecture", "torchvision:resnet18", "--labels", "woman,man")
    assert init("--model", "w.safetensors", *network, *PIXELS, *DATA, "--name", "release") == 0
    model = load_policy(POLICY).models["release"]
    assert (model.kind, model.architecture) == ("torchvision", "resnet18")
    assert model.weights.resolve() == (project / "w.safetensors").resolve()


def test_a_folder_of_hugging_face_says_its_labels_itself(project, capsys):
    Path("vit").mkdir()
    Path("vit/config.json").write_text('{"id2label": {"1": "man", "0": "girl"}}', encoding="utf-8")
    message = refused(capsys, "--model", "vit", *DATA)
    assert "the model gives 'girl', 'man', but column 'gender' has the class 'woman'" in message
    prompts = ("--prompt", "man=a man", "--prompt", "woman=a woman", "--prompt", "woman=a lady")
    assert init("--model", "vit", *prompts, *DATA) == 0
    model = load_policy(POLICY).models["vit"]
    assert (model.kind, model.prompts["woman"]) == ("zero_shot", ("a woman", "a lady"))


def test_another_folder_is_the_root_of_what_is_written(project, capsys):
    assert init(*GOOD, "--into", "team") == 0
    out = capsys.readouterr().out
    assert "cd team && pytest fairness_tests\n" in out
    for name in ("candidate.onnx", "faces/manifest.csv"):
        assert f"{name} lies outside of the repository" in out
    policy = load_policy("team/fairness_tests/policy.toml")
    assert policy.models["candidate"].path.resolve() == (project / "candidate.onnx").resolve()


def test_a_level_on_two_lines_stays_a_comment(project):
    frame = samples()
    frame["skin_tone"] = frame["skin_tone"].replace({"dark": 'da"rk\n[rule]'})
    frame.to_csv("faces/manifest.csv", index=False)
    assert init(*GOOD) == 0
    assert written()["evaluation"]["faces"]["attributes"]["skin_tone"] == ["light", 'da"rk\n[rule]']


def test_every_template_is_text_that_python_tools_do_not_take_for_code():
    folder = files("pytest_fairness.commands.scaffold").joinpath("templates")
    assert {Path(one.name).suffix for one in folder.iterdir()} == {".txt"}
