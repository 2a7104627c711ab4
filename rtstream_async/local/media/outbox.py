"""The worker's way out: events to the parent, from a thread of their own.

The recorder must never wait for the parent. Segment events are kept whatever happens; sampled
frames and sound are large and worth little when old, so the oldest are dropped and counted.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

import attrs

from rtstream_async.local.media.events import Heard, IngestEvent, Progress, Sampled, to_wire
from rtstream_async.local.parent import Parent

__all__ = ["Dropped", "Outbox"]

_PROGRESS_EVERY = 0.5  # seconds
_MOST_FRAMES = 8
_MOST_SOUNDS = 60  # half a second each
_MOST_EVENTS = 10_000  # hours of segments; a parent that is this far behind does not live


@attrs.frozen(kw_only=True)
class Dropped:
    """What nobody took in time, all together."""

    frames: int
    sound: float  #: seconds


@attrs.define
class _Lane:
    """Where events of one kind wait; when it is full, the oldest gives way."""

    most: int
    waiting: deque[Sampled | Heard] = attrs.field(factory=deque[Sampled | Heard], init=False)
    dropped: float = attrs.field(default=0.0, init=False)

    @property
    def is_full(self) -> bool:
        return len(self.waiting) >= self.most

    def put(self, event: Sampled | Heard) -> None:
        if self.is_full:
            gone = self.waiting.popleft()
            self.dropped += gone.length if isinstance(gone, Heard) else 1
        self.waiting.append(event)


class Outbox:
    """Sends events in order; `put` never waits, the others only for a source that can."""

    def __init__(
        self, parent: Parent, report: Callable[[Dropped], Progress | None], *, drops: bool
    ) -> None:
        """Start sending.

        Args:
            parent: Where to.
            drops: Frames and sound that nobody takes in time are dropped; else whoever puts them
                waits.
            report: Called twice a second, from the sending thread, with what was dropped so far;
                what it returns is sent.
        """
        self._parent = parent
        self._drops = drops
        self._report = report
        self._events: deque[IngestEvent] = deque()
        self._frames = _Lane(_MOST_FRAMES)
        self._sounds = _Lane(_MOST_SOUNDS)
        self._is_closed = False
        self._is_broken = False
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
            if self._is_broken:
                return
            if len(self._events) >= _MOST_EVENTS:
                raise RuntimeError("the parent reads nothing any more")
            self._events.append(event)
            self._condition.notify_all()

    def put_frame(self, sampled: Sampled) -> None:
        """Queue a frame; the oldest one waiting gives way when there are too many."""
        self._put(self._frames, sampled)

    def put_sound(self, heard: Heard) -> None:
        """Queue a piece of sound; likewise."""
        self._put(self._sounds, heard)

    def close(self, timeout: float, *, last: IngestEvent | None = None) -> None:
        """Send what is queued and then `last`, for at most `timeout` seconds."""
        with self._condition:
            self._last = last
            self._is_closed = True
            self._condition.notify_all()
        self._thread.join(timeout)

    def _put(self, lane: _Lane, event: Sampled | Heard) -> None:
        with self._condition:
            while lane.is_full and not (self._drops or self._is_broken):
                self._condition.wait()
            if not self._is_broken:
                lane.put(event)
                self._condition.notify_all()

    def _run(self) -> None:
        next_report = time.monotonic()
        try:
            while not isinstance(event := self._next(next_report), _End):
                if event is None:
                    next_report = time.monotonic() + _PROGRESS_EVERY
                    event = self._report(self._dropped())
                    self._send_waiting()  # a report speaks of what has gone out
                if event is not None:
                    self._parent.send(to_wire(event))
            if self._last is not None:
                self._parent.send(to_wire(self._last))
        except BrokenPipeError:
            # Nobody is left to tell. The other pipe's end says the same, and ends the worker.
            self._discard()

    def _dropped(self) -> Dropped:
        with self._condition:
            return Dropped(frames=int(self._frames.dropped), sound=self._sounds.dropped)

    def _send_waiting(self) -> None:
        with self._condition:
            waiting = [*self._frames.waiting, *self._sounds.waiting]
            self._frames.waiting.clear()
            self._sounds.waiting.clear()
            self._condition.notify_all()
        for event in waiting:
            self._parent.send(to_wire(event))

    def _next(self, report_at: float) -> IngestEvent | _End | None:
        """The next thing to send; `None` when it is time for a report."""
        with self._condition:
            while True:
                for queue in (self._events, self._sounds.waiting, self._frames.waiting):
                    if queue:
                        self._condition.notify_all()
                        return queue.popleft()
                if self._is_closed:
                    return _END
                wait = report_at - time.monotonic()
                if wait <= 0:
                    return None
                self._condition.wait(wait)

    def _discard(self) -> None:
        with self._condition:
            self._is_broken = True
            for queue in (self._events, self._sounds.waiting, self._frames.waiting):
                queue.clear()
            self._condition.notify_all()


class _End:
    """The outbox is closed and empty."""


_END = _End()
