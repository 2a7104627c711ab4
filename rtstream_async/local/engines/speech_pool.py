"""Several speech engines as one: what one stream says does not wait for another's last sentence."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Sequence

import attrs

from rtstream_async.local.engines.ports import Sound, Utterance
from rtstream_async.local.engines.speech_process import SpeechProcess

__all__ = ["SpeechPool"]

_MOST = 4  # processes; each takes about a hundred megabytes
_EACH = 2  # streams from which one more process is worth that


@attrs.define(eq=False)
class _Member:
    engine: SpeechProcess
    keys: set[str] = attrs.field(factory=set[str])


class SpeechPool:
    """A `SpeechEngine` of one process, and of more when there are more streams than two for each.

    A stream stays with its process until it is finished.

    Args:
        make: Makes one of them.
        most: How many there may be; not more than there are processors, when not given.
    """

    def __init__(
        self, make: Callable[[], SpeechProcess] = SpeechProcess, *, most: int | None = None
    ) -> None:
        self._make = make
        self._most = min(_MOST, os.cpu_count() or 1) if most is None else most
        self._members = [_Member(make())]
        self._of: dict[str, _Member] = {}

    @property
    def name(self) -> str:
        """Shown in every record that this engine makes."""
        return self._members[0].engine.name

    @property
    def language(self) -> str | None:
        """Code of the language that it understands."""
        return self._members[0].engine.language

    @property
    def pids(self) -> list[int]:
        """The process ids of those that run."""
        return [pid for member in self._members if (pid := member.engine.pid) is not None]

    async def warm_up(self) -> None:
        """Load the models; return when the first `hear()` will not wait for that.

        Raises:
            EngineError: The models can't be loaded.
        """
        await self._members[0].engine.warm_up()

    def is_speaking(self, *, key: str) -> bool:
        """Return whether somebody was speaking at the end of what was heard of the stream."""
        member = self._of.get(key)
        return member is not None and member.engine.is_speaking(key=key)

    async def hear(self, sound: Sound, *, key: str) -> Sequence[Utterance]:
        """Take the next piece of sound of the stream `key`; return what has become known by it.

        Raises:
            EngineError: See `SpeechProcess.hear()`.
        """
        return await self._member(key).engine.hear(sound, key=key)

    async def finish(self, *, key: str) -> Sequence[Utterance]:
        """Return what was still being said, final, and forget the stream `key`.

        Raises:
            EngineError: The process has died; what was being said is lost.
        """
        member = self._of.pop(key, None)
        if member is None:
            return ()
        member.keys.discard(key)
        return await member.engine.finish(key=key)

    async def aclose(self) -> None:
        """End all processes; sound that they have not heard by then fails with `EngineError`."""
        await asyncio.gather(*(member.engine.aclose() for member in self._members))

    def _member(self, key: str) -> _Member:
        known = self._of.get(key)
        if known is not None:
            return known
        member = min(self._members, key=lambda member: len(member.keys))
        if len(member.keys) >= _EACH and len(self._members) < self._most:
            member = _Member(self._make())
            self._members.append(member)
        member.keys.add(key)
        self._of[key] = member
        return member
