"""The store: what was answered is on disk, and one caller's failure is its own."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rtstream_async.errors import LocalServerError
from rtstream_async.local.store import schema, statements
from rtstream_async.local.store.worker import Worker


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Worker]:
    store = Worker(path, schema.prepare)
    await store.start()
    try:
        yield store
    finally:
        await store.aclose()


def fail(db: sqlite3.Connection) -> None:
    statements.set_setting(db, "half", "done")
    raise KeyError("mine")


async def test_many_writers_share_commits_and_all_are_kept(tmp_path: Path) -> None:
    """A commit for each scene would make eight streams wait for the disk."""
    commits = 0

    def count(statement: str) -> None:
        nonlocal commits
        commits += statement == "COMMIT"

    async with opened(tmp_path / "db") as store:
        await store.run(lambda db: db.set_trace_callback(count))
        await asyncio.gather(
            *(store.run(statements.set_setting, f"k{number}", "v") for number in range(500))
        )
        kept = await store.run(lambda db: db.execute("SELECT count(*) FROM settings").fetchone()[0])
    assert kept == 500
    assert 1 <= commits < 250


async def test_work_that_fails_is_undone_alone(tmp_path: Path) -> None:
    """One bad record must not take others' records with it, nor stay there by half."""
    async with opened(tmp_path / "db") as store:
        good = asyncio.gather(*(store.run(statements.set_setting, f"g{n}", "v") for n in range(3)))
        bad = asyncio.gather(store.run(fail), return_exceptions=True)
        after = store.run(statements.set_setting, "after", "v")
        await good
        (raised,) = await bad
        await after
        assert isinstance(raised, KeyError)
        assert await store.run(statements.get_setting, "half") is None
        assert await store.run(statements.get_setting, "g2") == "v"
        assert await store.run(statements.get_setting, "after") == "v"


async def test_work_handed_over_is_done_though_its_caller_is_cancelled(tmp_path: Path) -> None:
    """A request that is given up must not leave the store in doubt."""
    async with opened(tmp_path / "db") as store:
        task = asyncio.create_task(store.run(statements.set_setting, "k", "v"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert await store.run(statements.get_setting, "k") == "v"


async def test_closing_finishes_what_was_handed_over(tmp_path: Path) -> None:
    """The last scenes of a stream come while the server stops."""
    store = Worker(tmp_path / "db", schema.prepare)
    await store.start()
    waiting = [
        asyncio.create_task(store.run(statements.set_setting, f"k{number}", "v"))
        for number in range(50)
    ]
    await asyncio.sleep(0)
    await store.aclose()
    await asyncio.gather(*waiting)
    with pytest.raises(LocalServerError, match="closed"):
        await store.run(statements.get_setting, "k1")
    async with opened(tmp_path / "db") as again:
        assert await again.run(statements.get_setting, "k49") == "v"


async def test_a_full_disk_fails_what_does_not_fit_and_keeps_the_rest(tmp_path: Path) -> None:
    """A full disk must not end the server, nor make it say that something was kept."""
    async with opened(tmp_path / "db") as store:
        await store.run(statements.set_setting, "before", "v")
        await store.run(lambda db: db.execute("PRAGMA max_page_count = 40").fetchall())
        results = await asyncio.gather(
            *(
                store.run(statements.set_setting, f"k{number}", "x" * 20_000)
                for number in range(40)
            ),
            return_exceptions=True,
        )
        failures = [result for result in results if result is not None]
        assert failures
        assert all(isinstance(failure, sqlite3.OperationalError) for failure in failures)
        for number, result in enumerate(results):
            kept = await store.run(statements.get_setting, f"k{number}")
            assert (kept is not None) == (result is None)
        assert await store.run(statements.get_setting, "before") == "v"
        await store.run(lambda db: db.execute("PRAGMA max_page_count = 4000").fetchall())
        await store.run(statements.set_setting, "after", "x" * 20_000)


async def test_a_second_store_on_the_same_file_is_refused(tmp_path: Path) -> None:
    """Two servers on one directory would delete each other's segments."""
    async with opened(tmp_path / "db"):
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            async with opened(tmp_path / "db"):
                raise AssertionError("two servers share a database")


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    """Going back to an older version must not damage what the newer one wrote."""
    async with opened(tmp_path / "db") as store:
        await store.run(lambda db: db.execute("PRAGMA user_version = 99").fetchall())
    with pytest.raises(LocalServerError, match="newer version"):
        async with opened(tmp_path / "db"):
            raise AssertionError("an unknown schema was opened")


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    """A damaged file must be told from an empty one."""
    (tmp_path / "db").write_bytes(b"this is no database" * 100)
    with pytest.raises(sqlite3.DatabaseError):
        async with opened(tmp_path / "db"):
            raise AssertionError("opened")


WRITER = """
import asyncio, sys
from pathlib import Path
from rtstream_async.local.store import schema, statements
from rtstream_async.local.store.worker import Worker

async def write(store, name):
    for number in range(10**9):
        await store.run(statements.set_setting, name, str(number))
        print(name, number, flush=True)

async def main():
    store = Worker(Path(sys.argv[1]), schema.prepare)
    await store.start()
    await asyncio.gather(*(write(store, f"w{n}") for n in range(4)))

asyncio.run(main())
"""


@pytest.mark.parametrize("run", range(3))
def test_what_was_answered_survives_kill_nine(tmp_path: Path, run: int) -> None:
    """A power button is not an excuse for losing what a client was told."""
    child = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "db")], stdout=subprocess.PIPE, text=True
    )
    assert child.stdout is not None
    with child, child.stdout as output:
        answered: dict[str, int] = {}
        deadline = None
        for line in output:
            name, number = line.split()
            answered[name] = int(number)
            if len(answered) == 4 and deadline is None:
                deadline = time.monotonic() + 0.1 * (run + 1)
            if deadline is not None and time.monotonic() > deadline:
                break
        os.kill(child.pid, signal.SIGKILL)
        for line in output:
            name, _, number = line.strip().partition(" ")
            if number.isdigit() and line.endswith("\n"):
                answered[name] = int(number)

    async def kept() -> dict[str, int]:
        async with opened(tmp_path / "db") as store:
            return {
                name: int(await store.run(statements.get_setting, name) or -1) for name in answered
            }

    after = asyncio.run(kept())
    assert len(after) == 4
    for name, number in answered.items():
        assert after[name] >= number
