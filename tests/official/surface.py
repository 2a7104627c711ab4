"""Every public method of the official SDK's classes: which are not offered here, and why.

All others are driven by the tests of this folder; `test_surface.py` holds both against the SDK.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any

from videodb.audio import Audio
from videodb.capture_session import CaptureSession
from videodb.client import Connection
from videodb.collection import Collection
from videodb.rtstream import (
    RTStream,
    RTStreamExportResult,
    RTStreamIndex,
    RTStreamSceneIndex,
    RTStreamSearchResult,
    RTStreamShot,
    RTStreamUnderstanding,
)
from videodb.search import SearchResponse, SearchResult
from videodb.shot import Shot
from videodb.video import Video
from videodb.websocket_client import WebSocketConnection

__all__ = ["CLASSES", "NOT_OFFERED", "surface"]

CLASSES = (
    Audio,
    CaptureSession,
    Collection,
    Connection,
    RTStream,
    RTStreamExportResult,
    RTStreamIndex,
    RTStreamSceneIndex,
    RTStreamSearchResult,
    RTStreamShot,
    RTStreamUnderstanding,
    SearchResponse,
    SearchResult,
    Shot,
    Video,
    WebSocketConnection,
)

Attempt = Callable[[Any], object]


def surface() -> set[str]:
    """Return what a program can call: `Class.method`."""
    return {
        f"{kind.__name__}.{name}"
        for kind in CLASSES
        for name, value in vars(kind).items()
        if not name.startswith("_") and (inspect.isroutine(value) or isinstance(value, property))
    }


_BILLING = "billing: there is no account behind a local server"
_CLONES = "voice clones: the local server makes no voices"
_EDITING = "editing: videos are cut and joined, and edited no more"
_GENERATION = "generation of pictures, sounds, videos and texts"
_MEETINGS = "meeting bots: a stream of the meeting is connected instead"
_PLANNED_SEARCH = "search by a language model's plan over indexes that only the service makes"
_SANDBOXES = "sandboxes: engines run beside the server"
_SCENES = "scenes of exported videos: streams are indexed while they run"
_THUMBNAILS = "thumbnails"
_TRANSCODING = "transcoding: videos stay as their streams came"
_TRANSLATION = "translation"
_UPLOADS = "uploads: videos are exported streams"

NOT_OFFERED: Mapping[str, Mapping[str, Attempt]] = {
    _BILLING: {
        "Connection.check_usage": lambda conn: conn.check_usage(),
        "Connection.get_invoices": lambda conn: conn.get_invoices(),
    },
    _CLONES: {
        "Connection.create_voice_clone": lambda conn: conn.create_voice_clone("a-1"),
        "Connection.get_voice_clone": lambda conn: conn.get_voice_clone("v-1"),
        "Connection.list_voice_clones": lambda conn: conn.list_voice_clones(),
        "Connection.delete_voice_clone": lambda conn: conn.delete_voice_clone("v-1"),
        "Collection.create_voice_clone": lambda coll: coll.create_voice_clone("a-1"),
        "Collection.get_voice_clone": lambda coll: coll.get_voice_clone("v-1"),
        "Collection.list_voice_clones": lambda coll: coll.list_voice_clones(),
        "Collection.delete_voice_clone": lambda coll: coll.delete_voice_clone("v-1"),
    },
    _EDITING: {
        "Video.add_subtitle": lambda video: video.add_subtitle(),
        "Video.clip": lambda video: video.clip("the best part", "spoken", "basic"),
        "Video.reframe": lambda video: video.reframe(),
        "Video.smart_vertical_reframe": lambda video: video.smart_vertical_reframe(),
        "Collection.dub_video": lambda coll: coll.dub_video("m-1", "en"),
    },
    _GENERATION: {
        "Collection.generate_image": lambda coll: coll.generate_image("a door"),
        "Collection.generate_music": lambda coll: coll.generate_music("a waltz"),
        "Collection.generate_sound_effect": lambda coll: coll.generate_sound_effect("a bell"),
        "Collection.generate_text": lambda coll: coll.generate_text("Hello?"),
        "Collection.generate_video": lambda coll: coll.generate_video("a door"),
        "Collection.generate_voice": lambda coll: coll.generate_voice("Hello"),
        "Collection.get_image": lambda coll: coll.get_image("img-1"),
        "Collection.get_images": lambda coll: coll.get_images(),
        "Collection.delete_image": lambda coll: coll.delete_image("img-1"),
    },
    _MEETINGS: {
        "Connection.record_meeting": lambda conn: conn.record_meeting("https://meet.test/1"),
        "Connection.get_meeting": lambda conn: conn.get_meeting("meet-1"),
        "Collection.record_meeting": lambda coll: coll.record_meeting("https://meet.test/1"),
        "Collection.get_meeting": lambda coll: coll.get_meeting("meet-1"),
        "Video.get_meeting": lambda video: video.get_meeting(),
    },
    _PLANNED_SEARCH: {
        "Connection.youtube_search": lambda conn: conn.youtube_search("doors"),
        "Collection.aggregate": lambda coll: coll.aggregate(group_by="label"),
        "Collection.ask": lambda coll: coll.ask("Who came?"),
        "Collection.query": lambda coll: coll.query(index_name="people"),
        "Collection.search_title": lambda coll: coll.search_title("door"),
        "Video.aggregate": lambda video: video.aggregate(group_by="label"),
        "Video.ask": lambda video: video.ask("Who came?"),
        "Video.query": lambda video: video.query(index_name="people"),
    },
    _SANDBOXES: {
        "Connection.create_sandbox": lambda conn: conn.create_sandbox(),
        "Connection.get_sandbox": lambda conn: conn.get_sandbox("sb-1"),
        "Connection.list_sandboxes": lambda conn: conn.list_sandboxes(),
    },
    _SCENES: {
        "Video.delete_index": lambda video: video.delete_index("idx-1"),
        "Video.delete_scene_collection": lambda video: video.delete_scene_collection("s-1"),
        "Video.delete_scene_index": lambda video: video.delete_scene_index("s-1"),
        "Video.delete_understanding": lambda video: video.delete_understanding("und-1"),
        "Video.extract_scenes": lambda video: video.extract_scenes(),
        "Video.get_index": lambda video: video.get_index("idx-1"),
        "Video.get_scene_collection": lambda video: video.get_scene_collection("s-1"),
        "Video.get_scene_index": lambda video: video.get_scene_index("s-1"),
        "Video.get_scenes": lambda video: video.get_scenes(),
        "Video.get_understanding": lambda video: video.get_understanding("und-1"),
        "Video.index": lambda video: video.index([{"start": 0, "end": 1, "text": "a door"}]),
        "Video.index_audio": lambda video: video.index_audio(),
        "Video.index_scenes": lambda video: video.index_scenes(),
        "Video.index_visuals": lambda video: video.index_visuals(),
        "Video.list_indexes": lambda video: video.list_indexes(),
        "Video.list_scene_collection": lambda video: video.list_scene_collection(),
        "Video.list_scene_index": lambda video: video.list_scene_index(),
        "Video.list_understandings": lambda video: video.list_understandings(),
        "Video.understand": lambda video: video.understand([{"type": "vlm", "name": "scene"}]),
    },
    _THUMBNAILS: {
        "Video.generate_thumbnail": lambda video: video.generate_thumbnail(),
        "Video.get_thumbnails": lambda video: video.get_thumbnails(),
    },
    _TRANSCODING: {
        "Connection.transcode": lambda conn: conn.transcode("https://x.test/a", "https://x.test/b"),
        "Connection.get_transcode_details": lambda conn: conn.get_transcode_details("job-1"),
        "Connection.download": lambda conn: conn.download("https://x.test/a.m3u8", "door"),
        "Video.download": lambda video: video.download(),
        "Video.remove_storage": lambda video: video.remove_storage(),
    },
    _TRANSLATION: {
        "Video.translate_transcript": lambda video: video.translate_transcript("fr"),
    },
    _UPLOADS: {
        "Connection.upload": lambda conn: conn.upload(url="https://x.test/a.mp4"),
        "Collection.upload": lambda coll: coll.upload(url="https://x.test/a.mp4"),
    },
}
"""Why, and a call of each."""
