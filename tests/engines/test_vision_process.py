"""The vision engine in its own process: crashes, cancellations and ends."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import pytest_asyncio

from rtstream_async.local.engines.ports import EngineError, Frame
from rtstream_async.local.engines.vision_process import VisionProcess
from tests.engines.pictures import BLANKS, TERMINAL, frame, recall, screen, surveillance

START = 1_700_000_000.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine():
    engine = VisionProcess()
    await engine.warm_up()
    yield engine
    await engine.aclose()
    assert engine.pid is None
    assert not _children()


def _children():
    """The children of this process, by id, that are still there."""
    own = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    return {int(pid) for listed in own for pid in listed.read_text().split()}


def _memory_mb(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def window(picture, time=START, count=1):
    return [frame(picture, time + number) for number in range(count)]


async def _until(condition):
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110 - a process's state has no event to wait for
            await asyncio.sleep(0.01)


async def test_it_describes_real_frames(engine):
    """The child's answers are the engine's."""
    seen = await engine.describe(window(surveillance(0)), key="yard", prompt="Is anybody running?")
    assert seen.metadata["people"] == 3
    assert seen.metadata["prompt_followed"] is False
    assert "running" not in seen.text
    assert seen.engine == engine.name == "offline-vision"


async def test_answers_come_in_order_and_to_the_one_who_asked(engine):
    """Two cameras that swap their scenes would be worse than none."""
    done = []

    async def ask(name, picture):
        seen = await engine.describe(window(picture), key=name, prompt=None)
        done.append(name)
        return seen.text

    names = ["black", "white", "blue", "wall"]
    texts = await asyncio.gather(*(ask(name, BLANKS[name]) for name in names))
    assert done == names
    assert [name in text for name, text in zip(names[:3], texts, strict=False)] == [True] * 3


async def test_a_damaged_frame_fails_alone(engine):
    """One broken picture must not take the engine from the other cameras."""
    pid = engine.pid
    frames = [*window(surveillance(0)), Frame(time=START + 1, jpeg=b"?", width=9, height=9)]
    with pytest.raises(EngineError, match=r"frame 2 of 2, at 1700000001\.000, is not a whole JPEG"):
        await engine.describe(frames, key="damaged", prompt=None)
    assert (await engine.describe(window(surveillance(0)), key="damaged", prompt=None)).text
    assert engine.pid == pid


async def test_frames_that_break_the_engine_fail_alone(engine):
    """A mistake in the engine must become an index's status, not the end of all indexes."""
    pid = engine.pid
    broken = [Frame(time=START, jpeg="text", width=9, height=9)]
    with pytest.raises(EngineError, match="TypeError"):
        await engine.describe(broken, key="broken", prompt=None)
    assert engine.pid == pid


async def test_an_empty_window_is_a_mistake_of_the_caller(engine):
    """Nothing must be told of a picture that was never there."""
    with pytest.raises(ValueError, match="at least one frame"):
        await engine.describe([], key="yard", prompt=None)


async def test_cancelling_one_window_leaves_the_others(engine):
    """An index that is stopped must not take another's answer with it."""
    pid = engine.pid
    asked = [
        asyncio.create_task(engine.describe(window(BLANKS[name]), key=f"c-{name}", prompt=None))
        for name in ("black", "white", "blue")
    ]
    await asyncio.sleep(0)
    asked[0].cancel()  # it is being looked at
    asked[1].cancel()  # it is in line
    assert "blue" in (await asked[2]).text
    results = await asyncio.gather(*asked[:2], return_exceptions=True)
    assert [type(result) for result in results] == [asyncio.CancelledError] * 2
    assert engine.pid == pid


async def test_a_crash_fails_one_window_and_the_next_starts_another(engine):
    """Native code that dies must cost one window, and be told, and be over."""
    pid = engine.pid
    asked = [
        asyncio.create_task(
            engine.describe(window(surveillance(0), count=5), key=f"k{n}", prompt=None)
        )
        for n in range(3)
    ]
    await asyncio.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    first, *others = await asyncio.gather(*asked, return_exceptions=True)
    assert isinstance(first, EngineError)
    assert str(first) == "the vision process was killed by signal 9; the next window starts another"
    assert [seen.metadata["people"] for seen in others] == [3, 3]
    assert engine.pid not in {None, pid}


async def test_a_crash_between_windows_is_not_noticed(engine):
    """Nobody was waiting, so nobody need be told."""
    pid = engine.pid
    os.kill(pid, signal.SIGKILL)
    await _until(lambda: engine.pid is None)
    assert (await engine.describe(window(BLANKS["black"]), key="k", prompt=None)).text
    assert engine.pid != pid


async def test_a_process_that_answers_nothing_is_ended(engine):
    """Native code that hangs must not hold every index of the server for ever."""
    await engine.warm_up()
    pid = engine.pid
    os.kill(pid, signal.SIGSTOP)
    engine._process._session._stuck_after = 0.2
    with pytest.raises(EngineError, match=r"answered nothing for 0\.2 s and was killed"):
        await engine.describe(window(BLANKS["black"]), key="k", prompt=None)
    assert (await engine.describe(window(BLANKS["black"]), key="k", prompt=None)).text


async def test_control_c_in_a_terminal_does_not_end_it(engine):
    """The server shuts down in order; its engine must not die first and fail the last windows."""
    await engine.warm_up()
    os.kill(engine.pid, signal.SIGINT)
    assert (await engine.describe(window(BLANKS["black"]), key="k", prompt=None)).text


async def test_reading_screens_does_not_make_it_large(engine):
    """Eight streams, their recorders and this process must fit into a gigabyte."""
    for number in range(4):
        picture = screen((f"Page {number}", *TERMINAL, *TERMINAL), size=16 + number)
        seen = await engine.describe(
            window(picture, START + 1000 * number), key="screens", prompt=None
        )
        assert recall(" ".join(TERMINAL), seen.text) > 0.9
    assert _memory_mb(engine.pid) < 300


async def test_closing_tells_those_who_wait_and_leaves_no_process():
    """A server that stops must not leave a process that holds 200 MB."""
    before = _children()
    engine = VisionProcess()
    await engine.warm_up()
    pid = engine.pid
    os.kill(pid, signal.SIGSTOP)  # so that there is no answer before the end
    asked = [
        asyncio.create_task(engine.describe(window(BLANKS["black"]), key="k", prompt=None))
        for _ in range(2)
    ]
    await asyncio.sleep(0)
    await engine.aclose()
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(result) for result in results] == [
        "the vision process was closed",
        "the vision engine is closed",
    ]
    with pytest.raises(EngineError, match="is closed"):
        await engine.describe(window(BLANKS["black"]), key="k", prompt=None)
    await engine.aclose()
    assert _children() == before


async def test_a_cancelled_start_leaves_no_process():
    """Stopping a server that is still loading models must stop that too."""
    before = _children()
    engine = VisionProcess()
    starting = asyncio.create_task(engine.warm_up())
    await _until(lambda: _children() != before)
    starting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await starting
    assert _children() == before
    await engine.aclose()


async def test_closing_ends_a_process_that_is_still_loading():
    """A server that is stopped right after its start must stop."""
    before = _children()
    engine = VisionProcess()
    starting = asyncio.create_task(engine.warm_up())
    await _until(lambda: engine.pid is not None)
    os.kill(engine.pid, signal.SIGSTOP)  # so that it is never done
    await engine.aclose()
    with pytest.raises(EngineError, match="the vision process was closed"):
        await starting
    assert _children() == before


async def test_closing_ends_a_process_that_has_not_begun():
    """Between the start of a process and its first request there is a moment, too."""
    before = _children()
    engine = VisionProcess()
    starting = asyncio.create_task(engine.warm_up())
    await asyncio.sleep(0)
    await engine.aclose()
    with pytest.raises(EngineError, match="the vision engine is closed"):
        await starting
    assert _children() == before


async def test_a_missing_extra_is_named(tmp_path, monkeypatch):
    """Who installed the server without its engines must read what to type."""
    (tmp_path / "cv2.py").write_text("raise ModuleNotFoundError(\"No module named 'cv2'\")")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    before = _children()
    engine = VisionProcess()
    with pytest.raises(EngineError, match=r"No module named 'cv2'.*rtstream-async\[ai\]"):
        await engine.warm_up()
    assert _children() == before
    await engine.aclose()


_OFFLINE = """
import sys
events = []
sys.addaudithook(lambda event, _: events.append(event) if event.startswith("socket.") else None)
from tests.engines.pictures import TERMINAL, frame, screen
from rtstream_async.local.engines.offline.vision import OfflineVision
vision = OfflineVision()
vision.warm_up()
seen = vision.describe([frame(screen(TERMINAL), 1.0)], key="k")
assert seen.metadata["words"]
asked = {"socket.connect", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"}
print(sorted(asked & set(events)))
"""


async def test_nothing_is_asked_of_the_network():
    """Offline means offline: a server in a cellar must describe as well as any other."""
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", _OFFLINE],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "[]"
