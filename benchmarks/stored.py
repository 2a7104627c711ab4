"""The local server with many records of one index, in a process of its own.

`python -m benchmarks.stored RECORDS` prints a line of JSON, with its address and key, and runs
until its input ends.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import attrs

from benchmarks.search_store import fill, sample_index, sample_stream
from rtstream_async.local import LocalServer

__all__ = ["Stored", "stored"]


@attrs.frozen(kw_only=True)
class Stored:
    """Where it runs, and what it has."""

    url: str
    key: str
    stream: str
    index: str


@contextmanager
def stored(records: int) -> Iterator[Stored]:
    """Run the server while the block runs."""
    command = [sys.executable, "-m", "benchmarks.stored", str(records)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # a pipe was asked for
        yield Stored(**json.loads(process.stdout.readline()))
    finally:
        process.communicate()  # the end of its input is its end


async def main(records: int) -> None:
    """Fill a server and serve."""
    texts = [
        f"A forklift passes the loading dock; two people wait at door {number}."
        for number in range(records)
    ]
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), texts, owners=1)
        async with LocalServer(folder) as server:
            told = Stored(
                url=server.url,
                key=server.api_key,
                stream=sample_stream(0, "").id,
                index=sample_index(0).id,
            )
            print(json.dumps(attrs.asdict(told)), flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
