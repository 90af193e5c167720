"""`pytest-fairness cache info|clear`."""

import pytest

from pytest_fairness.caching.folder import cache_file
from pytest_fairness.caching.store import Store
from pytest_fairness.cli import main


@pytest.fixture
def filled(cache_dir):
    store = Store(cache_file(), 10**9)
    store.put(b"a", b"x" * 99_800, owner=b"first")
    store.put(b"b", b"x" * 99_800, owner=b"second")
    store.close()
    return store


def test_info_says_where_the_cache_is_and_what_it_holds(filled, capsys):
    assert main(["cache", "info"]) == 0
    assert capsys.readouterr().out == (
        f"{filled.file}\n2 batches of 2 models, 0.2 MB of at most 1,000.0 MB\n"
    )


def test_info_of_no_cache_makes_none(cache_dir, capsys):
    assert main(["cache", "info"]) == 0
    assert "0 batches of 0 models" in capsys.readouterr().out
    assert not cache_dir.exists()


def test_clear_removes_it(filled, capsys):
    assert main(["cache", "clear"]) == 0
    assert capsys.readouterr().out == f"{filled.file}: removed\n"
    assert not filled.file.exists()
    assert main(["cache", "clear"]) == 0


def test_info_of_a_file_that_is_no_cache_is_an_error(cache_dir, capsys):
    cache_dir.mkdir(mode=0o777)
    cache_dir.chmod(0o777)
    cache_file().write_bytes(b"x")
    assert main(["cache", "info"]) == 4
    assert "the cache cannot be read" in capsys.readouterr().err


def test_a_size_that_is_none_is_an_error(monkeypatch, capsys):
    monkeypatch.setenv("FAIRNESS_CACHE_SIZE", "much")
    assert main(["cache", "info"]) == 4
    assert "FAIRNESS_CACHE_SIZE: 'much' is no size" in capsys.readouterr().err


def test_the_command_needs_an_action(capsys):
    with pytest.raises(SystemExit, match="4"):
        main(["cache"])
