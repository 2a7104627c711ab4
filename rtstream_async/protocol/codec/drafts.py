"""The quick way to make a frozen message.

attrs fills a frozen instance through `object.__setattr__`, field by field. That takes four times as
long as plain assignment, and was a third of the whole cost of a message. A draft has the layout of
the message without its lock: it is filled by assignment, and then becomes the message, by class.
Nor does it have an `__init__`: to get there by way of the class takes as long as to fill it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rtstream_async.models.messages import AudioMessage, SceneMessage, TranscriptMessage

__all__ = ["indexed_message", "transcript_message"]


class _Unlocked:
    """Both methods, or the interpreter can't assign directly: they share one slot of a type."""

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__
    __init__ = object.__init__


class _Indexed(_Unlocked, SceneMessage):
    """Becomes a `SceneMessage`, or an `AudioMessage`, which has the same layout."""

    __slots__ = ()


class _Transcript(_Unlocked, TranscriptMessage):
    """Becomes a `TranscriptMessage`."""

    __slots__ = ()


_indexed: Callable[[], Any] = _Indexed  # type checkers see attrs' `__init__`
_transcript: Callable[[], Any] = _Transcript


def indexed_message(
    kind: type[SceneMessage | AudioMessage],
    channel: str,
    rtstream_id: str | None,
    rtstream_name: str | None,
    received_at: float,
    generation: int,
    source: bytes,
    start: float,
    end: float,
    text: str,
    index_id: str | None,
) -> SceneMessage | AudioMessage:
    """Return a message of this kind that was pushed."""
    draft = _indexed()
    draft.channel = channel
    draft.rtstream_id = rtstream_id
    draft.rtstream_name = rtstream_name
    draft.received_at = received_at
    draft.origin = "push"
    draft.generation = generation
    draft.source = source
    draft.start = start
    draft.end = end
    draft.text = text
    draft.index_id = index_id
    draft.output = None
    draft.output_error = None
    draft.__class__ = kind
    message: SceneMessage | AudioMessage = draft
    return message


def transcript_message(
    rtstream_id: str | None,
    rtstream_name: str | None,
    received_at: float,
    generation: int,
    source: bytes,
    start: float,
    end: float,
    text: str,
    is_final: bool,
) -> TranscriptMessage:
    """Return a piece of speech that was pushed."""
    draft = _transcript()
    draft.channel = "transcript"
    draft.rtstream_id = rtstream_id
    draft.rtstream_name = rtstream_name
    draft.received_at = received_at
    draft.origin = "push"
    draft.generation = generation
    draft.source = source
    draft.start = start
    draft.end = end
    draft.text = text
    draft.is_final = is_final
    draft.__class__ = TranscriptMessage
    message: TranscriptMessage = draft
    return message
