"""Live streams that one local server records, describes and hears at once: lag, CPU, memory.

Every stream is published by a process of its own over RTMP. The numbers are of the server's
processes alone, the publishers left out; the machine's load is theirs as well.
"""

from __future__ import annotations

import asyncio
import os
import re
import socket
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import anyio
import attrs

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.assets import clip_path
from rtstream_async.local.media.publishing import publishing

__all__ = ["measure"]

_TICK = os.sysconf("SC_CLK_TCK")
_PSS = re.compile(r"^Pss: +(\d+) kB$", re.MULTILINE)
_PUBLISHER = b"media.publish"
_PROMPT = "What is said of people?"


async def measure(
    *,
    streams: int,
    seconds: float,
    every: float,
    frames: int,
    index: bool,
    file: Path | None,
    sound: bool = False,
) -> Mapping[str, object]:
    """Return lag (arrival minus end of the window), CPU and memory for `streams` live streams.

    Args:
        streams: How many.
        seconds: For how long, from when all run.
        every: Length of a window, seconds.
        frames: Frames of a window.
        index: Whether the picture is described.
        file: What is published.
        sound: Whether the sound is transcribed and indexed too, sentence by sentence.
    """
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(LocalServer())
        conn = await stack.enter_async_context(rts.connect(server.api_key, base_url=server.url))
        coll = await conn.get_collection()
        media = ["video", "audio"] if sound else ["video"]
        live = await asyncio.gather(
            *(
                _publish(coll, stack, number, file or clip_path(), media)
                for number in range(streams)
            )
        )
        batch = {"type": "time", "value": every, "frame_count": frames}
        indexes = [await one.index_visuals(batch_config=batch) for one in live] if index else []
        for one in live if sound else ():
            await one.start_transcript()
            await one.index_audio(prompt=_PROMPT, batch_config={"type": "sentence", "value": 1})
        cpu, begun = _tree()[0], time.monotonic()
        lags = await _lags(conn, seconds)
        passed = time.monotonic() - begun
        used, memory = _tree()
        pages = [await index.get_scenes() for index in indexes]
        records = [await one.list_scene_indexes() for one in live]
        given_up = sum(index["dropped_windows"] for found in records for index in found)
        unheard = [await one.get_transcript_status() for one in live] if sound else []
        await asyncio.gather(*(one.stop() for one in live))
    expected = streams * (passed // every) if index else 0
    return {
        "streams": streams,
        "described every s": every if index else "-",
        "frames": frames if index else "-",
        "scenes": sum(map(len, pages)),
        "full windows": int(expected),
        "given up": given_up,
        "lag median s": statistics.median(lags.seen) if lags.seen else "-",
        "lag p95 s": _quantile(lags.seen, 0.95) if lags.seen else "-",
        "lag max s": max(lags.seen) if lags.seen else "-",
        "said": len(lags.said),
        "said p95 s": _quantile(lags.said, 0.95) if lags.said else "-",
        "captions p95 s": _quantile(lags.captions, 0.95) if lags.captions else "-",
        "audio index p95 s": _quantile(lags.heard, 0.95) if lags.heard else "-",
        "unheard s": sum(status.raw["dropped_seconds"] for status in unheard),
        "core %": 100 * (used - cpu) / passed,
        "PSS MB": memory / 2**20,
    }


@attrs.define
class _Lags:
    """How late messages come, in seconds."""

    seen: list[float] = attrs.field(factory=list[float])  # after the end of the window
    said: list[float] = attrs.field(factory=list[float])  # after the end of what was said
    captions: list[float] = attrs.field(factory=list[float])  # the same, of what is not final
    heard: list[float] = attrs.field(factory=list[float])  # after the end of what was summarised
    _ends: dict[str, list[tuple[float, float]]] = attrs.field(factory=dict)

    def note(self, message: rts.Message) -> None:
        """Count a message."""
        match message:
            case rts.SceneMessage():
                self.seen.append(message.received_at - message.end)
            case rts.TranscriptMessage(is_final=True):
                self.said.append(message.received_at - message.end)
                spans = self._ends.setdefault(str(message.rtstream_id), [])
                spans.append((message.start, message.end))
            case rts.TranscriptMessage():
                self.captions.append(message.received_at - message.end)
            case rts.AudioMessage():
                # A sentence inside of a longer piece of speech is known with all of that piece.
                spans = self._ends.get(str(message.rtstream_id), [])
                end = min((end for _, end in spans if end >= message.end - 0.01), default=None)
                if end is not None:
                    self.heard.append(message.received_at - end)
            case _:
                raise TypeError(f"unexpected {type(message).__name__}")


async def _lags(conn: rts.Connection, seconds: float) -> _Lags:
    """Return how late the messages of the next `seconds` come."""
    lags = _Lags()
    with anyio.move_on_after(seconds):
        async for message in conn.events("scene_index", "transcript", "audio_index"):
            lags.note(message)
    return lags


async def _publish(
    coll: rts.Collection, stack: AsyncExitStack, number: int, file: Path, media: list[str]
) -> rts.RTStream:
    url = f"rtmp://127.0.0.1:{_free_port()}/live/{number}"
    stream = await coll.connect_rtstream(
        url=f"{url}?listen=1", name=f"camera {number}", media_types=media
    )
    await stack.enter_async_context(publishing(file, url, loop=True))
    return stream


def _quantile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tree() -> tuple[float, int]:
    """CPU seconds and memory of this process and its children, publishers left out.

    Memory is the proportional set size, in bytes: pages that processes share count once.
    """
    cpu, memory = 0.0, 0
    parents = {os.getpid()}
    for entry in sorted(Path("/proc").glob("[0-9]*"), key=lambda path: int(path.name)):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            command = (entry / "cmdline").read_bytes()
            sizes = (entry / "smaps_rollup").read_text()
        except OSError:
            continue  # it ended while we looked
        pid, parent = int(entry.name), int(fields[1])
        if pid not in parents and (parent not in parents or _PUBLISHER in command):
            continue
        parents.add(pid)
        cpu += (int(fields[11]) + int(fields[12])) / _TICK
        memory += sum(map(int, _PSS.findall(sizes))) * 1024
    return cpu, memory
