"""Every endpoint of the service, as a constant.

A template's `{names}` are filled in by `Route.path()`, quoted. `repeatable` says whether a second
delivery of the same request leaves the service as the first one did: only such a request is sent
again when it is not known what became of it.
"""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import attrs

from rtstream_async.errors import InvalidArgumentError

__all__ = ["Method", "Route"]

Method = Literal["GET", "POST", "PATCH", "DELETE"]


@attrs.frozen
class Route:
    """One endpoint: method, path template, and whether the request may be repeated."""

    method: Method
    template: str
    repeatable: bool = False

    def path(self, **ids: str) -> str:
        """Return the path with `ids` quoted into the template.

        Raises:
            InvalidArgumentError: An id is empty: the path would name something else.
        """
        for name, value in ids.items():
            if not value:
                raise InvalidArgumentError(name, "is empty; give the id that the service issued")
        return self.template.format(**{name: quote(id_, safe="") for name, id_ in ids.items()})


COLLECTION_LIST = Route("GET", "/collection", repeatable=True)
COLLECTION = Route("GET", "/collection/{collection_id}", repeatable=True)
COLLECTION_CREATE = Route("POST", "/collection")
COLLECTION_UPDATE = Route("PATCH", "/collection/{collection_id}", repeatable=True)
COLLECTION_DELETE = Route("DELETE", "/collection/{collection_id}", repeatable=True)
WEBSOCKET = Route("GET", "/collection/{collection_id}/websocket", repeatable=True)

STREAM_CREATE = Route("POST", "/rtstream")
STREAM_LIST = Route("GET", "/rtstream", repeatable=True)
STREAM = Route("GET", "/rtstream/{stream_id}", repeatable=True)
STREAM_UPDATE = Route("PATCH", "/rtstream/{stream_id}", repeatable=True)
STREAM_STATUS = Route("PATCH", "/rtstream/{stream_id}/status", repeatable=True)
STREAM_PLAYBACK = Route("GET", "/rtstream/{stream_id}/stream", repeatable=True)

SCENE_INDEX_CREATE = Route("POST", "/rtstream/{stream_id}/index/scene")
SCENE_INDEX_LIST = Route("GET", "/rtstream/{stream_id}/index/scene", repeatable=True)
SCENE_INDEX = Route("GET", "/rtstream/{stream_id}/index/{index_id}", repeatable=True)
SCENE_INDEX_RECORDS = Route("GET", "/rtstream/{stream_id}/index/scene/{index_id}", repeatable=True)
SCENE_INDEX_UPDATE = Route("PATCH", "/rtstream/{stream_id}/index/scene/{index_id}", repeatable=True)
SCENE_INDEX_STATUS = Route(
    "PATCH", "/rtstream/{stream_id}/index/scene/{index_id}/status", repeatable=True
)

TRANSCRIPT = Route("GET", "/rtstream/{stream_id}/transcription", repeatable=True)
TRANSCRIPT_SWITCH = Route("POST", "/rtstream/{stream_id}/transcription")
TRANSCRIPT_STATUS = Route("GET", "/rtstream/{stream_id}/transcription/status", repeatable=True)

EVENT_CREATE = Route("POST", "/rtstream/event")
EVENT_LIST = Route("GET", "/rtstream/event", repeatable=True)
ALERT_CREATE = Route("POST", "/rtstream/{stream_id}/index/{index_id}/alert")
ALERT_LIST = Route("GET", "/rtstream/{stream_id}/index/{index_id}/alert", repeatable=True)
ALERT_STATUS = Route(
    "PATCH", "/rtstream/{stream_id}/index/{index_id}/alert/{alert_id}/status", repeatable=True
)

# A search changes nothing, whatever its method.
STREAM_SEARCH = Route("POST", "/rtstream/{stream_id}/search", repeatable=True)
STREAMS_SEARCH = Route("POST", "/rtstream/collection/{collection_id}/search", repeatable=True)
VIDEOS_SEARCH = Route("POST", "/collection/{collection_id}/search", repeatable=True)
VIDEOS_SEARCH_V2 = Route("POST", "/collection/{collection_id}/search/v2", repeatable=True)
VIDEOS_SEMANTIC_SEARCH = Route(
    "POST", "/collection/{collection_id}/semantic-search", repeatable=True
)

# A repeated export is answered with the same asset.
STREAM_EXPORT = Route("POST", "/rtstream/{stream_id}/export", repeatable=True)

VIDEO_LIST = Route("GET", "/video", repeatable=True)
VIDEO = Route("GET", "/video/{video_id}", repeatable=True)
VIDEO_UPDATE = Route("PATCH", "/video/{video_id}", repeatable=True)
VIDEO_DELETE = Route("DELETE", "/video/{video_id}", repeatable=True)
VIDEO_INDEX = Route("POST", "/video/{video_id}/index")
VIDEO_SEARCH = Route("POST", "/video/{video_id}/search", repeatable=True)
VIDEO_SEARCH_V2 = Route("POST", "/video/{video_id}/search/v2", repeatable=True)
VIDEO_SEMANTIC_SEARCH = Route("POST", "/video/{video_id}/semantic-search", repeatable=True)
VIDEO_STREAM = Route("POST", "/video/{video_id}/stream", repeatable=True)
VIDEO_TRANSCRIPT = Route("GET", "/video/{video_id}/transcription", repeatable=True)
VIDEO_TRANSCRIBE = Route("POST", "/video/{video_id}/transcription")
COMPILE = Route("POST", "/compile", repeatable=True)

AUDIO_LIST = Route("GET", "/audio", repeatable=True)
AUDIO = Route("GET", "/audio/{audio_id}", repeatable=True)
AUDIO_DELETE = Route("DELETE", "/audio/{audio_id}", repeatable=True)
AUDIO_URL = Route("POST", "/audio/{audio_id}/generate_url", repeatable=True)
AUDIO_TRANSCRIPT = Route("GET", "/audio/{audio_id}/transcription", repeatable=True)
AUDIO_TRANSCRIBE = Route("POST", "/audio/{audio_id}/transcription")

ASYNC_RESPONSE = Route("GET", "/async-response/{response_id}", repeatable=True)
JOB = Route("GET", "/job/{job_id}", repeatable=True)

CAPTURE_CREATE = Route("POST", "/collection/{collection_id}/capture/session")
CAPTURE_LIST = Route("GET", "/collection/{collection_id}/capture/session", repeatable=True)
CAPTURE = Route("GET", "/collection/{collection_id}/capture/session/{session_id}", repeatable=True)
# A repeated export tells how far it is.
CAPTURE_EXPORT = Route(
    "POST", "/collection/{collection_id}/capture/session/{session_id}/export", repeatable=True
)
CAPTURE_TOKEN = Route("POST", "/capture/session/token")
CAPTURE_START = Route("POST", "/capture/session/start")
CAPTURE_RUN = Route("GET", "/capture/session/{session_id}", repeatable=True)
CAPTURE_STOP = Route("POST", "/capture/session/{session_id}/stop", repeatable=True)

UNDERSTANDING_CREATE = Route("POST", "/rtstream/{stream_id}/understand")
UNDERSTANDING_LIST = Route("GET", "/rtstream/{stream_id}/understand", repeatable=True)
UNDERSTANDING = Route("GET", "/rtstream/{stream_id}/understand/{understanding_id}", repeatable=True)
UNDERSTANDING_STATUS = Route(
    "PATCH", "/rtstream/{stream_id}/understand/{understanding_id}/status", repeatable=True
)
UNDERSTANDING_RECORDS = Route(
    "GET", "/rtstream/{stream_id}/understand/{understanding_id}/records", repeatable=True
)

STREAM_INDEX_CREATE = Route("POST", "/rtstream/{stream_id}/indexes")
STREAM_INDEX_LIST = Route("GET", "/rtstream/{stream_id}/indexes", repeatable=True)
STREAM_INDEX = Route("GET", "/rtstream/{stream_id}/indexes/{index_id}", repeatable=True)
STREAM_INDEX_STATUS = Route(
    "PATCH", "/rtstream/{stream_id}/indexes/{index_id}/status", repeatable=True
)
STREAM_INDEX_RECORDS = Route(
    "GET", "/rtstream/{stream_id}/indexes/{index_id}/records", repeatable=True
)
STREAM_INDEX_ALERT_CREATE = Route("POST", "/rtstream/{stream_id}/indexes/{index_id}/alert")
STREAM_INDEX_ALERT_LIST = Route(
    "GET", "/rtstream/{stream_id}/indexes/{index_id}/alert", repeatable=True
)
STREAM_INDEX_ALERT_STATUS = Route(
    "PATCH", "/rtstream/{stream_id}/indexes/{index_id}/alert/{alert_id}/status", repeatable=True
)

# The local server's own: the service has nothing below this name.
ENGINES = Route("GET", "/local/engines", repeatable=True)
OPENAPI = Route("GET", "/openapi.json", repeatable=True)
