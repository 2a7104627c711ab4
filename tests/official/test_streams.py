"""Live streams, their playback, their transcripts and their exports, by the official SDK."""

from __future__ import annotations

import time
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

import av
import pytest
import requests
from videodb.exceptions import InvalidRequestError

from tests.local.engines import beeps
from tests.official.driving import PATIENCE, drives, is_id, listening, until

FPS = 25  # of all clips


def recorded(stream, seconds):
    """The first moments of a stream's recording, as soon as they are there."""
    conn = stream._connection

    def look():
        return conn.get(f"rtstream/{stream.id}")

    seen = until(look, lambda seen: (seen["recorded_seconds"] or 0) >= seconds)
    return seen["recorded_from"], seen["recorded_to"]


def duration(manifest):
    """How much an outside player gets out of a manifest, in seconds."""
    with av.open(manifest, options={"protocol_whitelist": "http,tcp,hls"}) as film:
        return sum(1 for _ in film.decode(video=0)) / FPS


def page_of(embed_code):
    """What a visitor of a page with this embed code is shown: there is no key in a browser."""
    source = embed_code.partition('src="')[2].partition('"')[0]
    assert "/embed?v=" in source
    answer = requests.get(source, timeout=PATIENCE)
    assert answer.status_code == 200
    return answer.text


@drives("Collection.connect_rtstream", "Collection.get_rtstream", "RTStream.start", "RTStream.stop")
def test_a_stream_is_connected_when_it_is_created(coll):
    """Programs index it next, and do not look first."""
    made = coll.connect_rtstream(
        url="clip.mp4?loop=1", name="gate", media_types=["video"], sample_rate=15, store=False
    )
    assert is_id("rts", made.id)
    assert (made.name, made.status, made.sample_rate) == ("gate", "connected", 15)
    assert made.collection_id == coll.id
    moment = datetime.fromisoformat(made.created_at)
    assert moment.tzinfo is None
    assert len(made.created_at.rpartition(".")[2]) == 6  # microseconds, as the service writes
    made.start()  # the reference does, though it runs
    again = coll.get_rtstream(made.id)
    assert (again.id, again.name, again.status) == (made.id, "gate", "connected")
    made.stop()
    assert coll.get_rtstream(made.id).status == "stopped"
    made.start()
    assert until(lambda: coll.get_rtstream(made.id).status == "connected")
    made.stop()
    with pytest.raises(InvalidRequestError, match="no stream"):
        coll.get_rtstream("rts-nobody")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"url": "nothing.mp4"}, "nothing.mp4"),
        ({"url": ""}, "url"),
        ({"url": "clip.mp4", "sample_rate": 0}, "sample_rate"),
    ],
)
def test_what_can_not_be_connected_is_refused(coll, body, said):
    """Rather than kept as a stream from which nothing ever comes."""
    before = len(coll.list_rtstreams(limit=1000))
    with pytest.raises(InvalidRequestError, match=said):
        coll.connect_rtstream(name="nothing", **body)
    assert len(coll.list_rtstreams(limit=1000)) == before


@drives("Collection.list_rtstreams")
def test_streams_are_listed_newest_first(coll):
    """In pages, filtered and sorted as it is asked for."""
    names = ["lamp 1", "lamp 2", "lamp 3"]
    made = [coll.connect_rtstream("clip.mp4?loop=1", name) for name in names]
    made[1].stop()
    assert [item.name for item in coll.list_rtstreams(name="lamp")] == names[::-1]
    assert [item.name for item in coll.list_rtstreams(limit=1, offset=1, name="lamp")] == ["lamp 2"]
    assert [item.name for item in coll.list_rtstreams(name="lamp", ordering="created_at")] == names
    assert [item.id for item in coll.list_rtstreams(name="lamp", status="stopped")] == [made[1].id]
    for item in made:
        item.stop()


def test_a_page_says_where_the_next_one_is(site, coll):
    """The SDK drops it; other programs go on there."""
    for name in ("page 1", "page 2"):
        coll.connect_rtstream("clip.mp4?loop=1", name).stop()
    first = site.raw("GET", "/rtstream/?limit=1&name=page").json()["data"]
    assert (first["count"], first["previous"]) == (2, None)
    second = site.raw("GET", first["next"]).json()["data"]
    assert [item["name"] for item in second["results"]] == ["page 1"]
    assert second["next"] is None


@drives("RTStream.generate_stream", "RTStream.get_embed_code")
def test_a_window_is_played_and_embedded(stream):
    """The SDK makes embed code of a `/watch?v=` page, and of no other."""
    start, end = recorded(stream, 2)
    with pytest.raises(ValueError, match="generate_stream"):
        stream.get_embed_code()
    page = stream.generate_stream(
        start=start,
        end=end,
        player_config={"title": "Door & gate", "description": "By night", "slug": "Our Door"},
    )
    assert page == stream.player_url
    asked = parse_qs(urlsplit(page).query)
    assert asked["url"] == [stream.stream_url]
    assert asked["v"][0].startswith("our-door-")
    first, last = round(start * 1e6), round(end * 1e6)
    assert f"/manifests/{stream.id}/{first}-{last}.m3u8" in stream.stream_url
    assert duration(stream.stream_url) == pytest.approx(end - start, abs=0.3)
    code = stream.get_embed_code(width=640, height=360, title="Door", allow_fullscreen=False)
    assert 'width="640" height="360" title="Door"' in code
    shown = page_of(code)
    assert "Door &amp; gate" in shown
    assert "By night" in shown
    with pytest.raises(InvalidRequestError, match="recorded"):
        stream.generate_stream(start=1000, end=1010)
    with pytest.raises(InvalidRequestError, match="before end"):
        stream.generate_stream(start=end, end=start)


@drives("RTStream.start_transcript", "RTStream.get_transcript", "RTStream.stop_transcript")
def test_what_is_said_is_written_down(conn, stream):
    """Live on the socket, and by pages."""
    with listening(conn) as ear:
        started = stream.start_transcript(ws_connection_id=ear.id, engine="assemblyai")
        assert (started["status"], started["engine"]) == ("running", "beeps")
        page = until(stream.get_transcript, lambda page: page["total_count"] >= 3)
        stopped = stream.stop_transcript(engine="assemblyai")
        frame = ear.first("transcript")
        assert until(lambda: [one for one in ear.of("transcript") if one["data"]["is_final"]])
    assert stopped["status"] == "stopped"
    assert (page["page"], page["page_size"], page["next_page"]) == (1, 100, False)
    records = page["transcription_records"]
    said = [number for record in records for number in beeps(record["text"])]
    assert said == list(range(said[0], said[0] + len(said)))
    first, second = records[:2]
    assert 0 < time.time() - first["start"] < PATIENCE
    assert first["start"] < first["end"] <= second["start"]
    assert {"start", "end", "text", "word"} <= first["word_timestamps"][0].keys()
    small = stream.get_transcript(page=2, page_size=1)
    assert (small["transcription_records"], small["next_page"]) == ([second], True)
    later = stream.get_transcript(since=first["end"])
    assert later["transcription_records"][0] == second
    window = stream.get_transcript(start=first["start"], end=first["end"])
    assert window["transcription_records"] == [first]
    assert (frame["rtstream_id"], frame["rtstream_name"]) == (stream.id, "door")
    assert frame["data"].keys() >= {"text", "is_final", "start", "end"}
    assert frame["data"]["start"] == pytest.approx(first["start"] * 1000, abs=60_000)


@drives("RTStream.export", "RTStreamExportResult.get_embed_code")
def test_a_recording_becomes_a_video(coll):
    """For good, under one id, however often it is asked for."""
    made = coll.connect_rtstream("clip.mp4", "film", media_types=["video", "audio"], store=True)
    with pytest.raises(InvalidRequestError, match="stop"):
        made.export()
    until(lambda: coll.get_rtstream(made.id).status == "stopped")
    result = made.export(name="Film of the door")
    assert is_id("m", result.video_id)
    assert result.name == "Film of the door"
    assert result.duration == pytest.approx(4, abs=0.2)
    assert duration(result.stream_url) == pytest.approx(4, abs=0.2)
    assert "Film of the door" in page_of(result.get_embed_code())
    assert made.export().video_id == result.video_id


def test_sound_alone_becomes_an_audio_without_a_page(coll):
    """There is nothing to see in it."""
    made = coll.connect_rtstream("sound.mp4", "mic", media_types=["audio"], store=True)
    until(lambda: coll.get_rtstream(made.id).status == "stopped")
    result = made.export()
    assert is_id("a", result.video_id)
    assert (result.stream_url, result.player_url) == (None, None)
    assert result.name == "mic - Recording"
    with pytest.raises(ValueError, match="audio-only"):
        result.get_embed_code()
