"""Checkpoints in memory and in a file: what is committed is there, and one consumer writes it."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rtstream_async as rts

KEY = ("rts-1", "scene_index")


def one(end, count=1, digest="d"):
    return rts.Handled(start=end - 1.0, end=float(end), digest=digest, count=count)


def position(since, *handled):
    return rts.Position(since=float(since), handled=handled)


STEPS = st.lists(
    st.dictionaries(
        st.sampled_from([KEY, ("rts-2", "transcript")]),
        st.builds(
            rts.Position,
            since=st.integers(0, 20).map(float),
            handled=st.lists(
                st.builds(one, st.integers(1, 30), st.integers(1, 3), st.sampled_from("ab")),
                max_size=4,
                unique_by=lambda handled: (handled.end, handled.digest),
            ).map(tuple),
        ),
    ),
    max_size=6,
)


@settings(max_examples=15)  # each commit waits for the disk
@given(STEPS)
def test_the_file_keeps_what_memory_keeps(tmp_path_factory, steps):
    """Whoever writes a third one has two that agree to look at."""
    path = tmp_path_factory.mktemp("checkpoint") / "cursor.db"

    async def play():
        memory = rts.MemoryCheckpoint()
        await memory.load()
        for step in steps:
            file = rts.SQLiteCheckpoint(path)  # a new process each time
            await file.load()
            await file.commit(step)
            await file.aclose()
            await memory.commit(step)
        return memory.positions, await once(rts.SQLiteCheckpoint(path))

    in_memory, in_file = asyncio.run(play())
    assert {key: sort(one) for key, one in in_file.items()} == {
        key: sort(one) for key, one in in_memory.items()
    }


def sort(kept):
    return kept.since, sorted(kept.handled, key=lambda h: (h.end, h.start, h.digest))


async def test_what_is_committed_survives_kill_9(tmp_path):
    """It is on the disk when `commit()` returns, and the next process may write at once."""
    program = """
import asyncio, os, signal, sys
import rtstream_async as rts

async def main():
    checkpoint = rts.SQLiteCheckpoint(sys.argv[1])
    await checkpoint.load()
    for n in range(1, 51):
        handled = rts.Handled(start=n - 1.0, end=float(n), digest="d")
        await checkpoint.commit(
            {("rts-1", "scene_index"): rts.Position(since=n - 10.0, handled=(handled,))}
        )
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""
    path = tmp_path / "cursor.db"
    ran = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-c", program, str(path)], check=False
    )
    assert ran.returncode == -signal.SIGKILL
    checkpoint = rts.SQLiteCheckpoint(path)
    kept = (await checkpoint.load())[KEY]
    assert (kept.since, [handled.end for handled in kept.handled]) == (40.0, [*range(41, 51)])
    await checkpoint.commit({KEY: position(41)})
    await checkpoint.aclose()


async def test_a_second_process_is_refused_while_the_first_lives(tmp_path):
    """Two consumers on one file would each undo what the other has committed."""
    program = """
import asyncio, sys
import rtstream_async as rts

async def main():
    await rts.SQLiteCheckpoint(sys.argv[1]).load()
    print("open", flush=True)
    await asyncio.to_thread(sys.stdin.read)

asyncio.run(main())
"""
    path = tmp_path / "cursor.db"
    other = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, str(path)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    checkpoint = rts.SQLiteCheckpoint(path)
    try:
        assert await other.stdout.readline() == b"open\n"
        with pytest.raises(rts.CheckpointInUseError, match="another program") as info:
            await checkpoint.load()
        assert info.value.is_retryable
    finally:
        other.kill()
        await other.wait()
    await checkpoint.load()
    await checkpoint.aclose()


async def test_a_second_consumer_of_this_program_is_refused(tmp_path):
    """Over the same object, and over another one of the same file."""
    checkpoint = rts.SQLiteCheckpoint(tmp_path / "cursor.db")
    await checkpoint.load()
    with pytest.raises(rts.CheckpointInUseError, match="this program"):
        await checkpoint.load()
    with pytest.raises(rts.CheckpointInUseError):
        await rts.SQLiteCheckpoint(tmp_path / "cursor.db").load()
    await checkpoint.commit({KEY: position(1)})
    await checkpoint.aclose()
    await checkpoint.aclose()
    assert await checkpoint.load() == {KEY: position(1)}
    await checkpoint.aclose()


def foreign(path):
    with sqlite3.connect(path) as db:
        db.execute("CREATE TABLE users (name TEXT)")
    db.close()


async def once(checkpoint):
    kept = await checkpoint.load()
    await checkpoint.aclose()
    return kept


def newer(path):
    asyncio.run(once(rts.SQLiteCheckpoint(path)))
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 7")
    db.close()


def garbage(path):
    path.write_bytes(b"not a database, but a long enough text to be read as one" * 100)


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (foreign, "another program, and no checkpoint"),
        (newer, "version 7, and this package knows 1"),
        (garbage, "can't be used: file is not a database"),
        (lambda path: path.mkdir(), "can't be used: unable to open"),
    ],
)
def test_what_is_no_checkpoint_of_ours_is_refused_and_left_alone(tmp_path, make, told):
    """A typing error in a path must not write into somebody's database."""
    path = tmp_path / "cursor.db"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(rts.CheckpointError, match=told):
        asyncio.run(rts.SQLiteCheckpoint(path).load())
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_folder_that_is_not_there_is_told(tmp_path):
    """Not made: it may be a typing error, or a disk that is not mounted."""
    with pytest.raises(rts.CheckpointError, match="unable to open"):
        asyncio.run(rts.SQLiteCheckpoint(tmp_path / "no" / "cursor.db").load())


@pytest.mark.parametrize("path", ["", ":memory:", None, 3])
def test_what_is_no_path_is_refused_at_once(path):
    """Before anything is consumed."""
    with pytest.raises(rts.InvalidArgumentError, match="MemoryCheckpoint"):
        rts.SQLiteCheckpoint(path)


async def test_a_commit_that_fails_changes_nothing(tmp_path):
    """The disk is full, half way."""
    checkpoint = rts.SQLiteCheckpoint(tmp_path / "cursor.db")
    with pytest.raises(rts.CheckpointError, match="not open"):
        await checkpoint.commit({KEY: position(1)})
    await checkpoint.load()
    await checkpoint.commit({KEY: position(1, one(5))})
    nothing = rts.Handled(start=1.0, end=float("nan"), digest="d")  # NULL to SQLite
    with pytest.raises(rts.CheckpointError, match="NOT NULL"):
        await checkpoint.commit({KEY: position(3, nothing)})
    await checkpoint.aclose()
    assert await checkpoint.load() == {KEY: position(1, one(5))}
    await checkpoint.aclose()


async def test_a_cancelled_load_lets_go_of_the_file(tmp_path):
    """Else the next one in this process would be refused for ever."""
    checkpoint = rts.SQLiteCheckpoint(tmp_path / "cursor.db")
    loading = asyncio.create_task(checkpoint.load())
    await asyncio.sleep(0)
    loading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await loading
    assert await checkpoint.load() == {}
    await checkpoint.aclose()


async def test_the_file_is_durable_and_small(tmp_path):
    """Settings that a power cut would find out about."""
    checkpoint = rts.SQLiteCheckpoint(tmp_path / "cursor.db")
    await checkpoint.load()
    for n in range(300):
        await checkpoint.commit({KEY: position(n - 5, one(n))})
    db = checkpoint._db
    assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert db.execute("PRAGMA synchronous").fetchone() == (2,)
    assert db.execute("SELECT count(*) FROM handled").fetchone() == (5,)
    await checkpoint.aclose()
    assert [file.name for file in tmp_path.iterdir()] == ["cursor.db"]
