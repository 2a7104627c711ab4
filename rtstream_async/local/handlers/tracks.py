"""Whether a stream has what somebody wants to look at, or to listen to."""

from __future__ import annotations

from rtstream_async.local.pipelines.attached import NO_PICTURE, NO_SOUND
from rtstream_async.local.refusal import invalid
from rtstream_async.local.store.rows import StreamRow

__all__ = ["check_audio", "check_video"]


def check_video(stream: StreamRow) -> None:
    """Refuse to look at a stream without a picture.

    Raises:
        Refusal: It has none, or nobody is to look at it.
    """
    _check(stream, "video", NO_PICTURE)


def check_audio(stream: StreamRow) -> None:
    """Refuse to listen to a stream without sound.

    Raises:
        Refusal: It has none, or nobody is to listen to it.
    """
    _check(stream, "audio", NO_SOUND)


def _check(stream: StreamRow, kind: str, lack: str) -> None:
    if kind not in stream.media_types:
        raise invalid(
            "rtstream_id",
            f"this stream was connected without {kind!r} in media_types, so nobody works on that",
        )
    # Before its source was ever opened, nobody knows.
    if stream.ingested and stream.ingested.get(kind) is None:
        raise invalid("rtstream_id", lack)
