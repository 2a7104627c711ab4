"""What an ingest tells, and how it travels from the worker process to the server."""

from __future__ import annotations

from typing import Any

import attrs
import msgspec

from rtstream_async.local.engines.ports import Frame, Sound

__all__ = [
    "AudioTrack",
    "Ended",
    "Heard",
    "IngestEvent",
    "Lost",
    "OpenSegment",
    "Opened",
    "Progress",
    "Refused",
    "Sampled",
    "SegmentClosed",
    "VideoTrack",
    "from_wire",
    "to_wire",
]


@attrs.frozen(kw_only=True)
class VideoTrack:
    """The picture of a source."""

    codec: str  #: the source's, for example `h264`
    width: int  #: pixels
    height: int  #: pixels
    fps: float | None  #: frames a second; `None` when the source does not say
    transcoded: bool  #: it is encoded again (H.264) for the recording


@attrs.frozen(kw_only=True)
class AudioTrack:
    """The sound of a source."""

    codec: str  #: the source's, for example `aac`
    rate: int  #: samples a second
    channels: int
    transcoded: bool  #: it is encoded again (AAC) for the recording


@attrs.frozen(kw_only=True)
class Opened:
    """The source plays."""

    video: VideoTrack | None
    audio: AudioTrack | None
    format: str  #: container or protocol, as the demuxer calls it
    live: bool  #: it has no end of its own
    note: str  #: one readable sentence for the stream's status

    @property
    def transcoded(self) -> bool:
        """Whether some track is encoded again."""
        return any(track.transcoded for track in (self.video, self.audio) if track is not None)


@attrs.frozen(kw_only=True)
class SegmentClosed:
    """A segment is finished and will not change any more."""

    path: str  #: its final path
    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    discontinuity: bool  #: does not continue the timestamps of the segment before
    size: int  #: bytes


@attrs.frozen(kw_only=True)
class OpenSegment:
    """The segment being written; it plays up to the time of its `Progress`."""

    path: str
    start: float  #: Unix time, seconds
    discontinuity: bool


@attrs.frozen(kw_only=True)
class Progress:
    """How far the stream is; comes about twice a second while it is open."""

    time: float  #: recorded up to here, Unix seconds
    open_segment: OpenSegment | None
    sampled_to: float  #: no frame from before this Unix time will be `Sampled` any more
    heard_to: float  #: no sound from before this Unix time will be `Heard` any more
    lag: float  #: seconds behind the wall clock
    dropped_frames: int  #: sampled frames thrown away so far because nobody took them in time
    dropped_sound: float  #: seconds of sound thrown away so far, likewise


@attrs.frozen(kw_only=True)
class Sampled:
    """A frame that was asked for."""

    key: str  #: as given to `Ingest.sample` or `Ingest.watch`
    due: float  #: the sampling time it answers, Unix seconds; the frame's own is at or after it
    frame: Frame
    is_cut: bool = False  #: asked for by `Ingest.watch`: the picture changed with it


@attrs.frozen(kw_only=True)
class Heard:
    """Sound that was asked for; the pieces come in order of time."""

    sound: Sound
    is_last: bool = False  #: `Ingest.unlisten()` was obeyed: no more comes; this may be empty

    @property
    def length(self) -> float:
        """Seconds."""
        return self.sound.end - self.sound.time


@attrs.frozen(kw_only=True)
class Refused:
    """The source can't be opened."""

    reason: str  #: in plain words
    code: str  #: for programs: `not_found`, `timeout`, `invalid_data`, ...
    retry_in: float | None = None  #: seconds until the next try; `None`: given up


@attrs.frozen(kw_only=True)
class Lost:
    """The source stopped, or its worker died; it will be opened again."""

    reason: str  #: in plain words
    retry_in: float = 0.0  #: seconds until the next try


@attrs.frozen(kw_only=True)
class Ended:
    """A finite source was played to its end."""

    reason: str  #: in plain words


IngestEvent = Opened | SegmentClosed | Progress | Sampled | Heard | Refused | Lost | Ended

_WIRE: dict[str, type[IngestEvent]] = {
    "opened": Opened,
    "segment_closed": SegmentClosed,
    "progress": Progress,
    "sampled": Sampled,
    "heard": Heard,
    "refused": Refused,
    "lost": Lost,
    "ended": Ended,
}
_TAGS = {kind: tag for tag, kind in _WIRE.items()}


def to_wire(event: IngestEvent) -> list[Any]:
    """Return the event as the pipe carries it."""
    return [_TAGS[type(event)], event]


def from_wire(message: Any) -> IngestEvent:
    """Return the event that `to_wire` was given, after the pipe.

    Raises:
        msgspec.ValidationError: The message is none of ours.
    """
    match message:
        case [str() as tag, payload] if tag in _WIRE:
            return msgspec.convert(payload, _WIRE[tag])
        case _:
            raise msgspec.ValidationError(f"no ingest event: {type(message).__name__}")
