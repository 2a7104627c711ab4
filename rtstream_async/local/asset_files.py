"""The files of exported videos: kept recordings, the MP4, and nothing that belongs to nobody."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import anyio.to_thread
import attrs

from rtstream_async.local.domain.cutting import parse_segment_name
from rtstream_async.local.store import assets, jobs
from rtstream_async.local.store.assets import AssetRow, AssetSegmentRow
from rtstream_async.local.store.rows import SegmentRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds

__all__ = [
    "PART",
    "asset_folder",
    "keep_segments",
    "recover_assets",
    "remove_folder",
    "replace_segments",
]

logger = logging.getLogger(__name__)

PART = ".part"
"""How the name of a file ends that is not finished."""


def asset_folder(assets_dir: Path, id_: str) -> Path:
    """Return where the files of a video are: its id without the letter that says what it is.

    The folder is there before it is known whether there are pictures.
    """
    return assets_dir / id_.partition("-")[2]


def keep_segments(folder: Path, source: Path, rows: Sequence[SegmentRow]) -> list[SegmentRow]:
    """Keep recorded files in `folder`, so that nothing that is deleted elsewhere is missed here.

    They share their bytes with the recording where the file system can do that. Files that are
    kept already, from before a crash, are among what is returned, in order of time.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for row in rows:
        # What was deleted a moment ago by retention is not part of it any more.
        with contextlib.suppress(FileNotFoundError):
            _share(source / row.file, folder / row.file)
    known = {row.file: row for row in rows}
    kept = [
        known.get(path.name) or _unknown(path, span)
        for path in folder.iterdir()
        if (span := parse_segment_name(path.name)) is not None
    ]
    return sorted(kept, key=lambda row: (row.start_us, row.file))


def _share(source: Path, target: Path) -> None:
    if target.exists():
        return
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:  # another file system, or one without links
        part = target.with_name(target.name + PART)
        shutil.copyfile(source, part)
        part.rename(target)


def _unknown(path: Path, span: tuple[float, float]) -> SegmentRow:
    return SegmentRow(
        stream_id="",
        file=path.name,
        start_us=microseconds(span[0]),
        end_us=microseconds(span[1]),
        size=path.stat().st_size,
        discontinuity=True,  # that it begins anew is always safe
    )


def replace_segments(
    folder: Path, rows: Sequence[SegmentRow], parts: Sequence[Path]
) -> list[SegmentRow]:
    """Return what has been made in `folder` of the files in `parts`, which are deleted.

    Args:
        folder: Where the files are, under the names that they had in the first of the parts; what
            is missing is taken from there as it is.
        rows: They, before.
        parts: Folders.
    """
    for row in rows:
        if not (folder / row.file).exists():
            (parts[0] / row.file).rename(folder / row.file)
    for part in parts:
        shutil.rmtree(part, ignore_errors=True)
    return [attrs.evolve(row, size=(folder / row.file).stat().st_size) for row in rows]


async def remove_folder(folder: Path) -> None:
    """Delete the files of a video; it is no error when there are none."""
    await anyio.to_thread.run_sync(shutil.rmtree, folder, True)


async def recover_assets(store: Worker, assets_dir: Path) -> None:
    """After a crash: forget videos without their file, delete files without their video.

    What belongs to work that is to be taken up again stays.
    """
    known = {id_: asset_folder(assets_dir, id_) for id_ in await store.run(assets.asset_ids)}
    for id_, folder in known.items():
        await _recover(store, id_, folder)
    begun = {str(job.details.get("bare_id")) for job in await store.run(jobs.running_jobs)}
    wanted = {folder.name for folder in known.values()} | begun
    for name in await anyio.to_thread.run_sync(_names, assets_dir):
        if name not in wanted:
            logger.warning("files of a video that is not known are deleted: %s", name)
            await remove_folder(assets_dir / name)


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


async def _recover(store: Worker, id_: str, folder: Path) -> None:
    row = await store.run(assets.get_asset, id_)
    names = set(await anyio.to_thread.run_sync(_names, folder))
    if row is not None and row.file not in names:
        logger.warning("video %s: its file is gone, so it is forgotten", id_)
        await store.run(assets.delete_asset, id_)
        await remove_folder(folder)
        return
    segments = await store.run(assets.list_asset_segments, id_)
    missing = [segment.file for segment in segments if segment.file not in names]
    if missing:
        logger.warning("video %s: %d of its files are gone", id_, len(missing))
        await store.run(assets.forget_asset_segments, id_, missing)
    await anyio.to_thread.run_sync(_remove_others, folder, names, _wanted(row, segments))


def _wanted(row: AssetRow | None, segments: Sequence[AssetSegmentRow]) -> set[str]:
    return {segment.file for segment in segments} | (set() if row is None else {row.file})


def _remove_others(folder: Path, names: set[str], wanted: set[str]) -> None:
    for name in names - wanted:
        (folder / name).unlink(missing_ok=True)
