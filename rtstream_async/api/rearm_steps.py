"""What arming an alert and arming an index again have in common: bounded steps, taken up again."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Iterable
from typing import TypeVar

import anyio
import attrs

from rtstream_async.api.caller import Caller
from rtstream_async.errors import RequestTimeoutError, RTStreamError

__all__ = ["Attempts", "Steps", "is_lasting"]

T = TypeVar("T")

_CLOCK_ERROR = 0.5  # seconds: an HTTP Date has whole ones


def is_lasting(error: RTStreamError) -> bool:
    """Return whether it makes no sense to try again what failed with `error`."""
    return not error.is_retryable


@attrs.frozen(kw_only=True)
class Steps:
    """Makes calls that end in time."""

    caller: Caller
    seconds: float  #: for one step

    async def take(self, step: Awaitable[T], *, times: float = 1.0) -> T:
        """Return the result of a step that is given `times` the usual time.

        Raises:
            RequestTimeoutError: It took longer; what became of it is unknown.
        """
        seconds = self.seconds * times
        with anyio.move_on_after(seconds):
            return await step
        raise RequestTimeoutError(f"no answer in {seconds:g} s")

    def now(self) -> float:
        """Return the service's Unix time, seconds."""
        return self.caller.now()

    def since(self, begun: float) -> tuple[float, float]:
        """Return the time from `begun` to now, and as much more as the clock may be wrong by."""
        return begun - _CLOCK_ERROR, self.now() + _CLOCK_ERROR


@attrs.define
class Attempts:
    """What was there before something was made, for as long as it is not known whether it was.

    A request that is not answered may have worked. Made a second time, an alert would tell
    everything twice.
    """

    _before: dict[Hashable, tuple[str, frozenset[str]]] = attrs.field(
        factory=dict[Hashable, tuple[str, frozenset[str]]], init=False
    )

    def begin(self, what: Hashable, connection_id: str, there: Iterable[str]) -> None:
        """Note what is there, unless an earlier attempt noted it."""
        self._before.setdefault(what, (connection_id, frozenset(there)))

    def is_new(self, what: Hashable, id_: str) -> bool:
        """Return whether this came while an attempt was being made."""
        return what in self._before and id_ not in self._before[what][1]

    def is_for(self, what: Hashable, connection_id: str) -> bool:
        """Return whether the earlier attempt was made for this connection id."""
        return self._before.get(what, ("",))[0] == connection_id

    def end(self, what: Hashable) -> None:
        """Note that it is known what became of it."""
        self._before.pop(what, None)
