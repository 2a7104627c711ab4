"""A small web site for the player: the page, its static files, and HLS cut from the demo clip."""

# PyAV leaves parts of its signatures untyped.
# pyright: reportUnknownMemberType=false

from __future__ import annotations

import io
import threading
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import attrs
import av

from rtstream_async.local.assets import clip_path
from rtstream_async.local.console import CONTENT_SECURITY_POLICY, player_page, static_dir

SECONDS = 2  # a segment, as the clip's key frames allow
BEGAN = 1_600_000_000.0  # Unix time of the first segment: 2020-09-13T12:26:40Z
GAP = 3600.0  # seconds that were not recorded, before segment `GAP_AT`
GAP_AT = 6

TYPES = {
    ".css": "text/css",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".svg": "image/svg+xml",
    ".ts": "video/mp2t",
}


@attrs.frozen
class Answer:
    """What the site says to a request."""

    body: bytes = b""
    status: int = 200


Route = Answer | Callable[[], Answer]

HANG_UP = Answer(status=0)  #: close the connection without a word


@attrs.define
class Site:
    """A running site; tests may change its routes at any time."""

    origin: str
    routes: dict[str, Route] = attrs.field(factory=dict[str, Route])

    def add_player(self, manifest_url: str, *, title: str = "Front door") -> str:
        """Serve a player page for `manifest_url`, and return the page's address."""
        page = player_page(
            title=title,
            description="Camera above the main entrance.\nRecorded by the local server.",
            manifest_url=manifest_url,
            static_base="/console/static",
        )
        self.routes["/player.html"] = Answer(page.encode())
        return f"{self.origin}/player.html"


@contextmanager
def serve() -> Generator[Site]:
    """Run a site with the static files and all segments of the clip, on a port of its own."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            route = site.routes.get(path, Answer(status=404))
            answer = route if isinstance(route, Answer) else route()
            if answer is HANG_UP:
                self.close_connection = True
                return
            self.send_response(answer.status)
            self.send_header("Content-Type", TYPES.get(path[path.rfind(".") :], "text/plain"))
            self.send_header("Content-Length", str(len(answer.body)))
            self.send_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing: the browser's own list of requests is what tests read."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(f"http://127.0.0.1:{server.server_port}")
    for file in static_dir().iterdir():
        site.routes[f"/console/static/{file.name}"] = Answer(file.read_bytes())
    for number, segment in enumerate(segments()):
        site.routes[f"/segments/{number}.ts"] = Answer(segment)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@cache
def segments() -> Sequence[bytes]:
    """Return the demo clip as MPEG-TS segments of `SECONDS`, cut at its key frames."""
    with av.open(str(clip_path()), "r") as clip:
        inputs = (clip.streams.video[0], clip.streams.audio[0])
        parts: dict[int, list[av.Packet[Any]]] = defaultdict(list)
        for packet in clip.demux(inputs):
            if packet.pts is not None and packet.pts >= 0:  # AAC starts with a packet of nothing
                parts[int(packet.pts * packet.time_base // SECONDS)].append(packet)
        made: list[bytes] = []
        for number in sorted(parts):
            buffer = io.BytesIO()
            with av.open(buffer, "w", format="mpegts", options={"mpegts_copyts": "1"}) as segment:
                outputs = {
                    stream.index: segment.add_stream_from_template(stream) for stream in inputs
                }
                for packet in parts[number]:
                    packet.stream = outputs[packet.stream_index]
                    segment.mux(packet)
            made.append(buffer.getvalue())
    return made


def moment(position: float) -> float:
    """Return the Unix time of a position in the whole recording, in seconds."""
    return BEGAN + position + (GAP if position >= GAP_AT * SECONDS else 0.0)


def playlist(count: int | None = None, *, start: float | None = None, ended: bool = True) -> Answer:
    """Return a manifest of the first `count` segments (default: all), with wall-clock times.

    Args:
        count: How many segments.
        start: Where players shall begin (EXT-X-START), seconds from the first segment.
        ended: Whether the recording is complete.
    """
    lines = ["#EXTM3U", "#EXT-X-VERSION:6", f"#EXT-X-TARGETDURATION:{SECONDS}"]
    lines += ["#EXT-X-MEDIA-SEQUENCE:0", f"#EXT-X-PLAYLIST-TYPE:{'VOD' if ended else 'EVENT'}"]
    if start is not None:
        lines.append(f"#EXT-X-START:TIME-OFFSET={start},PRECISE=YES")
    for number in range(len(segments()) if count is None else count):
        if number == GAP_AT:
            lines.append("#EXT-X-DISCONTINUITY")
        date = datetime.fromtimestamp(moment(number * SECONDS), UTC)
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{date.isoformat(timespec='milliseconds')}")
        lines += [f"#EXTINF:{SECONDS:.3f},", f"/segments/{number}.ts"]
    if ended:
        lines.append("#EXT-X-ENDLIST")
    return Answer("\n".join(lines).encode())
