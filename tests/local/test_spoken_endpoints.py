"""A server whose ears and words are models behind an endpoint: real speech, a scripted model."""

from __future__ import annotations

import json
import wave
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from rtstream_async.local import LocalServer
from tests.engines.endpoints import Stub, failing, stub
from tests.engines.sounds import RATE, clips, quiet
from tests.local.harness import Api, until

SAID = {"text": "We ship on Monday.", "language": "en"}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two sentences, with pauses, as a source that has sound alone."""
    folder = tmp_path_factory.mktemp("media")
    first, second = clips("librivox")[1:3]
    pause = quiet(1)
    track = np.concatenate([pause, first.samples, pause, second.samples, pause])
    with wave.open(str(folder / "raw.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(track.astype("<i2").tobytes())
    with av.open(str(folder / "raw.wav")) as raw, av.open(str(folder / "talk.mp4"), "w") as out:
        stream = out.add_stream("aac", RATE, layout="mono")
        for frame in raw.decode(audio=0):
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return folder


@pytest.fixture
async def model() -> AsyncIterator[Stub]:
    async with stub(key=None, transcription=SAID, says=lambda body: "They ship.") as running:
        yield running


@pytest.fixture
async def server(root: Path, model: Stub) -> AsyncIterator[LocalServer]:
    url = f"openai:{model.url}?retries=0#vl"
    async with LocalServer(media_root=root, speech=url, language=url) as running:
        yield running


async def transcript(api: Api, stream: str) -> list[dict[str, Any]]:
    page = await api.call("GET", f"/rtstream/{stream}/transcription")
    return page["transcription_records"]


async def status(api: Api, stream: str) -> dict[str, Any]:
    return await api.call("GET", f"/rtstream/{stream}/transcription/status")


async def test_speech_becomes_a_transcript_and_its_summary(api: Api, model: Stub) -> None:
    """The whole way of a meeting: sound, pieces, text, batches, summaries."""
    stream = await api.connect("talk.mp4?loop=1", media_types=["audio"])
    body = {
        "extraction_type": "transcript",
        "extraction_config": {"segmenter": "sentence", "segmentation_value": 1},
        "prompt": "What is decided?",
    }
    made = await api.call("POST", f"/rtstream/{stream}/index/scene", json=body)
    index = made["rtstream_index_id"]
    scene = (await until(lambda: api.scenes(stream, index)))[0]
    assert scene["text"] == "They ship."
    host = model.url.removeprefix("http://")
    assert scene["engine"] == f"openai:vl@{host}"
    assert scene["metadata"]["total_tokens"] == 107
    spoken = (await until(lambda: transcript(api, stream)))[0]
    assert spoken["text"] == SAID["text"]
    assert spoken["engine"] == f"openai:vl@{host}"
    (asked,) = [body["messages"][0]["content"] for body in model.bodies[:1]]
    assert asked.startswith("What is decided?")
    assert "We ship on Monday." in asked
    for sound in model.sounds:  # a sentence, and not a minute of it
        assert 1 < len(sound) / 2 / RATE < 8


async def test_a_failing_endpoint_shows_on_the_transcript_and_is_found_again(
    api: Api, model: Stub
) -> None:
    """A transcript without words looks like a quiet room."""
    stream = await api.connect("talk.mp4?loop=1", media_types=["audio"])
    model.always = failing(503, {"error": {"message": "no more workers"}})
    await api.call("POST", f"/rtstream/{stream}/transcription", json={"action": "start"})
    sick = await until(
        lambda: status(api, stream), lambda found: "no more workers" in str(found["last_error"])
    )
    assert sick["status"] == "error"
    assert await transcript(api, stream) == []
    assert (await api.stream(stream))["status"] == "connected"
    model.always = None
    assert await until(lambda: transcript(api, stream))
    well = await until(lambda: status(api, stream), lambda found: found["last_error"] is None)
    assert well["status"] not in ("error", "not_configured")
    assert json.dumps(well)
