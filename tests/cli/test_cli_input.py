"""What people type, and what they are told when it can't be done."""

import asyncio
import io
import signal

import pytest
import typer
from rich.console import Console
from rich.panel import Panel
from rich.text import Text

from rtstream_async.cli.events import Note
from rtstream_async.cli.failure import CommandError, explain
from rtstream_async.cli.moments import parse_moment
from rtstream_async.cli.reports import LiveReport, open_report, rows_to_drop
from rtstream_async.cli.shell import run
from rtstream_async.cli.sources import find_source
from rtstream_async.errors import AuthenticationError, NotFoundError, TransportError

NOW = 1_772_366_400.0


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1772366400.5", NOW + 0.5),
        ("2026-03-01T12:00:00+00:00", NOW),
        ("2026-03-01T12:00:00Z", NOW),
        ("-15m", NOW - 900),
        ("-1.5h", NOW - 5400),
    ],
)
def test_a_moment_can_be_typed_in_three_ways(text, moment):
    """Nobody knows Unix seconds by heart."""
    assert parse_moment(text, now=NOW) == moment


@pytest.mark.parametrize("text", ["", "yesterday", "-15", "15 m", "2026-13-01", "nan", "2026"])
def test_what_is_no_moment_is_refused_with_the_ways_to_write_one(text):
    """A wrong window that is silently taken shows the wrong scenes."""
    with pytest.raises(ValueError, match="Unix seconds"):
        parse_moment(text, now=NOW)


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (AuthenticationError("no key"), "there is no key"),
        (AuthenticationError("the key is not valid", status=401), "not valid (from --api-key"),
        (TransportError("connection refused"), "http://door can't be reached: connection refused"),
        (NotFoundError("no stream 'rts-9'", status=404), "no stream 'rts-9'"),
        (CommandError("there is no file x"), "there is no file x"),
        (ModuleNotFoundError("No module named 'av'", name="av"), "rtstream-async[local]"),
        (ModuleNotFoundError("No module named 'x'", name="onnxruntime.capi"), "[ai]"),
        (PermissionError(13, "Permission denied", "/data"), "/data: Permission denied"),
        (ExceptionGroup("two", [CommandError("first"), ValueError("second")]), "first"),
        (ZeroDivisionError("division\nby zero"), "--debug"),
    ],
)
def test_a_failure_is_one_line_that_says_what_to_do(failure, said):
    """A traceback tells a user of the command line nothing."""
    line = explain(failure, server="http://door")
    assert said in line
    assert "\n" not in line


def test_a_local_file_is_given_by_its_full_path(tmp_path, monkeypatch):
    """The server has another working directory than the user, and names may have odd letters."""
    clip = tmp_path / "a clip? 50%.mp4"
    clip.write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    source = find_source("a clip? 50%.mp4")
    assert source.file == clip
    assert source.media_root == tmp_path
    assert source.url == clip.as_uri()
    assert find_source(clip.as_uri() + "?loop=1").url == clip.as_uri() + "?loop=1"


def test_an_address_is_given_as_it_is():
    """Its query may be what the camera wants."""
    assert find_source("rtsp://cam/1?channel=2").url == "rtsp://cam/1?channel=2"
    assert find_source("rtsp://cam/1").media_root is None


@pytest.mark.parametrize("url", ["missing.mp4", "gopher://host/x", "rtsp:///nohost", "."])
def test_what_is_no_source_is_refused_before_anything_starts(url):
    """Starting a server only to be told of a typo is a waste of a minute."""
    with pytest.raises(CommandError):
        find_source(url)


def test_the_newest_rows_stay_and_the_oldest_go():
    """The latest message must be on the screen, whatever its length."""
    assert rows_to_drop([1, 1, 1], room=3) == 0
    assert rows_to_drop([1, 1, 1], room=2) == 1
    assert rows_to_drop([3, 1, 2], room=3) == 1
    assert rows_to_drop([5], room=3) == 1
    assert rows_to_drop([], room=0) == 0


def test_the_live_view_loses_no_line_and_leaves_the_terminal_whole():
    """What was told must be in the terminal's history, in order, however small the terminal."""
    out = Console(file=io.StringIO(), force_terminal=True, width=60, height=12, color_system=None)
    with open_report(out, json=False) as report:
        assert isinstance(report, LiveReport)
        for number in range(20):
            report.show(Panel(f"header {number}"))
            report.tell(Note(at=NOW, text=f"line {number:02d} " + "word " * 15))
        report.end([Text("the end")], {})
    shown = out.file.getvalue()
    assert shown.count("\x1b[?25l") == shown.count("\x1b[?25h") == 1  # the cursor is back
    last = [shown.rindex(f"line {number:02d}") for number in range(20)]
    assert last == sorted(last)
    assert shown.rindex("the end") > last[-1]
    assert "header" not in shown[shown.rindex("the end") :]


def leave(work):
    with pytest.raises(typer.Exit) as left:
        run(work, debug=False)
    return left.value.exit_code


def test_a_command_leaves_with_its_own_exit_code():
    """Scripts decide by it."""

    async def work(_):
        return 3

    assert leave(work) == 3


def test_a_failure_leaves_with_one_and_a_line(capsys):
    """An exit code of zero after a failure lets a script go on with nothing."""

    async def work(_):
        raise CommandError("no such camera")

    assert leave(work) == 1
    assert capsys.readouterr().err == "rtstream: no such camera\n"


@pytest.mark.parametrize(
    ("number", "interrupted", "code"),
    [(signal.SIGINT, None, 130), (signal.SIGTERM, None, 143), (signal.SIGTERM, 0, 0)],
)
def test_a_signal_lets_the_command_clean_up(number, interrupted, code):
    """A stream that was started must be stopped, and its recording closed."""
    cleaned = []

    async def work(interruption):
        interruption.exit_code = interrupted
        asyncio.get_running_loop().call_soon(signal.raise_signal, number)
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)  # cleaning up may wait
            cleaned.append(True)

    assert leave(work) == code
    assert cleaned == [True]


def test_a_second_signal_ends_it_at_once():
    """A clean-up that hangs must not hold the terminal."""

    async def work(_):
        loop = asyncio.get_running_loop()
        loop.call_soon(signal.raise_signal, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            loop.call_soon(signal.raise_signal, signal.SIGINT)
            await asyncio.Event().wait()

    assert leave(work) == 130
