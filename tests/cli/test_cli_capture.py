"""`rtstream capture`, as a process, against a server in this one."""

import asyncio
import signal

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.cli.program import rtstream, running
from tests.media.clips import Clip, make_clip


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "both.mp4", Clip(seconds=4, gop=0.4, chirps=(0.5, 2.0)))
    make_clip(folder / "silent.mp4", Clip(seconds=2, gop=0.4, audio=None))
    return folder


@pytest.fixture
async def server():
    async with LocalServer(capture_settle=0.2) as running_server:
        yield running_server


async def captured(server, *arguments, key=None):
    given = ["--server", server.url, "--api-key", key or server.api_key, *arguments]
    return await asyncio.to_thread(rtstream, "capture", *given)


async def test_a_file_is_captured_to_its_end_and_exported(server, clips):
    """This is how a back end is tried without a desktop program."""
    ran = await captured(server, "--file", clips / "both.mp4", "--json")
    assert ran.code == 0, ran.err
    *states, export = ran.objects
    assert [one["type"] for one in states] == ["session"] * len(states)
    told = [one["status"] for one in states]
    assert told[:2] == ["created", "starting"]
    assert told[-1] in {"stopped", "exported"}
    assert states[-1]["rtstreams"].keys() == {"display:1", "mic:default"}
    assert (export["export_status"], export["video_channel_id"]) == ("exported", "display:1")
    async with rts.connect(server.api_key, base_url=server.url) as conn:
        video = await (await conn.get_collection()).get_video(export["video_id"])
        assert float(video.length) > 2.0
        session = await conn.get_capture_session(states[0]["session_id"])
        made = await session.export("mic:default", ws_connection_id=None, wait=60)
        assert made.video_id.startswith("a-")


async def test_a_session_is_joined_by_a_client_token_and_left_by_ctrl_c(server, clips):
    """A desktop program has no key, and ends when its user wants."""
    async with rts.connect(server.api_key, base_url=server.url) as conn:
        session = await conn.create_capture_session("user-1", ws_connection_id=None)
        token = await conn.generate_client_token(600)
        given = ["--session", session.id, "--file", clips / "both.mp4", "--loop", "--no-store"]
        given += ["--channel", "system_audio", "--server", server.url, "--api-key", token]
        with running("capture", *given, "--json") as program:
            while (said := await asyncio.to_thread(program.object))["status"] != "active":
                assert said["session_id"] == session.id
            assert said["rtstreams"].keys() == {"system_audio:default"}
            (stream,) = await session.get_rtstream("system_audio")
            assert (stream.media_types, stream.store) == (("audio",), None)
            ended = await asyncio.to_thread(program.end, signal.SIGINT)
        assert ended.code == 0
        assert "Traceback" not in ended.err
        await session.refresh()
        assert (session.status, session.export_status) == ("stopped", None)


async def test_a_device_is_captured_as_a_file_is(server):
    """FFmpeg's own generator is the one device that every machine has."""
    device = "lavfi:sine=frequency=440:duration=4"
    ran = await captured(server, "--device", device, "--json")
    assert ran.code == 0, ran.err
    export = ran.objects[-1]
    assert (export["export_status"], export["video_channel_id"]) == ("exported", "mic:default")
    assert export["video_id"].startswith("a-")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--device", "nonsense"], "FORMAT:NAME"),
        (["--device", "teleport:x"], "has no devices of the kind 'teleport'; it has:"),
        (["--device", "lavfi:no-such-filter"], "can't be opened"),
        (["--file", "silent.mp4", "--channel", "mic"], "there is no sound for --channel mic"),
        (["--file", "notes.txt"], "can't be opened"),
        (["--file", "silent.mp4", "--session", "cap-nobody"], "no capture session"),
    ],
)
async def test_what_can_not_be_captured_is_said_in_a_line(server, clips, arguments, said):
    """A traceback tells a user nothing."""
    (clips / "notes.txt").write_text("no media")
    given = [str(clips / one) if one.endswith((".mp4", ".txt")) else one for one in arguments]
    ran = await captured(server, *given)
    assert ran.code == 1
    assert said in ran.complaint


def test_a_screen_that_is_not_there_is_said(clips):
    """On a server without a display, above all."""
    ran = rtstream("capture", "--screen", "--server", "http://127.0.0.1:1", DISPLAY="")
    assert ran.code == 1
    assert "rtstream: " in ran.complaint


def test_one_thing_is_captured(clips):
    """Whether the file or the screen was meant must not be guessed."""
    for given in ([], ["--screen", "--file", str(clips / "both.mp4")]):
        ran = rtstream("capture", *given)
        assert ran.code == 2
        assert "--file" in ran.err
