"""What can't be played is refused in words that help, and nothing is left behind."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from rtstream_async.local.media.events import Ended, Refused
from tests.media.clips import Clip, make_clip
from tests.media.harness import record_file, recording
from tests.media.servers import free_port, http_server


def broken_mp4(path):
    """An MP4 whose index is cut off, as by a full disk."""
    whole = make_clip(path, Clip(seconds=2)).read_bytes()
    at = whole.index(b"mdat")
    path.write_bytes(whole[:200] + whole[at : at + 5000])


def nameless_mp4(path):
    """An MP4 that ends before it says in what format its picture is."""
    path.write_bytes(make_clip(path, Clip(seconds=2)).read_bytes()[:400])


BAD_FILES = {
    "text.mp4": lambda path: path.write_text("this is not a video\n" * 200),
    "notes.txt": lambda path: path.write_text("hello\n" * 200),
    "empty.mp4": lambda path: path.write_bytes(b""),
    "noise.ts": lambda path: path.write_bytes(bytes(range(256)) * 400),
    "cut.mp4": broken_mp4,
    "nameless.mp4": nameless_mp4,
    "list.m3u8": lambda path: path.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n/etc/hostname\n#EXT-X-ENDLIST\n"
    ),
    "join.ffconcat": lambda path: path.write_text("ffconcat version 1.0\nfile secret.mp4\n"),
    "call.sdp": lambda path: path.write_text("v=0\nm=video 5004 RTP/AVP 96\n"),
}


@pytest.mark.parametrize("name", BAD_FILES)
async def test_a_bad_file_is_refused_once_and_in_words(name, tmp_path):
    """An endless "connecting" tells nobody that the file is broken."""
    path = tmp_path / name
    BAD_FILES[name](path)
    made = await record_file(path, tmp_path / "out")
    (refused,) = made.all(Refused)
    assert refused.retry_in is None
    assert refused.code in {"invalid_data", "no_media"}
    assert "no media" in refused.reason or "before any media" in refused.reason
    assert not made.segments
    assert not list((tmp_path / "out").iterdir())
    assert not made.all(Ended)


async def test_a_missing_file_is_refused(tmp_path):
    """A typing mistake must be told from a broken file."""
    made = await record_file(tmp_path / "none.mp4", tmp_path / "out")
    (refused,) = made.all(Refused)
    assert (refused.code, refused.reason) == ("not_found", "no such file or stream")


async def test_a_directory_is_refused(tmp_path):
    """It opens, in a way, but plays nothing."""
    made = await record_file(tmp_path, tmp_path / "out")
    (refused,) = made.all(Refused)
    assert refused.retry_in is None


@pytest.mark.parametrize("scheme", ["rtmp", "rtsp", "http"])
async def test_a_camera_that_is_off_is_tried_again(scheme, tmp_path):
    """A camera that reboots must not need a hand to be watched again."""
    url = f"{scheme}://127.0.0.1:{free_port()}/live/a"
    async with recording(url, tmp_path / "out") as made:
        await made.wait_for(Refused, count=2)
    for refused in made.all(Refused):
        assert (refused.code, refused.reason) == ("connection_refused", "connection refused")
        assert refused.retry_in > 0


async def test_a_wrong_address_on_a_web_server_is_final(tmp_path):
    """404 says what is wrong; asking for ever does not make it right."""
    async with (
        http_server(tmp_path) as base,
        recording(f"{base}/none.mp4", tmp_path / "out") as made,
    ):
        refused = await made.wait_for(Refused)
    assert (refused.code, refused.reason) == ("not_found", "not found (404)")
    assert refused.retry_in is None


async def test_a_server_that_says_nothing_times_out(tmp_path):
    """A firewall that swallows everything looks like this."""

    async def swallow(reader, writer):
        with contextlib.suppress(ConnectionError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(swallow, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"rtsp://127.0.0.1:{port}/a"
        async with recording(url, tmp_path / "out", open_timeout=0.5) as made:
            refused = await made.wait_for(Refused)
    assert (refused.code, refused.reason) == ("timeout", "timed out after 0.5 s")
    assert refused.retry_in > 0
