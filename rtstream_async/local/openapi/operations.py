"""What each call takes and answers; a test holds this against what the handlers read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from rtstream_async.local.openapi.kinds import (
    FLAG,
    MOMENT,
    OBJECT,
    SECONDS,
    TEXT,
    Schema,
    choice,
    fields,
    listing,
    number,
    optional,
    whole,
)
from rtstream_async.protocol import routes
from rtstream_async.protocol.routes import Route

__all__ = ["OPERATIONS", "Operation"]


def _nothing() -> Mapping[str, Schema]:
    return {}


@attrs.frozen(kw_only=True)
class Operation:
    """One call."""

    answer: str  #: name of what it answers, one of `ANSWERS`
    query: Mapping[str, Schema] = attrs.field(factory=_nothing)
    body: Mapping[str, Schema] | None = None  #: fields of a JSON object; `None`: no body
    required: Sequence[str] = ()  #: fields of the body that must be there
    items: Schema | None = None  #: what the body is a list of, where it is one
    status: int = 200  #: of a success


_ACTION: Mapping[str, Schema] = {"action": choice("start", "stop")}
_PAGE: Mapping[str, Schema] = {"page": whole(1, 10**6), "page_size": whole(1, 1000)}
_WINDOW: Mapping[str, Schema] = {"start": MOMENT, "end": MOMENT}
_SOCKET: Mapping[str, Schema] = {"ws_connection_id": optional(TEXT)}
_IN: Mapping[str, Schema] = {"collection_id": TEXT}
_SCORES: Mapping[str, Schema] = {
    "score_threshold": optional(number(0, 1)),
    "dynamic_score_percentage": optional(number(0, 100)),
}
_SEARCH: Mapping[str, Schema] = {
    "query": TEXT,
    "result_threshold": optional(whole(1, 1000)),
    **_SCORES,
    "filter": optional(listing(OBJECT)),
    "stitch": FLAG,
    "rerank": FLAG,
    "rerank_params": optional(OBJECT),
}
_STREAM_SEARCH = Operation(
    answer="Found",
    body={
        **_SEARCH,
        "scene_index_id": optional(TEXT),
        "index_type": optional(choice("scene", "spoken_word")),
    },
    required=["query"],
)
_VIDEO_SEARCH = Operation(
    answer="FoundInVideos",
    body={
        **_SEARCH,
        "search_type": choice("semantic", "keyword", "scene", "llm"),
        "index_type": choice("spoken_word", "scene"),
        "scene_index_id": optional(TEXT),
        "sort_docs_on": optional(choice("score", "start")),
        "algorithm": optional(TEXT),
    },
    required=["query"],
)
_VIDEO_SEARCH_V2 = Operation(
    answer="FoundInVideos",
    body={
        "query": TEXT,
        "top_k": optional(whole(1, 1000)),
        "score_threshold": optional(number(0, 1)),
        "mode": optional(TEXT),
        "return_fields": optional(listing(TEXT)),
        "include_clip": FLAG,
        "session_id": optional(TEXT),
        "config": optional(OBJECT),
    },
    required=["query"],
)
_NAMES = optional({"anyOf": [listing(TEXT), TEXT]})
_SEMANTIC_SEARCH = Operation(
    answer="FoundInVideos",
    body={
        "query": TEXT,
        "index_names": _NAMES,
        "index_ids": _NAMES,
        "top_k": optional(whole(1, 1000)),
        "score_threshold": optional(number(0, 1)),
        "filter": optional(listing(OBJECT)),
        "return_fields": {},
    },
    required=["query"],
)
_ALERT_CREATE = Operation(
    answer="Alert",
    body={"event_id": TEXT, "callback_url": optional(TEXT), **_SOCKET},
    required=["event_id"],
)
_ALERT_LIST = Operation(answer="Alerts")
_ALERT_STATUS = Operation(
    answer="Alert",
    body={"action": choice("enable", "disable"), "status": choice("enabled", "disabled")},
)
_TRANSCRIBE = Operation(
    answer="VideoTranscript", query=_IN, body={"force": FLAG, "language_code": optional(TEXT)}
)
_SPOKEN = Operation(
    answer="VideoTranscript",
    query={
        "start": SECONDS,
        "end": SECONDS,
        "segmenter": choice("word", "sentence", "time"),
        "length": SECONDS,
        "force": choice("true", "false"),
        **_IN,
    },
)

OPERATIONS: Mapping[Route, Operation] = {
    routes.COLLECTION_LIST: Operation(answer="Collections"),
    routes.COLLECTION_CREATE: Operation(
        answer="Collection",
        body={"name": TEXT, "description": optional(TEXT), "is_public": FLAG},
        required=["name"],
    ),
    routes.COLLECTION: Operation(answer="Collection"),
    routes.COLLECTION_UPDATE: Operation(
        answer="Collection", body={"name": TEXT, "description": TEXT, "is_public": FLAG}
    ),
    routes.COLLECTION_DELETE: Operation(answer="Nothing"),
    routes.WEBSOCKET: Operation(answer="Socket"),
    routes.STREAM_CREATE: Operation(
        answer="Stream",
        body={
            "url": TEXT,
            "name": optional(TEXT),
            **_IN,
            "media_types": listing(choice("video", "audio")),
            "sample_rate": whole(1, 240),
            "store": FLAG,
            "enable_transcript": FLAG,
            **_SOCKET,
        },
        required=["url"],
        status=201,
    ),
    routes.STREAM_LIST: Operation(
        answer="Streams",
        query={
            "limit": whole(0, 1000),
            "offset": whole(0, 10**9),
            "status": TEXT,
            "name": TEXT,
            "ordering": TEXT,
            **_IN,
        },
    ),
    routes.STREAM: Operation(answer="Stream"),
    routes.STREAM_UPDATE: Operation(
        answer="Stream", body={"name": TEXT, "sample_rate": whole(1, 240)}
    ),
    routes.STREAM_STATUS: Operation(answer="Stream", body=_ACTION, required=["action"]),
    routes.STREAM_PLAYBACK: Operation(
        answer="Playback",
        query={
            **_WINDOW,
            "player_title": TEXT,
            "player_description": TEXT,
            "player_slug_prefix": TEXT,
            "original_frame_rate": TEXT,
            "frame_rate": TEXT,
        },
    ),
    routes.STREAM_EXPORT: Operation(answer="Export", body={"name": optional(TEXT)}),
    routes.TRANSCRIPT_SWITCH: Operation(
        answer="Transcript",
        body={
            **_ACTION,
            "engine": optional(TEXT),
            **_SOCKET,
            "mode": choice("graceful", "force"),
        },
        required=["action"],
    ),
    routes.TRANSCRIPT: Operation(
        answer="Segments", query={"engine": TEXT, **_PAGE, **_WINDOW, "since": MOMENT}
    ),
    routes.TRANSCRIPT_STATUS: Operation(answer="Transcript", query={"engine": TEXT}),
    routes.SCENE_INDEX_CREATE: Operation(
        answer="Index",
        body={
            "extraction_type": choice("time", "time_based", "shot", "shot_based", "transcript"),
            "extraction_config": optional(OBJECT),
            "prompt": optional(TEXT),
            "model_name": optional(TEXT),
            "model_config": optional(OBJECT),
            "name": optional(TEXT),
            **_SOCKET,
            "sandbox_id": optional(TEXT),
            "auto_start_transcript": FLAG,
        },
    ),
    routes.SCENE_INDEX_LIST: Operation(answer="Indexes"),
    routes.SCENE_INDEX: Operation(answer="Index"),
    routes.SCENE_INDEX_UPDATE: Operation(
        answer="Index", body={"prompt": optional(TEXT)}, required=["prompt"]
    ),
    routes.SCENE_INDEX_STATUS: Operation(answer="Index", body=_ACTION, required=["action"]),
    routes.SCENE_INDEX_RECORDS: Operation(answer="Scenes", query={**_WINDOW, **_PAGE}),
    routes.UNDERSTANDING_CREATE: Operation(
        answer="Understanding",
        body={
            "segmentation": optional(OBJECT),
            "analyzers": optional(listing(OBJECT)),
            "store": FLAG,
            **_SOCKET,
        },
    ),
    routes.UNDERSTANDING_LIST: Operation(answer="Understandings"),
    routes.UNDERSTANDING: Operation(answer="Understanding"),
    routes.UNDERSTANDING_STATUS: Operation(
        answer="Understanding", body=_ACTION, required=["action"]
    ),
    routes.UNDERSTANDING_RECORDS: Operation(
        answer="Records", query={**_WINDOW, "output": TEXT, **_PAGE}
    ),
    routes.STREAM_INDEX_CREATE: Operation(
        answer="StreamIndex",
        body={
            "source": fields({"understanding_id": TEXT}, required=["understanding_id"]),
            "name": optional(TEXT),
            "use_for": optional(listing(choice("semantic"))),
        },
        required=["source"],
    ),
    routes.STREAM_INDEX_LIST: Operation(answer="StreamIndexes"),
    routes.STREAM_INDEX: Operation(answer="StreamIndex"),
    routes.STREAM_INDEX_STATUS: Operation(answer="StreamIndex", body=_ACTION, required=["action"]),
    routes.STREAM_INDEX_RECORDS: Operation(answer="Records", query={**_WINDOW, **_PAGE}),
    routes.EVENT_CREATE: Operation(
        answer="Event",
        body={"event_prompt": TEXT, "label": TEXT},
        required=["event_prompt", "label"],
    ),
    routes.EVENT_LIST: Operation(answer="Events"),
    routes.ALERT_CREATE: _ALERT_CREATE,
    routes.ALERT_LIST: _ALERT_LIST,
    routes.ALERT_STATUS: _ALERT_STATUS,
    routes.STREAM_INDEX_ALERT_CREATE: _ALERT_CREATE,
    routes.STREAM_INDEX_ALERT_LIST: _ALERT_LIST,
    routes.STREAM_INDEX_ALERT_STATUS: _ALERT_STATUS,
    routes.STREAM_SEARCH: _STREAM_SEARCH,
    routes.STREAMS_SEARCH: _STREAM_SEARCH,
    routes.VIDEO_SEARCH: _VIDEO_SEARCH,
    routes.VIDEOS_SEARCH: _VIDEO_SEARCH,
    routes.VIDEO_SEARCH_V2: _VIDEO_SEARCH_V2,
    routes.VIDEOS_SEARCH_V2: _VIDEO_SEARCH_V2,
    routes.VIDEO_SEMANTIC_SEARCH: _SEMANTIC_SEARCH,
    routes.VIDEOS_SEMANTIC_SEARCH: _SEMANTIC_SEARCH,
    routes.VIDEO_LIST: Operation(
        answer="Videos", query={**_IN, "page_index": whole(0, 10**6), "count": whole(1, 5000)}
    ),
    routes.VIDEO: Operation(answer="Video", query=_IN),
    routes.VIDEO_UPDATE: Operation(
        answer="Video", query=_IN, body={"name": TEXT}, required=["name"]
    ),
    routes.VIDEO_DELETE: Operation(answer="Nothing", query=_IN),
    routes.VIDEO_STREAM: Operation(
        answer="Playback",
        query=_IN,
        body={"timeline": optional(listing(listing(SECONDS))), "length": optional(TEXT)},
    ),
    routes.COMPILE: Operation(
        answer="Playback",
        items=fields(
            {"video_id": TEXT, "collection_id": TEXT, "shots": listing(listing(SECONDS))},
            required=["video_id", "shots"],
        ),
    ),
    routes.VIDEO_INDEX: Operation(
        answer="Nothing",
        query=_IN,
        body={
            "index_type": TEXT,
            "language_code": optional(TEXT),
            "segmentation_type": choice("sentence", "time"),
            "force": FLAG,
            "callback_url": optional(TEXT),
        },
    ),
    routes.VIDEO_TRANSCRIPT: _SPOKEN,
    routes.VIDEO_TRANSCRIBE: _TRANSCRIBE,
    routes.AUDIO_LIST: Operation(
        answer="Audios", query={**_IN, "page_index": whole(0, 10**6), "count": whole(1, 5000)}
    ),
    routes.AUDIO: Operation(answer="Audio", query=_IN),
    routes.AUDIO_DELETE: Operation(answer="Nothing", query=_IN),
    routes.AUDIO_URL: Operation(answer="SignedUrl", query=_IN),
    routes.AUDIO_TRANSCRIPT: _SPOKEN,
    routes.AUDIO_TRANSCRIBE: _TRANSCRIBE,
    routes.ASYNC_RESPONSE: Operation(answer="Nothing"),
    routes.JOB: Operation(answer="Nothing"),
    routes.CAPTURE_CREATE: Operation(
        answer="Capture",
        body={
            "end_user_id": TEXT,
            "callback_url": optional(TEXT),
            **_SOCKET,
            "metadata": optional(OBJECT),
        },
        required=["end_user_id"],
    ),
    routes.CAPTURE_LIST: Operation(
        answer="Captures",
        query={
            "status": TEXT,
            "end_user_id": TEXT,
            "limit": whole(1, 1000),
            "cursor": TEXT,
        },
    ),
    routes.CAPTURE: Operation(answer="Capture"),
    routes.CAPTURE_EXPORT: Operation(
        answer="CaptureExport",
        body={
            "video_channel_id": optional(TEXT),
            "connection_id": optional(TEXT),
            **_SOCKET,
        },
    ),
    routes.CAPTURE_START: Operation(
        answer="Capture",
        body={
            "session_id": TEXT,
            "channels": listing(
                fields(
                    {
                        "channel_id": TEXT,
                        "channel_name": optional(TEXT),
                        "name": optional(TEXT),
                        "type": choice("audio", "video"),
                        "store": FLAG,
                        "is_primary": FLAG,
                    },
                    required=["channel_id"],
                )
            ),
            **_SOCKET,
            "callback_url": optional(TEXT),
        },
        required=["session_id", "channels"],
    ),
    routes.CAPTURE_RUN: Operation(answer="Capture"),
    routes.CAPTURE_STOP: Operation(answer="Capture", body={}),
    routes.CAPTURE_TOKEN: Operation(
        answer="Token", body={"expires_in": whole(1, 10**7), "user_id": optional(TEXT)}
    ),
    routes.ENGINES: Operation(answer="Engines"),
}
