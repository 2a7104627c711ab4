"""What the calls answer, by name. An answer may have more fields than are told here."""

from __future__ import annotations

from collections.abc import Mapping

from rtstream_async.local.openapi.kinds import (
    FLAG,
    MOMENT,
    OBJECT,
    SECONDS,
    TEXT,
    Schema,
    fields,
    listing,
    optional,
    ref,
)

__all__ = ["ANSWERS"]

_URLS: Mapping[str, Schema] = {"stream_url": optional(TEXT), "player_url": optional(TEXT)}
_WINDOW: Mapping[str, Schema] = {"start": SECONDS, "end": SECONDS, "text": TEXT}

ANSWERS: Mapping[str, Schema] = {
    "Nothing": {},
    "Collection": fields(
        {"id": TEXT, "name": TEXT, "description": TEXT, "is_public": FLAG}, required=["id"]
    ),
    "Collections": fields(
        {"collections": listing(ref("Collection")), "default_collection": TEXT},
        required=["collections"],
    ),
    "Socket": fields({"websocket_url": TEXT}, required=["websocket_url"]),
    "Stream": fields(
        {
            "id": TEXT,
            "name": TEXT,
            "status": TEXT,
            "collection_id": TEXT,
            "sample_rate": {"type": "integer"},
            "media_types": listing(TEXT),
            "store": FLAG,
            "created_at": TEXT,
        },
        required=["id", "status"],
    ),
    "Streams": fields(
        {
            "results": listing(ref("Stream")),
            "count": {"type": "integer"},
            "next": optional(TEXT),
            "previous": optional(TEXT),
        },
        required=["results", "count", "next", "previous"],
    ),
    "Playback": fields(_URLS, required=["stream_url"]),
    "Export": fields(
        {"video_id": TEXT, "name": TEXT, "duration": SECONDS, **_URLS}, required=["video_id"]
    ),
    "Index": fields(
        {
            "rtstream_index_id": TEXT,
            "rtstream_id": TEXT,
            "extraction_type": TEXT,
            "extraction_config": OBJECT,
            "prompt": optional(TEXT),
            "name": TEXT,
            "status": TEXT,
        },
        required=["rtstream_index_id", "status"],
    ),
    "Indexes": fields({"scene_indexes": listing(ref("Index"))}, required=["scene_indexes"]),
    "Scenes": fields(
        {
            "scene_index_records": listing(
                fields({**_WINDOW, "description": TEXT}, required=["start", "end", "description"])
            ),
            "next_page": FLAG,
        },
        required=["scene_index_records", "next_page"],
    ),
    "Transcript": fields({"status": TEXT, "engine": optional(TEXT)}, required=["status"]),
    "Segments": fields(
        {
            "transcription_records": listing(fields(_WINDOW, required=["start", "end", "text"])),
            "next_page": FLAG,
            "total_count": {"type": "integer"},
            "page": {"type": "integer"},
            "page_size": {"type": "integer"},
        },
        required=["transcription_records", "next_page"],
    ),
    "Event": fields({"event_id": TEXT, "event_prompt": TEXT, "label": TEXT}, required=["event_id"]),
    "Events": fields({"events": listing(ref("Event"))}, required=["events"]),
    "Alert": fields(
        {
            "alert_id": TEXT,
            "event_id": TEXT,
            "prompt": TEXT,
            "label": TEXT,
            "callback_url": optional(TEXT),
            "status": TEXT,
        },
        required=["alert_id"],
    ),
    "Alerts": fields({"alerts": listing(ref("Alert"))}, required=["alerts"]),
    "Found": fields(
        {"results": listing(fields({**_WINDOW, "score": SECONDS}, required=["start", "end"]))},
        required=["results"],
    ),
    "FoundInVideos": fields({"results": listing(OBJECT)}, required=["results"]),
    "Understanding": fields(
        {
            "understanding_id": TEXT,
            "rtstream_id": TEXT,
            "status": TEXT,
            "store": FLAG,
            "segmentation": OBJECT,
            "analyzers": listing(OBJECT),
            "outputs": OBJECT,
        },
        required=["understanding_id", "status", "outputs"],
    ),
    "Understandings": fields(
        {"understandings": listing(ref("Understanding"))}, required=["understandings"]
    ),
    "StreamIndex": fields(
        {
            "index_id": TEXT,
            "rtstream_id": TEXT,
            "name": TEXT,
            "status": TEXT,
            "use_for": listing(TEXT),
            "source_understanding_id": TEXT,
            "output": TEXT,
        },
        required=["index_id", "status"],
    ),
    "StreamIndexes": fields({"indexes": listing(ref("StreamIndex"))}, required=["indexes"]),
    "Records": fields(
        {
            "records": listing(
                fields({**_WINDOW, "data": OBJECT}, required=["start", "end", "data"])
            ),
            "next_page": FLAG,
        },
        required=["records", "next_page"],
    ),
    "Video": fields({"id": TEXT, "name": TEXT, "collection_id": TEXT, **_URLS}, required=["id"]),
    "Videos": fields({"videos": listing(ref("Video"))}, required=["videos"]),
    "Audio": fields({"id": TEXT, "name": TEXT, "collection_id": TEXT}, required=["id"]),
    "Audios": fields({"audios": listing(ref("Audio"))}, required=["audios"]),
    "SignedUrl": fields({"signed_url": TEXT}, required=["signed_url"]),
    "VideoTranscript": fields(
        {"word_timestamps": listing(fields(_WINDOW)), "text": TEXT}, required=["text"]
    ),
    "Capture": fields(
        {
            "session_id": TEXT,
            "end_user_id": optional(TEXT),
            "status": TEXT,
            "collection_id": TEXT,
            "metadata": optional(OBJECT),
            "channels": listing(OBJECT),
            "rtstreams": listing(OBJECT),
        },
        required=["session_id", "status"],
    ),
    "Captures": fields(
        {"sessions": listing(ref("Capture")), "next_page": optional(TEXT)}, required=["sessions"]
    ),
    "CaptureExport": fields(
        {
            "session_id": TEXT,
            "video_channel_id": TEXT,
            "export_status": TEXT,
            "video_id": optional(TEXT),
            **_URLS,
        },
        required=["session_id", "export_status"],
    ),
    "Token": fields(
        {"token": TEXT, "expires_at": MOMENT, "expires_in": SECONDS}, required=["token"]
    ),
    "Engines": fields({"engines": {}}, required=["engines"]),
}
