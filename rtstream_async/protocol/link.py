"""The link: one logical connection across reconnects, as a table; and when to try again.

`Link.feed()` is the only thing that moves the state. Delays are full jitter: a loss of a link that
lasted is answered within a quarter of a second, and only a row of failures makes the wait grow.
"""

from __future__ import annotations

import enum

import attrs

__all__ = ["TRANSITIONS", "Attempts", "Link", "LinkSignal", "LinkState"]


class LinkState(enum.StrEnum):
    """Where the link is."""

    IDLE = "IDLE"  #: nothing has needed the socket yet
    CONNECTING = "CONNECTING"  #: no connection id has ever come
    LIVE = "LIVE"  #: connection id known, messages come
    STALE = "STALE"  #: open, and suspiciously quiet
    RECONNECTING = "RECONNECTING"  #: lost; a new socket is being opened
    RECOVERING = "RECOVERING"  #: a new connection id is known; the gap is being filled
    SUSPENDED = "SUSPENDED"  #: gave up; the next use, or `force_reconnect()`, tries again
    AUTH_FAILED = "AUTH_FAILED"  #: the key is refused; only `force_reconnect()` tries again
    CLOSED = "CLOSED"  #: closed by us, for good

    @property
    def has_connection_id(self) -> bool:
        """Whether the connection id is one that pipelines can publish to now."""
        return self in _CONNECTED

    @property
    def is_over(self) -> bool:
        """Whether nothing will come unless somebody asks for it."""
        return self in _OVER


class LinkSignal(enum.StrEnum):
    """What happened to the link."""

    OPEN = "OPEN"  #: somebody needs the socket
    GREETED = "GREETED"  #: the connection id came, and there is nothing to recover
    RECOVER = "RECOVER"  #: the connection id came, and a gap is to be filled
    RECOVERED = "RECOVERED"  #: the gap is filled, or given up
    QUIET = "QUIET"  #: nothing has come for longer than usual
    HEARD = "HEARD"  #: something came after a silence
    CLEARED = "CLEARED"  #: REST shows that there was nothing to push
    LOST = "LOST"  #: the socket is gone
    REFUSED = "REFUSED"  #: the service refuses the key
    GAVE_UP = "GAVE_UP"  #: the budget for an outage is used up
    RESUME = "RESUME"  #: try again after giving up
    CLOSE = "CLOSE"  #: we are done


_CONNECTED = frozenset({LinkState.LIVE, LinkState.STALE, LinkState.RECOVERING})
_OVER = frozenset({LinkState.SUSPENDED, LinkState.AUTH_FAILED, LinkState.CLOSED})

TRANSITIONS: dict[tuple[LinkState, LinkSignal], LinkState] = {
    (LinkState.IDLE, LinkSignal.OPEN): LinkState.CONNECTING,
    (LinkState.CONNECTING, LinkSignal.GREETED): LinkState.LIVE,
    (LinkState.CONNECTING, LinkSignal.REFUSED): LinkState.AUTH_FAILED,
    (LinkState.CONNECTING, LinkSignal.GAVE_UP): LinkState.SUSPENDED,
    (LinkState.LIVE, LinkSignal.QUIET): LinkState.STALE,
    (LinkState.LIVE, LinkSignal.LOST): LinkState.RECONNECTING,
    (LinkState.STALE, LinkSignal.HEARD): LinkState.LIVE,
    (LinkState.STALE, LinkSignal.CLEARED): LinkState.LIVE,
    (LinkState.STALE, LinkSignal.LOST): LinkState.RECONNECTING,
    (LinkState.RECONNECTING, LinkSignal.GREETED): LinkState.LIVE,
    (LinkState.RECONNECTING, LinkSignal.RECOVER): LinkState.RECOVERING,
    (LinkState.RECONNECTING, LinkSignal.REFUSED): LinkState.AUTH_FAILED,
    (LinkState.RECONNECTING, LinkSignal.GAVE_UP): LinkState.SUSPENDED,
    (LinkState.RECOVERING, LinkSignal.RECOVERED): LinkState.LIVE,
    (LinkState.RECOVERING, LinkSignal.LOST): LinkState.RECONNECTING,
    (LinkState.SUSPENDED, LinkSignal.RESUME): LinkState.RECONNECTING,
    (LinkState.AUTH_FAILED, LinkSignal.RESUME): LinkState.RECONNECTING,
} | {
    (state, LinkSignal.CLOSE): LinkState.CLOSED
    for state in LinkState
    if state is not LinkState.CLOSED
}


@attrs.define
class Link:
    """The state, and how many connections have been live so far."""

    state: LinkState = LinkState.IDLE
    generation: int = 0

    def feed(self, signal: LinkSignal) -> LinkState:
        """Take in `signal`; return the state before it.

        Raises:
            RuntimeError: The signal makes no sense in this state; nothing was changed.
        """
        before = self.state
        try:
            self.state = TRANSITIONS[before, signal]
        except KeyError:
            raise RuntimeError(f"{signal.name} while {before.name}") from None
        if signal in (LinkSignal.GREETED, LinkSignal.RECOVER):
            self.generation += 1
        return before


_FIRST = 0.25  # seconds; a link that lasted is taken up again at once
_CAP = 60.0  # seconds
_PATIENT = 5.0  # seconds: no outage is so short that this is too long a wait
_SHARE = 0.1  # of an outage: what a wait may add to it, once the service is back
_LASTING = 3.0  # seconds of life that show that a link works
_LATCH = 2  # refusals in a row: one may be a token that had just run out
_MAX_DOUBLINGS = 16  # beyond the cap by then, and far from overflowing


@attrs.frozen(kw_only=True)
class Attempts:
    """How connecting has gone lately, and so how long to wait before the next attempt."""

    failures: int = 0  #: attempts in a row that brought no lasting link
    refusals: int = 0  #: how many of the last ones were refused for the key
    ceiling: float = 0.0  #: seconds; the next wait is at most this

    def lost(self, *, lived: float) -> Attempts:
        """Return what follows the loss of a link that was live for `lived` seconds."""
        if lived >= _LASTING:
            return Attempts(ceiling=_ceiling(0))
        # Accept, then close: the first is taken for bad luck, a row of them must not spin.
        return Attempts(failures=self.failures + 1, ceiling=_ceiling(self.failures))

    def failed(self, *, refused: bool = False) -> Attempts:
        """Return what follows an attempt that brought no connection id."""
        return Attempts(
            failures=self.failures + 1,
            refusals=self.refusals + 1 if refused else 0,
            ceiling=_ceiling(self.failures + 1),
        )

    @property
    def is_refused(self) -> bool:
        """Whether the service has refused the key so often that asking again is no use."""
        return self.refusals >= _LATCH

    def delay(self, *, jitter: float, down: float, retry_after: float | None = None) -> float:
        """Return how many seconds to wait now.

        Args:
            jitter: From 0 to 1, by chance.
            down: For how many seconds there has been no link that lasted: a wait is at most a
                tenth of that, so that the service is never back for long before we are.
            retry_after: The service's own wish in seconds; it is heeded up to the cap.
        """
        wished = min(retry_after, _CAP) if retry_after is not None else 0.0
        return max(wished, min(self.ceiling, max(_PATIENT, _SHARE * down)) * jitter)


def _ceiling(failures: int) -> float:
    return min(_CAP, _FIRST * 2.0 ** min(failures, _MAX_DOUBLINGS))
