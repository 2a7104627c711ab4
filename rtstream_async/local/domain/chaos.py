"""What goes wrong on purpose: the plan, checked.

Chance comes as an argument: a callable that gives a number from 0 up to, but not including, 1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any, Literal

import attrs

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.local.domain.plan_fields import (
    flag,
    number,
    one_of,
    rules,
    some_of,
    text,
    texts,
    whole,
)

__all__ = [
    "GARBAGE_KINDS",
    "Chance",
    "ChaosPlan",
    "CutHow",
    "GarbageKind",
    "HandshakeFault",
    "HandshakeKind",
    "RestFault",
    "change",
    "check_close_code",
    "next_cut",
    "record_lag",
]

Chance = Callable[[], float]
CutHow = Literal["cut", "close", "half_open"]
GarbageKind = Literal["text", "binary", "utf8", "list", "huge"]
HandshakeKind = Literal["refuse", "expire", "mute", "stall"]

GARBAGE_KINDS: tuple[GarbageKind, ...] = ("text", "binary", "utf8", "list", "huge")
"""Text that is no JSON, bytes, a text frame that is no UTF-8, a JSON list, a very long frame."""

_CUTS: tuple[CutHow, ...] = ("cut", "close", "half_open")
_HANDSHAKES: tuple[HandshakeKind, ...] = ("refuse", "expire", "mute", "stall")
_METHODS = ("GET", "POST", "PATCH", "PUT", "DELETE", "HEAD")
_LONGEST = 86_400.0  # seconds
_SHORTEST_CUT = 0.05  # seconds; links need a moment to be cut again
_MOST = 1_000_000
_OWN_CODES = (3000, 4999)  # of applications
_CODES = frozenset({1000, 1001, 1002, 1003, *range(1007, 1015)})  # that may be on the wire


def check_close_code(name: str, code: object) -> None:
    """Check that the argument `name` is a close code that may be on the wire.

    Raises:
        InvalidArgumentError: It may not.
    """
    low, high = _OWN_CODES
    if not isinstance(code, int) or (code not in _CODES and not low <= code <= high):
        raise InvalidArgumentError(
            name, f"{code!r} can't be sent", allowed=(*sorted(_CODES), f"{low} to {high}")
        )


def _close_code(_: object, field: attrs.Attribute[Any], value: object) -> None:
    check_close_code(field.name, value)


@attrs.frozen(kw_only=True)
class HandshakeFault:
    """What goes wrong with a handshake."""

    kind: HandshakeKind = attrs.field(validator=one_of(_HANDSHAKES))
    """Refused, its URL taken for expired, or opened and never, or late, told its connection id."""
    status: int = attrs.field(default=503, validator=whole(400, 599))  #: HTTP status of `refuse`
    seconds: float = attrs.field(default=1.0, validator=number(0, _LONGEST))  #: of `stall`
    probability: float = attrs.field(default=1.0, validator=number(0, 1))
    times: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(whole(0, _MOST))
    )  #: the next so many; `None` for no end


@attrs.frozen(kw_only=True)
class RestFault:
    """What goes wrong with a REST call: at least one of `status`, `slow` and `reset`."""

    method: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(one_of(_METHODS))
    )  #: `None` for all
    path: str = attrs.field(default="*", validator=text)  #: `*` stands for anything, `/` as well
    status: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(whole(400, 599))
    )  #: answered in place of what was asked for, which is not done
    retry_after: float | None = attrs.field(
        default=None, validator=attrs.validators.optional(number(0, _LONGEST))
    )  #: seconds, told in the header of that name
    slow: float = attrs.field(default=0.0, validator=number(0, _LONGEST))
    """Seconds until the call is looked at."""
    reset: bool = attrs.field(default=False, validator=flag)
    """What was asked for is done, and the connection is reset in the middle of the answer."""
    probability: float = attrs.field(default=1.0, validator=number(0, 1))
    times: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(whole(0, _MOST))
    )  #: the next so many; `None` for no end

    def __attrs_post_init__(self) -> None:
        if self.status is None and not self.slow and not self.reset:
            raise InvalidArgumentError("status", "is needed, or slow, or reset: nothing is wrong")
        if self.status is not None and self.reset:
            raise InvalidArgumentError("reset", "can't be had together with status")

    def fits(self, method: str, path: str) -> bool:
        """Return whether a call is one of those meant."""
        return self.method in {None, method} and fnmatchcase(path, self.path)


def _connection_ids(value: Iterable[str]) -> tuple[str, ...]:
    return texts("connection_ids", value)


def _garbage_kinds(value: Iterable[GarbageKind]) -> tuple[GarbageKind, ...]:
    return some_of("garbage_kinds", value, GARBAGE_KINDS)


def _handshakes(
    value: Iterable[HandshakeFault | Mapping[str, Any]],
) -> tuple[HandshakeFault, ...]:
    return rules("handshakes", value, HandshakeFault)


def _rest(value: Iterable[RestFault | Mapping[str, Any]]) -> tuple[RestFault, ...]:
    return rules("rest", value, RestFault)


@attrs.frozen(kw_only=True)
class ChaosPlan:
    """All that goes wrong; nothing, as it is made. Probabilities are from 0 to 1."""

    seed: int = attrs.field(default=0, validator=whole(0, 2**63))
    connection_ids: tuple[str, ...] = attrs.field(default=(), converter=_connection_ids)
    """The sockets that frames go wrong on, and that are cut every so often; none for all."""
    delay: float = attrs.field(default=0.0, validator=number(0, _LONGEST))  #: of frames, seconds
    delay_jitter: float = attrs.field(default=0.0, validator=number(0, _LONGEST))
    """The most that is added to `delay`, in seconds; the order is kept."""
    drop: float = attrs.field(default=0.0, validator=number(0, 1))  #: frames lost in silence
    duplicate: float = attrs.field(default=0.0, validator=number(0, 1))  #: frames sent twice
    reorder: float = attrs.field(default=0.0, validator=number(0, 1))
    """Frames held back out of their order, for up to `reorder_within` seconds."""
    reorder_within: float = attrs.field(default=0.05, validator=number(0, _LONGEST))
    garbage: float = attrs.field(default=0.0, validator=number(0, 1))
    """Frames with one before them that nobody can read."""
    garbage_kinds: tuple[GarbageKind, ...] = attrs.field(
        default=GARBAGE_KINDS, converter=_garbage_kinds
    )
    garbage_bytes: int = attrs.field(default=2**20, validator=whole(1, 2**26))  #: size of `huge`
    cut_every: float = attrs.field(default=0.0, validator=number(0, _LONGEST))
    """Seconds from cut to cut; 0 for none."""
    cut_jitter: float = attrs.field(default=0.0, validator=number(0, _LONGEST))
    """The most that a cut is earlier or later than that, in seconds."""
    cut_how: CutHow = attrs.field(default="cut", validator=one_of(_CUTS))
    close_code: int = attrs.field(default=1011, validator=_close_code)  #: of `close`
    handshakes: tuple[HandshakeFault, ...] = attrs.field(default=(), converter=_handshakes)
    rest: tuple[RestFault, ...] = attrs.field(default=(), converter=_rest)
    history_lag: float = attrs.field(default=0.0, validator=number(0, _LONGEST))
    """Seconds until a record that was stored is in the lists that REST gives."""
    history_jitter: float = attrs.field(default=0.0, validator=number(0, _LONGEST))
    """The most that is added to `history_lag`, in seconds, for each record anew."""

    @property
    def touches_frames(self) -> bool:
        """Whether anything happens to frames."""
        shares = self.drop, self.duplicate, self.reorder, self.garbage
        return any(shares) or self.delay > 0 or self.delay_jitter > 0

    @property
    def hides_records(self) -> bool:
        """Whether records are in the lists later than they were stored."""
        return self.history_lag > 0 or self.history_jitter > 0

    def is_meant(self, connection_id: str) -> bool:
        """Return whether a socket's frames go wrong."""
        return not self.connection_ids or connection_id in self.connection_ids


def change(plan: ChaosPlan, changes: Mapping[str, object]) -> ChaosPlan:
    """Return `plan` with some fields changed; rules may be given as mappings.

    Raises:
        InvalidArgumentError: There is no such field, or it can't be that; it names the field, as
            `rest[0].status`.
    """
    names = [field.name for field in attrs.fields(ChaosPlan)]
    for name in changes:
        if name not in names:
            raise InvalidArgumentError(name, "is not known here", allowed=sorted(names))
    given: dict[str, Any] = dict(changes)
    return attrs.evolve(plan, **given)


def next_cut(plan: ChaosPlan, chance: Chance) -> float | None:
    """Return the seconds until the next cut; `None` for never."""
    if not plan.cut_every:
        return None
    return max(_SHORTEST_CUT, plan.cut_every + plan.cut_jitter * (2 * chance() - 1))


def record_lag(plan: ChaosPlan, chance: Chance) -> float:
    """Return the seconds until a record that is being stored is in the lists."""
    return plan.history_lag + plan.history_jitter * chance()
