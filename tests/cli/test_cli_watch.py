"""`rtstream watch`, `streams` and `scenes`, as processes, on real media."""

import shutil
import signal
import socket

import av
import pytest

from rtstream_async.local.assets import clip_path
from tests.cli.program import called, rtstream, running

CLIP = clip_path()
SHORT_S = 3.0


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """A directory with the clip in it, and the beginning of it."""
    directory = tmp_path_factory.mktemp("media")
    shutil.copy(CLIP, directory / "clip.mp4")
    with av.open(str(CLIP)) as source, av.open(str(directory / "short.mp4"), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(source.streams.video[0]):
            if packet.pts is not None and packet.pts * packet.time_base < SHORT_S:
                packet.stream = stream
                target.mux(packet)
    return directory


@pytest.fixture(scope="module")
def server(tmp_path_factory, media):
    """A server, and how the other commands are told of it."""
    data = tmp_path_factory.mktemp("data")
    words = ("serve", "--port", 0, "--data-dir", data, "--media-root", media, "--json")
    with running(*words, patience=600) as serving:  # for all tests together
        ready = serving.object()
        yield {"VIDEO_DB_BASE_URL": ready["url"], "VIDEO_DB_API_KEY": ready["api_key"]}
        assert serving.end().code == 0


def watch(*arguments, **env):
    return rtstream("watch", *arguments, "--every", 2, "--frames", 1, **env)


def test_a_file_is_watched_with_nothing_else():
    """No key, no server, no network: the shortest way to see it work."""
    ran = watch(CLIP, "--count", 2, "--json")
    assert ran.code == 0, ran.err
    messages = [told for told in ran.objects if told["type"] == "message"]
    assert [message["channel"] for message in messages] == ["scene_index", "scene_index"]
    assert all(message["text"] for message in messages)
    assert messages[0]["end"] <= messages[1]["start"] + 0.001
    assert "Traceback" not in ran.err


def test_a_file_is_watched_to_its_end(server, media):
    """A file that has ended has no more to tell, and the terminal should be free again."""
    ran = watch(media / "short.mp4", "--server", server["VIDEO_DB_BASE_URL"], **server)
    assert ran.code == 0, ran.err
    assert "stream stopped" in ran.out
    assert "\x1b" not in ran.out  # no terminal: plain lines
    assert [line for line in ran.out.splitlines() if "scene_index" in line]


def test_ctrl_c_stops_the_stream_that_was_started(server, media):
    """A camera that goes on recording after Ctrl-C fills a disk."""
    url = f"{(media / 'clip.mp4').as_uri()}?loop=1"
    with running(
        *("watch", url, "--server", server["VIDEO_DB_BASE_URL"], "--every", 2, "--json"),
        *("--name", "interrupted"),
        **server,
    ) as watching:
        while watching.object()["type"] != "message":
            pass
        ended = watching.end(signal.SIGINT)
    assert ended.code == 130
    assert "Traceback" not in ended.err
    (stream,) = rtstream("streams", "--name", "interrupted", "--json", **server).objects
    assert stream["status"] == "stopped"


def test_what_was_seen_can_be_listed_and_paged(server, media):
    """What scrolled by must still be there."""
    seen = rtstream(
        *("watch", media / "clip.mp4", "--server", server["VIDEO_DB_BASE_URL"], "--count", 2),
        *("--every", 2, "--frames", 1, "--name", "paged", "--json"),
        **server,
    )
    texts = {told["text"] for told in seen.objects if told["type"] == "message"}
    (stream,) = rtstream("streams", "--name", "paged", "--json", **server).objects
    assert stream["details"]["ingested"]["video"]["codec"] == "h264"
    scenes = rtstream("scenes", stream["id"], "--json", **server).objects
    assert texts <= {scene["text"] for scene in scenes}
    assert scenes[0]["start"] > scenes[-1]["start"]
    later = rtstream(
        *("scenes", stream["id"], "--start", scenes[0]["start"], "--limit", 1, "--json"), **server
    )
    assert [scene["text"] for scene in later.objects] == [scenes[0]["text"]]
    table = rtstream("streams", "--name", "paged", **server)
    assert stream["id"] in table.out
    shown = rtstream("scenes", stream["id"], "--index", scenes[0]["index_id"], **server)
    assert (table.code, shown.code) == (0, 0)
    assert scenes[0]["index_id"] in shown.out


def test_a_missing_key_is_said_before_anything_is_sent():
    """A newcomer's first mistake."""
    ran = watch("rtsp://127.0.0.1/x", "--cloud")
    assert ran.code == 1
    assert "VIDEO_DB_API_KEY" in ran.complaint
    assert called("streams", "--cloud").code == 1


def test_a_wrong_key_is_said(server):
    """The wrong one of two exports is pasted easily."""
    ran = called("streams", **{**server, "VIDEO_DB_API_KEY": "sk-wrong-0123456789"})
    assert ran.code == 1
    assert "key" in ran.complaint
    assert "sk-wrong" not in ran.complaint


def test_a_server_that_is_not_there_is_said():
    """It was stopped, or the port is another."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    ran = called("streams", "--server", url, VIDEO_DB_API_KEY="sk-0123456789")
    assert ran.code == 1
    assert ran.complaint.startswith(f"rtstream: {url} can't be reached")


def test_a_missing_file_is_said():
    """A typo; nothing needs to be started to see it."""
    ran = watch("no-such-clip.mp4")
    assert ran.code == 1
    assert "no-such-clip.mp4" in ran.complaint


def test_an_address_where_nobody_answers_is_said():
    """The camera is off."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ran = watch(f"rtsp://admin:s3cret@127.0.0.1:{port}/door")
    assert ran.code == 1
    assert "can't be opened" in ran.complaint
    assert "s3cret" not in ran.out + ran.err


def test_a_file_that_is_no_video_is_said(tmp_path):
    """The wrong file."""
    (tmp_path / "notes.mp4").write_text("not a video")
    ran = watch(tmp_path / "notes.mp4")
    assert ran.code == 1
    assert "can't be opened" in ran.complaint


def test_a_file_outside_of_the_media_root_is_refused(server, tmp_path):
    """The server's owner decides what it reads."""
    (tmp_path / "clip.mp4").write_bytes(CLIP.read_bytes())
    ran = watch(tmp_path / "clip.mp4", "--server", server["VIDEO_DB_BASE_URL"], **server)
    assert ran.code == 1
    assert "media root" in ran.complaint


def test_a_stream_that_is_not_there_is_said(server):
    """An id from yesterday's server."""
    ran = called("scenes", "rts-nope", **server)
    assert ran.code == 1
    assert "rts-nope" in ran.complaint


@pytest.mark.parametrize(
    "arguments",
    [
        ("watch",),
        ("watch", "x.mp4", "--cloud", "--server", "http://127.0.0.1"),
        ("watch", "x.mp4", "--cloud", "--data-dir", "x"),
        ("watch", "x.mp4", "--every", "0"),
        ("scenes", "rts-1", "--start", "yesterday"),
        ("streams", "--limit", "0"),
        ("nonsense",),
    ],
)
def test_a_wrong_call_is_a_usage_error(arguments):
    """Exit code 2 tells a script that the call is wrong, not the machine."""
    ran = called(*arguments)
    assert ran.code == 2
    assert "Traceback" not in ran.err


def test_help_and_version_need_nothing():
    """They are what people try when all else fails."""
    shown = rtstream("--help")
    assert shown.code == 0
    assert all(name in shown.out for name in ("demo", "watch", "serve", "streams", "scenes"))
    assert rtstream("--version").out.startswith("rtstream-async ")
