"""Each shape of a frame that the documents, the SDKs or working programs know has a golden."""

from __future__ import annotations

import json

import pytest

from rtstream_async.protocol.codec.frames import decode_frame
from tests.protocol.codec.test_frames import GOLDEN

SHAPES = {
    "transcript": {
        "as documented": "a final piece, as documented",
        "a partial": "a partial piece",
        "is_final as text": "is_final as text, true",
        "unknown keys of data": "speaker and confidence stay in raw",
        "times in seconds, as meeting-copilot reads them": "times in seconds",
        "times in microseconds": "times in microseconds",
        "a callback with `type` and no `data`": (
            "a flat callback body, with `type` for the channel"
        ),
    },
    "index": {
        "scene_index": "scene_index, as documented",
        "visual_index": "visual_index is scene_index",
        "text that is a JSON document": "the text is a JSON document",
        "text that is an object": "the text is an object",
        "audio_index": "audio_index, as documented",
        "spoken_index": "spoken_index is audio_index",
        "event_type for the channel": "event_type for the channel",
        "the id in camel case": "the stream's id in camel case",
        "index_id outside": "an index id, if there is one",
        "index_id inside": "an index id inside, before one outside",
        "ISO times": "times as ISO text",
        "naive ISO times": "naive ISO times are UTC",
        '"12.5s"': "times as relative seconds",
        "no time": "no time",
        "nested data": "data nested deep inside",
        "a huge text": "a long text",
    },
    "alert": {
        "SEED and SKILL": "first shape: event_label and timestamp",
        "DOC-rc": "second shape: label, triggered, start and end",
        "DOC-er, without a channel": "third shape: no channel, label outside",
        "openclaw-monitoring": "fourth shape: label, confidence, text",
        "the webhook's words": "as a webhook says it",
    },
    "capture_session": {
        "active": "active, as documented",
        "no channel": "without a channel",
        "session_id, type, data.status": "session_id, type, and status inside",
        "exported": "exported",
        "video_id": "exported, under the older name",
        "an error in words": "failed, with text",
        "an error as an object": "failed, with an object",
        "data.streams": "streams under `streams`",
        "data.channels of Node quickstart": "streams under `channels`, named by their channel",
        "rt_streams of meeting-copilot": "streams of an older schema, and what is no stream",
    },
    "unknown": {
        "understanding": "the service's newer pipelines",
        "channels of chess-lens": "a channel of somebody else's",
        "no channel": "an object without a channel",
        "a JSON list": "a list",
        "a JSON string": "a string",
        "null": "null",
        "an empty object": "an empty object",
    },
}
"""By golden file: the shape, and the golden that has it."""


@pytest.mark.parametrize("name", SHAPES)
def test_every_known_shape_has_its_golden(name):
    """A shape that nobody tests is the one that the service sends."""
    goldens = {case["about"] for case in json.loads((GOLDEN / f"{name}.json").read_text())}
    assert set(SHAPES[name].values()) <= goldens


def test_a_frame_of_a_mebibyte_is_a_message_like_any_other():
    """The official SDK's stream ends with it."""
    text = "x" * (1 << 20)
    frame = {"channel": "scene_index", "rtstream_id": "r", "data": {"text": text, "start": 1}}
    frame["data"]["end"] = 2
    assert decode_frame(json.dumps(frame).encode(), 1.0, 1).text == text
