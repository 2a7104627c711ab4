"""What outlives a connection, and what does not."""

from __future__ import annotations

import asyncio

import pytest

import rtstream_async as rts
from rtstream_async.api import transcripts
from rtstream_async.local import LocalServer
from tests.client.scripted import scripted_service

BATCH = {"type": "time", "value": 2, "frame_count": 1}
ANALYZERS = [{"type": "vlm", "name": "scene"}]
SPEECH = {"url": "scripted://hall", "name": "Hall", "media_types": ["video", "audio"]}


async def started(conn: rts.Connection) -> rts.RTStream:
    """A stream with one of everything that can run on it."""
    hall = await (await conn.get_collection()).connect_rtstream(**SPEECH)
    await hall.start_transcript()
    seen = await hall.index_visuals("Who?", BATCH)
    await hall.index_audio("What?", ws_connection_id=None)
    await seen.create_alert(await conn.create_event("a person", "person"))
    understanding = await hall.understand(
        segmentation={"type": "time", "window": "2s"},
        analyzers=ANALYZERS,
        store=True,
    )
    await hall.index(understanding.outputs["scene"])
    return hall


async def running(conn: rts.Connection, stream_id: str) -> dict[str, bool]:
    """What runs on the stream, seen from elsewhere."""
    hall = await (await conn.get_collection()).get_rtstream(stream_id)
    indexes = {index.extraction_type: index for index in await hall.list_scene_indexes()}
    (alert,) = await indexes["time"].list_alerts()
    (understanding,) = await hall.list_understanding()
    (index,) = await hall.list_indexes()
    return {
        "transcript": (await hall.get_transcript_status()).is_running,
        "seen": indexes["time"].is_running,
        "heard": indexes["transcript"].is_running,
        "alert": alert.is_enabled,
        "understanding": understanding.is_running,
        "index": index.is_running,
    }


@pytest.mark.parametrize("stops", [False, True])
async def test_what_a_connection_started_goes_on_unless_it_is_to_stop(server, conn, stops):
    """A monitor's restart must not interrupt its indexes; a script should leave no bill behind."""
    async with rts.connect(server.api_key, base_url=server.url, stop_on_close=stops) as other:
        stream = await started(other)
        assert set((await running(conn, stream.id)).values()) == {True}
    assert set((await running(conn, stream.id)).values()) == {not stops}
    again = await (await conn.get_collection()).get_rtstream(stream.id)
    assert again.status == "connected"


async def test_only_what_this_connection_started_is_stopped(server, conn, door):
    """Two programs on one stream: the end of one is not the end of the other's index."""
    theirs = await door.index_visuals("Who?", BATCH)
    async with rts.connect(server.api_key, base_url=server.url, stop_on_close=True) as other:
        stream = await (await other.get_collection()).get_rtstream(door.id)
        (seen,) = await stream.list_scene_indexes()
        mine = await stream.index_visuals("What?", BATCH)
        kept = await stream.index_visuals("Which?", BATCH)
        await kept.stop()
        await kept.start()
        stopped = await stream.index_visuals("How?", BATCH)
        await stopped.stop()
        await stopped.start()
        await stopped.stop()
        assert seen.rtstream_index_id == theirs.rtstream_index_id
    runs = {one.prompt: one.is_running for one in await door.list_scene_indexes()}
    assert runs == {"Who?": True, "What?": False, "Which?": False, "How?": False}
    assert mine.is_running  # what it was told last


async def test_a_service_that_is_gone_does_not_keep_a_connection_from_closing(caplog):
    """The end of a program must not hang on what it wants to be polite to."""
    server = LocalServer(control=True)
    async with server:
        conn = rts.connect(
            server.api_key, base_url=server.url, stop_on_close=True, retries=0, timeout=2
        )
        hall = await (await conn.get_collection()).connect_rtstream("scripted://a", "a")
        await hall.index_visuals("Who?", BATCH, ws_connection_id=None)
    async with asyncio.timeout(20):
        await conn.aclose()
    assert "could not be stopped" in caplog.text


async def test_what_takes_too_long_to_stop_is_said_and_left(monkeypatch, caplog):
    """A bound holds for all that is stopped together."""
    monkeypatch.setattr("rtstream_async.client._STOPPING", 0.01)
    async with scripted_service(stop_on_close=True) as service:
        service.says("POST /rtstream/rts-1/transcription", {"status": "running"})
        await service.stream().start_transcript(ws_connection_id=None)

        async def never(*args, **kwargs):
            await asyncio.Event().wait()

        monkeypatch.setattr(transcripts, "stop", never)
        await service.conn.aclose()
    assert "not all that was started could be stopped" in caplog.text


async def test_what_is_stopped_already_is_no_news(caplog):
    """The service refuses to stop what does not run: nothing that an operator need know."""
    async with scripted_service(stop_on_close=True) as service:
        service.says("POST /rtstream/rts-1/understand", {"understanding_id": "u-1"})
        refusal = {"success": False, "message": "is not running", "http": 409}
        service.says("PATCH /rtstream/rts-1/understand/u-1/status", refusal)
        made = await service.stream().understand(ws_connection_id=None)
        assert made.id == "u-1"
        await service.conn.aclose()
        assert len(service.asked("PATCH /rtstream/rts-1/understand/u-1/status")) == 1
    assert "could not be stopped" not in caplog.text


async def test_a_stream_is_found_again_by_its_name(conn):
    """A program that is restarted must not connect its camera a second time."""
    coll = await conn.get_collection()
    first = await coll.connect_rtstream("scripted://door", "Door", reuse=True)
    await coll.connect_rtstream("scripted://yard", "Door to the yard")
    again = await coll.connect_rtstream("scripted://door", "Door", reuse=True)
    assert again.id == first.id
    await first.stop()
    again = await coll.connect_rtstream("scripted://door", "Door", reuse=True)
    assert (again.id, again.status) == (first.id, "connected")
    assert len([one async for one in coll.list_rtstreams()]) == 2


async def test_of_two_with_that_name_the_running_one_is_taken(conn):
    """Who made two before knowing of `reuse` gets the one that works."""
    coll = await conn.get_collection()
    older = await coll.connect_rtstream("scripted://door", "Door")
    newer = await coll.connect_rtstream("scripted://door", "Door")
    await newer.stop()
    again = await coll.connect_rtstream("scripted://door", "Door", reuse=True)
    assert again.id == older.id


async def test_the_same_name_for_another_source_is_an_error(conn):
    """The wrong camera under the right name would be watched for years."""
    coll = await conn.get_collection()
    door = await coll.connect_rtstream("scripted://door", "Door")
    with pytest.raises(rts.ConflictError, match=door.id):
        await coll.connect_rtstream("scripted://yard", "Door", reuse=True)
    with pytest.raises(rts.InvalidArgumentError, match="name"):
        await coll.connect_rtstream("scripted://yard", " ", reuse=True)
