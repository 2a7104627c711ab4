"""Exporting: the latest recording of a stream becomes a video that stays."""

from __future__ import annotations

import itertools
import logging
import os
import time
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import anyio.to_thread
import attrs

from rtstream_async.local.asset_files import (
    PART,
    asset_folder,
    keep_segments,
    remove_folder,
    replace_segments,
)
from rtstream_async.local.domain.assembly import File
from rtstream_async.local.domain.ids import ENTROPY, asset_id, bare_id
from rtstream_async.local.media.export_order import Exported, Order
from rtstream_async.local.media.exporting import ExportError, export_video
from rtstream_async.local.pipelines.director import Director
from rtstream_async.local.pipelines.jobs import Job, Jobs, Outcome
from rtstream_async.local.refusal import Refusal, not_found
from rtstream_async.local.settings import Settings
from rtstream_async.local.store import assets, statements
from rtstream_async.local.store.assets import AssetRow, AssetSegmentRow, Recording, Spoken
from rtstream_async.local.store.rows import SegmentRow, StreamRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["EXPORT", "EXPORT_MIXED", "Exporter"]

logger = logging.getLogger(__name__)

EXPORT = "export"
"""The kind of its jobs..."""

EXPORT_MIXED = "export_mixed"
"""...and of those that have other recordings' sound in them."""

_VIDEO_FILE, _AUDIO_FILE = "video.mp4", "sound.m4a"


class Exporter:
    """Makes videos of recordings, one at a time."""

    def __init__(self, settings: Settings, store: Worker, director: Director, jobs: Jobs) -> None:
        self._settings = settings
        self._store = store
        self._director = director
        self._jobs = jobs
        jobs.offer(EXPORT, self._make)
        jobs.offer(EXPORT_MIXED, self._make)

    async def export(
        self, stream: StreamRow, *, name: str | None, sounds: Sequence[StreamRow] = ()
    ) -> AssetRow | Job:
        """Return the video of the stream's latest recording, or the work that makes it.

        Asked again, it is the same video, until there is a newer recording.

        Args:
            stream: The stream.
            name: Of the video.
            sounds: Streams whose latest recordings are mixed in, if there are any.

        Raises:
            Refusal: One of the streams runs, or there is nothing to export.
        """
        async with AsyncExitStack() as stack:
            # The last files of a stream that is being stopped are not there yet.
            for one in sorted([stream, *sounds], key=lambda one: one.id):
                await stack.enter_async_context(self._director.at_rest(one.id))
                self._check(one)
            recording = await self._store.run(assets.latest_recording, stream)
            ids = [sound.id for sound in sounds]
            made = await self._store.run(assets.asset_of_recording, stream.id, recording, ids)
            if made is not None:
                return made
            kind = EXPORT_MIXED if sounds else EXPORT
            going_on = self._jobs.running(kind, stream.id)
            return going_on or await self._begin(stream, recording, name, sounds)

    async def delete(self, asset: AssetRow) -> None:
        """Delete a video with its files and all that is known of it."""
        await self._jobs.cancel([asset.id])
        await self._store.run(assets.delete_asset, asset.id)
        await remove_folder(asset_folder(self._settings.assets_dir, asset.id))

    async def forget_streams(self, stream_ids: Iterable[str]) -> None:
        """End the exports of streams that are deleted."""
        for id_, kind in itertools.product(stream_ids, (EXPORT, EXPORT_MIXED)):
            job = self._jobs.running(kind, id_)
            if job is not None:
                await self._jobs.cancel([id_])
                await remove_folder(self._folder(job))

    async def forget_all(self) -> None:
        """Delete all videos, and end what makes more of them."""
        await self.forget_streams(await self._store.run(statements.stream_ids))
        for asset in await self._store.run(assets.assets_in, None):
            await self.delete(asset)

    async def forget_collection(self, collection_id: str) -> None:
        """Delete the videos of a collection."""
        for asset in await self._store.run(assets.assets_in, collection_id):
            await self.delete(asset)

    def _check(self, stream: StreamRow) -> None:
        if not stream.store:
            raise Refusal(
                400,
                "NOT_STORED",
                f"stream {stream.id} was connected without store=True: only its last minutes are"
                " kept, for clips; connect it with store=True to export recordings",
            )
        if self._director.live(stream.id) is not None:
            raise Refusal(
                400, "STREAM_RUNNING", f"stream {stream.id} is still recorded; stop it, then export"
            )

    async def _begin(
        self,
        stream: StreamRow,
        recording: Recording | None,
        name: str | None,
        sounds: Sequence[StreamRow],
    ) -> Job:
        if recording is None:
            raise Refusal(400, "NOTHING_RECORDED", f"nothing of stream {stream.id} is recorded yet")
        if not recording.segments:
            raise Refusal(
                400,
                "RECORDING_DELETED",
                f"the latest recording of stream {stream.id} was deleted to keep the quota",
            )
        return await self._jobs.begin(
            EXPORT_MIXED if sounds else EXPORT,
            stream.id,
            details={
                "sounds": [sound.id for sound in sounds],
                "bare_id": bare_id(time.time(), os.urandom(ENTROPY)),
                "name": name or f"{stream.name} - Recording",
                "recording_us": recording.start_us,
                "start_us": min(segment.start_us for segment in recording.segments),
                "end_us": max(segment.end_us for segment in recording.segments),
                "is_whole": recording.is_whole,
            },
        )

    def _folder(self, job: Job) -> Path:
        return self._settings.assets_dir / str(job.row.details["bare_id"])

    async def _make(self, job: Job) -> Outcome:
        try:
            return await self._make_in(self._folder(job), job)
        except Exception:
            await remove_folder(self._folder(job))
            raise

    async def _make_in(self, folder: Path, job: Job) -> Outcome:
        details = job.row.details
        stream = await self._store.run(statements.get_stream, job.row.subject)
        if stream is None:
            raise not_found("stream", job.row.subject)
        sounds = [str(id_) for id_ in details.get("sounds", ())]
        pictures = folder / "pictures" if sounds else folder
        kept = await self._keep(pictures, stream.id, job)
        parts = [folder / f"sound-{number}" for number in range(len(sounds))]
        heard = [
            _files(part, await self._keep(part, id_, job))
            for part, id_ in zip(parts, sounds, strict=True)
        ]
        made = await self._export(folder, _files(pictures, kept), heard, job)
        if sounds:
            readable = [row for row in kept if row.file not in made.unreadable]
            kept = await anyio.to_thread.run_sync(
                replace_segments, folder, readable, [pictures, *parts]
            )
        is_gone = kept[0].start_us > int(details["start_us"])
        row = AssetRow(
            id=asset_id(str(details["bare_id"]), has_picture=made.has_picture),
            collection_id=stream.collection_id,
            stream_id=stream.id,
            recording_us=int(details["recording_us"]),
            name=str(details["name"]),
            kind="video" if made.has_picture else "audio",
            file=_VIDEO_FILE if made.has_picture else _AUDIO_FILE,
            size=0,
            duration=round(made.duration, 6),
            has_sound=made.has_sound,
            is_whole=bool(details["is_whole"]) and not made.unreadable and not is_gone,
            start_us=microseconds(made.pieces[0].start),
            # What the recording was, whatever of it could be read: else it would be made again.
            end_us=int(details["end_us"]),
            pieces=made.pieces,
            spoken=Spoken(),
            created_us=microseconds(time.time()),
            sounds=tuple(sounds),
        )
        row = await anyio.to_thread.run_sync(_finish, folder, row)
        segments = [_of_asset(row.id, one) for one in kept if one.file not in made.unreadable]
        return Outcome(save=lambda db: assets.add_asset(db, row, segments), asset_id=row.id)

    async def _keep(self, folder: Path, stream_id: str, job: Job) -> list[SegmentRow]:
        """Keep what a stream recorded in the time of the recording."""
        span = job.row.details["start_us"], job.row.details["end_us"]
        rows = await self._store.run(statements.list_segments, stream_id, *span)
        source = self._director.directory(stream_id)
        return await anyio.to_thread.run_sync(keep_segments, folder, source, rows)

    async def _export(
        self, folder: Path, files: tuple[File, ...], sounds: Sequence[tuple[File, ...]], job: Job
    ) -> Exported:
        if not files:
            raise Refusal(400, "RECORDING_DELETED", "the recording was deleted meanwhile")
        order = Order(
            files=files,
            target=str(folder / f"export{PART}"),
            title=str(job.row.details["name"]),
            sounds=tuple(sound for sound in sounds if sound),
        )
        try:
            made = await export_video(order, job.tell)
        except ExportError as exc:
            raise Refusal(500, "EXPORT_FAILED", str(exc)) from exc
        if made.unreadable:
            logger.warning("export: %d recorded files can't be read", len(made.unreadable))
        if made.recoded_pictures:
            logger.info("export: %d pictures were encoded again", made.recoded_pictures)
        return made


def _files(folder: Path, rows: Sequence[SegmentRow]) -> tuple[File, ...]:
    return tuple(
        File(
            path=str(folder / row.file),
            start=row.start_us / 1e6,
            end=row.end_us / 1e6,
            discontinuity=row.discontinuity,
        )
        for row in rows
    )


def _finish(folder: Path, row: AssetRow) -> AssetRow:
    final = (folder / f"export{PART}").rename(folder / row.file)
    return attrs.evolve(row, size=final.stat().st_size)


def _of_asset(id_: str, row: SegmentRow) -> AssetSegmentRow:
    return AssetSegmentRow(
        asset_id=id_,
        file=row.file,
        start_us=row.start_us,
        end_us=row.end_us,
        size=row.size,
        discontinuity=row.discontinuity,
    )
