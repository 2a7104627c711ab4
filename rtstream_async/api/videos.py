"""Endpoints of exported videos, and of recordings of sound alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from rtstream_async.api.caller import Caller
from rtstream_async.errors import InvalidRequestError
from rtstream_async.models.jobs import JobProgress
from rtstream_async.models.records import Playback
from rtstream_async.models.videos import (
    AudioRecord,
    VideoAnswerRecord,
    VideoRecord,
    VideoSearchRecord,
    VideoTranscript,
)
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import replies, videos
from rtstream_async.protocol.routes import Route

__all__ = [
    "ProgressTold",
    "audio_transcript",
    "audio_url",
    "compile_shots",
    "delete",
    "delete_audio",
    "get",
    "get_audio",
    "index_spoken_words",
    "list_all",
    "list_audios",
    "playback",
    "rename",
    "search",
    "search_answer",
    "search_meaning",
    "transcribe",
    "transcribe_audio",
    "transcript",
]

_Found = TypeVar("_Found")

ProgressTold = Callable[[JobProgress], object]
"""Told how an answer that comes later is getting on."""


async def get(caller: Caller, video_id: str, *, collection_id: str | None = None) -> VideoRecord:
    """Return the video as it is now."""
    return await caller.call(
        routes.VIDEO,
        lambda data: videos.video(data, video_id=video_id, collection_id=collection_id),
        query={"collection_id": collection_id},
        video_id=video_id,
    )


async def list_all(caller: Caller, collection_id: str) -> list[VideoRecord]:
    """Return all videos of the collection."""
    return await caller.call(
        routes.VIDEO_LIST,
        lambda data: videos.videos(data, collection_id=collection_id),
        query={"collection_id": collection_id},
    )


async def delete(caller: Caller, video_id: str, *, collection_id: str | None = None) -> None:
    """Delete the video."""
    await caller.call(
        routes.VIDEO_DELETE, _ignored, query={"collection_id": collection_id}, video_id=video_id
    )


async def rename(caller: Caller, video_id: str, name: str) -> None:
    """Give the video another name."""
    await caller.call(routes.VIDEO_UPDATE, _ignored, body={"name": name}, video_id=video_id)


async def index_spoken_words(
    caller: Caller,
    video_id: str,
    *,
    body: Mapping[str, Any],
    progress: ProgressTold | None = None,
    patience: float | None = None,
) -> None:
    """Have what is said in the video written down and made searchable."""
    await caller.call(
        routes.VIDEO_INDEX,
        _ignored,
        body=body,
        progress=progress,
        patience=patience,
        video_id=video_id,
    )


async def search(
    caller: Caller,
    *,
    wanted: Mapping[str, Any],
    video_id: str | None = None,
    collection_id: str | None = None,
) -> VideoSearchRecord:
    """Return the parts of one video, or of all of a collection, that answer the query `wanted`.

    Raises:
        NoResultsError: There are none, and the service says so by a refusal.
    """
    pair = (routes.VIDEO_SEARCH, routes.VIDEOS_SEARCH)
    try:
        return await _search(caller, pair, videos.search_result, wanted, video_id, collection_id)
    except InvalidRequestError as exc:
        nothing = videos.no_results(exc)
        if nothing is None:
            raise
        raise nothing from None


async def search_answer(
    caller: Caller,
    *,
    wanted: Mapping[str, Any],
    video_id: str | None = None,
    collection_id: str | None = None,
) -> VideoAnswerRecord:
    """Return what Search v2 says of one video, or of all of a collection."""
    pair = (routes.VIDEO_SEARCH_V2, routes.VIDEOS_SEARCH_V2)
    return await _search(caller, pair, videos.search_answer, wanted, video_id, collection_id)


async def search_meaning(
    caller: Caller,
    *,
    wanted: Mapping[str, Any],
    video_id: str | None = None,
    collection_id: str | None = None,
) -> VideoSearchRecord:
    """Return what is nearest in meaning in one video, or in all of a collection."""
    pair = (routes.VIDEO_SEMANTIC_SEARCH, routes.VIDEOS_SEMANTIC_SEARCH)
    return await _search(caller, pair, videos.search_result, wanted, video_id, collection_id)


async def playback(
    caller: Caller,
    video_id: str,
    *,
    timeline: Sequence[tuple[float, float]] | None,
    length: float | None,
) -> Playback:
    """Return where these parts of the video, in seconds from its start, can be played."""
    return await caller.call(
        routes.VIDEO_STREAM,
        replies.playback,
        body={"timeline": timeline, "length": length},
        video_id=video_id,
    )


async def compile_shots(caller: Caller, shots: Sequence[Mapping[str, Any]]) -> Playback:
    """Return where these parts of videos can be played, one after the other."""
    return await caller.call(routes.COMPILE, replies.playback, body=shots)


async def transcript(
    caller: Caller,
    video_id: str,
    *,
    query: Mapping[str, Any],
    progress: ProgressTold | None = None,
    patience: float | None = None,
) -> VideoTranscript:
    """Return what is said in the video."""
    return await _transcript(
        caller, routes.VIDEO_TRANSCRIPT, query, progress, patience, video_id=video_id
    )


async def transcribe(
    caller: Caller,
    video_id: str,
    *,
    body: Mapping[str, Any],
    progress: ProgressTold | None = None,
    patience: float | None = None,
) -> None:
    """Have what is said in the video written down."""
    await caller.call(
        routes.VIDEO_TRANSCRIBE,
        _ignored,
        body=body,
        progress=progress,
        patience=patience,
        video_id=video_id,
    )


async def get_audio(caller: Caller, audio_id: str, *, collection_id: str | None) -> AudioRecord:
    """Return the recording of sound as it is now."""
    return await caller.call(
        routes.AUDIO,
        lambda data: videos.audio(data, audio_id=audio_id, collection_id=collection_id),
        query={"collection_id": collection_id},
        audio_id=audio_id,
    )


async def list_audios(caller: Caller, collection_id: str) -> list[AudioRecord]:
    """Return all recordings of sound alone of the collection."""
    return await caller.call(
        routes.AUDIO_LIST,
        lambda data: videos.audios(data, collection_id=collection_id),
        query={"collection_id": collection_id},
    )


async def delete_audio(caller: Caller, audio_id: str, *, collection_id: str | None = None) -> None:
    """Delete the recording of sound."""
    await caller.call(
        routes.AUDIO_DELETE, _ignored, query={"collection_id": collection_id}, audio_id=audio_id
    )


async def audio_url(caller: Caller, audio_id: str, *, collection_id: str | None) -> str:
    """Return where the recording of sound can be fetched, for a while."""
    return await caller.call(
        routes.AUDIO_URL,
        videos.signed_url,
        query={"collection_id": collection_id},
        audio_id=audio_id,
    )


async def audio_transcript(
    caller: Caller,
    audio_id: str,
    *,
    query: Mapping[str, Any],
    progress: ProgressTold | None = None,
    patience: float | None = None,
) -> VideoTranscript:
    """Return what is said in the recording of sound."""
    return await _transcript(
        caller, routes.AUDIO_TRANSCRIPT, query, progress, patience, audio_id=audio_id
    )


async def transcribe_audio(
    caller: Caller,
    audio_id: str,
    *,
    body: Mapping[str, Any],
    progress: ProgressTold | None = None,
    patience: float | None = None,
) -> None:
    """Have what is said in the recording of sound written down."""
    await caller.call(
        routes.AUDIO_TRANSCRIBE,
        _ignored,
        body=body,
        progress=progress,
        patience=patience,
        audio_id=audio_id,
    )


async def _transcript(
    caller: Caller,
    route: Route,
    query: Mapping[str, Any],
    progress: ProgressTold | None,
    patience: float | None,
    **ids: str,
) -> VideoTranscript:
    return await caller.call(
        route, videos.transcript, query=query, progress=progress, patience=patience, **ids
    )


def _ignored(_: object) -> None:
    """The answer says only that it was done."""


async def _search(
    caller: Caller,
    routes_of: tuple[Route, Route],
    read: Callable[..., _Found],
    wanted: Mapping[str, Any],
    video_id: str | None,
    collection_id: str | None,
) -> _Found:
    """Search in one video, by the first of the routes, or in all of a collection, by the second."""
    of_video, of_collection = routes_of

    def found(data: object) -> _Found:
        return read(data, video_id=video_id, collection_id=collection_id)

    if video_id is not None:
        return await caller.call(of_video, found, body=wanted, video_id=video_id)
    return await caller.call(of_collection, found, body=wanted, collection_id=collection_id or "")
