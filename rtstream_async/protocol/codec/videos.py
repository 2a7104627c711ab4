"""Answers about exported videos -> records. See `replies.py` for what is tolerated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from rtstream_async.errors import InvalidRequestError, NoResultsError, ProtocolError
from rtstream_async.models.videos import (
    AudioRecord,
    VideoAnswerRecord,
    VideoRecord,
    VideoSearchRecord,
    VideoSegment,
    VideoShotRecord,
    VideoTranscript,
)
from rtstream_async.protocol.codec.fields import as_list, as_object, real, text, words

__all__ = [
    "audio",
    "audios",
    "no_results",
    "search_answer",
    "search_result",
    "signed_url",
    "transcript",
    "video",
    "videos",
]

_SHOTS = frozenset({"shots", "deepsearch"})
_SEGMENT_LISTS = ("word_timestamps", "transcript", "segments")
_NO_RESULTS = "no results found"


def video(
    data: object, *, video_id: str | None = None, collection_id: str | None = None
) -> VideoRecord:
    """Return the video that an answer describes; what it does not name is what was asked for."""
    fields = as_object(data, "video")
    return VideoRecord(
        id=_id(fields, "video", video_id, "id", "video_id"),
        collection_id=text(fields, "collection_id") or collection_id,
        name=text(fields, "name"),
        description=text(fields, "description"),
        length=real(fields, "length", "duration") or 0.0,
        stream_url=_url(fields, "stream_url"),
        player_url=_url(fields, "player_url"),
        thumbnail_url=_url(fields, "thumbnail_url"),
        raw=fields,
    )


def videos(data: object, *, collection_id: str) -> list[VideoRecord]:
    """Return all videos of a collection."""
    fields = as_object(data, "list of videos")
    return as_list(
        fields, ("videos",), "videos", lambda item: video(item, collection_id=collection_id)
    )


def audio(
    data: object, *, audio_id: str | None = None, collection_id: str | None = None
) -> AudioRecord:
    """Return the sound that an answer describes; what it does not name is what was asked for."""
    fields = as_object(data, "audio")
    return AudioRecord(
        id=_id(fields, "audio", audio_id, "id", "audio_id"),
        collection_id=text(fields, "collection_id") or collection_id,
        name=text(fields, "name"),
        length=real(fields, "length", "duration") or 0.0,
        raw=fields,
    )


def audios(data: object, *, collection_id: str) -> list[AudioRecord]:
    """Return all recordings of sound alone of a collection."""
    fields = as_object(data, "list of audios")
    return as_list(
        fields, ("audios",), "audios", lambda item: audio(item, collection_id=collection_id)
    )


def signed_url(data: object) -> str:
    """Return where a recording of sound can be fetched for a while; it holds a credential."""
    url = text(as_object(data, "URL of the sound"), "signed_url")
    if not url:
        raise ProtocolError("the answer has no `signed_url`: the sound can't be fetched")
    return url


def transcript(data: object) -> VideoTranscript:
    """Return what is said in a video."""
    fields = as_object(data, "transcript")
    said = text(fields, "text")
    # The text alone is a transcript too; with neither, it is no answer to the question.
    listed = fields if said is None else {key: fields.get(key) for key in _SEGMENT_LISTS}
    segments = as_list(listed, _SEGMENT_LISTS, "segments", _segment)
    return VideoTranscript(
        segments=tuple(segments),
        text=" ".join(item.text for item in segments) if said is None else said,
        raw=fields,
    )


def search_result(
    data: object, *, video_id: str | None = None, collection_id: str | None = None
) -> VideoSearchRecord:
    """Return what a search found, video by video, in the service's order.

    Args:
        data: The answer.
        video_id: The video that was searched, where a result does not name its own.
        collection_id: The collection of that video; likewise.

    Raises:
        ProtocolError: It is no list of shots, or a shot does not say where it is.
    """
    fields = as_object(data, "search results")
    found: list[VideoShotRecord] = []
    for result in as_list(fields, ("results",), "results", _result):
        common: dict[str, Any] = {
            "video_id": _id(result, "shot", video_id, "video_id", "id"),
            "collection_id": text(result, "collection_id") or collection_id,
            "video_title": text(result, "title", "video_title"),
            "video_length": real(result, "length", "video_length"),
        }
        docs = as_list({"docs": result.get("docs")}, ("docs",), "shots", _result)
        found += [_shot(doc, common) for doc in docs]
    return VideoSearchRecord(shots=tuple(found), warnings=_warnings(fields), raw=fields)


def search_answer(
    data: object, *, video_id: str | None = None, collection_id: str | None = None
) -> VideoAnswerRecord:
    """Return what Search v2 answers; arguments and errors are those of `search_result()`."""
    fields = as_object(data, "search results")
    kind = text(fields, "response_type") or "shots"
    has_shots = kind in _SHOTS
    return VideoAnswerRecord(
        response_type=kind,
        found=search_result(fields, video_id=video_id, collection_id=collection_id)
        if has_shots
        else None,
        results=fields.get("results"),
        session_id=text(fields, "session_id"),
        waiting_for=text(fields, "waiting_for") or "none",
        clarification=fields.get("clarification"),
        trace=fields.get("trace"),
        warnings=_warnings(fields),
        raw=fields,
    )


def no_results(error: InvalidRequestError) -> NoResultsError | None:
    """Return the refusal `error` as what it means, if it means that nothing was found."""
    if _NO_RESULTS not in error.message.lower():
        return None
    return NoResultsError(
        error.message,
        status=error.status,
        error_code=error.error_code,
        request_id=error.request_id,
        method=error.method,
        path=error.path,
        attempts=error.attempts,
    )


def _shot(doc: Mapping[str, Any], common: Mapping[str, Any]) -> VideoShotRecord:
    start, end = _span(doc, "shot")
    metadata = doc.get("metadata")
    return VideoShotRecord(
        start=start,
        end=end,
        text=words(doc),
        search_score=real(doc, "score", "search_score"),
        scene_index_id=text(doc, "scene_index_id"),
        scene_index_name=text(doc, "scene_index_name"),
        metadata=cast("dict[str, Any]", metadata) if isinstance(metadata, dict) else None,
        stream_url=_url(doc, "stream_link", "stream_url"),
        player_url=_url(doc, "player_url"),
        raw=doc,
        **common,
    )


def _segment(data: object) -> VideoSegment:
    fields = as_object(data, "segment")
    start, end = _span(fields, "segment")
    return VideoSegment(
        start=start, end=end, text=words(fields) or text(fields, "word") or "", raw=fields
    )


def _span(fields: Mapping[str, Any], what: str) -> tuple[float, float]:
    start, end = real(fields, "start"), real(fields, "end")
    if start is None or end is None:
        raise ProtocolError(
            f"a {what} has no usable `start` and `end`: {fields.get('start')!r},"
            f" {fields.get('end')!r}"
        )
    return start, end


def _result(data: object) -> dict[str, Any]:
    return as_object(data, "search result")


def _warnings(fields: Mapping[str, Any]) -> tuple[Any, ...]:
    said = fields.get("warnings")
    listed = cast("list[object]", said) if isinstance(said, list) else [said]
    return tuple(listed) if said is not None else ()  # one alone comes without a list


def _id(fields: Mapping[str, Any], what: str, asked: str | None, *keys: str) -> str:
    found = text(fields, *keys) or asked
    if not found:
        raise ProtocolError(f"the answer has no `id`: the {what} can't be used")
    return found


def _url(fields: Mapping[str, Any], *keys: str) -> str | None:
    return next((found for key in keys if (found := text(fields, key))), None)
