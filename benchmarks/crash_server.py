"""A server for the crash runs: `python -m benchmarks.crash_server DATA_DIR MEDIA_ROOT`.

Its engines are quick, and say which frame and which beep they were given. It prints its address
and key, and runs until it is killed.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence

import attrs

from rtstream_async.local import LocalServer
from rtstream_async.local.engines.ports import Description, Frame
from tests.local.engines import BeepEngine, PixelEngine
from tests.search.engines import IdeaEngine

__all__ = ["PASSES"]

PASSES = "A person walks by"
"""What every scene begins with."""


@attrs.define(eq=False)
class _PassersEngine(PixelEngine):
    """Sees a person in every window."""

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        seen = await super().describe(frames, key=key, prompt=prompt)
        return attrs.evolve(seen, text=f"{PASSES} (p{seen.text}).")


async def _serve(data_dir: str, media_root: str) -> None:
    server = LocalServer(
        data_dir,
        media_root=media_root,
        vision=_PassersEngine,
        speech=BeepEngine,
        embedding=IdeaEngine,
    )
    await server.start()
    print(json.dumps([server.url, server.api_key]), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(_serve(*sys.argv[1:]))
