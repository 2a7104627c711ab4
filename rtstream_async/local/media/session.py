"""One source from open to end: read, put on the clock, record, sample, listen."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator

import attrs
from av.audio.frame import AudioFrame
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream
from av.video.frame import VideoFrame

from rtstream_async.local.domain.timeline import (
    Stamp,
    Timeline,
    TimelineRules,
    complete_start,
    sent_times,
)
from rtstream_async.local.media.clock import TICK, TICKS, StreamClock
from rtstream_async.local.media.listener import Listener
from rtstream_async.local.media.plan import make_audio, make_video
from rtstream_async.local.media.recorder import Recorder
from rtstream_async.local.media.sampler import Sampler
from rtstream_async.local.media.source import OpenSource
from rtstream_async.local.media.tracks import Made, Track
from rtstream_async.local.media.watchdog import Watchdog

__all__ = ["Player", "timeline_for"]

_SETTLING = 0.5  # seconds
_REORDERING = 10.0  # seconds; no encoder shows a picture later than this after decoding it
_DEFAULT_FPS = 25.0
_DEFAULT_SOUND = 1024 / 48_000


def timeline_for(source: OpenSource, *, not_before: float) -> Timeline:
    """Return the timeline that fits the source.

    Where we keep the time ourselves, the source's clock can't run fast or slow. A file that is
    read as fast as possible starts where the recording ends, or now.
    """
    if not (source.is_live or source.is_paced):
        not_before = not_before or time.time()
    rules = TimelineRules(slack=math.inf) if source.is_paced else TimelineRules()
    return Timeline(not_before=not_before, rules=rules)


@attrs.define
class _Arrival:
    packet: Packet[Stream]
    time: float | None  # Unix seconds; None: the wall clock means nothing here


class Player:
    """Plays one open source into the recorder, the sampler and the listener."""

    def __init__(
        self,
        source: OpenSource,
        *,
        timeline: Timeline,
        clock: StreamClock,
        recorder: Recorder,
        sampler: Sampler | None,
        listener: Listener | None,
        stop: threading.Event,
        watchdog: Watchdog,
        patience: float,
    ) -> None:
        """Prepare to play.

        Args:
            source: What to play; it stays the caller's to close.
            timeline: Where its packets stand in Unix time.
            clock: What the recorder, the sampler and the listener count by.
            recorder: Gets every track.
            sampler: Gets the picture, if frames may be asked for.
            listener: Gets the sound, if sound may be asked for.
            stop: Ends the playing.
            watchdog: Is told what to expect.
            patience: Seconds that a packet may take, from the wish to read it to the next wish.
        """
        self._source = source
        self._timeline = timeline
        self._clock = clock
        self._recorder = recorder
        self._sampler = sampler
        self._listener = listener
        self._stop = stop
        self._watchdog = watchdog
        self._patience = patience
        self._tracks = self._make_tracks()
        self._durations = {
            stream.index: self._usual_duration(stream.index) for stream in source.streams
        }
        self.lag = 0.0  #: seconds behind the wall clock

    @property
    def has_video(self) -> bool:
        """Whether there is a picture to sample."""
        return self._source.video is not None

    @property
    def has_audio(self) -> bool:
        """Whether there is sound to listen to."""
        return self._source.audio is not None

    def play(self) -> None:
        """Return at the end of the source, or when told to stop.

        Raises:
            av.error.FFmpegError: The source broke off.
        """
        by_kind = {track.is_video: track for track in self._tracks.values()}
        self._recorder.begin(by_kind)
        if self._sampler is not None and self._source.video is not None:
            self._sampler.begin(self._source.video)
        if self._listener is not None and self._source.audio is not None:
            self._listener.begin(self._source.audio)
        try:
            for arrival in self._arrivals():
                if self._stop.is_set():
                    return
                self._take(arrival)
        finally:
            for track in self._tracks.values():
                self._record(track, track.flush())

    def _make_tracks(self) -> dict[int, Track]:
        tracks: dict[int, Track] = {}
        source = self._source
        if source.video is not None:
            tracks[source.video.index] = make_video(
                source.video, source.container.format.name, self._offer_frame
            )
        if source.audio is not None:
            tracks[source.audio.index] = make_audio(source.audio, self._offer_sound)
        return tracks

    def _usual_duration(self, index: int) -> float:
        video = self._source.video
        if video is None or video.index != index:
            return _DEFAULT_SOUND
        return 1 / float(video.average_rate or _DEFAULT_FPS)

    def _arrivals(self) -> Iterator[_Arrival]:
        packets = self._packets()
        if self._source.is_paced:
            for packet in packets:
                yield _Arrival(packet, time.time())
        elif self._source.is_live:
            yield from self._settled(packets)
            for packet in packets:
                yield _Arrival(packet, time.time())
        else:
            for packet in packets:
                yield _Arrival(packet, None)

    def _settled(self, packets: Iterator[Packet[Stream]]) -> Iterator[_Arrival]:
        """The packets that lay ready at the start, each with the time at which it was sent.

        What was buffered while the source was probed, and what a server keeps for newcomers,
        comes at once; how old it is, only the packets of the next moments tell.
        """
        held: list[tuple[Packet[Stream], float]] = []
        broke_off: FFmpegError | None = None
        try:
            for packet in packets:
                held.append((packet, time.time()))
                if held[-1][1] - held[0][1] > _SETTLING:
                    break
        except FFmpegError as exc:
            broke_off = exc  # what came before is recorded all the same
        for index in self._tracks:
            _complete([p for p, _ in held if p.stream_index == index], self._durations[index])
        tracks = [packet.stream_index for packet, _ in held]
        stamps = [(_position(packet), arrived) for packet, arrived in held]
        for (packet, _), sent in zip(held, sent_times(tracks, stamps), strict=True):
            yield _Arrival(packet, sent)
        if broke_off is not None:
            raise broke_off

    def _packets(self) -> Iterator[Packet[Stream]]:
        self._watchdog.expect(self._patience)
        for packet in self._source.container.demux(self._source.streams):
            if packet.size:  # the last ones are empty; they ask to flush
                yield packet
            self._watchdog.expect(self._patience)

    def _take(self, arrival: _Arrival) -> None:
        packet = arrival.packet
        index = packet.stream_index
        seconds = _seconds(packet)
        duration = (packet.duration or 0) * seconds or self._durations[index]
        pts, dts = self._timestamps(packet, seconds)
        placed = self._timeline.place(
            index, dts=dts, end=max(pts, dts) + duration, duration=duration, arrival=arrival.time
        )
        self.lag = placed.lag
        if self._source.is_paced:
            self._wait_until(dts + placed.offset)
        if placed.discontinuity:
            self._interrupt()
        packet.time_base = TICK
        packet.pts = self._clock.ticks(pts + placed.offset)
        packet.dts = self._clock.ticks(dts + placed.offset)
        packet.duration = round(duration * TICKS)
        track = self._tracks[index]
        self._record(track, track.feed(packet))
        if track.is_copy:
            self._offer_packet(track, packet)

    def _timestamps(self, packet: Packet[Stream], seconds: float) -> tuple[float, float]:
        """The packet's (pts, dts) in seconds of the stream clock, whatever of them is missing."""
        expected = self._timeline.expected(packet.stream_index) or 0.0
        if packet.dts is not None:
            dts = packet.dts * seconds
        elif packet.pts is not None:
            dts = packet.pts * seconds
        else:
            dts = expected
        pts = dts if packet.pts is None else packet.pts * seconds
        return (pts, dts) if 0 <= pts - dts <= _REORDERING else (dts, dts)

    def _wait_until(self, moment: float) -> None:
        delay = moment - time.time()
        if delay > 0:
            self._watchdog.expect(delay + self._patience)
            self._stop.wait(delay)

    def _record(self, track: Track, made: Iterator[Made]) -> None:
        for piece in made:
            if piece.is_new_format:
                self._recorder.interrupt()
            self._recorder.write(track, piece.packet)

    def _interrupt(self) -> None:
        self._recorder.interrupt()
        if self._listener is not None:
            self._listener.interrupt()

    def _offer_packet(self, track: Track, packet: Packet[Stream]) -> None:
        taker = self._sampler if track.is_video else self._listener
        if taker is not None and packet.pts is not None:
            taker.offer_packet(packet, time=self._clock.time(packet.pts))

    def _offer_sound(self, frame: AudioFrame) -> None:
        if self._listener is not None:
            time = None if frame.pts is None else self._clock.time(frame.pts)
            self._listener.offer_frame(frame, time=time)

    def _offer_frame(self, frame: VideoFrame) -> None:
        if self._sampler is not None and frame.pts is not None:
            self._sampler.offer_frame(frame, time=self._clock.time(frame.pts))


def _seconds(packet: Packet[Stream]) -> float:
    base = packet.time_base
    return base.numerator / base.denominator


def _complete(packets: list[Packet[Stream]], usual_duration: float) -> None:
    """Give the first packets of a track the timestamps that only later ones tell."""
    if not packets:
        return
    duration = packets[0].duration or round(usual_duration / _seconds(packets[0]))
    stamps = [Stamp(packet.pts, packet.dts) for packet in packets]
    for packet, stamp in zip(packets, complete_start(stamps, duration=duration), strict=True):
        packet.pts, packet.dts = stamp.pts, stamp.dts


def _position(packet: Packet[Stream]) -> float:
    stamp = packet.dts if packet.dts is not None else packet.pts
    return (stamp or 0) * _seconds(packet)
