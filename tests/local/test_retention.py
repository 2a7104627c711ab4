"""Retention: what is kept of a recording, and that nothing goes in silence."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from rtstream_async.local.retention import Retention
from rtstream_async.local.settings import Settings
from rtstream_async.local.store import schema, statements
from rtstream_async.local.store.rows import SegmentRow, StreamRow
from rtstream_async.local.store.worker import Worker


def stream_row(id_: str, *, store: bool) -> StreamRow:
    return StreamRow(
        id=id_,
        collection_id="c-1",
        name=id_,
        url="x",
        status="stopped",
        wanted=False,
        sample_rate=30,
        media_types=("video",),
        store=store,
        enable_transcript=True,
        ws_connection_id=None,
        created_us=0,
        ingested={},
        last_error=None,
        reconnects=0,
        evicted_segments=0,
    )


async def record(store: Worker, settings: Settings, stream: StreamRow, count: int) -> list[Path]:
    await store.run(statements.add_stream, stream)
    folder = settings.segments_dir / stream.id
    folder.mkdir(parents=True)
    paths = []
    for number in range(count):
        path = folder / f"{number}.ts"
        path.write_bytes(b"x" * 100)
        paths.append(path)
        row = SegmentRow(
            stream_id=stream.id,
            file=path.name,
            start_us=number * 2_000_000,
            end_us=(number + 1) * 2_000_000,
            size=100,
            discontinuity=False,
        )
        await store.run(statements.add_segment, row)
    return paths


async def test_streams_without_store_keep_their_last_minutes_only(tmp_path: Path) -> None:
    """Who did not ask for a recording must not have one for ever."""
    settings = Settings(data_dir=tmp_path, unstored_seconds=10)
    store = Worker(tmp_path / "db", schema.prepare)
    await store.start()
    rolling = await record(store, settings, stream_row("rts-a", store=False), 20)
    kept = await record(store, settings, stream_row("rts-b", store=True), 20)
    await Retention(settings, store).sweep()
    assert [path.exists() for path in rolling] == [False] * 15 + [True] * 5
    assert all(path.exists() for path in kept)
    assert len(await store.run(statements.list_segments, "rts-a")) == 5
    row = await store.run(statements.get_stream, "rts-a")
    assert row is not None
    assert row.evicted_segments == 15
    await store.aclose()


async def test_the_quota_takes_the_oldest_of_all_streams_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A full disk stops every recording, the new ones first."""
    caplog.set_level(logging.INFO)
    settings = Settings(data_dir=tmp_path, quota_bytes=1000)
    store = Worker(tmp_path / "db", schema.prepare)
    await store.start()
    first = await record(store, settings, stream_row("rts-a", store=True), 10)
    second = await record(store, settings, stream_row("rts-b", store=True), 10)
    await Retention(settings, store).sweep()
    assert await store.run(statements.storage_bytes) == 1000
    assert [path.exists() for path in first] == [False] * 5 + [True] * 5
    assert [path.exists() for path in second] == [False] * 5 + [True] * 5
    assert "beyond the quota" in caplog.text
    await store.aclose()


async def test_a_quota_of_nothing_ends_when_nothing_is_left(tmp_path: Path) -> None:
    """A sweep that can't reach its goal must not spin."""
    settings = Settings(data_dir=tmp_path, quota_bytes=-1)
    store = Worker(tmp_path / "db", schema.prepare)
    await store.start()
    await record(store, settings, stream_row("rts-a", store=True), 3)
    await Retention(settings, store).sweep()
    assert await store.run(statements.storage_bytes) == 0
    await store.aclose()
