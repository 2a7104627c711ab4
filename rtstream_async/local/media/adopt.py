"""Finishes unfinished segments: `python -m rtstream_async.local.media.adopt DIRECTORY`."""

from __future__ import annotations

import sys
from pathlib import Path

import av
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Stream

from rtstream_async.local.domain.cutting import parse_part_name, segment_end, segment_name
from rtstream_async.local.media.events import SegmentClosed
from rtstream_async.local.parent import serve_parent

__all__ = ["adopt", "main"]


def adopt(path: Path) -> SegmentClosed | None:
    """Give the unfinished segment its final name; `None` when nothing in it plays.

    How long it is, only its frames know. Whether its timestamps continue those before is not
    known, so it says that they do not, which is always safe.
    """
    start = parse_part_name(path.name)
    length = _length(path)
    if start is None or length is None:
        path.unlink()
        return None
    end = segment_end(start=start, own_end=start + length, next_start=None)
    target = path.with_name(segment_name(start, end))
    path.rename(target)
    return SegmentClosed(
        path=str(target), start=start, end=end, discontinuity=True, size=target.stat().st_size
    )


def _length(path: Path) -> float | None:
    """Seconds from the first frame to the end of the last, of the picture if there is one."""
    try:
        with av.open(f"file:{path}", "r", format="mpegts") as container:
            streams = [*container.streams.video, *container.streams.audio][:1]
            spans = [span for packet in container.demux(streams) if (span := _span(packet))]
    except FFmpegError:
        return None
    if not spans:
        return None
    return max(end for _, end in spans) - spans[0][0]


def _span(packet: Packet[Stream]) -> tuple[float, float] | None:
    if packet.pts is None:
        return None
    return (
        float(packet.pts * packet.time_base),
        float((packet.pts + (packet.duration or 0)) * packet.time_base),
    )


def main() -> None:
    """Adopt all of a directory, telling the parent before and after each file."""
    parent = serve_parent()
    for path in sorted(Path(sys.argv[1]).glob("*.ts.part")):
        parent.send(["reading", str(path)])
        segment = adopt(path)
        if segment is not None:
            parent.send(["adopted", segment])
    parent.send(["done"])


if __name__ == "__main__":
    main()
