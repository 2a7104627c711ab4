"""The life of a capture session, as a table."""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from typing import Final

import attrs

__all__ = [
    "TRANSITIONS",
    "Attendance",
    "CaptureLife",
    "CaptureSignal",
    "CaptureState",
    "export_status",
    "way_to",
]


class CaptureState(enum.Enum):
    """What a capture session is doing; the values are the words on the wire."""

    CREATED = "created"
    STARTING = "starting"
    ACTIVE = "active"
    STOPPING = "stopping"
    STOPPED = "stopped"
    EXPORTED = "exported"
    FAILED = "failed"


class CaptureSignal(enum.Enum):
    """What can happen to a capture session."""

    START = enum.auto()  #: the capturing program has announced its channels
    FLOWING = enum.auto()  #: its streams are there
    STOP = enum.auto()  #: somebody wants it to stop
    STOPPED = enum.auto()  #: nothing is captured any more
    EXPORTED = enum.auto()  #: what was stored of it is a video now
    FAIL = enum.auto()  #: it can't go on


_UNFINISHED: Final = (
    CaptureState.CREATED,
    CaptureState.STARTING,
    CaptureState.ACTIVE,
    CaptureState.STOPPING,
)

TRANSITIONS: Final[Mapping[tuple[CaptureState, CaptureSignal], CaptureState]] = {
    (CaptureState.CREATED, CaptureSignal.START): CaptureState.STARTING,
    (CaptureState.STARTING, CaptureSignal.FLOWING): CaptureState.ACTIVE,
    (CaptureState.STARTING, CaptureSignal.STOP): CaptureState.STOPPING,
    (CaptureState.ACTIVE, CaptureSignal.STOP): CaptureState.STOPPING,
    (CaptureState.STOPPING, CaptureSignal.STOPPED): CaptureState.STOPPED,
    (CaptureState.STOPPED, CaptureSignal.EXPORTED): CaptureState.EXPORTED,
    (CaptureState.STOPPED, CaptureSignal.FAIL): CaptureState.FAILED,
    **{(state, CaptureSignal.FAIL): CaptureState.FAILED for state in _UNFINISHED},
}


@attrs.define
class CaptureLife:
    """One capture session's state; only `feed()` moves it."""

    state: CaptureState = CaptureState.CREATED

    def feed(self, signal: CaptureSignal) -> CaptureState:
        """Move along and return the new state.

        Raises:
            RuntimeError: That can't happen in this state.
        """
        try:
            self.state = TRANSITIONS[self.state, signal]
        except KeyError:
            raise RuntimeError(f"{signal.name} while {self.state.name}") from None
        return self.state


def way_to(target: CaptureState, state: CaptureState) -> list[CaptureSignal] | None:
    """Return the shortest way from `state` to `target`; `None` when there is none."""
    ways: dict[CaptureState, list[CaptureSignal]] = {state: []}
    ahead = deque([state])
    while ahead:
        here = ahead.popleft()
        if here is target:
            return ways[here]
        for (origin, signal), following in TRANSITIONS.items():
            if origin is here and following not in ways:
                ways[following] = [*ways[here], signal]
                ahead.append(following)
    return None


@attrs.define
class Attendance:
    """Who publishes to a session, and what follows from that; times in seconds, of any clock."""

    channels: int  #: how many publishers are expected
    timeout: float  #: how long a session goes on with nobody there
    settle: float  #: how long the first publisher waits for the others
    seen: float  #: when somebody was last there, or when waiting began
    _first: float | None = attrs.field(default=None, init=False)

    def see(self, present: int, now: float, *, is_active: bool) -> CaptureSignal | None:
        """Note how many are there now; return what that means for the session, if anything."""
        if present:
            self.seen = now
            self._first = now if self._first is None else self._first
        is_deserted = now - self.seen >= self.timeout
        if is_active:
            return CaptureSignal.STOP if is_deserted else None
        if present >= self.channels:
            return CaptureSignal.FLOWING
        if self._first is None:
            return CaptureSignal.FAIL if is_deserted else None
        return CaptureSignal.FLOWING if now - self._first >= self.settle else None


def export_status(
    state: CaptureState, *, is_stored: bool, is_exporting: bool = False
) -> str | None:
    """Return how far the export of a session is; `None`: nothing of it is stored for one."""
    if state is CaptureState.EXPORTED:
        return "exported"
    if not is_stored:
        return None
    if state is CaptureState.FAILED:
        return "failed"
    return "exporting" if is_exporting else "pending"
