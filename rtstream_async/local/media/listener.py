"""Sound out of a stream, decoded only when somebody asked for it."""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from typing import cast

import attrs
from av import error
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.codec import CodecContext
from av.codec.context import Flags2
from av.packet import Packet
from av.stream import Stream

from rtstream_async.local.engines.ports import Sound
from rtstream_async.local.media.clock import StreamClock
from rtstream_async.local.media.events import Heard
from rtstream_async.local.media.pcm import Pieces, copy_of

__all__ = ["Listener"]

_GOODBYE = 5.0  # seconds
_PAUSE = 1.0  # seconds without a packet after which what is there is given as it is
_QUEUE_BYTES = 4 << 20


@attrs.frozen
class _Coded:
    packet: Packet[Stream]
    time: float

    @property
    def size(self) -> int:
        return self.packet.size

    @property
    def length(self) -> float:
        return float((self.packet.duration or 0) * self.packet.time_base)


@attrs.frozen
class _Decoded:
    frame: AudioFrame
    time: float | None

    @property
    def size(self) -> int:
        return self.frame.samples * 4 * len(self.frame.layout.channels)

    @property
    def length(self) -> float:
        return self.frame.samples / self.frame.sample_rate


@attrs.frozen
class _NewSource:
    """What follows comes from another demuxer; `None`: the clock jumps."""

    stream: AudioStream | None


@attrs.frozen
class _Rest:
    """No more is wanted, for now or (`ends`) for ever."""

    ends: bool


_Item = _Coded | _Decoded | _NewSource | _Rest


class Listener:
    """Takes packets (or frames, where the sound is decoded anyway) and gives pieces of PCM.

    It works in a thread of its own, so that decoding never delays the recording.
    """

    def __init__(
        self, clock: StreamClock, deliver: Callable[[Heard], None], *, skips: bool
    ) -> None:
        """Start the thread.

        Args:
            clock: What the packets are stamped by.
            deliver: Gets each piece, in the listener's thread.
            skips: Drop sound when there is too much to do; else whoever offers waits.
        """
        self._clock = clock
        self._deliver = deliver
        self._may_skip = skips
        self._stream: AudioStream | None = None
        self._decoder: AudioCodecContext | None = None
        self._pieces = Pieces()
        self._queue: deque[_Item] = deque()
        self._queued = 0
        self._unfinished = 0
        self._is_ordered = False
        self._heard_to: float | None = None
        self._dropped = 0.0
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> float:
        """Seconds of sound given up because there was too much to do."""
        with self._condition:
            return self._dropped

    def heard_to(self, *, default: float, quiet_to: float) -> float:
        """Return the Unix time from before which no sound comes any more.

        Args:
            default: That time when nobody listens.
            quiet_to: That time if no sound is being worked on: the recording is beyond it.
        """
        with self._condition:
            if not self._is_ordered:
                return default
            if not self._unfinished:
                return max(self._heard_to or quiet_to, quiet_to)
            return min(self._heard_to or quiet_to, default)

    def order(self) -> None:
        """Begin, with what is offered from now on."""
        with self._condition:
            self._is_ordered = True

    def cancel(self) -> None:
        """Stop, after what was offered before: the last piece says that it is the last."""
        self._put(_Rest(ends=False))

    def begin(self, stream: AudioStream) -> None:
        """What is offered from now on belongs to `stream`."""
        self._put(_NewSource(stream))

    def interrupt(self) -> None:
        """What is offered from now on has new times."""
        self._put(_NewSource(None))

    def offer_packet(self, packet: Packet[Stream], *, time: float) -> None:
        """Take a packet, heard at `time` (Unix seconds)."""
        if self._is_ordered:
            self._put(_Coded(packet, time))

    def offer_frame(self, frame: AudioFrame, *, time: float | None) -> None:
        """Take a frame that was decoded anyway, heard at `time` (Unix seconds)."""
        if self._is_ordered:
            self._put(_Decoded(copy_of(frame), time))

    def close(self) -> None:
        """Give what was offered, and end."""
        self._put(_Rest(ends=True))
        self._thread.join(_GOODBYE if self._may_skip else None)

    def _put(self, item: _Item) -> None:
        size = _size(item)
        with self._condition:
            while not self._may_skip and size and self._queued > _QUEUE_BYTES:
                self._condition.wait()
            if self._queued > _QUEUE_BYTES:
                self._give_up()
            if isinstance(item, _Rest):
                self._is_ordered = False
            self._queue.append(item)
            self._queued += size
            self._unfinished += 1
            self._condition.notify_all()

    def _give_up(self) -> None:
        """Drop all sound that waits; what follows is found to have other times."""
        waiting, self._queue = self._queue, deque()
        for item in waiting:
            if isinstance(item, _Coded | _Decoded):
                self._dropped += item.length
                self._unfinished -= 1
            else:
                self._queue.append(item)
        self._queued = 0

    def _next(self) -> _Item | None:
        """The next thing to do; `None` when nothing has come for a while."""
        with self._condition:
            if not self._queue:
                self._condition.wait(_PAUSE)
            if not self._queue:
                return None
            item = self._queue.popleft()
            self._queued -= _size(item)
            self._condition.notify_all()
            return item

    def _run(self) -> None:
        while True:
            item = self._next()
            match item:
                case _Coded(packet=packet):
                    self._hear(self._decode(packet))
                case _Decoded(frame=frame, time=time):
                    self._give(self._pieces.feed(frame, time))
                case _NewSource(stream=stream):
                    self._drain()
                    self._stream = stream or self._stream
                case _Rest():
                    self._drain()
                    self._deliver(_last(self._heard_to or 0.0))
                case None:
                    self._give(self._pieces.flush())
                    continue
            if isinstance(item, _Rest) and item.ends:
                return
            self._finish(self._pieces.given_to)

    def _finish(self, time: float | None) -> None:
        """One item is done with, and all sound from before `time` is out."""
        with self._condition:
            self._unfinished -= 1
            if time is not None:
                self._heard_to = max(self._heard_to or time, time)

    def _decode(self, packet: Packet[Stream] | None) -> list[AudioFrame]:
        if self._decoder is None:
            self._decoder = self._new_decoder()
        try:
            return self._decoder.decode(cast("Packet[AudioStream] | None", packet))
        except error.FFmpegError:
            return []  # a damaged piece of sound; a decoder goes on with the next

    def _hear(self, frames: Iterable[AudioFrame]) -> None:
        for frame in frames:
            time = None if frame.pts is None else self._clock.time(frame.pts)
            self._give(self._pieces.feed(frame, time))

    def _drain(self) -> None:
        """Give all that is held back; what follows has no connection with it."""
        if self._decoder is not None:
            self._hear(self._decode(None))
        self._decoder = None
        self._give(self._pieces.flush())

    def _give(self, sounds: Iterable[Sound]) -> None:
        for sound in sounds:
            self._deliver(Heard(sound=sound))

    def _new_decoder(self) -> AudioCodecContext:
        if self._stream is None:
            raise RuntimeError("a packet came before its source")
        context = self._stream.codec_context
        decoder = cast("AudioCodecContext", CodecContext.create(context.codec.name, "r"))
        decoder.extradata = context.extradata
        decoder.thread_count = 1
        # It would move what follows by ticks of a clock that is not ours.
        decoder.flags2 |= Flags2.skip_manual
        return decoder


def _size(item: _Item) -> int:
    return item.size if isinstance(item, _Coded | _Decoded) else 0


def _last(time: float) -> Heard:
    return Heard(sound=Sound(time=time, samples=b""), is_last=True)
