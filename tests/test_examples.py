"""The examples, run as a reader would run them: offline, against `rtstream serve`."""

import json
import re
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import anyio
import anyio.to_thread
import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.assets import clip_path
from tests.cli.program import running, running_process

EXAMPLES = Path(__file__).parents[1] / "examples"
CLIP = clip_path().as_uri()
CAMERA = f"{CLIP}?loop=1"

COMPLETE = {
    "streams.py": ([CAMERA], ["connected rts-", "Front door - connected", "stopped stopped"]),
    "record.py": ([CAMERA, "4"], ["manifest http://", "player http://"]),
    "indexes.py": (
        [CAMERA],
        ["index ", "first page 2 more True", "scene 1", "restarted running"],
    ),
    "transcript.py": ([CAMERA], ["said The payment service is down.", "record 1"]),
    "alerts.py": ([CAMERA], ["event ", "person_seen", "alert person_seen", "disabled"]),
    "search.py": (
        [CAMERA, "a person"],
        ["shot 1", "one person", "plays at http://", "in all streams "],
    ),
    "workflow.py": (
        [CAMERA, "24", "the payment service is down"],
        ["Recorded stream: http", "Exported video: m-", "payment service is down", "Clip: http"],
    ),
}
"""Examples that end by themselves: what they are given, and what they print among other things."""

ENDLESS = {
    "watch.py": r"\d\d:\d\d:\d\d  \w+",
    "monitor.py": r"Door 1  scene_index  \w+",
    "structured.py": r"text \w+",  # the offline engine makes up no JSON
    "summaries.py": r"\d\d:\d\d:\d\d  \w+",
}
"""Examples that run until Ctrl-C, and what a line of theirs looks like."""


@pytest.fixture(scope="module")
def served(tmp_path_factory):
    data = tmp_path_factory.mktemp("served")
    with running(
        *("serve", "--port", 0, "--data-dir", data, "--media-root", clip_path().parent, "--json"),
        patience=1200,  # for all examples together
    ) as server:
        ready = server.object()
        yield {"VIDEO_DB_BASE_URL": ready["url"], "VIDEO_DB_API_KEY": ready["api_key"]}
        assert server.end().code == 0


@pytest.fixture(autouse=True)
def stopped(served):
    """Leave nothing running that an example has left running: it would keep the engines busy."""
    yield
    anyio.run(stop_streams, served)


async def stop_streams(environment):
    address, key = environment["VIDEO_DB_BASE_URL"], environment["VIDEO_DB_API_KEY"]
    async with rts.connect(key, base_url=address) as conn:
        async for stream in (await conn.get_collection()).list_rtstreams():
            if stream.status != "stopped":
                await stream.stop()


def example(name, arguments, environment):
    return running_process([sys.executable, str(EXAMPLES / name), *arguments], **environment)


@pytest.mark.parametrize("name", COMPLETE)
def test_an_example_comes_to_its_end(name, served):
    """It is what a newcomer copies."""
    arguments, wanted = COMPLETE[name]
    with example(name, arguments, served) as program:
        ran = program.wait()
    assert (ran.code, ran.err) == (0, "")
    for text in wanted:
        assert text in ran.out


@pytest.mark.parametrize("name", ENDLESS)
def test_an_example_tells_what_happens(name, served):
    """It is what a newcomer leaves running."""
    with example(name, [CAMERA], served) as program:
        assert re.match(ENDLESS[name], program.line())
        assert program.end().code == -signal.SIGINT


def test_the_consumer_goes_on_where_it_was(served, tmp_path):
    """What was seen while it was not there comes first."""
    arguments = [CAMERA, tmp_path / "door.db"]
    with example("consume.py", arguments, served) as program:
        assert re.match(r"push    \d\d:\d\d:\d\d  \w+", program.line())
        assert program.end().code == -signal.SIGINT
    anyio.run(one_more_scene, "Entrance", served)
    with example("consume.py", arguments, served) as program:
        assert re.match(r"replay  \d\d:\d\d:\d\d  \w+", program.line())
        assert program.end().code == -signal.SIGINT


async def one_more_scene(name, environment):
    address, key = environment["VIDEO_DB_BASE_URL"], environment["VIDEO_DB_API_KEY"]
    async with rts.connect(key, base_url=address) as conn:
        streams = await (await conn.get_collection()).list_rtstreams()
        (stream,) = [stream for stream in streams if stream.name == name]
        (index,) = await stream.list_scene_indexes()
        newest = (await index.get_scenes()).items[0].end
        with anyio.fail_after(60):
            while (await index.get_scenes()).items[0].end == newest:  # noqa: ASYNC110
                await anyio.sleep(0.1)


def test_the_alert_example_has_its_alert_posted(served):
    """The webhook is what a back end takes from this example."""
    posted = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            posted.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(204)
            self.end_headers()
            arrived.set()

        def log_message(self, *_):
            """Tests print nothing."""

    arrived = threading.Event()
    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as receiver:
        threading.Thread(target=receiver.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{receiver.server_port}/alerts"
        with example("alerts.py", [CAMERA, url], served) as program:
            assert program.wait().code == 0
        assert arrived.wait(60)
        receiver.shutdown()
    assert posted[0]["label"] == "person_seen"
    assert posted[0]["event_id"].startswith("event-")


async def test_the_capture_example_follows_the_sessions_streams():
    """Who has a capture client running starts here."""
    async with (
        LocalServer(media_root=clip_path().parent, control=True) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        coll = await conn.get_collection()
        screen = await coll.connect_rtstream(url=CAMERA, name="display:1")
        mic = await coll.connect_rtstream(
            url=CAMERA, name="mic:default", media_types=["audio"], enable_transcript=False
        )
        session = await conn.create_capture_session(end_user_id="user-1")
        await server.control.capture(
            session.id,
            "active",
            channels={"display:1": screen.id, "mic:default": mic.id},
        )
        environment = {"VIDEO_DB_BASE_URL": server.url, "VIDEO_DB_API_KEY": server.api_key}
        with example("capture.py", [session.id], environment) as program:
            lines = [await anyio.to_thread.run_sync(program.line) for _ in range(5)]
            ran = await anyio.to_thread.run_sync(program.end)
    assert ran.code == -signal.SIGINT
    assert lines[0].split()[:2] == ["session", session.id]
    assert {line.split()[0] for line in lines[1:3]} == {"screen", "mic"}
    assert {line.split()[0] for line in lines[3:]} <= {"scene_index", "transcript"}


def test_every_example_is_run():
    """One that nobody runs is wrong sooner or later."""
    programs = {path.name for path in EXAMPLES.glob("*.py")}
    assert programs == {*COMPLETE, *ENDLESS, "capture.py", "consume.py"}
    listed = set(re.findall(r"\]\((\w+\.py)\)", (EXAMPLES / "README.md").read_text()))
    assert listed == programs
