"""What was seen, counted, and shown in headers and tables."""

import io
from datetime import UTC

import msgspec
import pytest
from rich.console import Console

from rtstream_async.cli.events import Note
from rtstream_async.cli.outcome import Outcome, played_seconds, summary
from rtstream_async.cli.render.panels import Watched, watch_header
from rtstream_async.cli.render.tables import measured, scenes_table, streams_table, summary_table
from rtstream_async.cli.tally import Facts, Tally, facts_of
from rtstream_async.models.announcements import Dropped, Gap
from rtstream_async.models.exports import RTStreamExportResult
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


def outcome(tally):
    return Outcome(
        tally=tally,
        scenes=[],
        segments=[],
        said="a cat sits on a sofa",
        seen=None,
        heard=None,
        exported=RTStreamExportResult(video_id="m-1", duration=30.0, player_url="http://x/video"),
        rtstream_id="rts-1",
        stream_url="http://x/m.m3u8",
        player_url="http://x/player",
        recorded=30.0,
        asked=28.0,
        played=31.5,
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


def test_records_bring_facts_and_are_no_messages():
    """A scene that was pushed and paged must not count twice as delivered."""
    counted = Tally()
    raw = {"engine": "offline-vision", "metadata": {"words": ["EXIT"], "objects": {"person": 3}}}
    counted.add_scene(Scene(start=T, end=T + 5, text="x", raw=raw))
    assert (counted.total, counted.scenes, counted.people, counted.words_read) == (0, 1, 3, 1)


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
    assert facts_of(data) == Facts()


def test_nothing_seen_is_said_so():
    """A demo that saw nothing must not look like one that did."""
    rows = dict(measured(outcome(Tally())))
    assert rows["messages"].startswith("0 ")
    assert rows["people seen"] == "none"
    assert rows["delay"] == "no message had one"


def test_the_summary_shows_what_was_measured(tally):
    """The table is what people quote."""
    text = shown(summary_table(measured(outcome(tally))))
    for part in (
        "5 pushed",
        "0 windows paged",
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
        raw={
            "ingested": {
                "video": {"codec": "h264", "width": 1280, "height": 720},
                "audio": {"codec": "aac"},
                "transcoded": True,
            },
            "last_error": "source lost",
        },
    )
    bare = StreamRecord(id="rts-2", media_types=("video",))
    assert "video" in shown(streams_table([bare]), width=140)
    text = shown(streams_table([stream], zone=UTC), width=140)
    assert "[red]door[/][2J" in text
    assert "h264 1280x720, aac, transcoded, stored (source lost)" in text
    assert "2026-03-01 12:00:00" in text
    assert "[/nothing]" in shown(scenes_table([Scene(start=T, end=T + 5, text="[/nothing]")]))


def test_the_summary_for_machines_has_what_the_table_has(tally):
    """A check of the demo reads this, and must not need to parse a table."""
    said = summary(outcome(tally))
    assert (said["messages"], said["people"], said["words_read"]) == (5, 2, 4)
    assert said["engines"] == ["offline-vision"]
    assert said["delay_median"] == 2.0
    msgspec.json.encode(said)


def test_a_manifest_plays_as_long_as_its_segments():
    """The length that is shown must be what a player plays, not what was asked for."""
    manifest = "#EXTM3U\n#EXTINF:2.000,\na.ts\n#EXT-X-DISCONTINUITY\n#EXTINF:1.5,\nb.ts\n"
    assert played_seconds(manifest) == 3.5
    assert played_seconds("") == 0
