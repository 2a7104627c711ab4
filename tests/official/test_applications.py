"""Programs as users of the service have them today, unmodified, against `rtstream serve`."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
import requests

from rtstream_async.local.media.publishing import publishing
from tests.cli.program import running, running_process
from tests.official.driving import PATIENCE, is_id
from tests.walk.meeting import make_meeting

APPS = Path(__file__).with_name("apps")


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """A street in which something is read aloud."""
    folder = tmp_path_factory.mktemp("films")
    make_meeting(folder / "street.mp4", sentences=2)
    return folder


@pytest.fixture(scope="module")
def service(films, tmp_path_factory):
    """The command that a user runs, with the engines that he has without asking for any."""
    data = tmp_path_factory.mktemp("data")
    options = ("--port", 0, "--data-dir", data, "--media-root", films, "--json")
    with running("serve", *options) as server:
        yield server.object()
        server.end()


def program(service, name, source="street.mp4?loop=1"):
    """One of the programs, which knows where the service is from its environment alone."""
    return running_process(
        [sys.executable, str(APPS / f"{name}.py")],
        VIDEO_DB_API_KEY=service["api_key"],
        VIDEO_DB_BASE_URL=service["url"],
        STREAM_URL=source,
    )


def told_by(service, name):
    """What a program prints at its end."""
    with program(service, name) as app:
        ran = app.wait()
    assert ran.code == 0, ran.err
    return json.loads(ran.out)


def test_a_live_monitor_is_called_back(service):
    """Alerts by webhook, with a clip to look at."""
    told = told_by(service, "live_monitor")
    assert told["alert"]["event_id"] == f"event-{told['event']}"
    assert told["alert"]["label"] == "visitor"
    assert told["stream"] in told["alert"]["stream_url"]
    assert [alert["status"] for alert in told["alerts"]] == ["disabled"]
    assert told["event"] in [event["event_id"] for event in told["events"]]


def test_a_meeting_is_written_down_kept_and_searched(service):
    """Real speech, by the socket of the SDK."""
    told = told_by(service, "meeting_transcriber")
    assert told["summaries"]
    assert is_id("m", told["video"])
    assert told["duration"] > 3
    assert told["words"] > 5
    assert told["found"]
    assert told["legacy"]
    assert requests.get(told["clip"], timeout=PATIENCE).text.startswith("#EXTM3U")


def test_a_road_camera_is_read_and_searched(service):
    """Real people on a real street."""
    told = told_by(service, "road_camera")
    assert all(len(page) == 2 for page in told["pages"][:-1])
    assert sum(map(len, told["pages"])) >= 3
    assert any("people" in text for page in told["pages"] for text in page)
    assert told["shots"]
    assert told["everywhere"] >= len(told["shots"])
    assert "/watch?v=" in told["player"]
    assert told["status"] == ["stopped"]
    assert told["indexes"] == ["road"]


def test_a_capture_back_end_follows_its_session(service, films):
    """From the desktop's first push to the exported video."""
    with program(service, "capture_listener") as app:
        made = app.object()
        channels = [{"channel_id": "display:1", "type": "video", "store": True}]
        headers = {"x-access-token": made["token"]}
        started = requests.post(
            f"{service['url']}/capture/session/start",
            json={"session_id": made["session_id"], "channels": channels},
            headers=headers,
            timeout=PATIENCE,
        ).json()["data"]
        (channel,) = started["channels"]

        def stop_when_seen():
            assert app.object()["seen"]
            path = f"{service['url']}/capture/session/{made['session_id']}/stop"
            return requests.post(path, json={}, headers=headers, timeout=PATIENCE)

        async def capture():
            async with publishing(films / "street.mp4", channel["rtmp_url"]):
                return await asyncio.to_thread(stop_when_seen)

        assert asyncio.run(capture()).json()["success"]
        ran = app.wait()
    assert ran.code == 0, ran.err
    told = json.loads(ran.out.splitlines()[-1])
    assert [event.partition(".")[2] for event in told["events"]] == [
        "created",
        "starting",
        "active",
        "stopping",
        "stopped",
    ]
    assert told["pushed"] == told["streams"]
    assert told["displays"] == ["display:1"]
    assert told["export"]["export_status"] == told["again"] == "exported"
    assert is_id("m", told["export"]["video_id"])
