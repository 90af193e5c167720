"""Values by key in one SQLite file: checked when read, limited in size, shared by processes."""

import hashlib
import os
import sqlite3
import stat
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Contents", "Store"]

_WAIT = 10.0  # seconds that a process waits for another one's write
_AT_A_TIME = 500  # parameters of one statement
_ROOM = 0.9  # part of the limit that is left after old entries were removed
_LOOK_AGAIN = 20  # the size is looked up again after 1/20 of the limit was written
_OVERHEAD = 200  # bytes of an entry beside its value: keys, checksum, index
_COLUMNS = {"key", "owner", "used", "size", "checksum", "value"}
_TABLES = (
    """CREATE TABLE entry (key BLOB PRIMARY KEY, owner BLOB NOT NULL, used INTEGER NOT NULL,
    size INTEGER NOT NULL, checksum BLOB NOT NULL, value BLOB NOT NULL)""",
    "CREATE INDEX by_use ON entry (used)",
    "CREATE INDEX by_owner ON entry (owner)",
)
_REMOVE_OLDEST = (
    "DELETE FROM entry WHERE key IN (SELECT key FROM (SELECT key, total(size) OVER "
    "(ORDER BY used, key) - size AS before FROM entry) WHERE before < ?)"
)


@dataclass(frozen=True, slots=True)
class Contents:
    """The numbers of what a cache holds.

    Args:
        entries: Number of its entries.
        owners: Number of states of models that they are of.
        size: Bytes of the entries.
    """

    entries: int
    owners: int
    size: int


@dataclass(slots=True)
class Store:
    """A cache of bytes. A problem never stops a run: `problem` says why the store is not used.

    An entry whose checksum does not fit is removed, as is a file that is no database of this form.

    Args:
        file: The SQLite file; its folder is made when needed.
        limit: Most bytes; the entries that were used longest ago go first.
    """

    file: Path
    limit: int
    problem: str = ""
    damaged: int = 0
    """Entries that were removed, since their checksum did not fit."""
    _connection: sqlite3.Connection | None = None
    _closed: bool = False
    _room: float = 0.0
    _used: set[bytes] = field(default_factory=set)

    def get(self, key: bytes) -> bytes | None:
        """Return the value of a key, or None where there is none, or a damaged one."""
        rows = self._ask("SELECT checksum, value FROM entry WHERE key = ?", (key,))
        if not rows:
            return None
        checksum, value = rows[0]
        if not isinstance(value, bytes) or checksum != _checksum(key, value):
            self.damaged += 1
            self._write("DELETE FROM entry WHERE key = ?", (key,))
            return None
        self._used.add(key)
        return value

    def known(self, keys: Iterable[bytes]) -> set[bytes]:
        """Return those of some keys that have an entry."""
        rows: set[bytes] = set()
        for some in _parts(keys):
            marks = ",".join("?" * len(some))
            query = f"SELECT key FROM entry WHERE key IN ({marks})"  # noqa: S608
            rows |= {row[0] for row in self._ask(query, some)}
        return rows

    def put(self, key: bytes, value: bytes, *, owner: bytes) -> None:
        """Keep a value, in one transaction.

        Args:
            key: Its key.
            value: What is kept.
            owner: Entries of one owner can be removed together.
        """
        size = len(value) + _OVERHEAD
        if size > self.limit:
            return
        row = (key, owner, time.time_ns(), size, _checksum(key, value), value)
        self._write("INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?, ?, ?)", row)
        self._room -= size
        if self._room <= 0:
            self._make_room()

    def forget(self, owner: bytes) -> None:
        """Drop all entries of an owner."""
        self._write("DELETE FROM entry WHERE owner = ?", (owner,))

    def clear(self) -> None:
        """Drop the file with all entries, and what SQLite may have left beside it.

        Raises:
            OSError: It cannot be removed.
        """
        self._disconnect()
        for ending in ("", "-journal", "-wal", "-shm"):
            Path(f"{self.file}{ending}").unlink(missing_ok=True)

    def contents(self) -> Contents:
        """Return what the store holds, which is nothing where there is no file."""
        if not self.file.exists():
            return Contents(0, 0, 0)
        rows = self._ask("SELECT count(*), count(DISTINCT owner), total(size) FROM entry")
        return Contents(rows[0][0], rows[0][1], int(rows[0][2])) if rows else Contents(0, 0, 0)

    def close(self) -> None:
        """Write which entries were used, and close the file. It opens again when it is asked."""
        now = time.time_ns()
        for some in _parts(sorted(self._used)):
            marks = ",".join("?" * len(some))
            self._write(f"UPDATE entry SET used = ? WHERE key IN ({marks})", (now, *some))  # noqa: S608
        self._used.clear()
        self._disconnect()

    def _make_room(self) -> None:
        """Remove what was used longest ago, once the limit is passed."""
        total = sum(row[0] for row in self._ask("SELECT total(size) FROM entry"))
        if total > self.limit:
            self._write(_REMOVE_OLDEST, (total - _ROOM * self.limit,))
            total = _ROOM * self.limit
        self._room = min(self.limit - total, self.limit / _LOOK_AGAIN)

    def _write(self, statement: str, values: Sequence[Any]) -> None:
        """Change entries, unless that failed before: what was read stays readable."""
        if not self.problem:
            self._ask(statement, values)

    def _ask(self, statement: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run a statement as a transaction of its own; a failure is told by `problem`."""
        if not self._open() or self._connection is None:
            return []
        try:
            with self._connection:
                return self._connection.execute(statement, values).fetchall()
        except sqlite3.OperationalError as error:  # locked for long, disk full, read-only
            self.problem = self.problem or f"{self.file}: {error}"
            self._closed |= statement.startswith("SELECT")
        except sqlite3.DatabaseError as error:  # malformed
            self._give_up(error, remove=True)
        return []

    def _open(self) -> bool:
        """Return whether the file is open; a file of another form is replaced."""
        if self._closed or self._connection is not None:
            return not self._closed
        try:
            _check_private(_made(self.file.parent))
            self._connection = _connected(self.file)
        except (OSError, sqlite3.OperationalError) as error:
            self._give_up(error)
        except sqlite3.DatabaseError:  # cut off, or no database of this form
            try:
                self.clear()
                self._connection = _connected(self.file)
            except (OSError, sqlite3.Error) as error:
                self._give_up(error)
        return self._connection is not None

    def _give_up(self, error: Exception, *, remove: bool = False) -> None:
        """Use the store no more in this run."""
        self.problem = f"{self.file}: {error}"
        self._closed = True
        self._disconnect()
        if remove:
            with suppress(OSError):
                self.clear()

    def _disconnect(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None


def _parts(keys: Iterable[bytes]) -> Iterable[list[bytes]]:
    listed = list(keys)
    return (listed[i : i + _AT_A_TIME] for i in range(0, len(listed), _AT_A_TIME))


def _checksum(key: bytes, value: bytes) -> bytes:
    return hashlib.sha256(key + value).digest()


def _made(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _check_private(folder: Path) -> None:
    """Refuse a folder in which another user could write scores.

    Raises:
        OSError: Another user owns it or may write to it.
    """
    if os.name != "posix":
        return
    status = folder.stat()
    if status.st_uid != os.getuid():
        msg = "the folder belongs to another user"
        raise PermissionError(msg)
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        msg = "other users may write to its folder; run chmod 700 on the folder"
        raise PermissionError(msg)


def _connected(file: Path) -> sqlite3.Connection:
    """Open a file with the tables of this version, and make them in an empty one.

    Raises:
        sqlite3.DatabaseError: It is no database, or holds other tables.
    """
    connection = sqlite3.connect(file, timeout=_WAIT, isolation_level="IMMEDIATE")
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    # A crash of the machine may damage entries; those are recomputed, never believed.
    connection.execute("PRAGMA synchronous = OFF")
    if not _columns(connection):
        connection.execute("PRAGMA auto_vacuum = FULL")
        connection.execute("BEGIN IMMEDIATE")  # another process may be making them
        for statement in () if _columns(connection) else _TABLES:
            connection.execute(statement)
        connection.execute("COMMIT")
    if _columns(connection) != _COLUMNS:
        msg = "holds other tables"
        raise sqlite3.DatabaseError(msg)


def _columns(connection: sqlite3.Connection) -> set[str]:
    return {row[1] for row in connection.execute("PRAGMA table_info(entry)")}
