"""The quick way to make a frozen message.

attrs fills a frozen instance through `object.__setattr__`, field by field. That takes four times as
long as plain assignment, and was a third of the whole cost of a message. A draft has the layout of
the message without its lock: it is filled by assignment, and then becomes the message, by class.
"""

from __future__ import annotations

from typing import Any

from rtstream_async.models.messages import AudioMessage, SceneMessage, TranscriptMessage

__all__ = ["AudioDraft", "SceneDraft", "TranscriptDraft"]


class _Unlocked:
    """Both methods, or the interpreter can't assign directly: they share one slot of a type."""

    __slots__ = ()
    __setattr__ = object.__setattr__
    __delattr__ = object.__delattr__


class SceneDraft(_Unlocked, SceneMessage):
    """Becomes a `SceneMessage`."""

    __slots__ = ()

    def __init__(
        self: Any,
        rtstream_id: str | None,
        rtstream_name: str | None,
        received_at: float,
        generation: int,
        source: bytes,
        start: float,
        end: float,
        text: str,
        index_id: str | None,
    ) -> None:
        self.channel = "scene_index"
        self.rtstream_id = rtstream_id
        self.rtstream_name = rtstream_name
        self.received_at = received_at
        self.origin = "push"
        self.generation = generation
        self.source = source
        self.start = start
        self.end = end
        self.text = text
        self.index_id = index_id
        self.output = None
        self.output_error = None
        self.__class__ = SceneMessage


class AudioDraft(_Unlocked, AudioMessage):
    """Becomes an `AudioMessage`."""

    __slots__ = ()

    def __init__(
        self: Any,
        rtstream_id: str | None,
        rtstream_name: str | None,
        received_at: float,
        generation: int,
        source: bytes,
        start: float,
        end: float,
        text: str,
        index_id: str | None,
    ) -> None:
        self.channel = "audio_index"
        self.rtstream_id = rtstream_id
        self.rtstream_name = rtstream_name
        self.received_at = received_at
        self.origin = "push"
        self.generation = generation
        self.source = source
        self.start = start
        self.end = end
        self.text = text
        self.index_id = index_id
        self.output = None
        self.output_error = None
        self.__class__ = AudioMessage


class TranscriptDraft(_Unlocked, TranscriptMessage):
    """Becomes a `TranscriptMessage`."""

    __slots__ = ()

    def __init__(
        self: Any,
        rtstream_id: str | None,
        rtstream_name: str | None,
        received_at: float,
        generation: int,
        source: bytes,
        start: float,
        end: float,
        text: str,
        is_final: bool,
    ) -> None:
        self.channel = "transcript"
        self.rtstream_id = rtstream_id
        self.rtstream_name = rtstream_name
        self.received_at = received_at
        self.origin = "push"
        self.generation = generation
        self.source = source
        self.start = start
        self.end = end
        self.text = text
        self.is_final = is_final
        self.__class__ = TranscriptMessage
