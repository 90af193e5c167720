"""ONNX files through onnxruntime: made here by hand, with fixed and free batches."""

import sys

import numpy as np
import pytest
import torch

from pytest_fairness.classifiers import load_model
from pytest_fairness.classifiers.sources.onnx import _strict
from pytest_fairness.errors import ModelError
from tests.unit.classifiers.conftest import READING

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")
from onnx import TensorProto, helper, numpy_helper  # noqa: E402


def build(path, *, batch="n", kind=TensorProto.FLOAT, channels_last=False, outputs=1, inputs=1):
    """Write a model with the scores `mean over pixels @ WEIGHT`: (N, 3, H, W) -> (N, 2)."""
    shape = [batch, "h", "w", 3] if channels_last else [batch, 3, "h", "w"]
    weight = numpy_helper.from_array(np.float32([[1, 2], [3, 4], [5, 6]]), "weight")
    axes = numpy_helper.from_array(np.int64([1, 2] if channels_last else [2, 3]), "axes")
    nodes = [
        helper.make_node("Cast", ["images"], ["as_float"], to=TensorProto.FLOAT),
        helper.make_node("ReduceMean", ["as_float", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weight"], ["scores"]),
    ]
    names = [("images", kind, shape), ("more", TensorProto.FLOAT, [1])][:inputs]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info(*one) for one in names],
        [
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [batch, 2]),
            helper.make_tensor_value_info("means", TensorProto.FLOAT, [batch, 3]),
        ][:outputs],
        [weight, axes],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.save(made, path)
    return path


def expected(images):
    return images.mean(dim=(2, 3)) @ torch.tensor([[1.0, 2], [3, 4], [5, 6]])


@pytest.fixture
def images():
    torch.manual_seed(0)
    return torch.rand(5, 3, 8, 8)


@pytest.mark.parametrize("batch", ["n", 1, 2, 8])
def test_scores_do_not_depend_on_the_batch_size_that_the_file_fixes(batch, images, tmp_path):
    path = build(tmp_path / "net.onnx", batch=batch)
    made = load_model({"path": str(path), **READING}, name="candidate")
    assert torch.allclose(made.module(images), expected(images), atol=1e-6)
    assert made.weights_sha256 == made.notes["model_sha256"]
    assert made.notes["providers"] == "CPUExecutionProvider"


def test_channels_may_come_last(images, tmp_path):
    path = build(tmp_path / "net.onnx", channels_last=True)
    made = load_model({"path": str(path), **READING, "layout": "nhwc"})
    assert torch.allclose(made.module(images), expected(images), atol=1e-6)


def test_pixels_are_cast_to_what_the_model_takes(tmp_path):
    path = build(tmp_path / "net.onnx", kind=TensorProto.UINT8)
    made = load_model({"path": str(path), **READING, "preprocessing": {"size": 8, "white": 255}})
    images = torch.full((1, 3, 8, 8), 200.0)
    assert torch.allclose(made.module(images), expected(images))


INTEGERS = {
    "uint8": TensorProto.UINT8,
    "int8": TensorProto.INT8,
    "uint16": TensorProto.UINT16,
    "int16": TensorProto.INT16,
    "int32": TensorProto.INT32,
    "int64": TensorProto.INT64,
}
BYTES = {**READING, "preprocessing": {"size": 8, "white": 255}}


@pytest.mark.parametrize("kind", INTEGERS.values(), ids=INTEGERS)
def test_pixels_that_a_cast_would_cut_off_are_refused(kind, images, tmp_path):
    path = build(tmp_path / "net.onnx", kind=kind)
    made = load_model({"path": str(path), **BYTES}, name="candidate")
    whole = torch.full((1, 3, 8, 8), 100.0)
    assert torch.allclose(made.module(whole), expected(whole))
    with pytest.raises(ModelError, match="model 'candidate': the pixels of its input: a cast from"):
        made.module(images)  # from 0 to 1
    if kind in (TensorProto.UINT8, TensorProto.INT8):
        with pytest.raises(ModelError, match=r"e\.g\. 300"):
            made.module(whole + 200)


@pytest.mark.parametrize("pixels", [{"size": 8}, {"size": 8, "white": 255, "std": [255] * 3}])
def test_pixels_from_0_to_1_are_refused_before_black_and_white_images_pass(pixels, tmp_path):
    path = build(tmp_path / "net.onnx", kind=TensorProto.UINT8)
    with pytest.raises(ModelError, match="which a cast would make 0; write white = 255"):
        load_model({"path": str(path), **READING, "preprocessing": pixels})


def test_pixels_beyond_half_precision_are_refused(images, tmp_path):
    path = build(tmp_path / "net.onnx", kind=TensorProto.FLOAT16)
    made = load_model({"path": str(path), **READING})
    assert torch.allclose(made.module(images), expected(images), atol=0.01)
    with pytest.raises(ModelError, match=r"e\.g\. 70000"):
        made.module(images * 0 + 70000)


def test_a_card_computes_32_bits_as_such():
    assert _strict("CUDAExecutionProvider") == ("CUDAExecutionProvider", {"use_tf32": "0"})
    assert _strict("CPUExecutionProvider") == "CPUExecutionProvider"


def test_one_of_several_outputs_is_named(images, tmp_path):
    path = build(tmp_path / "net.onnx", outputs=2)
    made = load_model({"path": str(path), **READING, "output": "scores"})
    assert torch.allclose(made.module(images), expected(images), atol=1e-6)
    unnamed = load_model({"path": str(path), **READING}, name="two")
    with pytest.raises(ModelError, match=r"'two' has the outputs 'scores', 'means', and its table"):
        unnamed.module(images)


def test_data_files_beside_the_model_are_part_of_its_hash(images, tmp_path):
    made = onnx.load(build(tmp_path / "net.onnx"))
    weight = made.graph.initializer[0]
    (tmp_path / "net.data").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="net.data")
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    table = {"path": str(tmp_path / "net.onnx"), **READING}
    before = load_model(table)
    assert torch.allclose(before.module(images), expected(images), atol=1e-6)
    data = bytearray((tmp_path / "net.data").read_bytes())
    data[0] ^= 1
    (tmp_path / "net.data").write_bytes(bytes(data))
    after = load_model(table)
    assert before.notes["model_sha256"] == after.notes["model_sha256"]
    assert before.weights_sha256 != after.weights_sha256


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "gone.data"])
def test_a_data_file_outside_of_the_folder_is_refused(location, tmp_path):
    made = onnx.load(build(tmp_path / "net.onnx"))
    (tmp_path.parent / "secret").write_bytes(bytes(64))
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    (tmp_path / "net.onnx").write_bytes(made.SerializeToString())
    with pytest.raises(ModelError, match=f"names the data file '{location}', which is not in its"):
        load_model({"path": str(tmp_path / "net.onnx"), **READING})


def test_several_inputs_are_refused(tmp_path):
    path = build(tmp_path / "net.onnx", inputs=2)
    with pytest.raises(
        ModelError, match=r"expected one input of numbers, got images: tensor\(floa"
    ):
        load_model({"path": str(path), **READING})


def test_images_of_another_shape_show_both(tmp_path):
    path = build(tmp_path / "net.onnx")
    made = load_model({"path": str(path), **READING, "layout": "nhwc"}, name="mine")
    with pytest.raises(
        ModelError, match=r"'mine' takes \['n', 3, 'h', 'w'\] and got images of shape"
    ):
        made.module(torch.zeros(1, 3, 8, 8))


def test_a_provider_that_is_not_there_is_named(tmp_path):
    path = build(tmp_path / "net.onnx")
    table = {"path": str(path), **READING, "providers": ["TensorrtExecutionProvider"]}
    with pytest.raises(
        ModelError, match=r"'TensorrtExecutionProvider' is not available.*CPUExecut"
    ):
        load_model(table)


@pytest.mark.parametrize("content", [b"", b"no protobuf", None], ids=["empty", "noise", "cut"])
def test_a_broken_file_is_named(content, tmp_path):
    path = build(tmp_path / "net.onnx")
    path.write_bytes(path.read_bytes()[:40] if content is None else content)
    with pytest.raises(ModelError, match=r"net\.onnx: (not an ONNX file|onnxruntime cannot load)"):
        load_model({"path": str(path), **READING})


def test_a_missing_package_is_named_with_the_command(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    path = build(tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=r'pip install "pytest-fairness\[onnx\]"'):
        load_model({"path": str(path), **READING}, name="release")


def test_a_pinned_hash_stops_another_file(tmp_path):
    path = build(tmp_path / "net.onnx")
    with pytest.raises(ModelError, match=f"the policy pins {'a' * 64}"):
        load_model({"path": str(path), **READING, "sha256": "A" * 64})
