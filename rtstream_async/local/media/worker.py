"""One stream's process: `python -m rtstream_async.local.media.worker`, started by `Ingest`.

It opens the source, records, samples and listens until the source ends or its parent closes the
pipe. It loads no more than it needs: there is one for every stream.
"""

from __future__ import annotations

import contextlib
import math
import os
import signal
import threading
import time
from typing import Any

import msgspec
from av.error import FFmpegError

from rtstream_async.local.domain.cutting import CutRules
from rtstream_async.local.domain.timeline import Timeline
from rtstream_async.local.media.clock import StreamClock
from rtstream_async.local.media.description import describe
from rtstream_async.local.media.events import Ended, Lost, Progress, Refused, SegmentClosed
from rtstream_async.local.media.listener import Listener
from rtstream_async.local.media.outbox import Dropped, Outbox
from rtstream_async.local.media.recorder import Recorder, RecordingError
from rtstream_async.local.media.refusals import SourceError, explain, refusal
from rtstream_async.local.media.sampler import Sampler
from rtstream_async.local.media.session import Player, timeline_for
from rtstream_async.local.media.settings import IngestSettings
from rtstream_async.local.media.source import OpenSource, open_source
from rtstream_async.local.media.watchdog import Watchdog
from rtstream_async.local.parent import Parent, serve_parent

__all__ = ["main"]

_STOP_GRACE = 0.5  # seconds for the reading thread to notice that it should stop
_SEND_GRACE = 2.0  # seconds for the last events to go out
_HANG = 20.0  # seconds beyond every timeout
_QUIET = 2.0  # seconds by which sound may come later than the picture
_BEFORE = 100.0  # seconds; what was sent before we came still has positive ticks


class Worker:
    """Plays the source that the settings name, and tells the parent."""

    def __init__(self, parent: Parent, settings: IngestSettings) -> None:
        self._parent = parent
        self._settings = settings
        self._stop = threading.Event()
        self._watchdog = Watchdog()
        self._finished = threading.Event()
        begin = max(settings.not_before, time.time() if settings.not_before == 0 else 0)
        self._clock = StreamClock(math.floor(min(begin, time.time())) - _BEFORE)
        self._recorder = Recorder(
            settings.directory, CutRules(target=settings.segment), self._clock, self._on_segment
        )
        self._outbox = Outbox(parent, self._report, drops=settings.realtime)
        self._sampler: Sampler | None = None
        if "video" in settings.media_types:
            self._sampler = Sampler(self._clock, self._outbox.put_frame, skips=settings.realtime)
        self._listener: Listener | None = None
        if "audio" in settings.media_types:
            self._listener = Listener(self._clock, self._outbox.put_sound, skips=settings.realtime)
        self._timeline: Timeline | None = None
        self._player: Player | None = None

    def run(self) -> None:
        """Return when the source is over or the parent wants no more; everything is sent."""
        threading.Thread(target=self._listen, name="commands", daemon=True).start()
        closing = self._play_all()
        self._watchdog.rest()
        for tap in (self._sampler, self._listener):
            if tap is not None:
                tap.close()
        try:
            self._recorder.close()
        except RecordingError as exc:
            closing = Lost(reason=str(exc))
        self._finished.set()
        self._outbox.close(_SEND_GRACE, last=closing)

    def _play_all(self) -> Refused | Lost | Ended | None:
        while True:
            closing = self._play_once()
            is_over = not isinstance(closing, Ended) or not self._settings.source.loop
            if is_over or self._stop.is_set():
                return closing

    def _play_once(self) -> Refused | Lost | Ended | None:
        begun = time.monotonic()
        self._watchdog.rest()
        try:
            source = open_source(self._settings, self._stop)
        except (SourceError, FFmpegError) as exc:
            waited = time.monotonic() - begun
            return refusal(exc, timeout=self._settings.open_timeout, waited=waited)
        if source is None:
            return None
        recorded = self._recorder.segments
        try:
            self._play(source)
        except (RecordingError, FFmpegError) as exc:
            return Lost(reason=explain(exc, timeout=self._settings.read_timeout))
        finally:
            source.close()
        if source.is_live:
            return Lost(reason="the source closed the connection")
        if self._recorder.segments == recorded and not self._stop.is_set():
            return Refused(reason="no media in it that can be played", code="no_media")
        return Ended(reason="the file was played to its end")

    def _play(self, source: OpenSource) -> None:
        self._outbox.put(describe(source))
        if self._timeline is None:
            self._timeline = timeline_for(source, not_before=self._settings.not_before)
        self._player = Player(
            source,
            timeline=self._timeline,
            clock=self._clock,
            recorder=self._recorder,
            sampler=self._sampler,
            listener=self._listener,
            stop=self._stop,
            watchdog=self._watchdog,
            patience=self._settings.read_timeout + _HANG,
        )
        self._player.play()
        self._recorder.begin({})  # what was written is a segment now

    def _on_segment(self, segment: SegmentClosed) -> None:
        self._outbox.put(segment)

    def _report(self, dropped: Dropped) -> Progress | None:
        written = self._recorder.progress()
        if written is None:
            return None
        end, open_segment = written
        return Progress(
            time=end,
            open_segment=open_segment,
            sampled_to=self._sampled_to(open_segment.start, end),
            heard_to=self._heard_to(end),
            lag=self._player.lag if self._player is not None else 0.0,
            dropped_frames=dropped.frames,
            dropped_sound=dropped.sound + (self._listener.dropped if self._listener else 0.0),
        )

    def _sampled_to(self, start: float, end: float) -> float:
        if self._sampler is None or self._player is None or not self._player.has_video:
            return end
        sampled_to = self._sampler.sampled_to
        return start if sampled_to is None else min(sampled_to, end)

    def _heard_to(self, end: float) -> float:
        if self._listener is None or self._player is None or not self._player.has_audio:
            return end
        return self._listener.heard_to(default=end, quiet_to=end - _QUIET)

    def _listen(self) -> None:
        """Follow the parent's commands until it closes the pipe; then see that we end."""
        while (command := self._parent.receive()) is not None:
            self._obey(command)
        self._stop.set()
        if self._finished.wait(_STOP_GRACE):
            return
        # The reading thread hangs in a read that nobody may interrupt (closing a container
        # under it crashes). The recording does not need it.
        with contextlib.suppress(RecordingError):  # what is written is found by its name
            self._recorder.close()
        self._outbox.close(_SEND_GRACE)
        os._exit(0)

    def _obey(self, command: Any) -> None:
        listener = self._listener
        match command:
            case ["listen"]:
                if listener is not None:
                    listener.order()
            case ["unlisten"]:
                if listener is not None:
                    listener.cancel()
            case _:
                self._obey_sampling(command)

    def _obey_sampling(self, command: Any) -> None:
        sampler = self._sampler
        match command:
            case ["sample", str() as key, float() | int() as origin, float() | int() as period]:
                if sampler is not None:
                    sampler.order(key, origin=origin, period=period)
            case ["watch", str() as key, float() | int() as period, float() | int() as threshold]:
                if sampler is not None:
                    sampler.watch(key, period=period, threshold=threshold)
            case ["unsample", str() as key]:
                if sampler is not None:
                    sampler.cancel(key)
            case _:
                raise ValueError(f"unknown command {command!r}")


def main() -> None:
    """Run the worker; the first message is its settings."""
    # Ctrl-C and a service manager's stop reach all processes; the server ends us in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    parent = serve_parent()
    settings = parent.receive()
    if settings is None:
        return
    Worker(parent, msgspec.convert(settings, IngestSettings)).run()
    # Not by the interpreter's way out: other threads may still be inside native code.
    os._exit(0)


if __name__ == "__main__":
    main()
