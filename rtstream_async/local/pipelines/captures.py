"""Capture sessions: each change of their state is stored, pushed, and posted to a webhook."""

from __future__ import annotations

import itertools
import logging
import random
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import WeakValueDictionary

import anyio
import attrs

from rtstream_async.local.domain.captures import CaptureSignal, CaptureState
from rtstream_async.local.domain.webhooks import Delivered, GivenUp, Retry, decide
from rtstream_async.local.hub import Hub
from rtstream_async.local.outbound import Outbound, OutboundError
from rtstream_async.local.refusal import conflict, not_found
from rtstream_async.local.store import captures as stored
from rtstream_async.local.store.captures import CaptureChannelRow, CaptureRow
from rtstream_async.local.store.worker import Worker
from rtstream_async.models.messages import CaptureMessage, CaptureStream
from rtstream_async.protocol.codec import emit
from rtstream_async.supervisor import Supervisor

__all__ = ["CaptureOutcome", "Captures"]

logger = logging.getLogger(__name__)

_TIMEOUT: Final = 10.0  # seconds for one attempt of a webhook
_ENDS: Final = (CaptureState.EXPORTED, CaptureState.FAILED)


@attrs.frozen(kw_only=True)
class CaptureOutcome:
    """What is to be told of the end of a session."""

    exported_video_id: str | None = None
    stream_url: str | None = None
    player_url: str | None = None
    duration: float | None = None  #: seconds
    error: str | None = None


class Captures:
    """Moves sessions along, and tells who wants to know."""

    def __init__(self, store: Worker, hub: Hub, outbound: Outbound, supervisor: Supervisor) -> None:
        self._store = store
        self._hub = hub
        self._outbound = outbound
        self._supervisor = supervisor
        self._turns: WeakValueDictionary[str, anyio.Lock] = WeakValueDictionary()

    async def create(self, row: CaptureRow) -> None:
        """Keep a new session, and tell of it."""
        await self._store.run(stored.add_capture, row)
        self._tell(row, await self._message(row, CaptureOutcome()))

    async def find(self, id_: str) -> CaptureRow:
        """Return a session of any collection.

        Raises:
            Refusal: There is none.
        """
        row = await self._store.run(stored.get_capture, id_)
        if row is None:
            raise not_found("capture session", id_)
        return row

    async def attach(self, id_: str, channels: Sequence[CaptureChannelRow]) -> CaptureRow:
        """Have channels, with their streams, in a session; those it had with the same ids go.

        Raises:
            Refusal: There is no such session.
        """
        row = await self._store.run(stored.set_channels, id_, channels)
        if row is None:
            raise not_found("capture session", id_)
        return row

    async def announce(
        self, id_: str, channels: Sequence[CaptureChannelRow], **changes: Any
    ) -> CaptureRow:
        """Have a session consist of these channels alone, with what else changes of its row.

        Raises:
            Refusal: There is no such session.
        """
        row = await self._store.run(stored.announce_capture, id_, channels, changes)
        if row is None:
            raise not_found("capture session", id_)
        return row

    async def unfinished(self) -> list[CaptureRow]:
        """Return the sessions of which something is still to come."""
        states = [state for state in CaptureState if state not in _ENDS]
        return await self._store.run(stored.captures_in, states)

    async def move(
        self, id_: str, signal: CaptureSignal, outcome: CaptureOutcome | None = None
    ) -> CaptureRow:
        """Move a session along, and tell of it.

        Args:
            id_: The session.
            signal: What happened.
            outcome: What is to be told besides.

        Raises:
            Refusal: There is no such session, or that can't happen in its state.
        """
        outcome = outcome or CaptureOutcome()
        changes: dict[str, Any] = {
            name: value
            for name in ("exported_video_id", "error")
            if (value := getattr(outcome, name)) is not None
        }
        try:
            row = await self._store.run(stored.move_capture, id_, signal, changes)
        except RuntimeError as exc:
            raise conflict(f"capture session {id_}: {exc}") from None
        if row is None:
            raise not_found("capture session", id_)
        self._tell(row, await self._message(row, outcome))
        return row

    async def push(self, row: CaptureRow, outcome: CaptureOutcome, connection_id: str) -> None:
        """Tell one more socket where a session is."""
        self._hub.send(connection_id, emit.frame(await self._message(row, outcome)))

    async def _message(self, row: CaptureRow, outcome: CaptureOutcome) -> CaptureMessage:
        active = row.state is CaptureState.ACTIVE
        view = await self._store.run(stored.with_streams, row)
        return CaptureMessage(
            channel="capture_session",
            event=f"capture_session.{row.status}",
            session_id=row.id,
            status=row.status,
            rtstreams=tuple(
                CaptureStream(
                    rtstream_id=stream.id, name=channel.channel_id, media_types=(channel.type,)
                )
                for channel, stream in view.channels_with_streams()
                if active
            ),
            **attrs.asdict(outcome),
        )

    def _tell(self, row: CaptureRow, message: CaptureMessage) -> None:
        if row.ws_connection_id is not None:
            self._hub.send(row.ws_connection_id, emit.frame(message))
        if row.callback_url is not None:
            body = emit.capture_webhook(message, end_user_id=row.end_user_id, at=time.time())
            turn = self._turns.setdefault(row.id, anyio.Lock())
            self._supervisor.start_soon(
                self._post, row.callback_url, body, turn, name="capture webhook"
            )

    async def _post(self, url: str, body: Mapping[str, Any], turn: anyio.Lock) -> None:
        """Post one webhook, after those of the session that came before it."""
        made = time.monotonic()
        async with turn:
            for attempts in itertools.count(1):
                match await self._attempt(url, body, attempts, made):
                    case Delivered():
                        return
                    case Retry(after=seconds):
                        await anyio.sleep(seconds)
                    case GivenUp(reason=reason):
                        what = (body["event"], body["capture_session_id"], reason)
                        logger.warning("%s of %s could not be posted: %s", *what)
                        return

    async def _attempt(
        self, url: str, body: Mapping[str, Any], attempts: int, made: float
    ) -> Delivered | Retry | GivenUp:
        problem, is_transient, status, headers = "", True, None, None
        try:
            answer = await self._outbound.post_json(url, body, timeout=_TIMEOUT)
            status, headers = answer.status, answer.headers
        except OutboundError as exc:
            problem, is_transient = str(exc), exc.is_transient
        return decide(
            status,
            problem=problem,
            is_transient=is_transient,
            attempts=attempts,
            age=time.monotonic() - made,
            jitter=random.random(),  # noqa: S311 - spreads attempts, keeps no secret
            headers=headers,
        )
