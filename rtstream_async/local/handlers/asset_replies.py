"""Exported videos as REST answers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtstream_async.local.calls import Call, Reply
from rtstream_async.local.domain.batches import Segmenter
from rtstream_async.local.domain.spoken import Sentence, transcript
from rtstream_async.local.handlers.asset_urls import asset_urls, download_url
from rtstream_async.local.store.assets import AssetRow, list_asset_utterances
from rtstream_async.protocol.codec import emit

__all__ = ["audio_data", "exported", "indexed", "transcript_data", "video_data"]

_OWNER = "local"


def video_data(call: Call, asset: AssetRow) -> dict[str, Any]:
    """Return a video as REST answers it; its length is text, as in the recorded answers."""
    return {
        **audio_data(call, asset),
        "description": None,
        "thumbnail_url": None,
        **asset_urls(call, asset),
    }


def audio_data(call: Call, asset: AssetRow) -> dict[str, Any]:
    """Return sound alone as REST answers it."""
    return {
        "id": asset.id,
        "collection_id": asset.collection_id,
        "name": asset.name,
        "length": str(round(asset.duration, 3)),
        "size": str(asset.size),
        "user_id": _OWNER,
        "created_at": emit.created_at(asset.created_us / 1e6),
        "download_url": download_url(call, asset),
        "rtstream_id": asset.stream_id,
        "recorded_from": asset.start_us / 1e6,
        "recorded_to": asset.pieces[-1].end,
        "is_whole": asset.is_whole,
        "has_sound": asset.has_sound,
        "pieces": [
            {
                "start": piece.at,
                "end": round(piece.until, 6),
                "recorded_from": piece.start,
                "recorded_to": piece.end,
            }
            for piece in asset.pieces
        ],
        "spoken": {
            "status": asset.spoken.status,
            "engine": asset.spoken.engine,
            "language": asset.spoken.language,
            "utterances": asset.spoken.utterances,
        },
    }


async def exported(call: Call, asset: AssetRow, details: Mapping[str, Any]) -> Reply:
    """Answer an export."""
    del details
    message = "the recording was exported"
    if not asset.is_whole:
        message = (
            "what is left of the recording was exported: some of it had been deleted to keep the"
            " quota, or could not be read"
        )
    return Reply(
        message=message,
        data={
            "video_id": asset.id,
            "name": asset.name,
            **asset_urls(call, asset),
            "duration": asset.duration,
            "collection_id": asset.collection_id,
            "download_url": download_url(call, asset),
            "is_whole": asset.is_whole,
        },
    )


async def indexed(call: Call, asset: AssetRow, details: Mapping[str, Any]) -> Reply:
    """Answer that what is said in a video was written down."""
    spoken = asset.spoken
    message = f"{spoken.utterances} sentences were written down"
    if spoken.segmentation_type == "time":
        message = f"{spoken.utterances} stretches of speech were written down"
    if not spoken.utterances:
        message = "no speech was found in it; the index is empty"
    if details.get("wants_transcript"):
        return Reply(message=message, data=await transcript_data(call, asset))
    return Reply(
        message=message,
        data={
            "video_id": asset.id,
            "index_type": "spoken_word",
            "segmentation_type": spoken.segmentation_type,
            "language_code": spoken.language,
            "engine": spoken.engine,
            "utterances": spoken.utterances,
        },
    )


async def transcript_data(
    call: Call,
    asset: AssetRow,
    *,
    segmenter: Segmenter = "word",
    length: float = 1.0,
    start: float | None = None,
    end: float | None = None,
) -> dict[str, Any]:
    """Return what is said in a video, cut as it is asked for; times in seconds from its start."""
    rows = await call.services.store.run(list_asset_utterances, asset.id, start=start, end=end)
    said = [
        Sentence(
            start=row.start,
            end=row.end,
            text=row.text,
            words=row.words,
            is_estimated=row.is_estimated,
            engine=row.engine,
        )
        for row in rows
    ]
    pieces = transcript(said, segmenter, length, start=start, end=end)
    return {
        "word_timestamps": [
            {
                "start": piece.start,
                "end": piece.end,
                "text": piece.text,
                **({"word": piece.text} if segmenter == "word" else {}),
                "is_estimated": piece.is_estimated,
            }
            for piece in pieces
        ],
        "text": " ".join(piece.text for piece in pieces),
        "engine": asset.spoken.engine,
        "language": asset.spoken.language,
    }
