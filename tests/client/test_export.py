"""Exports, and changes of a stream, over the whole client."""

from __future__ import annotations

import pytest

import rtstream_async as rts
from rtstream_async.api.caller import CallSettings
from tests.client.scripted import scripted_service

EXPORT = "POST /rtstream/rts-1/export"
DONE = {
    "video_id": "m-1",
    "name": "Standup",
    "stream_url": "https://s.test/1.m3u8",
    "player_url": "https://p.test/watch?v=1",
    "duration": 12.5,
}


@pytest.fixture
async def service():
    async with scripted_service() as running:
        yield running


async def test_a_recording_becomes_a_video(service):
    """The reference's five properties."""
    service.says(EXPORT, DONE)
    result = await service.stream().export(name="Standup")
    assert service.body(EXPORT) == {"name": "Standup"}
    assert isinstance(result, rts.RTStreamExportResult)
    assert {key: result[key] for key in DONE} == DONE
    assert (result.video_id, result.duration) == ("m-1", 12.5)


async def test_a_long_export_is_waited_for_and_told_of(service):
    """An hour of video takes a while; its user wants a bar, not silence."""
    service.conn._context.caller._settings = CallSettings(poll_first=0.001, poll_interval=0.001)
    url = f"{service.loopback.url}/async-response/job-1"
    pending = {"id": "job-1", "output_url": url}
    service.says(EXPORT, {"success": True, "status": "processing", "data": pending})
    half = {"success": True, "status": "processing", "data": {**pending, "percentage": 50}}
    service.says(
        "GET /async-response/job-1", half, {"success": True, "status": "done", "data": DONE}
    )
    told: list[rts.JobProgress] = []
    result = await service.stream().export(progress=told.append)
    assert result.video_id == "m-1"
    assert [(job.status, job.fraction) for job in told] == [
        ("processing", None),
        ("processing", 0.5),
    ]
    assert told[0].elapsed <= told[1].elapsed


async def test_patience_has_an_end(service):
    """A job that never ends must not hang its caller for ever."""
    service.conn._context.caller._settings = CallSettings(poll_first=0.001, poll_interval=0.001)
    pending = {"id": "job-1", "output_url": f"{service.loopback.url}/async-response/job-1"}
    busy = {"success": True, "status": "processing", "data": pending}
    service.says(EXPORT, busy)
    service.says("GET /async-response/job-1", busy)
    with pytest.raises(rts.RequestTimeoutError):
        await service.stream().export(patience=0.01)


async def test_a_refused_export_says_why(service):
    """Row 96: nothing was recorded, or the stream runs."""
    refusal = {"success": False, "message": "No recordings available", "http": 400}
    service.says(EXPORT, refusal)
    with pytest.raises(rts.ValidationError, match="No recordings available"):
        await service.stream().export()


async def test_a_stream_is_renamed(service):
    """The service has it, the official SDK has not."""
    change, look = "PATCH /rtstream/rts-1", "GET /rtstream/rts-1"
    service.says(change, None)
    service.says(look, {"id": "rts-1", "name": "Gate", "sample_rate": 5})
    stream = service.stream()
    await stream.update(name="Gate", sample_rate=5)
    assert service.body(change) == {"name": "Gate", "sample_rate": 5}
    assert (stream.name, stream.sample_rate) == ("Gate", 5)
    await stream.update(sample_rate=5)
    assert service.body(change) == {"sample_rate": 5}


@pytest.mark.parametrize("changes", [{}, {"name": ""}, {"sample_rate": 0}, {"sample_rate": 1.5}])
async def test_a_change_that_is_none_is_refused(service, changes):
    """A request that changes nothing is a mistake of somebody's."""
    with pytest.raises(rts.InvalidArgumentError):
        await service.stream().update(**changes)
    assert service.loopback.seen == []


async def test_the_last_window_of_a_stream_is_embedded(service):
    """The reference's `get_embed_code()`; it needs a window first."""
    service.says("GET /rtstream/rts-1/stream", DONE)
    stream = service.stream()
    with pytest.raises(rts.InvalidArgumentError, match="player_url"):
        await stream.get_embed_code()
    await stream.generate_stream(1, 2)
    assert "https://p.test/embed?v=1" in await stream.get_embed_code(640, 360)
