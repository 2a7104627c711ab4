"""A vision engine that measures pixels: it reads the number that is drawn into every frame."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import attrs

from rtstream_async.local.engines.ports import Description, EngineError, Frame
from tests.media.clips import jpeg_index

__all__ = ["PixelEngine", "numbers"]


@attrs.define(eq=False)
class PixelEngine:
    """Says which frames it was given. Tests make it slow, or ill."""

    name: str = "pixels"
    illness: str | None = None  #: why it can't describe
    is_loadable: bool = True
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)  #: set: it works
    described: int = 0
    loaded: int = 0
    is_closed: bool = False

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def warm_up(self) -> None:
        if not self.is_loadable:
            raise EngineError("the weights are missing")
        self.loaded += 1

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        await self.gate.wait()
        if self.illness is not None:
            raise EngineError(self.illness)
        self.described += 1
        seen = [jpeg_index(frame.jpeg) for frame in frames]
        return Description(
            text=" ".join(map(str, seen)),
            engine=self.name,
            metadata={"times": [frame.time for frame in frames], "key": key, "prompt": prompt},
        )

    async def aclose(self) -> None:
        self.is_closed = True


def numbers(text: str) -> list[int]:
    """Return the frames that a description of `PixelEngine` names."""
    return [int(word) for word in text.split()]
