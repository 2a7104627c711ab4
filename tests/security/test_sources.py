"""What a source may make this machine open: a playlist of strangers, a link put in place later."""

from __future__ import annotations

import asyncio
import os
import re
import shutil

import av
import pytest

from rtstream_async.local.domain.sources import parse_source
from rtstream_async.local.media.events import Refused, SegmentClosed
from tests.media.clips import Clip, make_clip
from tests.media.harness import record_file, recording
from tests.media.servers import http_server

CLIP = Clip(seconds=1, gop=1, audio=None)
HEAD = "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:0\n"
END = "#EXT-X-ENDLIST\n"
LISTS = {
    "segment.m3u8": HEAD + "#EXTINF:1,\nfile://{secret}\n" + END,
    "concat.m3u8": HEAD + "#EXTINF:1,\nconcat:file:{secret}|file:{secret}\n" + END,
    "subfile.m3u8": HEAD + "#EXTINF:1,\nsubfile,,start,0,end,0,,:{secret}\n" + END,
    "map.m3u8": HEAD + '#EXT-X-MAP:URI="file://{secret}"\n#EXTINF:1,\nfile://{secret}\n' + END,
    "key.m3u8": HEAD
    + '#EXT-X-KEY:METHOD=AES-128,URI="file://{secret}"\n#EXTINF:1,\ngood.ts\n'
    + END,
    "variant.m3u8": "#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nfile://{folder}/own.m3u8\n",
    "script.ffconcat": "ffconcat version 1.0\nfile 'file:{secret}'\n",
    "session.sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=video 5004 RTP/AVP 96\n",
}
ALL = "file,http,https,tcp,tls,crypto,httpproxy,data,concat,subfile"


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """What nobody may read: a clip that would play, and a playlist of it."""
    folder = tmp_path_factory.mktemp("outside")
    make_clip(folder / "secret.ts", CLIP)
    (folder / "own.m3u8").write_text(HEAD + f"#EXTINF:1,\n{folder}/secret.ts\n" + END)
    return folder


@pytest.fixture(scope="module")
def web(tmp_path_factory, outside):
    """What a stranger serves."""
    folder = tmp_path_factory.mktemp("web")
    make_clip(folder / "good.ts", CLIP)
    (folder / "good.m3u8").write_text(HEAD + "#EXTINF:1,\ngood.ts\n" + END)
    for name, text in LISTS.items():
        (folder / name).write_text(text.format(secret=outside / "secret.ts", folder=outside))
    return folder


async def test_a_playlist_of_a_stranger_plays(web, tmp_path):
    """Otherwise the tests below would pass with HLS broken."""
    async with http_server(web) as url, recording(f"{url}/good.m3u8", tmp_path) as made:
        await made.wait_for(SegmentClosed)


async def test_a_playlist_of_a_stranger_could_read_this_disk(web):
    """This is what is prevented below; were it not so, the tests would show nothing."""
    async with http_server(web) as url:
        with av.open(f"{url}/segment.m3u8", options={"protocol_whitelist": ALL}) as container:
            assert sum(1 for _ in container.decode(video=0)) == CLIP.frames


@pytest.mark.parametrize("name", LISTS)
async def test_a_playlist_of_a_stranger_reads_no_file_of_this_machine(name, web, tmp_path):
    """Who can name a source would otherwise watch any recording on this disk."""
    async with http_server(web) as url, recording(f"{url}/{name}", tmp_path) as made:
        refused = await made.wait_for(Refused)
    assert refused.code in {"invalid_data", "no_media", "unsupported", "forbidden", "unreachable"}
    assert made.segments == []


@pytest.mark.parametrize("scheme", ["http", "rtsp"])
async def test_a_redirect_of_a_stranger_leads_to_no_file(scheme, outside, tmp_path):
    """The address was checked, and where it leads to was not."""
    code = {"http": "HTTP/1.1 302 Found", "rtsp": "RTSP/1.0 302 Found"}[scheme]
    asked = 0

    async def redirect(reader, writer):
        nonlocal asked
        head = await reader.readuntil(b"\r\n\r\n")
        asked += 1
        number = re.search(rb"CSeq: (\d+)", head)
        lines = [code, f"Location: file://{outside}/secret.ts", "Content-Length: 0"]
        lines += [f"CSeq: {number[1].decode()}"] if number else []
        writer.write("\r\n".join([*lines, "", ""]).encode())
        writer.close()

    server = await asyncio.start_server(redirect, "127.0.0.1", 0)
    async with server:
        url = f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}/x.ts"
        async with recording(url, tmp_path, open_timeout=5) as made:
            await made.wait_for(Refused)
    assert asked
    assert made.segments == []


@pytest.mark.parametrize("name", LISTS)
async def test_a_playlist_below_the_media_root_is_no_way_out_of_it(name, web, tmp_path):
    """Who can put a file there would otherwise read all others."""
    made = await record_file(web / name, tmp_path / "out")
    (refused,) = made.all(Refused)
    assert refused.code in {"invalid_data", "no_media", "unsupported"}
    assert made.segments == []


@pytest.mark.parametrize("part", ["file", "folder", "fifo"])
async def test_a_link_put_in_place_of_a_checked_path_is_not_followed(part, outside, tmp_path):
    """The server checks a path once; the file is opened later, and again for each turn."""
    root = tmp_path / "root"
    folder = root / "folder"
    folder.mkdir(parents=True)
    path = folder / "secret.ts"
    match part:
        case "file":
            path.symlink_to(outside / "secret.ts")
        case "folder":
            folder.rmdir()
            folder.symlink_to(outside)
        case "fifo":
            os.mkfifo(path)
    made = await record_file(path, tmp_path / "out")
    (refused,) = made.all(Refused)
    assert refused.code in {"forbidden", "no_media", "invalid_data"}
    assert made.segments == []


async def test_a_link_put_in_place_of_a_playing_file_is_not_followed(outside, tmp_path):
    """A looped file is opened anew at each turn."""
    path = tmp_path / "playing.ts"
    shutil.copy(outside / "secret.ts", path)
    (tmp_path / "out").mkdir()
    async with recording(f"{path}?loop=1", tmp_path / "out") as made:
        await made.wait_for(SegmentClosed)
        path.unlink()
        path.symlink_to(outside / "secret.ts")
        refused = await made.wait_for(Refused)
    assert (refused.code, refused.reason) == (
        "forbidden",
        "its path has changed since it was allowed",
    )


@pytest.mark.parametrize(
    "url",
    [
        "rt\tmp://127.0.0.1/x",  # FFmpeg takes this for the name of a file
        " rtmp://127.0.0.1/x",
        "\x01rtsp://127.0.0.1/x",
        "rtsp://127.0.0.1/x\r\nX-Injected: 1",
        "http://127.0.0.1:6379/\r\nFLUSHALL\r\n",
        "http://127.0.0.1/x\x00.mp4",
        "rtsp://127.0.0.1/x ",
    ],
)
def test_an_address_that_two_parsers_read_differently_is_refused(url):
    """What Python checks must be what FFmpeg opens."""
    with pytest.raises(ValueError, match="control character"):
        parse_source(url)


@pytest.mark.parametrize(
    "url",
    [
        "rtsp://admin:hunter2@/door",
        "rtsp://admin:hunter2@cam:99999/door",
        "rtsp://admin:hunter2/x@cam/door",
        "rtsp://admin:hunter2@[cam/door",
        "rtsp://admin:hunter2@ca\u2100m/door",
        "rtsp://admin:hunter2@cam/door\n",
        "gopher://admin:hunter2@cam/door",
        "rtmp://admin:hunter2@cam:1935/door?listen=1",
    ],
)
def test_a_refused_address_is_not_quoted(url):
    """The refusal goes to a terminal, to a log, and to whoever asked."""
    with pytest.raises(ValueError, match=r".") as caught:
        parse_source(url)
    assert "hunter2" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
