"""What the pipelines ask of an engine: ports, with no engine behind them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import attrs

__all__ = ["Description", "EngineError", "Frame", "VisionEngine"]


class EngineError(Exception):
    """An engine could not do what was asked; the text says why, for the index's status."""


@attrs.frozen(kw_only=True)
class Frame:
    """One sampled video frame."""

    time: float  #: Unix time, seconds
    jpeg: bytes  #: the picture, JPEG
    width: int  #: pixels
    height: int  #: pixels


@attrs.frozen(kw_only=True)
class Description:
    """What an engine saw in one window of frames."""

    text: str  #: one readable text; says only what was seen
    engine: str  #: which engine really made it, for example `offline-vision`
    metadata: Mapping[str, Any]  #: JSON-able facts behind the text (objects, words, colours, ...)


class VisionEngine(Protocol):
    """Describes the frames of one window."""

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        ...

    async def warm_up(self) -> None:
        """Load models; return when the first `describe()` will not wait for loading."""
        ...

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        """Describe `frames` (at least one, in time order) in words.

        Args:
            frames: The frames of one window.
            key: The pipeline that they belong to. An engine may remember the window before,
                for what has changed and for what it need not look at again.
            prompt: What the user asked; an engine that can't follow it says so in `metadata`.

        Raises:
            EngineError: The engine failed; nothing was invented in its place.
        """
        ...

    async def aclose(self) -> None:
        """Free models and processes."""
        ...
