"""What a worker is made of: there is one for every stream, so it must be light."""

from __future__ import annotations

import subprocess
import sys

from rtstream_async.local.media.watchdog import STUCK


def loaded_by(module: str) -> set[str]:
    """Top-level names of what importing `module` loads."""
    program = f"import sys, {module}; print(*sys.modules)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return {name.partition(".")[0] for name in result.stdout.split()}


def test_a_worker_loads_only_what_it_needs():
    """Thirty streams are thirty workers; each megabyte counts thirty times."""
    loaded = loaded_by("rtstream_async.local.media.worker")
    assert "av" in loaded
    assert not loaded & {"asyncio", "anyio", "httpx", "numpy", "starlette", "uvicorn", "websockets"}


def test_the_server_side_loads_no_native_media_code():
    """A crash in it would take the server down, and it is contained by not being there."""
    loaded = loaded_by("rtstream_async.local.media.ingest")
    loaded |= loaded_by("rtstream_async.local.media.publishing")
    assert "anyio" in loaded
    assert not loaded & {"av", "numpy"}


def test_a_worker_that_hangs_ends_itself():
    """Native code was seen to deadlock; a hung camera that still shows "running" is worse."""
    program = (
        "import time\n"
        "from rtstream_async.local.media.watchdog import Watchdog\n"
        "watchdog = Watchdog()\n"
        "watchdog.rest()\n"
        "watchdog.expect(0.2)\n"
        "time.sleep(60)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert result.returncode == STUCK
    assert "hung" in result.stderr


def test_a_worker_without_a_parent_does_nothing():
    """Started by hand it must not wait for ever."""
    result = subprocess.run(
        [sys.executable, "-m", "rtstream_async.local.media.worker"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")
