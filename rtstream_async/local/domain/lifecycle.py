"""The life of a stream, as a table."""

from __future__ import annotations

import enum

import attrs

__all__ = ["TRANSITIONS", "Lifecycle", "Signal", "StreamState"]


class StreamState(enum.Enum):
    """What a stream is doing; the values are the words on the wire."""

    CONNECTING = "connecting"
    CONNECTED = "connected"
    RECONNECTING = "reconnecting"
    STOPPED = "stopped"
    FAILED = "error"


class Signal(enum.Enum):
    """What can happen to a stream."""

    START = enum.auto()  #: somebody wants it to run
    OPENED = enum.auto()  #: its source plays, or its listener waits for a publisher
    LOST = enum.auto()  #: its source is gone, and will be tried again
    GAVE_UP = enum.auto()  #: its source can't be had, and trying again is no use
    STOP = enum.auto()  #: somebody wants it to stop, or a finite source was played to its end


_ACTIVE = (StreamState.CONNECTING, StreamState.CONNECTED, StreamState.RECONNECTING)

TRANSITIONS: dict[tuple[StreamState, Signal], StreamState] = {
    (StreamState.STOPPED, Signal.START): StreamState.CONNECTING,
    (StreamState.FAILED, Signal.START): StreamState.CONNECTING,
    (StreamState.CONNECTING, Signal.LOST): StreamState.CONNECTING,
    (StreamState.CONNECTED, Signal.LOST): StreamState.RECONNECTING,
    (StreamState.RECONNECTING, Signal.LOST): StreamState.RECONNECTING,
    (StreamState.FAILED, Signal.STOP): StreamState.STOPPED,
    **{(state, Signal.OPENED): StreamState.CONNECTED for state in _ACTIVE},
    **{(state, Signal.GAVE_UP): StreamState.FAILED for state in _ACTIVE},
    **{(state, Signal.STOP): StreamState.STOPPED for state in _ACTIVE},
}


@attrs.define
class Lifecycle:
    """One stream's state; only `feed()` moves it."""

    state: StreamState = StreamState.STOPPED

    @property
    def is_active(self) -> bool:
        """Whether the stream has, or is after, its source."""
        return self.state in _ACTIVE

    def feed(self, signal: Signal) -> StreamState:
        """Move along and return the new state.

        Raises:
            RuntimeError: That can't happen in this state.
        """
        try:
            self.state = TRANSITIONS[self.state, signal]
        except KeyError:
            raise RuntimeError(f"{signal.name} while {self.state.name}") from None
        return self.state
