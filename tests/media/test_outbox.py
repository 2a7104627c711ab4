"""The worker's way out, when the server does not read: what is dropped, and what never is."""

from __future__ import annotations

import os
import threading
from contextlib import contextmanager
from pathlib import Path

import attrs
import pytest

from rtstream_async.local.engines.ports import Frame, Sound
from rtstream_async.local.media.events import Heard, Progress, Sampled, SegmentClosed, from_wire
from rtstream_async.local.media.outbox import Dropped, Outbox
from rtstream_async.local.parent import Parent

SEGMENT = SegmentClosed(path="1.ts", start=1, end=2, discontinuity=False, size=3)
PIECE = bytes(16_000)  # half a second
MANY = 100


def heard(number: int) -> Heard:
    return Heard(sound=Sound(time=number / 2, samples=PIECE))


def sampled(number: int) -> Sampled:
    frame = Frame(time=float(number), jpeg=PIECE, width=1, height=1)
    return Sampled(key="k", due=float(number), frame=frame)


@contextmanager
def pipe():
    """A worker's end of a real pipe, and a server's that reads when it is told to."""
    source, sink = os.pipe()
    with os.fdopen(source, "rb") as reader, os.fdopen(sink, "wb") as writer:
        yield Parent(reader, writer)


class Reports:
    def __init__(self):
        self.last = Dropped(frames=0, sound=0.0)

    def __call__(self, dropped):
        self.last = dropped
        return Progress(
            time=0,
            open_segment=None,
            sampled_to=0,
            heard_to=0,
            lag=0,
            dropped_frames=dropped.frames,
            dropped_sound=dropped.sound,
        )


def read_to(parent, last):
    """Everything that the server gets, up to an event."""
    events = []
    while not events or events[-1] != last:
        events.append(from_wire(parent.receive()))
    return events


def test_what_nobody_takes_gives_way_to_what_is_newer():
    """A server that stands still must not stop the recording, nor get the sound of long ago."""
    with pipe() as parent:
        outbox = Outbox(parent, Reports(), drops=True)
        for number in range(MANY):
            outbox.put_sound(heard(number))
            outbox.put_frame(sampled(number))
        outbox.put(SEGMENT)
        closing = threading.Thread(target=outbox.close, args=(60,), kwargs={"last": SEGMENT})
        closing.start()
        events = [*read_to(parent, SEGMENT), *read_to(parent, SEGMENT)]
        closing.join()
    assert events.count(SEGMENT) == 2
    sounds = [event for event in events if isinstance(event, Heard)]
    times = [event.sound.time for event in sounds]
    assert times == sorted(times)
    assert times[-1] == (MANY - 1) / 2
    assert 60 <= len(sounds) < MANY
    frames = [event for event in events if isinstance(event, Sampled)]
    assert 8 <= len(frames) < 20
    assert frames[-1] == sampled(MANY - 1)


def test_what_is_dropped_is_counted():
    """A transcript with a hole that nobody knows of is taken for the whole."""
    with pipe() as parent:
        reports = Reports()
        outbox = Outbox(parent, reports, drops=True)
        for number in range(MANY):
            outbox.put_sound(heard(number))
        last = heard(MANY)
        outbox.put_sound(last)
        events = read_to(parent, last)
        while not isinstance(events[-1], Progress):
            events.append(from_wire(parent.receive()))
        missing = MANY + 1 - sum(isinstance(event, Heard) for event in events)
        assert missing > 20
        assert events[-1].dropped_sound == missing / 2
        assert reports.last.frames == 0
        outbox.close(60)


def test_a_source_that_can_wait_waits():
    """Of a file that is read as fast as possible nothing is missing."""
    with pipe() as parent:
        outbox = Outbox(parent, Reports(), drops=False)

        def put() -> None:
            for number in range(MANY):
                outbox.put_sound(heard(number))
                outbox.put_frame(sampled(number))

        putting = threading.Thread(target=put)
        putting.start()
        events = read_to(parent, sampled(MANY - 1))
        putting.join()
        outbox.close(60)
    assert [event for event in events if isinstance(event, Heard)] == [
        heard(number) for number in range(MANY)
    ]
    assert sum(isinstance(event, Sampled) for event in events) == MANY


@pytest.mark.parametrize("drops", [True, False])
def test_a_server_that_is_gone_holds_nobody_up(drops):
    """The recording must be closed in good order, whatever became of the server."""
    source, sink = os.pipe()
    os.close(source)
    with Path(os.devnull).open("rb") as nothing, os.fdopen(sink, "wb", buffering=0) as writer:
        outbox = Outbox(Parent(nothing, writer), Reports(), drops=drops)
        for number in range(MANY):
            outbox.put(attrs.evolve(SEGMENT, start=number))
            outbox.put_sound(heard(number))
            outbox.put_frame(sampled(number))
        outbox.close(60, last=SEGMENT)
