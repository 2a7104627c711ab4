"""What was seen, counted, and shown in headers and tables."""

import io
from datetime import UTC

import msgspec
import pytest
from rich.console import Console

from rtstream_async.cli.events import Note
from rtstream_async.cli.render.panels import Watched, watch_header
from rtstream_async.cli.render.tables import measured, scenes_table, streams_table, summary_table
from rtstream_async.cli.tally import Facts, Tally, facts_of
from rtstream_async.models.announcements import Dropped, Gap
from rtstream_async.models.messages import AlertMessage, SceneMessage
from rtstream_async.models.records import Scene, StreamRecord

T = 1_772_366_400.0


def scene(delay=1.0, *, origin="push", **data):
    return SceneMessage(
        channel="scene_index",
        start=T,
        end=T + 5,
        received_at=T + 5 + delay,
        origin=origin,
        source=msgspec.json.encode({"channel": "scene_index", "data": data}),
    )


def shown(renderable, width=100):
    out = Console(file=io.StringIO(), width=width, force_terminal=False)
    out.print(renderable)
    return out.file.getvalue()


@pytest.fixture
def tally():
    counted = Tally()
    for value in (
        scene(1.0, engine="offline-vision", words=["Shop dashboard", "Errors 37"]),
        scene(2.0, engine="offline-vision", words=["Errors 37"], objects={"person": 2, "cat": 1}),
        scene(9.0, metadata={"objects": {"person": 1}}, engine="offline-vision"),
        scene(500.0, origin="poll"),
        AlertMessage(channel="alert", label="visitor"),
        Dropped(at=T, count=3, policy="drop_oldest"),
        Gap(at=T, since=T, cause="lost"),
        Note(at=T, text="started"),
    ):
        counted.add(value)
    return counted


def test_messages_losses_and_delays_are_counted(tally):
    """The numbers at the end of a demo are taken for measurements."""
    assert (tally.total, tally.messages["alert"]) == (5, 1)
    assert (tally.dropped, tally.gaps) == (3, 1)
    assert (tally.median_delay, tally.longest_delay) == (2.0, 9.0)


def test_polled_messages_have_no_delay(tally):
    """How long a record lay in history says nothing about how fast the push is."""
    assert len(tally.delays) == 3


def test_words_are_counted_once_and_people_by_the_fullest_window(tally):
    """A screen that stays for a minute was not read twenty times over."""
    assert list(tally.lines_read) == ["Shop dashboard", "Errors 37"]
    assert tally.words_read == 4
    assert tally.people == 2
    assert tally.engines["offline-vision"] == 3


@pytest.mark.parametrize("data", [None, "text", [1], {"objects": "many"}, {"words": [1]}])
def test_facts_of_another_shape_are_no_facts(data):
    """Another service's extras must not end the watching."""
    message = SceneMessage(
        channel="scene_index", start=T, end=T, source=msgspec.json.encode({"data": data})
    )
    assert facts_of(message) == Facts()


def test_nothing_seen_is_said_so():
    """A demo that saw nothing must not look like one that did."""
    rows = dict(measured(Tally(), paged=0, recorded=0.0, played=0.0))
    assert rows["messages"].startswith("0 ")
    assert rows["people seen"] == "none"
    assert rows["delay"] == "no message had one"


def test_the_summary_shows_what_was_measured(tally):
    """The table is what people quote."""
    text = shown(summary_table(measured(tally, paged=7, recorded=30.0, played=31.5)))
    for part in (
        "5 pushed",
        "7 windows paged",
        "4 in 2 lines",
        "at most 2",
        "cat",
        "2.00 s median",
    ):
        assert part in text


def test_the_header_shows_stream_link_and_counters(tally):
    """Whoever looks at the terminal wants to know whether it still works."""
    watched = Watched(
        name="Front door",
        rtstream_id="rts-1",
        source="rtsp://cam/door",
        status="reconnecting",
        note="connection refused",
        link="LIVE",
        generation=2,
        server="http://127.0.0.1:8787",
        elapsed=75,
    )
    text = shown(watch_header(watched, tally))
    for part in (
        "Front door",
        "reconnecting",
        "LIVE (no. 2)",
        "5 messages",
        "3 dropped",
        "1 gap",
        "1 min 15 s",
        "connection refused",
    ):
        assert part in text


def test_tables_show_what_came_over_the_wire_as_text():
    """Square brackets in a name are no markup, and escape codes in it no commands."""
    stream = StreamRecord(
        id="rts-1",
        name="[red]door[/]\x1b[2J",
        status="connected",
        media_types=("video",),
        store=True,
        created_at=T,
    )
    text = shown(streams_table([stream], zone=UTC))
    assert "[red]door[/][2J" in text
    assert "video, stored" in text
    assert "2026-03-01 12:00:00" in text
    assert "[/nothing]" in shown(scenes_table([Scene(start=T, end=T + 5, text="[/nothing]")]))
