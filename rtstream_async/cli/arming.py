"""What `rtstream watch` has made of a stream: pictures, speech and alerts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal

import attrs

if TYPE_CHECKING:
    import rtstream_async as rts

__all__ = ["Armed", "WatchedChannel", "Wishes", "arm", "label_of"]

WatchedChannel = Literal["scene_index", "transcript", "audio_index", "alert"]

_SUMMARY = "Summarise what is said."
_LABEL_LENGTH = 40  # characters


@attrs.frozen(kw_only=True)
class Wishes:
    """What is to be told of a stream."""

    prompt: str
    every: float  #: length of a window, seconds
    frames: int  #: looked at in a window
    scenes: bool = True
    transcript: bool = False
    audio: bool = False
    alerts: tuple[str, ...] = ()  #: prompts of events

    @property
    def channels(self) -> tuple[WatchedChannel, ...]:
        """The channels that this comes on."""
        wanted: dict[WatchedChannel, bool] = {
            "scene_index": self.scenes,
            "transcript": self.transcript,
            "audio_index": self.audio,
            "alert": bool(self.alerts),
        }
        return tuple(channel for channel, is_wanted in wanted.items() if is_wanted)

    @property
    def media_types(self) -> list[str]:
        """What of the stream must be analysed for it."""
        kinds = {"video": self.scenes, "audio": self.transcript or self.audio}
        return [kind for kind, is_wanted in kinds.items() if is_wanted]


@attrs.frozen(kw_only=True)
class Armed:
    """What is at work on a stream."""

    indexes: tuple[rts.RTStreamSceneIndex, ...] = ()
    transcript: bool = False


async def arm(conn: rts.Connection, stream: rts.RTStream, wishes: Wishes, *, name: str) -> Armed:
    """Start what `wishes` need, all of it pushing to this connection; return what runs."""
    indexes: list[rts.RTStreamSceneIndex] = []
    if wishes.transcript:
        await stream.start_transcript()
    if wishes.scenes:
        batch = {"type": "time", "value": wishes.every, "frame_count": wishes.frames}
        indexes.append(
            await stream.index_visuals(prompt=wishes.prompt, batch_config=batch, name=name)
        )
    if wishes.audio:
        batch = {"type": "time", "value": wishes.every}
        indexes.append(await stream.index_audio(prompt=_SUMMARY, batch_config=batch, name=name))
    for prompt in wishes.alerts:
        event_id = await conn.create_event(event_prompt=prompt, label=label_of(prompt))
        for index in indexes:
            await index.create_alert(event_id)
    return Armed(indexes=tuple(indexes), transcript=wishes.transcript)


def label_of(prompt: str) -> str:
    """Return a label for an event: the prompt's first words, as a name.

    >>> label_of("A person in red!")
    'a_person_in_red'
    """
    name = re.sub(r"\W+", "_", prompt.lower()).strip("_")
    if len(name) > _LABEL_LENGTH:
        name = name[: _LABEL_LENGTH + 1].rpartition("_")[0] or name[:_LABEL_LENGTH]
    return name or "event"
