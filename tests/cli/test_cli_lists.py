"""Tables of what can be listed, at the widths that terminals have."""

import io

import attrs
import pytest
from rich.console import Console

import rtstream_async as rts
from rtstream_async.cli.render.lists import (
    alerts_table,
    events_table,
    exported_table,
    hits_table,
    transcript_table,
)
from rtstream_async.cli.render.tables import streams_table

WIDTHS = (80, 100, 160)
STREAM = "rts-01a204cd-1ac7-7399-9385-eff701848eeb"
LONG = "http://127.0.0.1:9/hook/with/a/long/path?token=abcdefghijklmnopqrstuvwxyz"


@attrs.frozen(kw_only=True)
class Hit:
    """What the table reads of a shot."""

    rtstream_id: str = STREAM
    rtstream_name: str | None = None
    start: float = 1.7e9
    end: float = 1.7e9 + 4
    text: str = "word " * 60
    search_score: float = 0.4


@attrs.frozen(kw_only=True)
class Listed:
    """What the tables read of a stream and of an index."""

    id: str = STREAM
    name: str = "front door camera"
    status: str = "connecting"
    created_at: float = 1.7e9
    media_types: tuple = ("video", "audio")
    store: bool = True
    raw: dict = attrs.field(factory=dict)
    rtstream_index_id: str = "7929bf003b2cd9fb"


def shown(table, width):
    console = Console(width=width, file=io.StringIO())
    console.print(table)
    return console.file.getvalue()


def alert(number):
    return rts.Alert(
        alert_id=f"50810a74d0fd30e{number}",
        event_id="a0f0cfa4479749a5",
        label="more_than_three_people_at_the_front_door",
        status="disabled",
        callback_url=LONG,
    )


@pytest.mark.parametrize("width", WIDTHS)
def test_ids_are_whole_and_no_column_disappears(width):
    """An id is copied into the next command; half of one is of no use."""
    streams = shown(streams_table([Listed()]), width)
    assert STREAM in streams
    assert all(word in streams for word in ("name", "front", "connecting", "created", "media"))
    assert "2023-11-14" in streams
    alerts = shown(alerts_table([(Listed(), alert(1)), (Listed(), alert(2))]), width)
    for whole in ("50810a74d0fd30e1", "50810a74d0fd30e2", "7929bf003b2cd9fb", "disabled"):
        assert whole in alerts
    event = rts.Event(event_id="a0f0cfa4479749a5", event_prompt="a person " * 30, label="x" * 40)
    assert "a0f0cfa4479749a5" in shown(events_table([event]), width)


@pytest.mark.parametrize("width", WIDTHS)
def test_what_was_said_and_found_can_not_command_the_terminal(width):
    """Words on a screen that is filmed must not move the cursor, nor be taken for markup."""
    said = rts.TranscriptSegment(start=1.7e9, end=1.7e9 + 2, text="[red]Hi[/red]\x1b[2J\nthere")
    text = shown(transcript_table([said], zone=None), width)
    assert "[red]Hi[/red][2J there" in text
    hits = shown(hits_table([Hit()]), width)
    assert "0.40" in hits
    assert hits.count("word") == 60


def test_an_export_tells_where_it_plays():
    """The one line that a user copies out of it."""
    result = rts.RTStreamExportResult(
        video_id="m-1", name="door", duration=83.2, stream_url=LONG, player_url=None
    )
    text = shown(exported_table(result), 160)
    assert "m-1" in text
    assert "1 min 23 s" in text
    assert LONG in text
