"""What a manifest of the server plays, found out by an outside player: PyAV over HTTP."""

from __future__ import annotations

import asyncio

import attrs
import av

from tests.media.clips import frame_index

__all__ = ["Heard", "play"]


@attrs.frozen
class Heard:
    """What came out of a player."""

    seconds: float  #: from the first picture to the end of the last
    frames: list[int]  #: the numbers drawn into them
    audio_seconds: float


async def play(url: str) -> Heard:
    """Play the manifest at `url` to its end."""
    return await asyncio.to_thread(_play, url)


def _play(url: str) -> Heard:
    times: list[float] = []
    frames: list[int] = []
    samples = 0.0
    with av.open(url, options={"protocol_whitelist": "http,tcp,hls", "live_start_index": "0"}) as c:
        streams = [*c.streams.video[:1], *c.streams.audio[:1]]
        for frame in c.decode(streams):
            if isinstance(frame, av.VideoFrame):
                times.append(frame.time)
                frames.append(frame_index(frame))
            else:
                samples += frame.samples / frame.sample_rate
    span = max(times) - min(times) + 0.04 if times else 0.0
    return Heard(span, frames, samples)
