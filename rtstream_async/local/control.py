"""A test's hand on the server: what is sent, and what goes wrong.

Only a server made with `control=True` has it, as `server.control` and under `/_local/`.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import msgspec

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.chaos import Chaos
from rtstream_async.local.domain.captures import CaptureSignal, CaptureState, way_to
from rtstream_async.local.engines.ports import Utterance, Word
from rtstream_async.local.hub import Hub, Peer, Sent
from rtstream_async.local.pipelines.attaching import Pipelines
from rtstream_async.local.pipelines.captures import CaptureOutcome, Captures
from rtstream_async.local.pipelines.director import Director
from rtstream_async.local.pipelines.export import Exporter
from rtstream_async.local.pipelines.publisher import Publisher
from rtstream_async.local.refusal import conflict, invalid, not_found
from rtstream_async.local.store import statements
from rtstream_async.local.store.alerts import delete_events
from rtstream_async.local.store.captures import CaptureChannelRow, CaptureRow, delete_captures
from rtstream_async.local.store.rows import IndexRow, SceneRow, StreamRow
from rtstream_async.local.store.transcripts import get_transcript
from rtstream_async.local.store.worker import Worker
from rtstream_async.models.messages import Message
from rtstream_async.protocol.channels import category_of
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds
from rtstream_async.protocol.routes import Route

__all__ = ["Control", "Frame", "SocketState"]

Frame = Message | Mapping[str, Any] | str | bytes
"""What can be sent: a message, a frame as a mapping, or raw text or bytes."""

_CODES = (1000, 4999)
_STATUSES = (400, 599)
_MANY = 1_000_000
_SCRIPTED = "scripted"


@attrs.frozen(kw_only=True)
class SocketState:
    """One open socket."""

    connection_id: str
    sent: int  #: frames written
    queued: int  #: frames that wait for the reader
    dropped: int  #: frames given up because the reader was too slow


class Control:
    """Scripted frames and records, cut sockets, refused handshakes."""

    def __init__(
        self,
        publisher: Publisher,
        director: Director,
        pipelines: Pipelines,
        captures: Captures,
        exporter: Exporter,
        chaos: Chaos,
    ) -> None:
        self._hub: Hub = publisher.hub
        self._store: Worker = publisher.store
        self._publisher = publisher
        self._director = director
        self._pipelines = pipelines
        self._captures = captures
        self._exporter = exporter
        self._chaos = chaos

    def sockets(self) -> list[SocketState]:
        """Return the open sockets, oldest first."""
        return [_state(peer) for peer in self._hub]

    async def emit(
        self, frame: Frame, *, connection_id: str | None = None, rtstream_id: str | None = None
    ) -> dict[str, Sent]:
        """Send a frame to one socket, to all that listen to a stream, or to all there are.

        Returns:
            What became of it, by connection id.
        """
        ids = await self._targets(connection_id, rtstream_id)
        payload = emit.frame(frame) if isinstance(frame, Message) else frame
        return {id_: self._hub.send(id_, payload) for id_ in ids}

    async def add_scene(
        self,
        rtstream_id: str,
        text: str,
        *,
        start: float,
        end: float,
        index_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> int:
        """Store a record in the stream's running indexes (or one index), then push it.

        Args:
            rtstream_id: The stream.
            text: What is said.
            start: Unix time, seconds.
            end: Unix time, seconds.
            index_id: One index; all that run otherwise.
            metadata: Goes into the record.

        Returns:
            How many records were made.

        Raises:
            Refusal: There is no such stream or index.
        """
        stream = await self._store.run(statements.get_stream, rtstream_id)
        if stream is None:
            raise not_found("stream", rtstream_id)
        indexes = await self._indexes(stream, index_id)
        for index in indexes:
            scene = SceneRow(
                index_id=index.id,
                start_us=microseconds(start),
                end_us=microseconds(end),
                text=text,
                engine=_SCRIPTED,
                metadata=metadata or {},
            )
            await self._publisher.publish(scene, index=index, stream_name=stream.name)
        return len(indexes)

    async def add_utterance(
        self,
        rtstream_id: str,
        text: str,
        start: float,
        end: float,
        is_final: bool = True,
        words: Sequence[Word | Mapping[str, Any]] = (),
    ) -> None:
        """Have something said in a stream: stored (if final), pushed, and heard by audio indexes.

        It is pushed to where the stream's transcript is, while that runs.

        Args:
            rtstream_id: The stream.
            text: What is said.
            start: Unix time, seconds.
            end: Unix time, seconds.
            is_final: `False` for a partial one, which is only pushed.
            words: When each word is said, for those who ask; `start`, `end` and `text` of each.

        Raises:
            Refusal: There is no such stream.
        """
        stream = await self._store.run(statements.get_stream, rtstream_id)
        if stream is None:
            raise not_found("stream", rtstream_id)
        transcript = await self._store.run(get_transcript, rtstream_id)
        is_pushed = transcript is not None and transcript.is_wanted
        utterance = Utterance(
            start=start,
            end=end,
            text=text,
            is_final=is_final,
            engine=_SCRIPTED,
            words=tuple(msgspec.convert(word, Word, from_attributes=True) for word in words),
        )
        scribe = self._pipelines.scribe(stream)
        connection = transcript.ws_connection_id if transcript and is_pushed else None
        await scribe.write(utterance, connection=connection)
        live = self._director.live(rtstream_id)
        if live is not None and is_final:
            live.attached.settle(end)

    async def capture(
        self,
        session_id: str,
        status: str | None = None,
        *,
        channels: Mapping[str, str] | None = None,
        outcome: CaptureOutcome | None = None,
    ) -> str:
        """Move a capture session to a state, through those between, and tell of each.

        Args:
            session_id: The session.
            status: `starting`, `active`, `stopping`, `stopped`, `exported` or `failed`; where it
                is, when not given.
            channels: Streams that it has from now on, by the id of their channel: `mic:default`,
                `display:1`, `system_audio:default`.
            outcome: What is told of the end: the video of `exported`, the error of `failed`.

        Returns:
            Its state then.

        Raises:
            Refusal: There is no such session, state or stream; or no way leads to that state.
        """
        row = await self._captures.find(session_id)
        signals = [] if status is None else _way(row, status)
        if channels:
            row = await self._captures.attach(
                session_id,
                [await self._channel(id_, stream) for id_, stream in channels.items()],
            )
        for number, signal in enumerate(signals, start=1):
            is_last = number == len(signals)
            row = await self._captures.move(session_id, signal, outcome if is_last else None)
        return row.status

    def close(self, connection_id: str | None = None, *, code: int = 1000, reason: str = "") -> int:
        """Close one socket, or all, with a close code; return how many. Queued frames go first."""
        return self._chaos.close(connection_id, code=code, reason=reason)

    def cut(self, connection_id: str | None = None) -> int:
        """Break one connection, or all, with no goodbye; return how many."""
        return self._chaos.cut(connection_id)

    def refuse_handshakes(self, count: int = 1, *, status: int = 503) -> None:
        """Refuse the next `count` handshakes with an HTTP status; 0 for no more."""
        self._chaos.fail_handshakes("refuse", count, status=status)

    def mute_hellos(self, count: int = 1) -> None:
        """Let the next `count` sockets open, and never tell them their connection id."""
        self._chaos.fail_handshakes("mute", count)

    async def reset(self) -> None:
        """Forget all streams, videos, sessions and events, close all sockets, mend what fails."""
        await self._chaos.off()
        await self._exporter.forget_all()
        await self._director.forget_all()
        await self._store.run(delete_captures)
        await self._store.run(delete_events)
        self.cut()
        self._chaos.forget()

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the same over REST."""
        return (
            (Route("POST", "/_local/emit"), self._post_emit),
            (Route("POST", "/_local/scenes"), self._post_scene),
            (Route("POST", "/_local/utterances"), self._post_utterance),
            (Route("POST", "/_local/captures"), self._post_capture),
            (Route("GET", "/_local/sockets"), self._get_sockets),
            (Route("POST", "/_local/sockets/close"), self._post_close),
            (Route("POST", "/_local/sockets/cut"), self._post_cut),
            (Route("POST", "/_local/handshakes"), self._post_handshakes),
            (Route("POST", "/_local/reset"), self._post_reset),
        )

    async def _targets(self, connection_id: str | None, rtstream_id: str | None) -> Iterable[str]:
        if connection_id is not None:
            return [connection_id]
        if rtstream_id is None:
            return [peer.connection_id for peer in self._hub]
        indexes = await self._store.run(statements.list_indexes, rtstream_id)
        transcript = await self._store.run(get_transcript, rtstream_id)
        bound = [index.ws_connection_id for index in indexes]
        bound += [transcript.ws_connection_id] if transcript else []
        return dict.fromkeys(id_ for id_ in bound if id_ is not None)

    async def _indexes(self, stream: StreamRow, index_id: str | None) -> list[IndexRow]:
        rows = await self._store.run(statements.list_indexes, stream.id)
        if index_id is None:
            return [row for row in rows if row.status == "running"]
        chosen = [row for row in rows if row.id == index_id]
        if not chosen:
            raise not_found("index", index_id)
        return chosen

    async def _channel(self, channel_id: str, rtstream_id: str) -> CaptureChannelRow:
        stream = await self._store.run(statements.get_stream, rtstream_id)
        if stream is None:
            raise not_found("stream", rtstream_id)
        is_screen = category_of(channel_id) == "screen"
        return CaptureChannelRow(
            channel_id=channel_id,
            name=stream.name,
            type="video" if is_screen else "audio",
            store=stream.store,
            is_primary=is_screen,
            rtstream_id=stream.id,
        )

    async def _post_emit(self, call: Call) -> Reply:
        call.body.only(("connection_id", "rtstream_id", "frame"))
        frame = call.body.values.get("frame")
        if not isinstance(frame, dict | str):
            raise invalid("frame", "must be an object, or text to be sent as it is")
        sent = await self.emit(
            frame,  # pyright: ignore[reportUnknownArgumentType] - JSON
            connection_id=call.body.text("connection_id"),
            rtstream_id=call.body.text("rtstream_id"),
        )
        return Reply(data={"sent": sent})

    async def _post_scene(self, call: Call) -> Reply:
        body = call.body
        body.only(("rtstream_id", "index_id", "text", "start", "end", "metadata"))
        now = time.time()
        start, end = body.number("start"), body.number("end")
        count = await self.add_scene(
            body.required_text("rtstream_id"),
            body.required_text("text"),
            start=now - 1 if start is None else start,
            end=now if end is None else end,
            index_id=body.text("index_id"),
            metadata=body.mapping("metadata").values,
        )
        return Reply(data={"records": count})

    async def _post_utterance(self, call: Call) -> Reply:
        body = call.body
        body.only(("rtstream_id", "text", "start", "end", "is_final", "words"))
        now = time.time()
        start, end = body.number("start"), body.number("end")
        try:
            words = msgspec.convert(body.values.get("words") or [], list[Word])
        except msgspec.ValidationError as exc:
            raise invalid("words", f"must be a list of start, end and text: {exc}") from None
        await self.add_utterance(
            body.required_text("rtstream_id"),
            body.required_text("text"),
            start=now - 1 if start is None else start,
            end=now if end is None else end,
            is_final=body.flag("is_final", default=True),
            words=words,
        )
        return Reply()

    async def _post_capture(self, call: Call) -> Reply:
        body = call.body
        ends = [field.name for field in attrs.fields(CaptureOutcome)]
        body.only(("session_id", "status", "channels", *ends))
        streams = body.mapping("channels")
        status = await self.capture(
            body.required_text("session_id"),
            body.text("status"),
            channels={id_: streams.required_text(id_) for id_ in streams.values},
            outcome=CaptureOutcome(
                duration=body.number("duration"),
                **{name: body.text(name) for name in ends if name != "duration"},
            ),
        )
        return Reply(data={"status": status})

    async def _get_sockets(self, call: Call) -> Reply:
        call.query.only(())
        return Reply(data={"sockets": [attrs.asdict(state) for state in self.sockets()]})

    async def _post_close(self, call: Call) -> Reply:
        call.body.only(("connection_id", "code", "reason"))
        low, high = _CODES
        try:
            count = self.close(
                call.body.text("connection_id"),
                code=call.body.integer("code", 1000, low=low, high=high),
                reason=call.body.text("reason") or "",
            )
        except InvalidArgumentError as exc:
            raise invalid("code", exc.problem, allowed=exc.allowed) from None
        return Reply(data={"sockets": count})

    async def _post_cut(self, call: Call) -> Reply:
        call.body.only(("connection_id",))
        return Reply(data={"sockets": self.cut(call.body.text("connection_id"))})

    async def _post_handshakes(self, call: Call) -> Reply:
        call.body.only(("refuse", "status", "mute"))
        low, high = _STATUSES
        self.refuse_handshakes(
            call.body.integer("refuse", 0, low=0, high=_MANY),
            status=call.body.integer("status", 503, low=low, high=high),
        )
        self.mute_hellos(call.body.integer("mute", 0, low=0, high=_MANY))
        return Reply()

    async def _post_reset(self, call: Call) -> Reply:
        call.body.only(())
        await self.reset()
        return Reply()


def _way(row: CaptureRow, status: str) -> list[CaptureSignal]:
    states = {state.value: state for state in CaptureState}
    if status not in states:
        raise invalid("status", f"{status!r} is not possible", allowed=list(states))
    way = way_to(states[status], row.state)
    if way is None:
        raise conflict(f"capture session {row.id} is {row.status}, and can't become {status} again")
    return way


def _state(peer: Peer) -> SocketState:
    return SocketState(
        connection_id=peer.connection_id,
        sent=peer.sent,
        queued=peer.queued,
        dropped=peer.dropped,
    )
