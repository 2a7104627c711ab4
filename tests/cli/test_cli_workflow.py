"""The commands after `rtstream watch`: alerts, events, export, search, as processes."""

import pytest

from tests.cli.program import called, rtstream, running
from tests.media.clips import Clip, make_clip


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    directory = tmp_path_factory.mktemp("media")
    make_clip(directory / "short.mp4", Clip(seconds=3.5, gop=0.5))
    return directory


@pytest.fixture(scope="module")
def server(tmp_path_factory, media):
    """A server, and how the other commands are told of it."""
    data = tmp_path_factory.mktemp("data")
    words = ("serve", "--port", 0, "--data-dir", data, "--media-root", media, "--json")
    with running(*words, patience=300) as serving:
        ready = serving.object()
        yield {"VIDEO_DB_BASE_URL": ready["url"], "VIDEO_DB_API_KEY": ready["api_key"]}
        assert serving.end().code == 0


def test_what_was_watched_can_be_searched_watched_for_and_exported(server, media):
    """The whole way with the command alone: no program to be written for it."""
    url = server["VIDEO_DB_BASE_URL"]
    seen = rtstream(
        *("watch", media / "short.mp4", "--server", url, "--every", 2, "--frames", 1),
        *("--store", "--alert", "anything", "--name", "kept", "--json"),
        **server,
    )
    assert seen.code == 0, seen.err
    (stream,) = rtstream("streams", "--name", "kept", "--json", **server).objects
    (alert,) = rtstream("alerts", stream["id"], "--json", **server).objects
    assert alert["status"] == "enabled"
    for switch, status in (("--disable", "disabled"), ("--enable", "enabled")):
        words = ("alerts", stream["id"], switch, alert["alert_id"], "--json")
        assert [one["status"] for one in rtstream(*words, **server).objects] == [status]
    (event,) = [
        one
        for one in rtstream("events", "--add", "two cats", "--json", **server).objects
        if one["label"] == "two_cats"
    ]
    hook = ("--webhook", "http://127.0.0.1:9/hook", "--json")
    added = rtstream("alerts", stream["id"], "--add", event["event_id"], *hook, **server)
    assert added.objects[-1]["callback_url"] == "http://127.0.0.1:9/hook"
    made = [rtstream("export", stream["id"], "--stop", "--json", **server) for _ in range(2)]
    assert made[0].objects[0]["video_id"] == made[1].objects[0]["video_id"]
    shown = rtstream("export", stream["id"], **server)
    assert made[0].objects[0]["video_id"] in shown.out
    (scene, *_) = rtstream("scenes", stream["id"], "--json", **server).objects
    found = rtstream("search", scene["text"], "--stream", stream["id"], "--json", **server)
    assert scene["text"] in {shot["text"] for shot in found.objects}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("transcript", "rts-nope"), "rts-nope"),
        (("export", "rts-nope"), "rts-nope"),
        (("alerts", "rts-nope"), "rts-nope"),
        (("search", "x", "--stream", "rts-nope"), "rts-nope"),
        (("search", ""), "query"),
        (("events", "--add", "x" * 100_000), "event_prompt"),
    ],
)
def test_a_command_that_is_refused_says_so_in_one_line(server, words, told):
    """A script reads the exit code, its owner the line."""
    ran = called(*words, **server)
    assert ran.code == 1
    assert told in ran.complaint
    assert len(ran.complaint) < 300
