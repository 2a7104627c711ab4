"""After a crash: the recordings on disk and the rows about them, made one again."""

from __future__ import annotations

import logging
import shutil
import time
from pathlib import Path

import anyio
import anyio.to_thread

from rtstream_async.local.domain.cutting import parse_segment_name
from rtstream_async.local.media.leftovers import adopt_leftovers
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import SegmentRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["note_clean_end", "recover"]

logger = logging.getLogger(__name__)

_CLEAN = "clean_end"
_QUIET = 2.0  # seconds without a change after which no worker is left
_ORPHANS_END = 5.0  # seconds after which they are waited for no longer


async def recover(store: Worker, segments_dir: Path) -> None:
    """Finish unfinished segments, learn those without a row, forget rows without a file.

    A file gets its name before its row is written, so a killed server leaves files without rows,
    and no rows without files; those only come from somebody's deleting files.
    """
    if await store.run(statements.get_setting, _CLEAN) == "no":
        await _await_orphaned_workers(segments_dir)
    await store.run(statements.set_setting, _CLEAN, "no")
    await store.run(statements.settle_streams)
    known = set(await store.run(statements.stream_ids))
    wanted = {row.id for row in await store.run(statements.wanted_streams)}
    for name in await anyio.to_thread.run_sync(_directories, segments_dir):
        directory = segments_dir / name
        if name in known:
            await _recover_stream(store, name, directory, adopt=name not in wanted)
        else:
            logger.warning("recordings of a stream that is not known are deleted: %s", name)
            await anyio.to_thread.run_sync(shutil.rmtree, directory)
    for stream_id in known:
        await _forget_missing(store, stream_id, segments_dir / stream_id)


async def note_clean_end(store: Worker) -> None:
    """Remember that nothing was running at the end, so that nothing is to be recovered."""
    await store.run(statements.set_setting, _CLEAN, "yes")


async def _await_orphaned_workers(segments_dir: Path) -> None:
    """Wait for the workers of a server that was killed: they close their files and go.

    They see the end of their pipe at once; while one closes its files, these change.
    """
    with anyio.move_on_after(_ORPHANS_END):
        # Files can only be looked at again.
        while await _is_changing(segments_dir):  # noqa: ASYNC110
            await anyio.sleep(_QUIET / 10)


async def _is_changing(segments_dir: Path) -> bool:
    changed = await anyio.to_thread.run_sync(_last_change, segments_dir)
    return changed > time.time() - _QUIET


def _last_change(segments_dir: Path) -> float:
    if not segments_dir.is_dir():
        return 0.0
    paths = [segments_dir, *segments_dir.iterdir(), *segments_dir.glob("*/*.part")]
    return max(_modified(path) for path in paths)


def _modified(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # finished, and renamed, just now
        return time.time()


async def _recover_stream(store: Worker, stream_id: str, directory: Path, *, adopt: bool) -> None:
    # Streams that run again adopt their leftovers themselves, all at once.
    adopted = await adopt_leftovers(directory) if adopt else []
    rows = await store.run(statements.list_segments, stream_id)
    with_row = {row.file for row in rows}
    orphans = await anyio.to_thread.run_sync(_orphans, stream_id, directory, with_row)
    for row in orphans:
        await store.run(statements.add_segment, row)
    if adopted or orphans:
        logger.info("stream %s: %d segments found again", stream_id, len(orphans))


async def _forget_missing(store: Worker, stream_id: str, directory: Path) -> None:
    rows = await store.run(statements.list_segments, stream_id)
    missing = await anyio.to_thread.run_sync(
        lambda: [row for row in rows if not (directory / row.file).exists()]
    )
    if missing:
        logger.warning("stream %s: %d recorded files are gone", stream_id, len(missing))
        await store.run(statements.delete_segments, missing)


def _directories(segments_dir: Path) -> list[str]:
    if not segments_dir.is_dir():
        return []
    return sorted(path.name for path in segments_dir.iterdir() if path.is_dir())


def _orphans(stream_id: str, directory: Path, with_row: set[str]) -> list[SegmentRow]:
    found: list[SegmentRow] = []
    for path in sorted(directory.iterdir()):
        span = parse_segment_name(path.name)
        if span is None or path.name in with_row:
            continue
        # Whether its timestamps go on from those before is not known: then they do not.
        found.append(
            SegmentRow(
                stream_id=stream_id,
                file=path.name,
                start_us=microseconds(span[0]),
                end_us=microseconds(span[1]),
                size=path.stat().st_size,
                discontinuity=True,
            )
        )
    return found
