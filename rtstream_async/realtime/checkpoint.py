"""Where a consumer keeps how far it is: a protocol, one in memory, and one in a file."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Final, Protocol

import anyio
import anyio.to_thread

from rtstream_async.errors import CheckpointError, CheckpointInUseError, InvalidArgumentError
from rtstream_async.protocol.checkpoint import CheckpointKey, Handled, Position

__all__ = ["Checkpoint", "MemoryCheckpoint", "SQLiteCheckpoint"]

_APPLICATION: Final = 0x72747363  # marks a file as one of ours
_VERSION: Final = 1
_PATIENCE = 1.0  # seconds for whoever is just about to let go of the file

_TABLES: Final = (
    """
    CREATE TABLE position (
        stream TEXT NOT NULL, channel TEXT NOT NULL,
        since REAL NOT NULL,
        PRIMARY KEY (stream, channel)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE handled (
        stream TEXT NOT NULL, channel TEXT NOT NULL,
        "end" REAL NOT NULL, start REAL NOT NULL, digest TEXT NOT NULL,
        count INTEGER NOT NULL,
        PRIMARY KEY (stream, channel, "end", start, digest)
    ) WITHOUT ROWID
    """,
)
_SET_POSITION: Final = """
    INSERT INTO position VALUES (?, ?, ?)
    ON CONFLICT DO UPDATE SET since = excluded.since
"""
_ADD_HANDLED: Final = """
    INSERT INTO handled VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET count = count + excluded.count
"""
_FORGET: Final = """DELETE FROM handled WHERE stream = ? AND channel = ? AND "end" <= ?"""


class Checkpoint(Protocol):
    """Where `consume()` keeps how far it is; one consumer at a time uses it.

    To keep it elsewhere, write these three. An error of yours ends `consume()`, and is raised by
    it as it is.
    """

    async def load(self) -> Mapping[CheckpointKey, Position]:
        """Return all positions, by stream id and channel; called once, before anything else."""
        ...

    async def commit(self, progress: Mapping[CheckpointKey, Position]) -> None:
        """Keep what each position has become: `progress[key].onto(position)`.

        All of it or nothing, and for good when this returns. It is never called a second time
        with the same progress, nor before the last call has ended. When it is cancelled, either
        is right.
        """
        ...

    async def aclose(self) -> None:
        """Let go of it; `load()` may come again."""
        ...


class MemoryCheckpoint:
    """A checkpoint that lives as long as this object.

    For tests, and for a consumer that is started again in the same process.
    """

    def __init__(self) -> None:
        self._positions: dict[CheckpointKey, Position] = {}
        self._is_open = False

    @property
    def positions(self) -> Mapping[CheckpointKey, Position]:
        """What is kept, by stream id and channel."""
        return dict(self._positions)

    async def load(self) -> Mapping[CheckpointKey, Position]:
        """Return all positions.

        Raises:
            CheckpointInUseError: Another consumer uses it.
        """
        if self._is_open:
            raise CheckpointInUseError("this MemoryCheckpoint is used by another consumer")
        self._is_open = True
        return dict(self._positions)

    async def commit(self, progress: Mapping[CheckpointKey, Position]) -> None:
        """Keep what each position has become."""
        for key, step in progress.items():
            self._positions[key] = step.onto(self._positions.get(key))

    async def aclose(self) -> None:
        """Let go of it; what it keeps stays."""
        self._is_open = False


class SQLiteCheckpoint:
    """A checkpoint in a file, which outlives the process, `kill -9` and power cuts.

    Each commit is on the disk when it returns (WAL, `synchronous=FULL`). While a consumer uses
    the file, nobody else can open it, not to read either; the operating system frees it when the
    process ends, however it ends. What is older than the consumer's `overlap` is deleted.
    """

    def __init__(self, path: str | Path) -> None:
        """Keep the path; the file is opened, and made if need be, by `load()`.

        Raises:
            InvalidArgumentError: It is no path of a file.
        """
        self.path = _file(path)
        self._is_open = False
        self._db: sqlite3.Connection | None = None
        # One thread at a time has the connection. `Task.cancel()` ends the waiting for a thread,
        # shield or not, and the thread goes on: the next one has to wait for it.
        self._turn = threading.Lock()
        self._limit = anyio.CapacityLimiter(2)

    async def load(self) -> Mapping[CheckpointKey, Position]:
        """Open the file and return all positions.

        Raises:
            CheckpointInUseError: Another consumer uses it, in this process or in another.
            CheckpointError: It can't be opened, is no checkpoint, or a newer version's.
        """
        if self._is_open:
            raise CheckpointInUseError(f"{self.path} is used by another consumer of this program")
        self._is_open = True
        try:
            return await anyio.to_thread.run_sync(self._load, limiter=self._limit)
        except BaseException:  # cancelled too, after the thread has opened it
            with anyio.CancelScope(shield=True):
                await self.aclose()
            raise

    async def commit(self, progress: Mapping[CheckpointKey, Position]) -> None:
        """Write what each position has become; cancelling leaves that to end by itself.

        Raises:
            CheckpointError: It can't be written; nothing was changed.
        """
        await anyio.to_thread.run_sync(self._commit, progress, limiter=self._limit)

    async def aclose(self) -> None:
        """Close the file when what is being written is; again is no error."""
        self._is_open = False
        await anyio.to_thread.run_sync(self._close, limiter=self._limit)

    def _load(self) -> dict[CheckpointKey, Position]:
        with self._turn:
            try:
                self._db = db = sqlite3.connect(
                    self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False
                )
                _prepare(db, self.path)
                return _read(db)
            except sqlite3.Error as exc:
                raise self._error(exc) from exc

    def _commit(self, progress: Mapping[CheckpointKey, Position]) -> None:
        with self._turn:
            if self._db is None:
                raise CheckpointError(f"{self.path} is not open: load() comes first")
            try:
                with _transaction(self._db):
                    for key, step in progress.items():
                        _write(self._db, key, step)
            except sqlite3.Error as exc:
                raise self._error(exc) from exc

    def _close(self) -> None:
        with self._turn:
            db, self._db = self._db, None
            if db is not None:
                db.close()

    def _error(self, exc: sqlite3.Error) -> CheckpointError:
        code = getattr(exc, "sqlite_errorcode", None)
        if isinstance(code, int) and code & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return CheckpointInUseError(
                f"{self.path} is used by another program; each consumer needs a file of its own"
            )
        return CheckpointError(f"the checkpoint {self.path} can't be used: {exc}")


def _file(path: object) -> Path:
    if isinstance(path, str | Path) and str(path) not in ("", ".", ":memory:"):
        return Path(path)
    raise InvalidArgumentError(
        "path", f"must be the path of a file, not {path!r}; or take a MemoryCheckpoint"
    )


@contextlib.contextmanager
def _transaction(db: sqlite3.Connection) -> Generator[None, None, None]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield
        db.execute("COMMIT")
    except BaseException:
        if db.in_transaction:  # a full disk may have undone it already
            db.execute("ROLLBACK")
        raise


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    """Take the file for us alone, and see that it is one of ours."""
    db.execute("PRAGMA locking_mode = EXCLUSIVE")
    db.execute("PRAGMA synchronous = FULL")
    # A lock before the mode: with another writer there, the change of the mode tells less.
    with _transaction(db):
        application = db.execute("PRAGMA application_id").fetchone()[0]
        version = db.execute("PRAGMA user_version").fetchone()[0]
        is_new = not db.execute("SELECT 1 FROM sqlite_master").fetchone()
        if is_new and application in (0, _APPLICATION):
            for table in _TABLES:
                db.execute(table)
            db.execute(f"PRAGMA application_id = {_APPLICATION}")
            db.execute(f"PRAGMA user_version = {_VERSION}")
        elif application != _APPLICATION:
            raise CheckpointError(f"{path} is a database of another program, and no checkpoint")
        elif version != _VERSION:
            raise CheckpointError(
                f"{path} has version {version}, and this package knows {_VERSION}: update it, or"
                " begin a new file"
            )
    db.execute("PRAGMA journal_mode = WAL")


def _read(db: sqlite3.Connection) -> dict[CheckpointKey, Position]:
    handled: dict[CheckpointKey, list[Handled]] = {}
    rows = db.execute('SELECT stream, channel, start, "end", digest, count FROM handled')
    for stream, channel, start, end, digest, count in rows:
        handled.setdefault((stream, channel), []).append(
            Handled(start=start, end=end, digest=digest, count=count)
        )
    return {
        (stream, channel): Position(since=since, handled=tuple(handled.get((stream, channel), ())))
        for stream, channel, since in db.execute("SELECT stream, channel, since FROM position")
    }


def _write(db: sqlite3.Connection, key: CheckpointKey, step: Position) -> None:
    db.execute(_SET_POSITION, (*key, step.since))
    db.executemany(
        _ADD_HANDLED,
        [(*key, one.end, one.start, one.digest, one.count) for one in step.handled],
    )
    db.execute(_FORGET, (*key, step.since))
