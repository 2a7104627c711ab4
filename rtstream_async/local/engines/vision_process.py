"""The offline vision engine in a process of its own."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from rtstream_async.local.engines.ports import Description, Frame
from rtstream_async.local.engines.process import EngineProcess

__all__ = ["VisionProcess"]

_MODULE = "rtstream_async.local.engines.offline"
_NAME = "offline-vision"  # the child's own name for itself; its module would load the models here


class VisionProcess:
    """A `VisionEngine` whose models live in a child process.

    Windows are described one after the other, in the order in which they were asked for. When the
    process dies, only the window that it was looking at is lost.

    Args:
        stuck_after: Seconds without an answer after which the process is taken for stuck and
            killed.
    """

    def __init__(self, *, stuck_after: float = 60.0) -> None:
        self._process = EngineProcess(
            _MODULE,
            "vision",
            aftermath="the next window starts another",
            stuck_after=stuck_after,
        )

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        return _NAME

    @property
    def pid(self) -> int | None:
        """The child's process id, `None` while there is none."""
        return self._process.pid

    async def warm_up(self) -> None:
        """Load the models; return when the first `describe()` will not wait for that.

        Cancelling ends a process that was being started.

        Raises:
            EngineError: The models can't be loaded.
        """
        await self._process.warm_up()

    async def describe(
        self, frames: Sequence[Frame], *, key: str, prompt: str | None
    ) -> Description:
        """Describe the frames of one window of the pipeline `key`.

        The engine can't follow a prompt, and says so in `metadata`. Cancelling is safe: the
        answer is dropped when it comes.

        Raises:
            EngineError: A frame is damaged, or the process died; the next call starts another.
        """
        del prompt  # nothing here understands it
        if not frames:
            raise ValueError("frames is empty; a window has at least one frame")
        result = await self._process.ask(
            {"key": key, "frames": [attrs.asdict(frame) for frame in frames]}
        )
        return Description(text=result["text"], engine=_NAME, metadata=result["metadata"])

    async def aclose(self) -> None:
        """End the process; windows that it has not described by then fail with `EngineError`."""
        await self._process.aclose()
