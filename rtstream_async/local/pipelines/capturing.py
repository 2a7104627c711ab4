"""The push side of capture sessions: a listener for each channel, from the start to the export."""

from __future__ import annotations

import itertools
import logging
import os
import secrets
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

import anyio
import attrs

from rtstream_async.local.domain.captures import Attendance, CaptureSignal, CaptureState
from rtstream_async.local.domain.ids import ENTROPY, stream_id
from rtstream_async.local.pipelines.capture_export import CaptureExporter
from rtstream_async.local.pipelines.captures import CaptureOutcome, Captures
from rtstream_async.local.pipelines.director import Director
from rtstream_async.local.refusal import Refusal, conflict
from rtstream_async.local.settings import Settings
from rtstream_async.local.sources import free_ports
from rtstream_async.local.store import statements
from rtstream_async.local.store.captures import CaptureChannelRow, CaptureRow
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.protocol.codec.times import microseconds
from rtstream_async.supervisor import Supervisor

__all__ = ["Capturing"]

logger = logging.getLogger(__name__)

_LOOK = 0.1  # seconds between two looks at who publishes
_KEY_BYTES = 18
_ATTEMPTS = 3
_SAMPLE_RATE: Final = 30
_RUNNING: Final = (CaptureState.STARTING, CaptureState.ACTIVE)


class Capturing:
    """Starts, watches and stops the sessions whose channels are pushed to this server."""

    def __init__(
        self,
        settings: Settings,
        store: Worker,
        captures: Captures,
        director: Director,
        exporter: CaptureExporter,
        supervisor: Supervisor,
    ) -> None:
        self._settings = settings
        self._store = store
        self._captures = captures
        self._director = director
        self._exporter = exporter
        self._supervisor = supervisor
        self._locks: dict[str, anyio.Lock] = {}
        self._watched: dict[str, anyio.CancelScope] = {}
        self._is_closing = False

    async def start(
        self, id_: str, channels: Sequence[CaptureChannelRow], **changes: Any
    ) -> CaptureRow:
        """Listen for each channel of a new session; return it when publishers can come.

        Args:
            id_: The session.
            channels: What is to be pushed.
            changes: What else of the session is known only now.

        Raises:
            Refusal: There is no such session, it was started before, or nobody can listen. Then
                nothing is left of the start.
        """
        async with self._lock(id_):
            row = await self._captures.find(id_)
            if row.state is not CaptureState.CREATED:
                raise conflict(f"capture session {id_} was started already: it is {row.status}")
            row = await self._listen_for(row, channels, changes)
            row = await self._captures.move(id_, CaptureSignal.START)
            self._watch_soon(row)
            return row

    async def stop(self, id_: str, *, base_url: str | None = None) -> CaptureRow:
        """Stop a session; return it when its recordings are closed. A stopped one is left alone.

        Args:
            id_: The session.
            base_url: `http://host:port` by which the server was reached, for what is told later.

        Raises:
            Refusal: There is no such session, or it was never started.
        """
        async with self._lock(id_):
            row = await self._captures.find(id_)
            if row.state is CaptureState.CREATED:
                raise conflict(f"capture session {id_} was not started yet")
            if row.state in _RUNNING:
                self._unwatch(id_)
                row = await self._captures.move(id_, CaptureSignal.STOP)
            if row.state is CaptureState.STOPPING:
                await self._stop_streams(row)
                row = await self._captures.move(id_, CaptureSignal.STOPPED)
                self._exporter.export_soon(row, base_url=base_url)
            return row

    async def resume(self) -> None:
        """Go on with what was going on when the server was last stopped, or died."""
        for row in await self._captures.unfinished():
            if not row.pushed:
                continue  # of a script
            try:
                await self._resume(row.id)
            except Exception as exc:  # one session's trouble is not the others'
                logger.warning("capture session %s is not resumed: %s", row.id, exc, exc_info=exc)

    def aclose(self) -> None:
        """Judge no more who is there: from now on, nobody is."""
        self._is_closing = True
        for id_ in list(self._watched):
            self._unwatch(id_)

    async def _resume(self, id_: str) -> None:
        async with self._lock(id_):
            # Anew: the server has answered calls since the list was made.
            row = await self._captures.find(id_)
            if id_ in self._watched:
                return
            if row.state is CaptureState.CREATED:  # the server died while it started
                await self._withdraw(row)
                return
            if row.state in _RUNNING:
                self._watch_soon(row, is_resumed=True)
                return
        if row.state is CaptureState.STOPPING:
            await self.stop(id_)
        else:
            self._exporter.export_soon(row)

    async def _listen_for(
        self, row: CaptureRow, channels: Sequence[CaptureChannelRow], changes: Mapping[str, Any]
    ) -> CaptureRow:
        for attempt in itertools.count(1):
            # First the session: after a crash, it is known what else must go.
            row = await self._captures.announce(row.id, _placed(channels), **changes)
            try:
                async with anyio.create_task_group() as group:
                    for channel in row.channels:
                        group.start_soon(self._listen, row, channel)
            except BaseException as exc:
                with anyio.CancelScope(shield=True):
                    await self._withdraw(row)
                refusal = _refusal_in(exc)
                if refusal is None:
                    raise
                # Another program may have taken a port that was free when we looked.
                if attempt == _ATTEMPTS:
                    raise refusal from exc
            else:
                break
        return row

    async def _listen(self, row: CaptureRow, channel: CaptureChannelRow) -> None:
        now = time.time()
        assert channel.rtstream_id is not None  # noqa: S101 - it was placed
        stream = StreamRow(
            id=channel.rtstream_id,
            collection_id=row.collection_id,
            name=channel.channel_id,
            url=f"{channel.rtmp_url}?listen=1&rtsp={_port(channel.rtsp_url)}",
            status="connecting",
            wanted=False,
            sample_rate=_SAMPLE_RATE,
            media_types=(channel.type,),
            store=channel.store,
            enable_transcript=False,
            ws_connection_id=row.ws_connection_id,
            created_us=microseconds(now),
            ingested={},
            last_error=None,
            reconnects=0,
            evicted_segments=0,
        )
        await self._director.connect(stream)

    async def _withdraw(self, row: CaptureRow) -> None:
        """Have a session as it was before it was started."""
        for channel in row.pushed:
            if channel.rtstream_id is not None:
                await self._director.forget(channel.rtstream_id)
        await self._captures.announce(row.id, [one for one in row.channels if not one.is_pushed])

    async def _stop_streams(self, row: CaptureRow) -> None:
        async with anyio.create_task_group() as group:
            for channel in row.pushed:
                stream = await self._store.run(statements.get_stream, channel.rtstream_id or "")
                if stream is not None:
                    group.start_soon(self._director.stop, stream)

    def _watch_soon(self, row: CaptureRow, *, is_resumed: bool = False) -> None:
        if not self._is_closing:
            scope = self._watched[row.id] = anyio.CancelScope()
            self._supervisor.start_soon(
                self._watch, row, scope, is_resumed, name=f"capture-{row.id}"
            )

    def _unwatch(self, id_: str) -> None:
        scope = self._watched.pop(id_, None)
        if scope is not None:
            scope.cancel()

    async def _watch(self, row: CaptureRow, scope: anyio.CancelScope, is_resumed: bool) -> None:
        ended: tuple[CaptureSignal, str] | None = None
        try:
            with scope:
                ended = await self._await_end(row, is_resumed=is_resumed)
            # Else somebody has stopped it.
            if ended is not None and self._watched.pop(row.id, None) is not None:
                await self._end(row, *ended)
        except Refusal as refusal:
            logger.warning("capture session %s: %s", row.id, refusal.message)
        except Exception:  # one session's trouble is not the server's
            logger.exception("capture session %s can't be watched", row.id)

    async def _end(self, row: CaptureRow, signal: CaptureSignal, reason: str) -> None:
        if signal is CaptureSignal.STOP:
            logger.info("capture session %s: %s; it is stopped", row.id, reason)
            await self.stop(row.id)
            return
        async with self._lock(row.id):
            await self._stop_streams(row)
            await self._captures.move(row.id, signal, CaptureOutcome(error=reason))

    async def _await_end(self, row: CaptureRow, *, is_resumed: bool) -> tuple[CaptureSignal, str]:
        """Return what ends the session, and why; it becomes active on the way."""
        timeout, begun = self._settings.capture_timeout, time.monotonic()
        attendance = Attendance(
            channels=len(row.pushed),
            timeout=timeout,
            settle=self._settings.capture_settle,
            seen=begun,
        )
        is_active = row.state is CaptureState.ACTIVE
        while True:
            now = time.monotonic()
            signal = attendance.see(self._present(row), now, is_active=is_active)
            if signal is CaptureSignal.FLOWING:
                await self._captures.move(row.id, signal)
                is_active = True
            elif signal is not None:
                return signal, f"nobody has published to it for {timeout:g} s"
            if is_resumed and (trouble := self._trouble(row)) is not None:
                return CaptureSignal.FAIL, trouble
            await anyio.sleep(_LOOK)

    def _present(self, row: CaptureRow) -> int:
        streams = [self._director.live(one.rtstream_id or "") for one in row.pushed]
        return sum(1 for live in streams if live is not None and live.is_flowing)

    def _trouble(self, row: CaptureRow) -> str | None:
        """Why a listener could not come back after a restart."""
        for channel in row.pushed:
            live = self._director.live(channel.rtstream_id or "")
            if live is not None and live.opened is None and live.refused is not None:
                return f"the listener of {channel.channel_id} can't come back: {live.refused}"
        return None

    def _lock(self, id_: str) -> anyio.Lock:
        return self._locks.setdefault(id_, anyio.Lock())


def _placed(channels: Sequence[CaptureChannelRow]) -> list[CaptureChannelRow]:
    """Return channels with a stream of its own for each, and where to push it."""
    ports = iter(free_ports(2 * len(channels)))
    paths = [f"capture/{secrets.token_urlsafe(_KEY_BYTES)}" for _ in channels]
    return [
        attrs.evolve(
            channel,
            rtstream_id=stream_id(time.time(), os.urandom(ENTROPY)),
            rtmp_url=f"rtmp://127.0.0.1:{next(ports)}/{path}",
            rtsp_url=f"rtsp://127.0.0.1:{next(ports)}/{path}",
        )
        for channel, path in zip(channels, paths, strict=True)
    ]


def _port(url: str | None) -> str:
    return (url or "").partition("://")[2].partition("/")[0].rpartition(":")[2]


def _refusal_in(exc: BaseException) -> Refusal | None:
    """The refusal that has ended a group of tasks; `None`: something else did."""
    if isinstance(exc, BaseExceptionGroup):
        found = cast("BaseExceptionGroup[BaseException]", exc).subgroup(Refusal)
        return None if found is None else _refusal_in(found.exceptions[0])
    return exc if isinstance(exc, Refusal) else None
