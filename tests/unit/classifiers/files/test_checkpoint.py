"""Checkpoints in every format: tensors are read, code is not."""

import pickle
import zipfile

import pytest
import torch
from safetensors.torch import save_file

from pytest_fairness.classifiers.files.checkpoint import check_sha256, read_checkpoint
from pytest_fairness.classifiers.files.pickles import globals_of
from pytest_fairness.classifiers.files.weights import hash_weights, load_weights
from pytest_fairness.errors import ModelError
from pytest_fairness.hashing import sha256_of

FORMATS = ("net.safetensors", "net.pt", "net.pth", "net.bin", "net.pth.tar")


def save(state, path, **how):
    if path.suffix == ".safetensors":
        save_file(state, path)
    else:
        torch.save(state, path, **how)
    return path


@pytest.mark.parametrize("name", FORMATS)
def test_tensors_are_read_from_every_format(name, net, tmp_path):
    path = save(net.state_dict(), tmp_path / name)
    weights, unpickled = read_checkpoint(path)
    assert not unpickled
    assert weights.keys() == net.state_dict().keys()
    assert all(torch.equal(weights[key], value) for key, value in net.state_dict().items())


def test_the_format_that_torch_wrote_before_it_wrote_archives_is_read(net, tmp_path):
    path = save(net.state_dict(), tmp_path / "net.pth", _use_new_zipfile_serialization=False)
    assert read_checkpoint(path)[0].keys() == net.state_dict().keys()


def test_weights_within_a_checkpoint_are_found_by_their_key(net, tmp_path):
    path = save({"epoch": 3, "ema": {"model": net.state_dict()}}, tmp_path / "net.pt")
    assert read_checkpoint(path, key="ema.model")[0].keys() == net.state_dict().keys()
    with pytest.raises(ModelError, match=r"got the keys \['epoch', 'ema'\]; say where they are, e"):
        read_checkpoint(path)
    with pytest.raises(
        ModelError, match=r"no key 'best' of weights_key = 'ema.best'; it holds the "
    ):
        read_checkpoint(path, key="ema.best")


def test_the_prefix_of_data_parallel_is_taken_off(net, tmp_path):
    path = save({f"module.{k}": v for k, v in net.state_dict().items()}, tmp_path / "net.pt")
    before = hash_weights(net)
    with torch.no_grad():
        net[0].weight.zero_()
    assert hash_weights(load_weights(net, path)) == before


def test_the_evil_pickle_of_these_tests_runs_where_it_is_unpickled(evil, mark):
    pickle.loads(pickle.dumps(evil))  # noqa: S301
    assert mark.exists()


@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.bin"])
@pytest.mark.parametrize("archive", [True, False], ids=["zip", "before zip"])
def test_a_malicious_checkpoint_is_refused_and_does_not_run(name, archive, evil, mark, tmp_path):
    path = save({"weight": evil}, tmp_path / name, _use_new_zipfile_serialization=archive)
    with pytest.raises(ModelError, match="holds more than tensors") as refused:
        read_checkpoint(path)
    assert not mark.exists()
    for words in ("posix.system", "save_file(", "--fairness-allow-pickle", str(path)):
        assert words in str(refused.value)


def test_a_malicious_pickle_with_another_ending_does_not_run(evil, mark, tmp_path):
    path = tmp_path / "net.safetensors"
    path.write_bytes(pickle.dumps(evil))
    with pytest.raises(ModelError, match="not a whole safetensors file"):
        read_checkpoint(path)
    assert not mark.exists()


def test_a_checkpoint_that_needs_unpickling_is_read_where_that_is_allowed(net, tmp_path):
    path = save({"state_dict": net.state_dict(), "seen": {print}}, tmp_path / "net.pt")
    weights, unpickled = read_checkpoint(path, key="state_dict", allow_pickle=True)
    assert unpickled
    assert weights.keys() == net.state_dict().keys()


def test_what_a_pickle_would_import_is_listed_without_importing_it(evil, mark, tmp_path):
    plain, archive = tmp_path / "a.pkl", tmp_path / "a.zip"
    plain.write_bytes(pickle.dumps({"one": evil, "two": [print]}))
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("deep/inside/model.pkl", pickle.dumps(evil, protocol=2))
    assert globals_of(plain) == ("builtins.print", "posix.system")
    assert globals_of(archive) == ("posix.system",)
    assert not mark.exists()


def test_what_is_no_pickle_has_no_globals(tmp_path):
    path = tmp_path / "noise.pkl"
    path.write_bytes(bytes(range(256)))
    assert globals_of(path) == ()


def test_a_broken_checkpoint_is_named(net, tmp_path):
    path = save(net.state_dict(), tmp_path / "net.pt")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(ModelError, match=r"net\.pt: not a whole checkpoint"):
        read_checkpoint(path)


def test_a_missing_checkpoint_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.pt: no such file of weights"):
        read_checkpoint(tmp_path / "gone.pt")


def test_a_pinned_hash_that_differs_shows_both(tmp_path):
    path = tmp_path / "net.onnx"
    path.write_bytes(b"abc")
    right = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, B.1
    assert check_sha256(path, right) == check_sha256(path, None) == right
    with pytest.raises(ModelError, match=f"sha256 is {right}, the policy pins {'0' * 64}; put"):
        check_sha256(path, "0" * 64)


def test_the_hash_of_a_folder_follows_names_and_contents(tmp_path):
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "a").write_bytes(b"a")
    first = sha256_of(tmp_path)
    (tmp_path / "inner" / "a").write_bytes(b"b")
    second = sha256_of(tmp_path)
    (tmp_path / "inner" / "a").rename(tmp_path / "inner" / "b")
    assert len({first, second, sha256_of(tmp_path)}) == 3
