"""How often messages come, when their absence is suspicious, and what REST then proves.

A socket can be deaf: open, its pings answered, and nothing is pushed to it any more. From here that
looks like a stream on which nothing happens. What is usual on a channel says when to ask REST, and
the records that it has tell one from the other.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

import attrs

__all__ = ["Cadence", "CadenceSettings", "Verdict", "judge"]

_TIMES_USUAL = 3.0  # what is three times as long as usual is not usual any more
_FORGETTING = 1 / 64  # of the way from the longest interval to the present one
_MAX_DOUBLINGS = 16  # beyond any cap by then, and far from overflowing
_TOLERANCE = 0.0015  # seconds: the socket has ms, REST has us


@attrs.frozen(kw_only=True)
class CadenceSettings:
    """When silence is suspicious; all in seconds."""

    least: float = 10.0  #: a shorter silence never is
    most: float = 600.0  #: a longer one always is
    unknown: float = 60.0  #: of a channel that has not had two messages yet


@attrs.define
class Cadence:
    """What is usual on one stream and channel.

    All times are seconds of one clock that never goes back.

    Attributes:
        silent_since: When something came last, or when it began to be listened to.
        usual: The longest interval between two messages, slowly forgotten; `None`: not known yet.
        suspicious_at: When the present silence is suspicious, unless something comes before.
    """

    silent_since: float
    settings: CadenceSettings = attrs.field(factory=CadenceSettings, kw_only=True)
    usual: float | None = attrs.field(default=None, init=False)
    suspicious_at: float = attrs.field(init=False)
    _began_with_message: bool = attrs.field(default=False, init=False)
    _doublings: int = attrs.field(default=0, init=False)

    def __attrs_post_init__(self) -> None:
        self.suspicious_at = self.silent_since + self.patience

    @property
    def patience(self) -> float:
        """How many seconds of silence are suspicious."""
        settings = self.settings
        usual = settings.unknown if self.usual is None else _TIMES_USUAL * self.usual
        return min(settings.most, max(settings.least, usual) * 2.0**self._doublings)

    def heard(self, at: float) -> None:
        """Note that something came."""
        if self._began_with_message:
            self._learn(at - self.silent_since)
        self._began_with_message = True
        self._doublings = 0
        self._listen(at)

    def restart(self, at: float) -> None:
        """Note that nothing could come until now: that silence says nothing of the cadence."""
        self._began_with_message = False
        self._listen(at)

    def excuse(self, at: float) -> None:
        """Note that there was nothing to hear; the next such silence may be twice as long."""
        self._doublings = min(self._doublings + 1, _MAX_DOUBLINGS)
        self.suspicious_at = at + self.patience

    def accuse(self, at: float) -> None:
        """Note that there was something to hear, and what is done about it.

        Whether that helps shows when something comes. Until then each attempt waits twice as long:
        what never pushes must not have the link lost again and again.
        """
        self._doublings = min(self._doublings + 1, _MAX_DOUBLINGS)
        self.restart(at)

    def _learn(self, interval: float) -> None:
        usual = self.usual
        if usual is None or interval >= usual:
            self.usual = interval
        else:
            self.usual = usual + (interval - usual) * _FORGETTING

    def _listen(self, at: float) -> None:
        self.silent_since = at
        self.suspicious_at = at + self.patience


class Verdict(enum.Enum):
    """What the records of a silent channel prove."""

    QUIET = enum.auto()  #: there was nothing to push
    EARLY = enum.auto()  #: there is something, and its push may be on the way
    CHANNEL_DEAF = enum.auto()  #: something was not pushed, and the socket was heard after it
    SOCKET_DEAF = enum.auto()  #: something was not pushed, and nothing came after it


def judge(
    ends: Iterable[float],
    *,
    pushed_until: float,
    lateness: float,
    heard_at: float,
    now: float,
) -> Verdict:
    """Return what the records of a silent channel prove.

    Args:
        ends: When its records end that REST has.
        pushed_until: The greatest end of a record that was delivered.
        lateness: Seconds from the end of a record within which its push has always come.
        heard_at: When anything at all came last on the socket.
        now: The present. This and all other times are Unix seconds of the service's clock.
    """
    missed = [end for end in ends if end > pushed_until + _TOLERANCE]
    if not missed:
        return Verdict.QUIET
    due = min(missed) + lateness
    if due > now:
        return Verdict.EARLY
    return Verdict.CHANNEL_DEAF if due < heard_at else Verdict.SOCKET_DEAF
