"""What becomes of a frame that something is to go wrong with."""

from __future__ import annotations

import heapq
import math

import attrs

from rtstream_async.local.domain.chaos import Chance, ChaosPlan, GarbageKind

__all__ = ["Fate", "Line", "Payload", "RawText", "decide"]


@attrs.frozen
class RawText:
    """A text frame of these very bytes, be they UTF-8 or not."""

    data: bytes


Payload = str | bytes | RawText
"""One frame: text, binary, or text as it must not be."""


@attrs.frozen(kw_only=True)
class Fate:
    """What becomes of one frame."""

    copies: tuple[tuple[float, Payload], ...]  #: seconds from now, and what is sent then
    faults: tuple[str, ...] = ()  #: `dropped`, `delayed`, `reordered`, `garbage`, `duplicated`
    is_in_order: bool = True  #: not before, nor after, those that it came between


def decide(plan: ChaosPlan, payload: Payload, chance: Chance) -> Fate:
    """Return what becomes of one frame."""
    if _hits(plan.drop, chance):
        return Fate(copies=(), faults=("dropped",))
    faults: list[str] = []
    delay = plan.delay + (plan.delay_jitter * chance() if plan.delay_jitter else 0.0)
    if delay > 0:
        faults.append("delayed")
    is_reordered = _hits(plan.reorder, chance)
    if is_reordered:
        faults.append("reordered")
        delay += plan.reorder_within * chance()
    payloads = [payload]
    if _hits(plan.garbage, chance):
        faults.append("garbage")
        payloads.insert(0, _garbage(plan, chance))
    if _hits(plan.duplicate, chance):
        faults.append("duplicated")
        payloads.append(payload)
    return Fate(
        copies=tuple((delay, each) for each in payloads),
        faults=tuple(faults),
        is_in_order=not is_reordered,
    )


@attrs.define(eq=False)
class Line:
    """The frames of one connection that are held back; times are of any clock, in seconds."""

    _waiting: list[tuple[float, int, Payload]] = attrs.field(
        factory=list[tuple[float, int, Payload]], init=False
    )
    _count: int = attrs.field(default=0, init=False)
    _last: float = attrs.field(default=-math.inf, init=False)  # when the last one in order is due

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def next_at(self) -> float | None:
        """When the next frame is due; `None` when none waits."""
        return self._waiting[0][0] if self._waiting else None

    def put(self, fate: Fate, now: float) -> None:
        """Take what becomes of a frame."""
        for delay, payload in fate.copies:
            due = now + delay
            if fate.is_in_order:
                due = self._last = max(due, self._last)
            heapq.heappush(self._waiting, (due, self._count, payload))
            self._count += 1

    def take(self, now: float) -> list[Payload]:
        """Return what is due, in the order of its sending; at infinity, all there is."""
        taken: list[Payload] = []
        while self._waiting and self._waiting[0][0] <= now:
            taken.append(heapq.heappop(self._waiting)[2])
        return taken


def _hits(probability: float, chance: Chance) -> bool:
    return probability > 0 and chance() < probability


def _garbage(plan: ChaosPlan, chance: Chance) -> Payload:
    kind = plan.garbage_kinds[int(chance() * len(plan.garbage_kinds))]
    return _RUBBISH[kind] if kind != "huge" else "x" * plan.garbage_bytes


_RUBBISH: dict[GarbageKind, Payload] = {
    "text": "{this is no JSON",
    "binary": b"\x00\xff\xfe\x01",
    "utf8": RawText(b'{"channel": "\xc3\x28\xff"}'),
    "list": '["a", ["list"], {}, null, 1]',
}
