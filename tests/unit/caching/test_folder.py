"""Where the cache is, and how large it may be."""

from pathlib import Path

import pytest

from pytest_fairness.caching.folder import cache_file, cache_folder, parse_size, size_limit
from pytest_fairness.errors import CacheError


def test_the_folder_of_the_environment_goes_first(monkeypatch):
    monkeypatch.setenv("FAIRNESS_CACHE_DIR", "/somewhere")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert cache_folder() == Path("/somewhere")
    monkeypatch.delenv("FAIRNESS_CACHE_DIR")
    assert cache_folder() == Path("/caches/pytest-fairness")


@pytest.mark.parametrize("xdg", ["", "relative/folder"])
def test_without_an_absolute_xdg_folder_the_users_own_is_taken(monkeypatch, xdg, tmp_path):
    monkeypatch.delenv("FAIRNESS_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", xdg)
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert cache_folder() == tmp_path / ".cache" / "pytest-fairness"
    monkeypatch.setattr("sys.platform", "darwin")
    assert cache_folder() == tmp_path / "Library" / "Caches" / "pytest-fairness"
    assert cache_file().parent == cache_folder()


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("500 MB", 500_000_000),
        ("1.5gb", 1_500_000_000),
        ("0", 0),
        ("2 TB", 2_000_000_000_000),
    ],
)
def test_a_size_is_a_number_with_a_unit(text, size):
    assert parse_size(text, where="x") == size


@pytest.mark.parametrize("text", ["", "many", "-1 GB", "5 XB", "nan", "inf GB", "GB"])
def test_anything_else_is_refused_with_the_place_where_it_stands(text):
    with pytest.raises(CacheError, match=r"fairness_cache_size: .* write a number with a unit"):
        parse_size(text, where="fairness_cache_size")


def test_the_size_of_the_environment_goes_before_that_of_the_ini_file(monkeypatch):
    assert size_limit() == 1_000_000_000
    assert size_limit("5 MB") == 5_000_000
    monkeypatch.setenv("FAIRNESS_CACHE_SIZE", "7 KB")
    assert size_limit("5 MB") == 7_000
