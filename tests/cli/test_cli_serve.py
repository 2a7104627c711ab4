"""`rtstream serve`, as a process."""

import asyncio
import signal
import stat
import subprocess
import sys

import httpx
import pytest

import rtstream_async as rts
from tests.cli.program import called, rtstream, running
from tests.engines.endpoints import KEY, stub
from tests.local.harness import CLIP


async def test_a_server_is_started_used_and_stopped(tmp_path):
    """This is the first thing that a newcomer does."""
    with running("serve", "--port", 0, "--data-dir", tmp_path / "data", "--json") as server:
        ready = server.object()
        async with rts.connect(ready["api_key"], base_url=ready["url"]) as conn:
            coll = await conn.get_collection()
            assert [stream async for stream in coll.list_rtstreams()] == []
        ended = server.end(signal.SIGTERM)
    assert ended.code == 0
    assert "Traceback" not in ended.err


async def test_a_server_fails_on_purpose_only_when_it_was_started_so(tmp_path):
    """A soak drives the faults of a real process; a server for users has none to drive."""
    answers = {}
    for options in ((), ("--control",)):
        where = ("--port", 0, "--data-dir", tmp_path / "data", "--api-key", "k", "--json")
        with running("serve", *where, *options) as server:
            url = server.object()["url"]
            async with httpx.AsyncClient(base_url=url, headers={"x-access-token": "k"}) as http:
                answers[options] = await http.post("/_local/chaos", json={"drop": 0.5})
            assert server.end().code == 0
    assert [answer.status_code for answer in answers.values()] == [404, 200]
    assert answers["--control",].json()["data"]["settings"]["drop"] == 0.5


async def test_a_server_keeps_to_what_one_program_knows(tmp_path):
    """A program listens to one of the service's spellings, and can't be changed to run here."""
    with running(
        *("serve", "--port", 0, "--data-dir", tmp_path, "--control", "--json"),
        *("--scene-channel", "visual_index", "--alert-shape", "reference", "--strict-start"),
        *("--capture-timeout", 0.3, "--capture-settle", 0, "--push-understandings"),
    ) as server:
        ready = server.object()
        async with rts.connect(ready["api_key"], base_url=ready["url"]) as conn:
            coll = await conn.get_collection()
            stream = await coll.connect_rtstream("scripted://door", "door")
            socket = await conn.connect_websocket()
            async with socket:
                index = await stream.index_visuals(ws_connection_id=socket.connection_id)
                event = await conn.create_event("A person is in the picture", "visitor")
                await index.create_alert(event, ws_connection_id=socket.connection_id)
                scene = {"text": "A person", "start": 1.0, "end": 2.0, "metadata": {"people": 1}}
                headers = {"x-access-token": ready["api_key"]}
                async with httpx.AsyncClient(base_url=ready["url"], headers=headers) as http:
                    body = {"rtstream_id": stream.id, **scene}
                    assert (await http.post("/_local/scenes", json=body)).status_code == 200
                    again = await http.patch(
                        f"/rtstream/{stream.id}/status", json={"action": "start"}
                    )
                frames = socket.receive()
                seen, alert = [await anext(frames), await anext(frames)]
            session = await conn.create_capture_session("user-1")
            await session.start([{"channel_id": "mic:default", "type": "audio"}])
            while session.status == "starting":  # nobody pushes to it
                await asyncio.sleep(0.05)
                await session.refresh()
        assert server.end().code == 0
    assert seen["channel"] == "visual_index"
    assert (alert["channel"], "label" in alert["data"]) == ("alert", False)
    assert (again.status_code, "already active" in again.text) == (400, True)
    assert (session.status, "0.3" in str(session.raw["error"])) == ("failed", True)


def test_the_key_is_shown_once_and_kept(tmp_path):
    """A key that changes at each start locks out every client; one in each log is no secret."""
    with running("serve", "--port", 0, "--data-dir", tmp_path, "--json") as server:
        made = server.object()
        assert server.end().code == 0
    key = made["api_key"]
    assert made["key"] == "made"
    assert (tmp_path / "api_key").read_text().strip() == key
    assert stat.S_IMODE((tmp_path / "api_key").stat().st_mode) == 0o600
    with running("serve", "--port", 0, "--data-dir", tmp_path) as server:
        while "API_KEY" not in server.line():
            pass
        later = server.end(signal.SIGTERM)
    assert key not in later.out + later.err
    assert str(tmp_path / "api_key") in later.out


async def test_a_given_key_is_used_and_never_shown(tmp_path):
    """It may be the key of something else, too."""
    with running(
        *("serve", "--json"),
        RTSTREAM_API_KEY="sk-given-0123456789",
        RTSTREAM_PORT="0",
        RTSTREAM_DATA_DIR=str(tmp_path / "data"),
        RTSTREAM_MEDIA_ROOT=str(tmp_path),
    ) as server:
        ready = server.object()
        assert ready["key"] == "given"
        assert ready["media_root"] == str(tmp_path)
        async with rts.connect("sk-given-0123456789", base_url=ready["url"]) as conn:
            await conn.get_collection()
        ended = server.end()
    assert ended.code == 0
    assert "sk-given" not in ended.out + ended.err


def test_what_is_printed_can_be_pasted(tmp_path):
    """The two lines are all that a user needs to connect."""
    with running("serve", "--port", 0, "--data-dir", tmp_path) as server:
        while "API_KEY" not in server.line():
            pass
        ended = server.end()
    exports = [line.strip() for line in ended.out.splitlines() if "export" in line]
    key = (tmp_path / "api_key").read_text().strip()
    assert exports[0].startswith("export VIDEO_DB_BASE_URL=http://127.0.0.1:")
    assert exports[1] == f"export VIDEO_DB_API_KEY={key}"


def test_a_taken_port_is_one_line(tmp_path):
    """The usual mishap: a server runs already."""
    with running("serve", "--port", 0, "--data-dir", tmp_path / "a", "--json") as server:
        port = server.object()["url"].rpartition(":")[2]
        ran = rtstream("serve", "--port", port, "--data-dir", tmp_path / "b")
        server.end()
    assert ran.code == 1
    assert port in ran.complaint


def test_a_data_directory_in_use_is_one_line(tmp_path):
    """Two servers on one database would each undo the other's work."""
    with running("serve", "--port", 0, "--data-dir", tmp_path, "--json") as server:
        server.object()
        ran = rtstream("serve", "--port", 0, "--data-dir", tmp_path)
        server.end()
    assert ran.code == 1
    assert "in use by another server" in ran.complaint


def test_a_data_directory_that_can_not_be_made_is_one_line(tmp_path):
    """A file in its place, a full disk, no rights: the user has to know which directory."""
    (tmp_path / "file").write_text("x")
    ran = rtstream("serve", "--port", 0, "--data-dir", tmp_path / "file" / "data")
    assert ran.code == 1
    assert str(tmp_path / "file") in ran.complaint


def test_other_machines_are_let_in_only_if_asked_for(tmp_path):
    """A typed 0.0.0.0 puts cameras on the network."""
    ran = rtstream("serve", "--port", 0, "--data-dir", tmp_path, "--host", "0.0.0.0")
    assert ran.code == 1
    assert "--allow-remote" in ran.complaint


async def test_an_engine_is_chosen_and_its_cost_is_told_at_the_end(tmp_path):
    """Who pays for a model reads the last line of the log."""
    async with stub() as model:
        with running(
            *("serve", "--port", 0, "--data-dir", tmp_path / "data", "--json"),
            *("--media-root", CLIP.parent, "--vision", f"openai:{model.url}#vl"),
            *("--webhook-allow", "*.example.com", "--webhook-allow", "10.0.0.0/8"),
            *("--open-timeout", "20"),
            RTSTREAM_VISION_API_KEY=KEY,
        ) as server:
            ready = server.object()
            async with rts.connect(ready["api_key"], base_url=ready["url"]) as conn:
                coll = await conn.get_collection()
                door = await coll.connect_rtstream(f"{CLIP.name}?loop=1", name="door")
                await door.index_visuals(
                    batch_config={"type": "time", "value": 1, "frame_count": 1}
                )
                async with door.events("scene_index") as events, asyncio.timeout(60):
                    assert (await events.receive()).text == "A red door."
            ended = server.end(signal.SIGTERM)
    assert ended.code == 0
    assert f"vision by openai:vl@{model.url.removeprefix('http://')}: " in ended.err
    assert "tokens" in ended.err
    assert KEY not in ended.out + ended.err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--vision", "openai:http://127.0.0.1:8000/v1"), "--vision: the endpoint names no model"),
        (("--speech", "whisper"), "--speech: must be 'offline'"),
        (("--language", "openai:http://h?speed=1#m"), "--language: the endpoint has the option"),
        (("--embedding", "openai:h#m"), "--embedding: the endpoint is no http"),
        (
            ("--webhook-allow", "https://example.com/"),
            "--webhook-allow: 'https://example.com/' is no",
        ),
    ],
)
def test_a_choice_that_can_not_be_used_is_one_line(arguments, problem, tmp_path):
    """A typing error that only shows when the first frame is there is found by nobody."""
    ran = called("serve", "--port", 0, "--data-dir", tmp_path / "data", *arguments)
    assert ran.code == 1
    assert problem in ran.complaint
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    "arguments",
    [("--port", "http"), ("--port", "70000"), ("--media-root", "/no/such/dir"), ("--nonsense",)],
)
def test_a_wrong_option_is_a_usage_error(arguments, tmp_path):
    """Exit code 2 tells a script that the call is wrong, not the machine."""
    ran = rtstream("serve", "--data-dir", tmp_path, *arguments)
    assert ran.code == 2
    assert "Traceback" not in ran.err


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_without_its_extra_the_command_says_which_one_it_needs(missing):
    """The core install has the command's name, and nothing to run it with."""
    code = (
        f"import sys; sys.modules[{missing!r}] = None\nfrom rtstream_async.cli import main; main()"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert ran.returncode == 1
    assert ran.stderr.count("\n") == 1
    assert "rtstream-async[cli]" in ran.stderr


def test_without_the_servers_extra_serve_says_which_one_it_needs(tmp_path):
    """Whoever installed the client alone is one command away from a server."""
    code = (
        "import sys; sys.modules['starlette'] = None; sys.argv[0] = 'rtstream'\n"
        "from rtstream_async.cli import main; main()"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code, "serve", "--data-dir", str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
    )
    assert ran.returncode == 1
    assert "rtstream-async[local]" in ran.stderr
    assert "Traceback" not in ran.stderr
