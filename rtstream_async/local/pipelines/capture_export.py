"""Exports of capture sessions: what a channel recorded becomes a video, and that is told."""

from __future__ import annotations

import logging
from typing import Literal

import attrs

from rtstream_async.local.domain.captures import CaptureSignal, CaptureState
from rtstream_async.local.domain.pieces import moment_of_end, moment_of_start
from rtstream_async.local.links import window_urls
from rtstream_async.local.pipelines.alerts import Links
from rtstream_async.local.pipelines.captures import CaptureOutcome, Captures
from rtstream_async.local.pipelines.export import Exporter
from rtstream_async.local.pipelines.jobs import Job
from rtstream_async.local.refusal import Refusal, conflict, invalid, not_found
from rtstream_async.local.store.assets import AssetRow, get_asset
from rtstream_async.local.store.captures import CaptureChannelRow, CaptureRow, with_streams
from rtstream_async.local.store.jobs import DONE, FAILED
from rtstream_async.local.store.worker import Worker
from rtstream_async.supervisor import Supervisor

__all__ = ["CaptureExport", "CaptureExporter"]

logger = logging.getLogger(__name__)

_LONG = 3600.0  # seconds; a job is asked again and again whether it has ended
_OVER = (CaptureState.STOPPED, CaptureState.EXPORTED, CaptureState.FAILED)


@attrs.frozen(kw_only=True)
class CaptureExport:
    """How far the export of one channel is."""

    channel_id: str
    status: Literal["exporting", "exported", "failed"]
    asset: AssetRow | None = None
    error: str | None = None


class CaptureExporter:
    """Makes videos of the channels of sessions that are over."""

    def __init__(
        self,
        store: Worker,
        captures: Captures,
        exporter: Exporter,
        links: Links,
        supervisor: Supervisor,
    ) -> None:
        self._store = store
        self._captures = captures
        self._exporter = exporter
        self._links = links
        self._supervisor = supervisor
        self._followed: dict[tuple[str, str], set[str]] = {}  # who is told besides, by channel
        self._failures: dict[tuple[str, str], str] = {}

    def is_exporting(self, session_id: str) -> bool:
        """Whether anything of a session is being exported."""
        return any(id_ == session_id for id_, _ in self._followed)

    def export_soon(self, row: CaptureRow, *, base_url: str | None = None) -> None:
        """Export what stands for a stopped session, if anything of it is stored."""
        channel = row.channel_to_export()
        if channel is None:
            return
        key = row.id, channel.channel_id
        if key not in self._followed:
            self._followed[key] = set()
            self._supervisor.start_soon(
                self._export, row, channel, base_url, name=f"capture-export-{row.id}"
            )

    async def export(
        self,
        row: CaptureRow,
        channel_id: str | None,
        *,
        connection_id: str | None,
        base_url: str,
    ) -> CaptureExport:
        """Return how far the export of a channel is; it begins when it had not.

        Args:
            row: The session.
            channel_id: The channel; what stands for the session when not given.
            connection_id: A socket that is told of its end, besides those that are anyway.
            base_url: `http://host:port` by which the server was reached.

        Raises:
            Refusal: The session is not over, there is no such channel, or it is not stored.
        """
        channel = _checked(row, channel_id)
        key = row.id, channel.channel_id
        failed = CaptureExport(channel_id=channel.channel_id, status="failed")
        if key not in self._followed:
            asset = await self._made(row, channel)
            if asset is not None:
                return attrs.evolve(failed, status="exported", asset=asset)
            if (error := self._failures.pop(key, None)) is not None:
                return attrs.evolve(failed, error=error)
            # Whatever is wrong with it is told to who asks, once more.
            made = await self._begin(row, channel)
            if isinstance(made, AssetRow):
                return attrs.evolve(failed, status="exported", asset=made)
            if key not in self._followed:
                self._followed[key] = set()
                self._supervisor.start_soon(
                    self._export, row, channel, base_url, name=f"capture-export-{row.id}"
                )
        if connection_id is not None and connection_id != row.ws_connection_id:
            self._followed[key].add(connection_id)
        return attrs.evolve(failed, status="exporting")

    async def _export(
        self, row: CaptureRow, channel: CaptureChannelRow, base_url: str | None
    ) -> None:
        id_ = row.id
        key = id_, channel.channel_id
        try:
            made = await self._finish(await self._begin(row, channel))
            if made is not None:
                await self._tell_exported(id_, channel, made, base_url)
        except Refusal as refusal:
            logger.warning("capture session %s is not exported: %s", id_, refusal.message)
            await self._tell_failed(id_, channel, refusal.message)
        except Exception as exc:  # one session's trouble is not the server's
            logger.exception("capture session %s can't be exported", id_)
            await self._tell_failed(id_, channel, f"internal error: {exc}")
        finally:
            self._followed.pop(key, None)

    async def _begin(self, row: CaptureRow, channel: CaptureChannelRow) -> AssetRow | Job:
        """Begin to export a channel; a picture gets all sound of the session."""
        view = await self._store.run(with_streams, row)
        stream = view.streams.get(channel.rtstream_id or "")
        if stream is None:
            raise not_found("stream", channel.rtstream_id or channel.channel_id)
        sounds = [
            sound
            for other, sound in view.channels_with_streams()
            if channel.type == "video" and other.type == "audio" and other.store
        ]
        name = f"{channel.name} - Recording"
        return await self._exporter.export(stream, name=name, sounds=sounds)

    async def _finish(self, made: AssetRow | Job) -> AssetRow | None:
        """The video in the end; `None` when the next run of the server makes it."""
        if isinstance(made, AssetRow):
            return made
        while made.is_running:
            await made.wait(_LONG)
        row = made.row
        if row.status == FAILED:
            raise Refusal(500, str(row.answer["code"]), str(row.answer["message"]))
        if row.status != DONE or row.asset_id is None:
            return None
        return await self._store.run(get_asset, row.asset_id)

    async def _made(self, row: CaptureRow, channel: CaptureChannelRow) -> AssetRow | None:
        """What the session was exported to, also when its stream is gone."""
        if row.exported_video_id is None or channel != row.channel_to_export():
            return None
        return await self._store.run(get_asset, row.exported_video_id)

    async def _tell_exported(
        self, id_: str, channel: CaptureChannelRow, asset: AssetRow, base_url: str | None
    ) -> None:
        outcome = self._outcome(asset, base_url)
        row = await self._captures.find(id_)
        if row.state is CaptureState.STOPPED and channel == row.channel_to_export():
            row = await self._captures.move(id_, CaptureSignal.EXPORTED, outcome)
        for connection in self._followed[id_, channel.channel_id]:
            told = attrs.evolve(row, status=CaptureState.EXPORTED.value)
            await self._captures.push(told, outcome, connection)

    async def _tell_failed(self, id_: str, channel: CaptureChannelRow, error: str) -> None:
        try:
            row = await self._captures.find(id_)
            if row.state is CaptureState.STOPPED and channel == row.channel_to_export():
                await self._captures.move(id_, CaptureSignal.FAIL, CaptureOutcome(error=error))
            self._failures[id_, channel.channel_id] = error
        except Refusal as refusal:  # it was deleted meanwhile
            logger.info("capture session %s: %s", id_, refusal.message)

    def _outcome(self, asset: AssetRow, base_url: str | None) -> CaptureOutcome:
        links = self._links
        origin = base_url or (None if links.is_anywhere else links.own_url)
        outcome = CaptureOutcome(exported_video_id=asset.id, duration=asset.duration)
        if origin is None or not asset.has_picture:
            return outcome
        urls = window_urls(
            links.tokens,
            origin,
            stream_id=asset.id,
            start=moment_of_start(asset.pieces, 0.0),
            end=moment_of_end(asset.pieces, asset.duration),
            lifetime=links.settings.clip_lifetime,
            title=asset.name,
        )
        return attrs.evolve(outcome, stream_url=urls.stream_url, player_url=urls.player_url)


def _checked(row: CaptureRow, channel_id: str | None) -> CaptureChannelRow:
    channel = row.channel_to_export(channel_id)
    if channel_id is not None and channel is None:
        known = [one.channel_id for one in row.channels]
        raise invalid("video_channel_id", f"{channel_id!r} is no channel of it", allowed=known)
    if row.state not in _OVER:
        raise conflict(f"capture session {row.id} is {row.status}; stop it, then export")
    if channel is None or not channel.store:
        raise Refusal(
            400,
            "NOT_STORED",
            f"nothing of capture session {row.id} is stored: start it with store on the channels"
            " to export",
        )
    return channel
