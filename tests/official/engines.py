"""An engine whose words decide something: it always sees the same visitor."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from rtstream_async.local.engines.ports import Description, Frame
from tests.media.clips import jpeg_index

__all__ = ["Doorman"]


@attrs.define(eq=False)
class Doorman:
    """Says that a person is at the door, and which frames it was shown."""

    name: str = "doorman"

    async def warm_up(self) -> None:
        return None

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        seen = [jpeg_index(frame.jpeg) for frame in frames]
        return Description(
            text=f"A person waits at the door {seen[0]}",
            engine=self.name,
            metadata={"objects": {"person": 1}, "people": 1, "seen": seen, "prompt": prompt},
        )

    async def aclose(self) -> None:
        return None
