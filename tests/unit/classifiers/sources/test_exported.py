"""`.pt2` archives: plain ones are read, and each way to hide code in one is found."""

import io
import json
import pickle
import shutil
import warnings
import zipfile

import pytest
import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers import load_model
from pytest_fairness.classifiers.files.zips import read_zip
from pytest_fairness.classifiers.sources.exported_check import unsafe_parts
from pytest_fairness.errors import ModelError
from tests.unit.classifiers.conftest import READING, small_net


def export(module, path, *, batch=None, size=8):
    images = (torch.randn(batch or 2, 3, size, size),)
    free = None if batch else ({0: torch.export.Dim("batch", min=1)},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.export.save(torch.export.export(module, images, dynamic_shapes=free), path)
    return path


def rewritten(source, target, change):
    """Copy an archive; `change(name, content)` gives the new content of each member."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            new.writestr(name, change(name.split("/", 1)[1], old.read(name)))
    return target


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An exported model, made once, since exporting takes its time."""
    torch.manual_seed(0)
    return export(small_net().eval(), tmp_path_factory.mktemp("exported") / "net.pt2")


@pytest.fixture
def archive(exported, tmp_path):
    return shutil.copy(exported, tmp_path / "net.pt2")


def test_an_exported_model_gives_the_scores_of_the_model(net, archive, scores, image):
    made = load_model({"path": str(archive), **READING}, name="release")
    expected = net(torch.stack([made.preprocess(image)] * 3))
    assert torch.allclose(scores(made), expected, atol=1e-5)
    assert made.notes["model_kind"] == "exported"
    assert "unpickled" not in made.notes


def test_a_fixed_batch_size_is_filled_up(net, tmp_path):
    path = export(net, tmp_path / "fixed.pt2", batch=4)
    made = load_model({"path": str(path), **READING})
    images = torch.randn(6, 3, 8, 8)
    assert torch.allclose(made.module(images), net(images), atol=1e-5)


def test_a_model_that_was_exported_while_training_is_refused(net, tmp_path):
    path = export(net.train(), tmp_path / "training.pt2")
    with pytest.raises(
        ModelError, match=r"exported while training \(batch_norm\), so .*; call model\.eval\(\)"
    ):
        load_model({"path": str(path), **READING})


class Halved(nn.Module):
    """Its sizes depend on each other, so that its guards and expressions are not empty."""

    @override
    def forward(self, images):
        half = images[:, :, : images.shape[2] // 2]
        return half.mean(dim=(1, 2, 3)).unsqueeze(1).repeat(1, 2)


def test_guards_and_expressions_of_a_plain_archive_are_harmless(tmp_path):
    images = torch.randn(4, 3, 8, 8)
    free = ({0: torch.export.Dim.AUTO, 2: torch.export.Dim.AUTO},)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(Halved(), (images,), dynamic_shapes=free)
        torch.export.save(program, tmp_path / "halved.pt2")
    with zipfile.ZipFile(tmp_path / "halved.pt2") as file:
        text = file.read("halved/models/model.json").decode()
    assert '"expr_str": "' in text
    assert unsafe_parts(read_zip(tmp_path / "halved.pt2")) == []
    made = load_model({"path": str(tmp_path / "halved.pt2"), **READING})
    assert made.module(images).shape == (4, 2)


def evil_inputs(evil):
    buffer = io.BytesIO()
    torch.save(((evil,), {}), buffer)
    return lambda name, content: buffer.getvalue() if "sample_inputs" in name else content


def in_program(change):
    def changed(name, content):
        if not name.startswith("models/"):
            return content
        program = json.loads(content)
        change(program)
        return json.dumps(program).encode()

    return changed


def evil_guard(evil):
    text = f"__import__('os').system('touch {evil.mark}') == 0"
    return in_program(lambda program: program.update(guards_code=[text]))


def evil_expression(evil):
    def change(program):
        for value in program["graph_module"]["graph"]["tensor_values"].values():
            for size in value["sizes"]:
                if "as_expr" in size:
                    size["as_expr"]["expr_str"] = f"__import__('os').system('touch {evil.mark}')"

    return in_program(change)


def evil_operator(evil):
    def change(program):
        program["graph_module"]["graph"]["nodes"][0]["target"] = "torch.os.system"

    return in_program(change)


def evil_file_operator(evil):
    def change(program):
        program["graph_module"]["graph"]["nodes"][0]["target"] = "torch.ops.aten.from_file.default"

    return in_program(change)


def evil_weights(evil):
    def change(name, content):
        if name == "data/weights/weight_0":
            buffer = io.BytesIO()
            torch.save(evil, buffer)
            return buffer.getvalue()
        if name.endswith("weights_config.json"):
            config = json.loads(content)
            for entry in config["config"].values():
                entry["use_pickle"] = entry["path_name"] == "weight_0"
            return json.dumps(config).encode()
        return content

    return change


def evil_constant(evil):
    def change(name, content):
        if name.endswith("constants_config.json"):
            entry = {"path_name": "opaque_obj_0", "is_param": False, "use_pickle": True}
            return json.dumps({"config": {"thing": entry | {"tensor_meta": None}}}).encode()
        return content

    return change


HIDDEN = {
    "sample inputs": (evil_inputs, "a pickle in 'data/sample_inputs/model.pt' that holds more"),
    "guard": (evil_guard, 'the guard "__import__'),
    "expression": (evil_expression, 'the expression "__import__'),
    "operator": (evil_operator, "the operator 'torch.os.system'"),
    "file operator": (evil_file_operator, "the operator 'torch.ops.aten.from_file.default'"),
    "pickled weights": (evil_weights, "a pickled tensor or object 'weight_0'"),
    "opaque constant": (evil_constant, "a pickled tensor or object 'opaque_obj_0'"),
}


@pytest.mark.parametrize(("hide", "found"), HIDDEN.values(), ids=HIDDEN)
def test_code_hidden_in_an_archive_is_found_and_does_not_run(hide, found, archive, evil, mark):
    path = rewritten(archive, archive.with_name("evil.pt2"), hide(evil))
    with pytest.raises(ModelError, match="could run code when it is read") as refused:
        load_model({"path": str(path), **READING})
    assert found in str(refused.value)
    assert "--fairness-allow-pickle" in str(refused.value)
    assert not mark.exists()


@pytest.mark.parametrize("hide", [evil_inputs, evil_guard], ids=["sample inputs", "guard"])
def test_torch_itself_would_run_that_code(hide, archive, evil, mark, tmp_path):
    """The reason for the check: `torch.export.load` of torch 2.14 does run it."""
    path = rewritten(archive, tmp_path / "evil.pt2", hide(evil))
    made = load_model({"path": str(path), **READING}, allow_pickle=True)
    made.module(torch.zeros(2, 3, 8, 8))
    assert mark.exists()
    assert made.notes["unpickled"] == "evil.pt2 (allowed by --fairness-allow-pickle)"


@pytest.mark.parametrize(
    "member",
    ["data/aotinductor/model/model.so", "data/constants/custom_obj_0", "model.pkl"],
    ids=["compiled library", "custom object", "pickle"],
)
def test_a_member_that_no_plain_archive_has_is_refused(member, archive, evil, mark, tmp_path):
    path = tmp_path / "more.pt2"
    path.write_bytes(archive.read_bytes())
    with zipfile.ZipFile(path, "a") as file:
        file.writestr(f"net/{member}", pickle.dumps(evil))
    assert unsafe_parts(read_zip(path)) == [f"the member {member!r}"]
    assert not mark.exists()


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "().__class__",
        "Symbol('s0').func",
        "Symbol('a b')",
        "Integer('1+1')",
        "(lambda: 1)()",
        "[x for x in (1,)]",
        "open",  # a name alone is no call
        "open('f')",
        "eval('1')",
        "L['x'].size()[0]",
        "1 +",
    ],
)
def test_only_arithmetic_counts_as_a_harmless_expression(text, archive, tmp_path):
    def change(program):
        program["range_constraints"] = {text: {"min_val": 1, "max_val": None}}

    path = rewritten(archive, tmp_path / "changed.pt2", in_program(change))
    assert unsafe_parts(read_zip(path)) == ([] if text == "open" else [f"the symbol {text!r}"])


@pytest.mark.parametrize("cut", [0, 100, -300], ids=["empty", "start", "end"])
def test_a_broken_archive_is_named(cut, archive):
    archive.write_bytes(archive.read_bytes()[:cut])
    with pytest.raises(ModelError, match=r"net\.pt2: not a torch\.export archive"):
        load_model({"path": str(archive), **READING})


def test_images_of_another_size_are_named_with_the_model(archive):
    from pytest_fairness.inference.forward import Forward

    made = load_model({"path": str(archive), **READING, "preprocessing": {"size": 9}}, name="mine")
    forward = Forward(made, device=torch.device("cpu"), batch_size=2)
    with pytest.raises(ModelError, match=r"model 'mine' fails on a batch of shape \(2, 3, 9, 9\)"):
        forward._run(torch.zeros(2, 3, 9, 9))


def test_an_archive_with_two_members_of_one_name_is_refused(archive):
    with warnings.catch_warnings(), zipfile.ZipFile(archive, "a") as file:
        warnings.simplefilter("ignore")
        file.writestr("net/models/model.json", "{}")
    with pytest.raises(ModelError, match=r"not a torch.export archive.*names a member twice"):
        load_model({"path": str(archive), **READING})


def test_torch_reads_what_was_checked_and_not_the_file(archive, evil, mark, tmp_path):
    """An archive behind another one: Python reads the last, another parser might read the first."""
    first = rewritten(archive, tmp_path / "evil.pt2", evil_guard(evil))
    path = tmp_path / "both.pt2"
    path.write_bytes(first.read_bytes() + archive.read_bytes())
    made = load_model({"path": str(path), **READING})
    made.module(torch.zeros(2, 3, 8, 8))
    assert not mark.exists()


def test_the_command_of_the_message_writes_a_plain_archive(net, tmp_path, monkeypatch):
    from tests.unit.classifiers.sources.test_pickled import run_command

    images = torch.randn(2, 3, 8, 8)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.export.export(net, (images,))
        program.example_inputs = ((Strange(),), {})
        torch.export.save(program, tmp_path / "net.pt2")
    with pytest.raises(ModelError, match="a pickle in 'data/sample_inputs") as refused:
        load_model({"path": str(tmp_path / "net.pt2"), **READING})
    monkeypatch.chdir(tmp_path)
    run_command(str(refused.value))
    made = load_model({"path": str(tmp_path / "plain.pt2"), **READING})
    assert torch.allclose(made.module(images), net(images), atol=1e-5)


class Strange:
    """Something that the restricted unpickler does not know."""


def test_an_archive_of_whole_numbers_takes_no_fractions(tmp_path):
    class Bytes(nn.Module):
        @override
        def forward(self, images):
            return (images.float() / 255).mean(dim=(2, 3))[:, :2]

    images = (torch.zeros(2, 3, 8, 8, dtype=torch.uint8),)
    free = ({0: torch.export.Dim("batch", min=1)},)
    torch.export.save(torch.export.export(Bytes(), images, dynamic_shapes=free), tmp_path / "b.pt2")
    table = {"path": str(tmp_path / "b.pt2"), **READING}
    with pytest.raises(ModelError, match="which a cast would make 0; write white = 255"):
        load_model({**table, "preprocessing": {"size": 8}})
    made = load_model({**table, "preprocessing": {"size": 8, "white": 255}})
    assert made.module(torch.full((3, 3, 8, 8), 255.0)).tolist() == [[1.0, 1.0]] * 3
    with pytest.raises(ModelError, match=r"a cast from float32 to uint8 would change .* e.g. 0.5"):
        made.module(torch.full((3, 3, 8, 8), 0.5))
