"""The file of the cache: what is damaged is never believed, what is too much goes, and runs go on."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_fairness.caching.store import Store

OWNER = b"model"


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "cache" / "scores.sqlite", 10**7)
    yield made
    made.close()


def test_a_value_is_found_again_after_the_file_was_closed(store):
    store.put(b"a", b"scores", owner=OWNER)
    store.close()
    assert Store(store.file, 10**7).get(b"a") == b"scores"
    assert store.get(b"b") is None
    assert (store.contents().entries, store.contents().owners) == (1, 1)


def test_the_folder_is_for_its_user_alone(store):
    store.put(b"a", b"scores", owner=OWNER)
    assert store.file.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o777], ids=oct)
def test_a_folder_that_others_may_write_to_is_not_used(tmp_path, mode):
    tmp_path.chmod(mode)
    store = Store(tmp_path / "scores.sqlite", 10**7)
    store.put(b"a", b"scores", owner=OWNER)
    assert store.get(b"a") is None
    assert "other users may write to its folder; run chmod 700" in store.problem
    assert not store.file.exists()


DAMAGE = {
    "a flipped bit of the value": "UPDATE entry SET value = CAST('scorez' AS BLOB)",
    "a value of another entry": "UPDATE entry SET value = (SELECT value FROM entry WHERE key = CAST('b' AS BLOB))",
    "a row under another key": "UPDATE entry SET key = CAST('c' AS BLOB) WHERE key = CAST('a' AS BLOB)",
    "a shorter value": "UPDATE entry SET value = CAST('score' AS BLOB)",
    "another checksum": "UPDATE entry SET checksum = zeroblob(32)",
    "a value of another type": "UPDATE entry SET value = 5",
}


@pytest.mark.parametrize("how", DAMAGE)
def test_a_damaged_entry_is_removed_and_never_believed(store, how):
    store.put(b"b", b"others", owner=OWNER)
    store.put(b"a", b"scores", owner=OWNER)
    store.close()
    with sqlite3.connect(store.file) as connection:
        connection.execute(DAMAGE[how])
    connection.close()
    asked = b"c" if "key" in how else b"a"
    assert store.get(asked) is None
    assert store.damaged == 1
    assert store.known([asked]) == set()
    store.put(asked, b"scores", owner=OWNER)
    assert store.get(asked) == b"scores"


def text_file(file):
    file.write_text("not a database at all, but long enough to be read as one " * 40)


def cut_off(file):
    file.write_bytes(file.read_bytes()[:5000])


def empty(file):
    file.write_bytes(b"")


def other_tables(file):
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE entry (key BLOB PRIMARY KEY, score REAL)")
    connection.close()


def overwritten(file):
    content = bytearray(file.read_bytes())
    content[4096:] = b"\x17" * (len(content) - 4096)
    file.write_bytes(bytes(content))


@pytest.mark.parametrize("damage", [text_file, cut_off, empty, other_tables, overwritten])
def test_a_file_that_is_no_cache_is_replaced_and_gives_nothing(store, damage):
    for number in range(50):
        store.put(b"%d" % number, b"x" * 500, owner=OWNER)
    store.close()
    damage(store.file)
    asked = [store.get(b"%d" % number) for number in range(50)]
    assert set(asked) <= {None, b"x" * 500}
    later = Store(store.file, 10**7)
    later.put(b"a", b"scores", owner=OWNER)
    assert later.get(b"a") == b"scores"
    assert later.problem == ""
    later.close()


def test_entries_that_were_used_longest_ago_make_room(tmp_path):
    store = Store(tmp_path / "c" / "scores.sqlite", 100_000)
    for number in range(40):
        store.put(b"%d" % number, b"x" * 2_000, owner=OWNER)
    store.get(b"0")  # used again
    store.close()
    for number in range(40, 60):
        store.put(b"%d" % number, b"x" * 2_000, owner=OWNER)
    assert store.contents().size <= 100_000
    assert store.get(b"0") is not None
    assert store.get(b"1") is None
    assert store.get(b"59") is not None
    store.close()
    assert store.file.stat().st_size < 200_000


def test_an_entry_larger_than_the_limit_is_not_kept(tmp_path):
    store = Store(tmp_path / "c" / "scores.sqlite", 1_000)
    store.put(b"a", b"x" * 2_000, owner=OWNER)
    assert store.contents().entries == 0


def test_all_entries_of_a_model_can_be_forgotten(store):
    store.put(b"a", b"1", owner=b"first")
    store.put(b"b", b"2", owner=b"second")
    store.forget(b"first")
    assert (store.get(b"a"), store.get(b"b")) == (None, b"2")


def test_a_cache_that_cannot_be_written_still_gives_what_it_has(store, monkeypatch):
    store.put(b"a", b"scores", owner=OWNER)
    store.close()
    real = sqlite3.connect
    monkeypatch.setattr(
        sqlite3, "connect", lambda file, **how: real(f"file:{file}?mode=ro", uri=True, **how)
    )
    store.put(b"b", b"more", owner=OWNER)
    assert "readonly" in store.problem
    assert store.get(b"a") == b"scores"
    assert store.get(b"b") is None


def test_a_folder_that_cannot_be_made_is_told_and_stops_nothing(tmp_path):
    (tmp_path / "file").write_text("in the way")
    store = Store(tmp_path / "file" / "cache" / "scores.sqlite", 10**7)
    store.put(b"a", b"scores", owner=OWNER)
    assert store.get(b"a") is None
    assert store.known([b"a"]) == set()
    assert store.problem.startswith(str(store.file))


def test_a_cache_that_another_process_holds_is_given_up(store, monkeypatch):
    monkeypatch.setattr("pytest_fairness.caching.store._WAIT", 0.05)
    store.put(b"a", b"scores", owner=OWNER)
    store.close()
    with sqlite3.connect(store.file, isolation_level=None) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert store.get(b"a") is None
        assert "locked" in store.problem
        other.execute("ROLLBACK")
    other.close()


WRITER = """
import sys
from pathlib import Path
from pytest_fairness.caching.store import Store
store = Store(Path(sys.argv[1]), 10**7)
for number in range(150):
    store.put(b"%s %d" % (sys.argv[2].encode(), number), b"x" * 300, owner=b"model")
    assert store.get(b"%s %d" % (sys.argv[2].encode(), number)) == b"x" * 300
store.close()
print(store.problem)
"""


def test_two_processes_that_begin_an_empty_cache_together_lose_nothing(tmp_path):
    file = tmp_path / "new" / "scores.sqlite"
    both = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(file), name], stdout=subprocess.PIPE)
        for name in ("first", "second")
    ]
    assert [process.communicate()[0].strip() for process in both] == [b"", b""]
    assert [process.returncode for process in both] == [0, 0]
    assert Store(file, 10**7).contents().entries == 300


def test_clearing_removes_the_file_and_what_lies_beside_it(store):
    store.put(b"a", b"scores", owner=OWNER)
    Path(f"{store.file}-journal").write_bytes(b"left")
    store.clear()
    assert list(store.file.parent.iterdir()) == []
    assert store.contents().entries == 0
