"""The worker's way out: events to the parent, from a thread of their own.

The recorder must never wait for the parent. Segment events are kept whatever happens; sampled
frames are large and worth little when old, so the oldest are dropped and counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from rtstream_async.local.media.events import IngestEvent, Progress, Sampled, to_wire
from rtstream_async.local.parent import Parent

__all__ = ["Outbox"]

_PROGRESS_EVERY = 0.5  # seconds
_MOST_FRAMES = 8
_MOST_EVENTS = 10_000  # hours of segments; a parent that is this far behind does not live

_Report = Callable[[int], Progress | None]


class Outbox:
    """Sends events in order; `put` never waits, and `put_frame` only for a source that can."""

    def __init__(self, parent: Parent, report: _Report, *, drops: bool) -> None:
        """Start sending.

        Args:
            parent: Where to.
            drops: Frames that nobody takes in time are dropped; else `put_frame` waits.
            report: Called twice a second, from the sending thread, with the number of dropped
                frames; what it returns is sent.
        """
        self._parent = parent
        self._drops = drops
        self._report = report
        self._events: deque[IngestEvent] = deque()
        self._frames: deque[Sampled] = deque(maxlen=_MOST_FRAMES)
        self._dropped = 0
        self._is_closed = False
        self._last: IngestEvent | None = None
        self._condition = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="outbox", daemon=True)
        self._thread.start()

    def put(self, event: IngestEvent) -> None:
        """Queue an event that must arrive.

        Raises:
            RuntimeError: The parent has not read for hours.
        """
        with self._condition:
            if len(self._events) >= _MOST_EVENTS:
                raise RuntimeError("the parent reads nothing any more")
            self._events.append(event)
            self._condition.notify_all()

    def put_frame(self, sampled: Sampled) -> None:
        """Queue a frame; the oldest one waiting gives way when there are too many."""
        with self._condition:
            while not self._drops and len(self._frames) == _MOST_FRAMES:
                self._condition.wait()
            self._dropped += len(self._frames) == _MOST_FRAMES
            self._frames.append(sampled)
            self._condition.notify_all()

    def close(self, timeout: float, *, last: IngestEvent | None = None) -> None:
        """Send what is queued and then `last`, for at most `timeout` seconds."""
        with self._condition:
            self._last = last
            self._is_closed = True
            self._condition.notify_all()
        self._thread.join(timeout)

    def _run(self) -> None:
        next_report = time.monotonic()
        try:
            while not isinstance(event := self._next(next_report), _End):
                if event is None:
                    next_report = time.monotonic() + _PROGRESS_EVERY
                    event = self._report(self._dropped)
                    self._send_frames()  # a report speaks of frames that have gone out
                if event is not None:
                    self._parent.send(to_wire(event))
            if self._last is not None:
                self._parent.send(to_wire(self._last))
        except BrokenPipeError:
            # Nobody is left to tell. The other pipe's end says the same, and ends the worker.
            self._discard()

    def _send_frames(self) -> None:
        with self._condition:
            frames = list(self._frames)
            self._frames.clear()
            self._condition.notify_all()
        for frame in frames:
            self._parent.send(to_wire(frame))

    def _next(self, report_at: float) -> IngestEvent | _End | None:
        """The next thing to send; `None` when it is time for a report."""
        with self._condition:
            while True:
                if self._events:
                    return self._events.popleft()
                if self._frames:
                    self._condition.notify_all()
                    return self._frames.popleft()
                if self._is_closed:
                    return _END
                wait = report_at - time.monotonic()
                if wait <= 0:
                    return None
                self._condition.wait(wait)

    def _discard(self) -> None:
        with self._condition:
            self._events = deque(maxlen=0)
            self._frames = deque(maxlen=0)
            self._condition.notify_all()


class _End:
    """The outbox is closed and empty."""


_END = _End()
