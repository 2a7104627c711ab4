"""`rtstream demo`, as a process: the main path of everything, on real media."""

from pathlib import Path

import pytest

from rtstream_async.local.assets import PARTS
from tests.cli.program import rtstream, running

LENGTH = PARTS[-1].end


def descendants(pid):
    """The processes below a process, by what the kernel tells."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *descendants(int(child))]
    return found


def is_alive(pid):
    """Whether a process runs; one that has ended and was not yet reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.fixture(scope="module")
def told():
    """What a whole demo said."""
    ran = rtstream("demo", "--json")
    assert ran.code == 0, ran.err
    assert "Traceback" not in ran.err
    return ran.objects


def test_messages_come_while_the_clip_plays(told):
    """The demo claims to be live: each message must have come soon after what it shows."""
    messages = [item for item in told if item["type"] == "message"]
    channels = {message["channel"] for message in messages}
    assert channels == {"scene_index", "transcript", "audio_index", "alert"}
    assert {message["origin"] for message in messages} == {"push"}
    scenes = [message for message in messages if message["channel"] == "scene_index"]
    assert len(scenes) >= 4
    starts = [message["start"] for message in scenes]
    assert starts == sorted(starts)
    assert all(message["received_at"] >= message["end"] for message in scenes)
    # The first one came when most of the clip was still to be played.
    assert messages[0]["received_at"] < messages[-1]["end"]


def test_what_was_seen_is_what_the_clip_shows(told):
    """The demo claims that all of it was recognised; the clip's own script is the judge."""
    summary = told[-1]
    assert summary["type"] == "summary"
    words = " ".join(summary["lines_read"]).lower()
    shown = [line for part in PARTS for line in part.reads]
    read = [line for line in shown if line.lower() in words]
    assert len(read) >= len(shown) / 3, (read, summary["lines_read"])
    assert 1 <= summary["people"] <= 3  # two photographs of one person; a dissolve may add one
    assert summary["engines"]


def test_what_was_said_is_what_the_clip_says(told):
    """Words are what a transcript is for; its own script is the judge again."""
    summary = told[-1]
    assert summary["words_said"] > 50
    assert summary["words_wrong"] < 0.15 * summary["words_said"]


def test_alerts_tell_what_happened_and_nothing_else(told):
    """An alarm that rings for nothing is switched off."""
    summary = told[-1]
    assert set(summary["alerts"]) == {"person_seen", "test_failed"}


def test_search_finds_what_was_seen_and_what_was_said(told):
    """A wrong first answer to the demo's own question is what its reader would remember."""
    summary = told[-1]
    assert "cat" in summary["seen"]["text"]
    assert "payment service" in summary["heard"]["text"].lower()


def test_pushed_and_paged_are_the_same(told):
    """A message that REST does not know, or a scene that was not pushed, is a lost one."""
    summary = told[-1]
    assert summary["messages_by_channel"]["scene_index"] == summary["scenes"]


def test_the_recording_plays_as_long_as_it_is(told):
    """A player that stops early, or a manifest with a hole, is seen at once."""
    summary = told[-1]
    # A machine that is too busy to encode in time has the clip last longer.
    notes = {item["text"]: item["at"] for item in told if item["type"] == "note"}
    begun = next(at for text, at in notes.items() if text.startswith("watching"))
    published = notes["describing what came last"] - begun
    assert LENGTH - 4 <= summary["recorded_seconds"] <= published + 4
    assert summary["played_seconds"] >= summary["asked_seconds"] - 1
    assert summary["video_seconds"] == pytest.approx(summary["recorded_seconds"], abs=0.1)
    assert summary["delay_median"] <= summary["delay_longest"]


def test_ctrl_c_ends_the_demo_and_all_that_it_started():
    """An encoder, a listener and a vision engine that go on in the background heat the machine."""
    with running("demo", "--json") as demo:
        while demo.object()["type"] != "message":
            pass
        children = descendants(demo.pid)
        assert children
        ended = demo.end()
    assert ended.code == 130
    assert "Traceback" not in ended.err
    assert [pid for pid in children if is_alive(pid)] == []
