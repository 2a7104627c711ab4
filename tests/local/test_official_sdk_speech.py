"""The official SDK, unmodified, listens: transcripts and audio indexes of the local server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import videodb
from videodb.exceptions import InvalidRequestError

from rtstream_async.local import LocalServer
from tests.local.engines import BeepEngine, CountingLanguage, beeps
from tests.media.clips import Clip, make_clip


def wait_for(look: Callable[[], Any], is_enough: Callable[[Any], bool]) -> Any:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        seen = look()
        if is_enough(seen):
            return seen
        time.sleep(0.1)
    raise AssertionError(f"not enough: {seen}")


def drive(url: str, key: str) -> dict[str, Any]:
    """What a user of the synchronous SDK writes: it blocks the loop that it runs in."""
    return asyncio.run(listen_and_speak(url, key))


async def listen_and_speak(url: str, key: str) -> dict[str, Any]:
    conn = videodb.connect(api_key=key, base_url=url)
    socket = await conn.connect_websocket().connect()
    frames: list[dict[str, Any]] = []

    async def listen() -> None:
        async for frame in socket.receive():
            frames.append(frame)  # noqa: PERF401 - kept when the socket closes

    listening = asyncio.create_task(listen())
    try:
        seen = await asyncio.to_thread(speak, conn, socket.connection_id)
    finally:
        await socket.close()
        await listening
    return {**seen, "frames": frames}


def speak(conn: Any, connection: str) -> dict[str, Any]:
    stream = conn.get_collection().connect_rtstream(
        url="clip.mp4?loop=1",
        name="mic",
        media_types=["audio", "video"],
        enable_transcript=False,
    )
    started = stream.start_transcript(ws_connection_id=connection, engine="assemblyai")
    words = stream.index_spoken_words(ws_connection_id=connection)
    asked = stream.index_audio(
        prompt="How many?",
        batch_config={"type": "sentence", "value": 1},
        name="counted",
        ws_connection_id=connection,
    )
    transcript = wait_for(
        lambda: stream.get_transcript(page=1, page_size=10),
        lambda seen: seen["total_count"] >= 3,
    )
    counted = wait_for(asked.get_scenes, lambda seen: len(seen["scenes"]) >= 2)
    spoken = wait_for(words.get_scenes, lambda seen: len(seen["scenes"]) >= 1)
    first = transcript["transcription_records"][0]
    later = stream.get_transcript(since=first["end"], page_size=1)
    window = stream.get_transcript(start=first["start"], end=first["end"])
    stopped = stream.stop_transcript(engine="assemblyai")
    asked.stop()
    stream.stop()
    with pytest.raises(InvalidRequestError, match="segmenter"):
        stream.index_audio(batch_config={"type": "verse", "value": 1})
    return {
        "started": started,
        "transcript": transcript,
        "counted": counted,
        "spoken": spoken,
        "later": later,
        "window": window,
        "stopped": stopped,
        "words": words,
        "listed": stream.list_scene_indexes(),
    }


async def test_the_official_sdk_hears_speech(tmp_path: Path) -> None:
    """Apps written for the service must run here, or the server is a toy."""
    make_clip(tmp_path / "clip.mp4", Clip(seconds=3.5, gop=1, chirps=(0.3, 0.5, 0.7, 2.0, 2.2)))
    async with LocalServer(
        media_root=tmp_path, speech=BeepEngine, language=CountingLanguage
    ) as server:
        seen = await asyncio.to_thread(drive, server.url, server.api_key)
    assert (seen["started"]["status"], seen["started"]["engine"]) == ("running", "beeps")
    assert seen["stopped"]["status"] == "stopped"
    records = seen["transcript"]["transcription_records"]
    said = [number for record in records for number in beeps(record["text"])]
    assert said == list(range(1, len(said) + 1))
    assert records[0]["word_timestamps"][0]["word"] == "beep1"
    assert seen["later"]["transcription_records"][0] == records[1]
    assert seen["later"]["next_page"] is True
    assert seen["window"]["transcription_records"] == records[:1]
    assert seen["words"].extraction_type == "transcript"
    assert seen["words"].extraction_config == {"segmenter": "word", "segmentation_value": "10"}
    assert {index.name for index in seen["listed"]} == {"counted", seen["words"].name}
    assert all(scene["text"] == "How many? 1" for scene in seen["counted"]["scenes"])
    assert beeps(seen["spoken"]["scenes"][-1]["text"]) == list(range(1, 11))
    channels = {frame["channel"] for frame in seen["frames"]}
    assert channels == {"transcript", "audio_index"}
