"""What a worker is made of: there is one for every stream, so it must be light."""

from __future__ import annotations

import subprocess
import sys


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
