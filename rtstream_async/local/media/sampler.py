"""Frames out of a stream, decoded only when somebody asked for them.

The packets since the last key frame are kept, and decoding starts when a sampling time is
reached: from that key frame, or from where the decoder stands. A frame every five seconds from a
stream with a key frame every two costs a fifth of decoding it all, and with 25 s between key
frames nobody waits for the next one.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping
from typing import Protocol, cast

import attrs
from av import error
from av.codec import CodecContext
from av.packet import Packet
from av.stream import Stream
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream

from rtstream_async.local.domain.sampling import SampleSchedule
from rtstream_async.local.domain.shot_cutting import LOOKS, ChangeWatch
from rtstream_async.local.engines.ports import Frame
from rtstream_async.local.media.clock import StreamClock
from rtstream_async.local.media.events import Sampled
from rtstream_async.local.media.group import Coded, PictureGroup
from rtstream_async.local.media.jpeg import encode_jpeg
from rtstream_async.local.media.shrinker import Shrinker

__all__ = ["Sampler"]

_LONGEST_SIDE = 1280  # pixels
_WANTED = (True, False)  # a frame that was asked for by its time: it says nothing of cuts
_GOODBYE = 5.0  # seconds
_MOST_BEHIND = 3.0  # seconds; then the frames of now are worth more than those of then
_QUEUE_BYTES = 32 << 20
_PICTURE_BYTES = 4 << 20  # what a decoded frame counts for in the queue


@attrs.frozen
class _Decoded:
    frame: VideoFrame
    time: float

    @property
    def size(self) -> int:
        return _PICTURE_BYTES


@attrs.frozen
class _NewSource:
    """What follows comes from another demuxer."""

    stream: VideoStream
    size: int = 0


class _Sink(Protocol):
    def __call__(self, sampled: Sampled, /) -> None: ...


class Sampler:
    """Takes packets (or frames, where the stream is decoded anyway) and gives JPEGs.

    It works in a thread of its own, so that decoding never delays the recording. When it can't
    keep up it skips to a later key frame.
    """

    def __init__(self, clock: StreamClock, deliver: _Sink, *, skips: bool) -> None:
        """Start the thread.

        Args:
            clock: What the packets are stamped by.
            deliver: Gets each frame, in the sampler's thread.
            skips: Skip when there is too much to do; else whoever offers waits.
        """
        self._clock = clock
        self._deliver = deliver
        self._may_skip = skips
        self._schedule = SampleSchedule()
        self._watches: dict[str, ChangeWatch] = {}
        self._shrink = Shrinker()
        self._group = PictureGroup()
        self._decoder: VideoCodecContext | None = None
        self._stream: VideoStream | None = None
        self._queue: deque[Coded | _Decoded | _NewSource | None] = deque()
        self._queued = 0
        self._unfinished = 0
        self._is_skipping = False
        self._newest: float | None = None
        self._sampled_to: float | None = None
        self._lock = threading.Lock()  # the schedule: commands come from another thread
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="sampler", daemon=True)
        self._thread.start()

    @property
    def sampled_to(self) -> float | None:
        """Unix time before which no frame will come any more; `None` before any packet."""
        with self._condition:
            return self._sampled_to

    def order(self, key: str, *, origin: float, period: float) -> None:
        """Begin sampling for `key` (Unix seconds)."""
        with self._lock:
            self._watches.pop(key, None)
            self._schedule.add(key, origin=origin, period=period, now=self._newest)

    def watch(self, key: str, *, period: float, threshold: float) -> None:
        """Begin to look at every frame for `key`, and to give those that `ChangeWatch` wants."""
        with self._lock:
            self._watches[key] = ChangeWatch(threshold=threshold, period=period)
            self._schedule.add(key, origin=0.0, period=1 / LOOKS, now=self._newest)

    def cancel(self, key: str) -> None:
        """Stop sampling for `key`."""
        with self._lock:
            self._schedule.remove(key)
            self._watches.pop(key, None)

    def begin(self, stream: VideoStream) -> None:
        """What is offered from now on belongs to `stream`."""
        self._put(_NewSource(stream))

    def offer_packet(self, packet: Packet[Stream], *, time: float) -> None:
        """Take a packet, shown at `time` (Unix seconds)."""
        is_key = packet.is_keyframe
        self._newest = max(self._newest or time, time)
        if self._is_skipping and not is_key:
            return
        self._is_skipping = self._is_too_much()
        if self._is_skipping:
            return
        if is_key:
            self._catch_up(time)
        self._put(Coded(packet, time, is_key))

    def offer_frame(self, frame: VideoFrame, *, time: float) -> None:
        """Take a frame that was decoded anyway, shown at `time` (Unix seconds)."""
        self._newest = max(self._newest or time, time)
        with self._lock:
            due = self._schedule.due
        if due is not None and time >= due and not self._is_too_much():
            self._put(_Decoded(frame, time))
        else:
            self._settle(time)

    def close(self) -> None:
        """Give the frames that are still due from what was offered, and end."""
        self._put(None)
        self._thread.join(_GOODBYE if self._may_skip else None)

    def _catch_up(self, time: float) -> None:
        """Give up what waits, if the key frame at `time` comes while older frames still wait."""
        with self._condition:
            first = self._queue[0] if self._queue else None
            if self._may_skip and isinstance(first, Coded) and time - first.time > _MOST_BEHIND:
                self._unfinished -= len(self._queue)
                self._queue.clear()
                self._queued = 0

    def _is_too_much(self) -> bool:
        with self._condition:
            while not self._may_skip and self._queued > _QUEUE_BYTES:
                self._condition.wait()
            return self._queued > _QUEUE_BYTES

    def _put(self, item: Coded | _Decoded | _NewSource | None) -> None:
        with self._condition:
            self._queue.append(item)
            self._unfinished += 1
            self._queued += item.size if item else 0
            self._condition.notify_all()

    def _take(self) -> Coded | _Decoded | _NewSource | None:
        with self._condition:
            while not self._queue:
                self._condition.wait()
            item = self._queue.popleft()
            self._queued -= item.size if item else 0
            self._condition.notify_all()
            return item

    def _run(self) -> None:
        while (item := self._take()) is not None:
            match item:
                case Coded():
                    self._group.add(item)
                    self._advance()
                    due = self._due()
                    newest = self._group.newest
                    self._finish(newest if due is None else min(due, newest))
                case _Decoded(frame=frame, time=time):
                    self._keep(frame, time)
                    self._finish(time)
                case _NewSource(stream=stream):
                    self._drain()
                    self._stream = stream
                    self._finish(None)
        self._drain()

    def _finish(self, time: float | None) -> None:
        """One item is done with, and all frames from before `time` are out."""
        with self._condition:
            self._unfinished -= 1
            if time is not None:
                self._sampled_to = max(self._sampled_to or time, time)

    def _settle(self, time: float) -> None:
        """The frame at `time` is not wanted; if none is being worked on, all is out."""
        with self._condition:
            if not self._unfinished:
                self._sampled_to = max(self._sampled_to or time, time)

    def _due(self) -> float | None:
        with self._lock:
            return self._schedule.due

    def _advance(self) -> None:
        """Decode as far as the frames that are due need it."""
        due = self._due()
        if due is None:
            self._decoder = None
            self._group.rewind()
        elif self._group.newest >= due or self._group.is_full:
            for coded in self._group.pending():
                self._decode(coded)
                due = self._due()
                if due is None or (self._group.newest < due and not self._group.is_full):
                    break
        self._group.trim()

    def _decode(self, coded: Coded) -> None:
        if self._decoder is None:
            self._decoder = self._new_decoder()
        elif self._group.is_broken:
            self._decoder.flush_buffers()
        self._group.is_broken = False
        due = self._due()
        # Nothing refers to these frames, and nobody wants them.
        skips = due is not None and coded.time < due
        self._decoder.skip_frame = "NONREF" if skips else "DEFAULT"
        try:
            frames = self._decoder.decode(cast("Packet[VideoStream]", coded.packet))
        except error.FFmpegError:
            return  # a damaged picture; a decoder goes on with the next
        self._keep_all(frames)

    def _drain(self) -> None:
        """The source is over: what the decoder holds back is wanted now."""
        if self._decoder is not None and not self._group.is_broken:
            self._keep_all(self._decoder.decode(None))
        self._decoder = None
        self._group = PictureGroup()

    def _keep_all(self, frames: list[VideoFrame]) -> None:
        for frame in frames:
            ticks = frame.dts if frame.pts is None else frame.pts
            if ticks is not None:
                self._keep(frame, self._clock.time(ticks))

    def _keep(self, frame: VideoFrame, time: float) -> None:
        with self._lock:
            taken = self._schedule.take(time)
            watches = {key: self._watches[key] for key in taken if key in self._watches}
        looks = self._look(frame, time, watches)
        wanted = {key: due for key, due in taken.items() if looks.get(key, _WANTED)[0]}
        if not wanted:
            return
        jpeg, width, height = encode_jpeg(frame, longest_side=_LONGEST_SIDE)
        picture = Frame(time=time, jpeg=jpeg, width=width, height=height)
        for key, due in wanted.items():
            is_cut = looks.get(key, _WANTED)[1]
            self._deliver(
                Sampled(key=key, due=time if key in looks else due, frame=picture, is_cut=is_cut)
            )

    def _look(
        self, frame: VideoFrame, time: float, watches: Mapping[str, ChangeWatch]
    ) -> dict[str, tuple[bool, bool]]:
        """Return for each watch whether it wants the frame, and whether it is a cut."""
        if not watches:
            return {}
        small = self._shrink(frame)
        return {key: watch.feed(time, small) for key, watch in watches.items()}

    def _new_decoder(self) -> VideoCodecContext:
        if self._stream is None:
            raise RuntimeError("a packet came before its source")
        context = self._stream.codec_context
        decoder = cast("VideoCodecContext", CodecContext.create(context.codec.name, "r"))
        decoder.extradata = context.extradata
        decoder.thread_count = 1
        return decoder
