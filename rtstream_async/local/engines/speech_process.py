"""The offline speech engine in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from rtstream_async.local.engines.ports import EngineError, Sound, Utterance
from rtstream_async.local.engines.process import EngineProcess

__all__ = ["SpeechProcess"]

_MODULE = "rtstream_async.local.engines.offline_speech"
_NAME = "offline-moonshine-tiny-en"
_LANGUAGE = "en"
_PIECE = 10 * 32_000  # bytes a request, half a second's work: other streams come in between
_LATE = 0.25  # seconds in line from which only what was said is told, not what is being said
_LOST = "what was being said is lost; the next piece of sound starts another"


class SpeechProcess:
    """A `SpeechEngine` whose models live in a child process; it understands English.

    Pieces are heard one after the other, in the order in which they came. No times of single
    words come out of it, so `Utterance.words` is empty.

    Args:
        stuck_after: Seconds without an answer after which the process is taken for stuck and
            killed.
    """

    def __init__(self, *, stuck_after: float = 60.0) -> None:
        self._process = EngineProcess(_MODULE, "speech", aftermath=_LOST, stuck_after=stuck_after)
        self._turn = asyncio.Lock()  # a line of its own, to know how long a piece stood in it
        #: Streams that were heard and not finished, and whether somebody was speaking then.
        self._is_speaking: dict[str, bool] = {}

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        return _NAME

    @property
    def language(self) -> str | None:
        """Code of the language that it understands."""
        return _LANGUAGE

    @property
    def pid(self) -> int | None:
        """The child's process id, `None` while there is none."""
        return self._process.pid

    async def warm_up(self) -> None:
        """Load the models; return when the first `hear()` will not wait for that.

        Cancelling ends a process that was being started.

        Raises:
            EngineError: The models can't be loaded.
        """
        await self._process.warm_up()

    def is_speaking(self, *, key: str) -> bool:
        """Return whether somebody was speaking at the end of what was heard of the stream."""
        return self._is_speaking.get(key, False)

    async def hear(self, sound: Sound, *, key: str) -> Sequence[Utterance]:
        """Take the next piece of sound of the stream `key`; return what has become known by it.

        What was said is told when it is over, and what is being said about every two seconds while
        there is time for that. Where a piece does not follow the one before by a tenth of a second,
        what was being said is final. After cancelling, the piece may have been heard or not, and
        what became known by it is lost.

        Raises:
            EngineError: The process died, or has died while somebody was speaking: what was being
                said is lost. The piece was not heard; the same call may be made again.
        """
        if len(sound.samples) % 2:
            raise ValueError("samples has half a sample; each has two bytes")
        heard: list[Utterance] = []
        for begin in range(0, len(sound.samples), _PIECE):
            samples = sound.samples[begin : begin + _PIECE]
            time = sound.time + begin / 32_000
            heard += await self._ask(key, {"time": time, "samples": samples})
        return heard

    async def finish(self, *, key: str) -> Sequence[Utterance]:
        """Return what was still being said, final, and forget the stream `key`.

        Raises:
            EngineError: The process has died; what was being said is lost.
        """
        was_speaking = self._is_speaking.get(key, False)
        if self.pid is None and not was_speaking:  # nobody said anything, or it was told as lost
            self._is_speaking.pop(key, None)
            return ()
        try:
            return await self._ask(key, {"time": None, "samples": None})
        finally:
            self._is_speaking.pop(key, None)

    async def aclose(self) -> None:
        """End the process; sound that it has not heard by then fails with `EngineError`."""
        await self._process.aclose()

    async def _ask(self, key: str, sound: Mapping[str, Any]) -> list[Utterance]:
        loop = asyncio.get_running_loop()
        came = loop.time()
        async with self._turn:
            # Set again by the answer alone: a call that fails leaves nothing that is known.
            was_speaking = self._is_speaking.get(key, False)
            self._is_speaking[key] = False
            request = {
                "key": key,
                "is_speaking": was_speaking,
                "is_late": loop.time() - came > _LATE,
                **sound,
            }
            answer = await self._process.ask(request)
            if "lost" in answer:
                raise EngineError(
                    "the speech process died, or had too many streams: what was being said is lost"
                )
            self._is_speaking[key] = answer["is_speaking"]
        return [
            Utterance(start=start, end=end, text=text, is_final=is_final, engine=_NAME)
            for start, end, text, is_final in answer["lines"]
        ]
