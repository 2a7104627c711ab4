"""Capture sessions, their streams and their frames, by the official SDK."""

from __future__ import annotations

from datetime import datetime

import pytest
from videodb.exceptions import InvalidRequestError

from rtstream_async.local.media.publishing import publishing
from rtstream_async.local.pipelines.captures import CaptureOutcome
from tests.local.engines import beeps
from tests.official.driving import drives, hooks, is_id, listening, until

CHANNELS = {
    "mic:default": ["audio"],
    "system_audio:default": ["audio"],
    "display:1": ["video"],
}


@pytest.fixture(scope="module")
def streams(coll):
    """A stream for each channel, and what it is called."""
    return {
        channel: coll.connect_rtstream(f"scripted://{number}", channel, media_types=kinds).id
        for number, (channel, kinds) in enumerate(CHANNELS.items())
    }


@drives(
    "Connection.create_capture_session",
    "Connection.get_capture_session",
    "Connection.list_capture_sessions",
    "Collection.create_capture_session",
    "Collection.get_capture_session",
    "Collection.list_capture_sessions",
)
def test_a_session_is_made_and_found(site, conn, coll):
    """By the connection and by the collection; newest first."""
    first = conn.create_capture_session("user-1", metadata={"app": "notes"})
    second = coll.create_capture_session("user-2")
    assert is_id("cap", first.id)
    assert (first.collection_id, first.end_user_id, first.status) == (coll.id, "user-1", "created")
    assert first.metadata == {"app": "notes"}
    assert (first.channels, first.rtstreams, first.exported_video_id) == ([], [], None)
    assert conn.get_capture_session(first.id).metadata == {"app": "notes"}
    assert coll.get_capture_session(second.id).end_user_id == "user-2"
    assert [item.id for item in conn.list_capture_sessions()] == [second.id, first.id]
    site.do(site.control.capture, first.id, "starting")
    assert [item.id for item in coll.list_capture_sessions(status="starting")] == [first.id]
    with pytest.raises(InvalidRequestError, match="no capture session"):
        conn.get_capture_session("cap-nobody")
    with pytest.raises(InvalidRequestError, match="end_user_id"):
        conn.create_capture_session("")


@drives("CaptureSession.displays", "CaptureSession.get_rtstream")
def test_the_streams_of_a_session_are_told_apart(site, conn, coll, streams):
    """The SDK compares the category with the whole id of the channel."""
    session = conn.create_capture_session("user-1")
    site.do(site.control.capture, session.id, "active", channels=streams)
    active = conn.get_capture_session(session.id)
    assert active.status == "active"
    assert [channel.id for channel in active.displays] == ["display:1"]
    assert active.primary_video_channel_id == "display:1"
    mic, system, screen = streams.values()
    for category, id_ in (("mic", mic), ("system_audio", system), ("screen", screen)):
        (stream,) = active.get_rtstream(category)
        assert (stream.id, stream.collection_id) == (id_, coll.id)
        assert coll.get_rtstream(stream.id).id == id_  # and it behaves like any other


def test_a_session_is_told_by_socket_and_by_webhook(site, conn, streams):
    """In order, from its making to its export, in the words of the documents."""
    words = ["created", "starting", "active", "stopping", "stopped", "exported"]
    outcome = CaptureOutcome(exported_video_id="m-1", stream_url="http://s", player_url="http://p")
    with hooks() as (url, heard), listening(conn) as ear:
        session = conn.create_capture_session("user-1", callback_url=url, ws_connection_id=ear.id)
        site.do(site.control.capture, session.id, "active", channels=streams)
        site.do(site.control.capture, session.id, "exported", outcome=outcome)
        frames = until(lambda: ear.of("capture_session"), lambda frames: len(frames) == len(words))
        until(lambda: len(heard) == len(words))
    assert [frame["event"] for frame in frames] == [f"capture_session.{word}" for word in words]
    assert [body["event"] for body in heard] == [f"capture_session.{word}" for word in words]
    assert [body["status"] for body in heard] == words
    assert {body["capture_session_id"] for body in heard} == {session.id}
    assert {(body["version"], body["end_user_id"]) for body in heard} == {("2", "user-1")}
    assert all(datetime.fromisoformat(body["timestamp"]).tzinfo for body in heard)
    told = heard[2]["data"]["rtstreams"]
    assert [one["rtstream_id"] for one in told] == list(streams.values())
    assert heard[-1]["data"]["exported_video_id"] == "m-1"
    ended = conn.get_capture_session(session.id)
    assert (ended.status, ended.export_status, ended.exported_video_id) == (
        "exported",
        "exported",
        "m-1",
    )


async def push(source, url):
    """Play the desktop's part, to the end of the film."""
    async with publishing(source, url) as publication:
        await publication.wait()


async def push_both(source, screen, mic):
    """Push the picture of a film, and meanwhile all of its sound, each to its own channel."""
    async with (
        publishing(source, screen["rtmp_url"], only="video", loop=True),
        publishing(source, mic["rtmp_url"], only="audio") as voice,
    ):
        await voice.wait()


def test_what_was_said_at_a_captured_screen_is_found(site, conn, coll, media):
    """The video of a session is the primary display with all recorded sound mixed in."""
    session = conn.create_capture_session("user-1")
    channels = [
        {"channel_id": "display:1", "type": "video", "store": True},
        {"channel_id": "mic:default", "type": "audio", "store": True},
    ]
    body = {"session_id": session.id, "channels": channels}
    started = site.raw("POST", "/capture/session/start", json=body).json()["data"]
    site.do(push_both, media / "clip.mp4", *started["channels"])
    assert site.raw("POST", f"/capture/session/{session.id}/stop", json={}).status_code == 200
    until(lambda: conn.get_capture_session(session.id).status == "exported")
    video = coll.get_video(conn.get_capture_session(session.id).exported_video_id)
    video.index_spoken_words()
    assert len(beeps(video.get_transcript_text())) == 5  # as many as the microphone heard
    (shot, *_) = video.legacy_search("beep1", search_type="keyword").shots
    assert 0 <= shot.start < shot.end <= float(video.length)


@pytest.mark.parametrize("name", ["connection_id", "ws_connection_id"])  # D16
@drives("CaptureSession.export")
def test_what_was_captured_is_exported(site, conn, media, name):
    """The SDK calls the socket `connection_id` here, and `ws_connection_id` everywhere else."""
    session = conn.create_capture_session("user-1")
    channels = [{"channel_id": "display:1", "type": "video", "store": True}]
    body = {"session_id": session.id, "channels": channels}
    started = site.raw("POST", "/capture/session/start", json=body).json()["data"]
    site.do(push, media / "clip.mp4", started["channels"][0]["rtmp_url"])
    active = conn.get_capture_session(session.id)
    (screen,) = active.get_rtstream("screen")
    assert is_id("rts", screen.id)
    assert site.raw("POST", f"/capture/session/{session.id}/stop", json={}).status_code == 200
    with listening(conn) as ear:
        path = f"/collection/{active.collection_id}/capture/session/{session.id}/export"
        if name == "ws_connection_id":
            assert site.raw("POST", path, json={name: ear.id}).status_code == 200

        def look():
            return active.export("display:1", ws_connection_id=ear.id)

        made = until(look, lambda made: made["export_status"] != "exporting")
        frame = ear.first("capture_session")
    assert (made["export_status"], made["session_id"]) == ("exported", session.id)
    assert made["video_channel_id"] == "display:1"
    assert is_id("m", made["video_id"])
    assert made["player_url"].startswith(site.url)
    assert frame["event"] == "capture_session.exported"
    assert frame["data"]["exported_video_id"] == made["video_id"]
    ended = conn.get_capture_session(session.id)
    assert (ended.status, ended.export_status) == ("exported", "exported")
    assert ended.exported_video_id == made["video_id"]
