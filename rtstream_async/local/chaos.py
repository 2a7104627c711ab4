"""Chaos on request: carries out a plan of what goes wrong, and counts what it did.

Only a server made with `control=True` has it, as `server.chaos` and under `/_local/chaos`. It does
nothing, and is in nobody's way, until something is set.
"""

from __future__ import annotations

import asyncio
import math
import random
import time
from collections import Counter, deque
from typing import Any

import anyio
import attrs

from rtstream_async.local.chaos_counts import ChaosCounts, Cut, FrameCounts
from rtstream_async.local.domain.chaos import (
    ChaosPlan,
    CutHow,
    HandshakeFault,
    HandshakeKind,
    RestFault,
    change,
    check_close_code,
    next_cut,
    record_lag,
)
from rtstream_async.local.domain.chaos_frames import Line, decide
from rtstream_async.local.domain.chaos_rules import Rules
from rtstream_async.local.hub import Hub, Peer, Sent
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.store.lateness import be_late, be_prompt
from rtstream_async.local.store.worker import Worker

__all__ = ["Chaos"]

_KEPT = 100_000
"""The most connections that ended, and cuts, that are remembered; the oldest are forgotten."""

_REFUSALS = {
    "refuse": ("REFUSED", "this handshake is refused, as asked for"),
    "expire": ("EXPIRED", "this URL has expired; ask for a new one"),
}
_FORBIDDEN = 403


@attrs.define(eq=False)
class _Way:
    """What the frames of one socket go through."""

    peer: Peer
    chance: random.Random
    line: Line = attrs.field(factory=Line)
    timer: asyncio.TimerHandle | None = None


class Chaos:
    """Cut, dead and late sockets, lost and mangled frames, refused and reset calls, late records.

    `set()` says what is to go wrong from now on, `off()` mends all; `cut()`, `close()` and
    `half_open()` do it now. `counts` has what was done.
    """

    def __init__(self, hub: Hub, store: Worker) -> None:
        self._hub = hub
        self._store = store
        self._plan = ChaosPlan()
        self._ways: dict[str, _Way] = {}
        self._born = 0  # ways that were made, which seed their chance
        self._chance = random.Random(0)  # noqa: S311 - a test's, to be the same each time
        self._lag_chance = random.Random(0)  # noqa: S311 - likewise, in the store's thread
        self._handshakes: Rules[HandshakeFault] = Rules()
        self._rest: Rules[RestFault] = Rules()
        self._cutting: asyncio.TimerHandle | None = None
        self._setting = asyncio.Lock()
        self._mended = asyncio.Event()  # what waits on purpose goes on
        self._faults: dict[str, Counter[str]] = {}
        self._ended: dict[str, FrameCounts] = {}
        self._cuts: deque[Cut] = deque(maxlen=_KEPT)
        self._handshake_counts: Counter[str] = Counter()
        self._rest_counts: Counter[str] = Counter()
        self._late_records = 0

    @property
    def plan(self) -> ChaosPlan:
        """What goes wrong now."""
        return self._plan

    @property
    def counts(self) -> ChaosCounts:
        """What was done since the server's start, or its last reset."""
        ended = dict.fromkeys((*self._ended, *self._hub.gone))
        return ChaosCounts(
            connections={
                **{id_: self._counts_of(id_) for id_ in ended},
                **{peer.connection_id: self._open_counts(peer) for peer in self._hub},
            },
            cuts=tuple(self._cuts),
            handshakes=dict(self._handshake_counts),
            rest=dict(self._rest_counts),
            late_records=self._late_records,
        )

    async def set(self, /, **changes: Any) -> ChaosPlan:
        """Have some things go wrong from now on, and leave all others as they are.

        Args:
            **changes: Fields of `ChaosPlan`; `rest` and `handshakes` are lists of `RestFault` and
                `HandshakeFault`, or of mappings of their fields.

        Returns:
            All that goes wrong now.

        Raises:
            InvalidArgumentError: There is no such field, or it can't be that.
        """
        async with self._setting:
            before, plan = self._plan, change(self._plan, changes)
            if plan.hides_records and not before.hides_records:
                await self._store.run(be_late, self._lag)
            elif before.hides_records and not plan.hides_records:
                await self._store.run(be_prompt)
            if "seed" in changes:
                self._reseed(plan.seed)
            self._adopt(change(self._plan, changes))
            return self._plan

    async def off(self) -> None:
        """Mend all: nothing goes wrong, nothing is held back, and dead sockets live again."""
        async with self._setting:
            self._adopt(ChaosPlan())
            self.mend()
            self._mended.set()
            self._mended = asyncio.Event()
            await self._store.run(be_prompt)

    def forget(self) -> None:
        """Count from zero."""
        self._ended.clear()
        self._faults.clear()
        self._cuts.clear()
        self._handshake_counts.clear()
        self._rest_counts.clear()
        self._late_records = 0
        self._hub.gone.clear()

    def cut(self, connection_id: str | None = None) -> int:
        """Break one connection, or all, with no goodbye; return how many."""
        return self._end(self._peers(connection_id), "cut")

    def close(self, connection_id: str | None = None, *, code: int = 1000, reason: str = "") -> int:
        """Close one socket, or all, with a close code; return how many. Queued frames go first.

        Raises:
            InvalidArgumentError: The code can't be sent.
        """
        check_close_code("code", code)
        return self._end(self._peers(connection_id), "close", code, reason)

    def half_open(self, connection_id: str | None = None) -> int:
        """Leave one connection, or all, open and dead; return how many.

        Nothing is written or read until `mend()`, `off()` or a cut: even pings get no answer, and
        that the client has left is not seen. Frames wait, as many as for a slow reader.
        """
        return self._end(self._peers(connection_id), "half_open")

    def mend(self, connection_id: str | None = None) -> int:
        """Have one dead connection, or all, go on where they stopped; return how many."""
        dead = [peer for peer in self._peers(connection_id) if peer.is_frozen]
        for peer in dead:
            peer.thaw()
        return len(dead)

    def fail_handshakes(self, kind: HandshakeKind, count: int, *, status: int = 503) -> None:
        """Have the next `count` handshakes go wrong in one way; 0 for no more in that way."""
        others = [rule for rule in self._plan.handshakes if rule.kind != kind]
        mine = [HandshakeFault(kind=kind, times=count, status=status)] if count else []
        self._adopt(attrs.evolve(self._plan, handshakes=[*others, *mine]))

    def watch(self) -> None:
        """Count from now on what becomes of frames."""
        self._hub.left = self._leave

    def aclose(self) -> None:
        """Let go of all that waits, so that the server can end."""
        self._adopt(ChaosPlan())
        self.mend()
        self._mended.set()

    def choose_rest(self, method: str, path: str) -> RestFault | None:
        """Return what goes wrong with a call; `None` for nothing."""
        if not self._rest:
            return None
        fault = self._rest.choose(lambda rule: rule.fits(method, path), self._chance.random)
        if fault is not None:
            names = {str(fault.status): fault.status, "slow": fault.slow, "reset": fault.reset}
            self._rest_counts.update(name for name, is_meant in names.items() if is_meant)
        return fault

    async def linger(self, seconds: float) -> None:
        """Wait so long, or until all is mended."""
        with anyio.move_on_after(seconds):
            await self._mended.wait()

    def _adopt(self, plan: ChaosPlan) -> None:
        before, self._plan = self._plan, plan
        self._handshakes.adopt(plan.handshakes)
        self._rest.adopt(plan.rest)
        self._hub.knock = self._knock if self._handshakes else None
        self._hub.mangle = self._mangle if plan.touches_frames else None
        for id_ in list(self._ways):
            if not plan.touches_frames or not plan.is_meant(id_):
                self._send_due(self._ways.pop(id_), math.inf)
        if (plan.cut_every, plan.cut_jitter) != (before.cut_every, before.cut_jitter):
            self._plan_cut()

    def _reseed(self, seed: int) -> None:
        self._born = 0
        self._chance.seed(seed)
        self._lag_chance.seed(seed)
        for way in self._ways.values():
            self._seed(way.chance, seed)

    def _seed(self, chance: random.Random, seed: int) -> None:
        self._born += 1
        chance.seed(f"{seed}/{self._born}")

    def _lag(self) -> float:
        """How late a record is; called in the store's thread."""
        self._late_records += 1
        return record_lag(self._plan, self._lag_chance.random)

    def _knock(self) -> float:
        rule = self._handshakes.choose(lambda _: True, self._chance.random)
        if rule is None:
            return 0.0
        self._handshake_counts[rule.kind] += 1
        if rule.kind in _REFUSALS:
            status = _FORBIDDEN if rule.kind == "expire" else rule.status
            raise Refusal(status, *_REFUSALS[rule.kind])
        return math.inf if rule.kind == "mute" else rule.seconds

    def _mangle(self, peer: Peer, payload: str | bytes) -> Sent:
        id_ = peer.connection_id
        if not self._plan.is_meant(id_):
            return peer.put(payload)
        way = self._ways.get(id_) or self._new_way(peer)
        fate = decide(self._plan, payload, way.chance.random)
        if fate.faults:
            self._faults.setdefault(id_, Counter()).update(fate.faults)
        now = asyncio.get_running_loop().time()
        way.line.put(fate, now)
        self._send_due(way, now)
        return "queued"

    def _new_way(self, peer: Peer) -> _Way:
        way = self._ways[peer.connection_id] = _Way(peer, random.Random())  # noqa: S311 - a test's
        self._seed(way.chance, self._plan.seed)
        return way

    def _send_due(self, way: _Way, now: float) -> None:
        for payload in way.line.take(now):
            way.peer.put(payload)
        if way.timer is not None:
            way.timer.cancel()
            way.timer = None
        if (at := way.line.next_at) is not None:
            way.timer = asyncio.get_running_loop().call_at(at, self._send_due, way, at)

    def _peers(self, connection_id: str | None) -> list[Peer]:
        if connection_id is None:
            return list(self._hub)
        peer = self._hub.get(connection_id)
        return [] if peer is None else [peer]

    def _end(
        self, peers: list[Peer], how: CutHow, code: int | None = None, reason: str = ""
    ) -> int:
        for peer in peers:
            self._cuts.append(
                Cut(at=time.time(), connection_id=peer.connection_id, how=how, code=code)
            )
            if how == "cut":
                peer.cut()
            elif how == "close":
                peer.close(code or 0, reason)
            else:
                peer.freeze()
        return len(peers)

    def _plan_cut(self) -> None:
        if self._cutting is not None:
            self._cutting.cancel()
            self._cutting = None
        if (after := next_cut(self._plan, self._chance.random)) is not None:
            self._cutting = asyncio.get_running_loop().call_later(after, self._cut_now)

    def _cut_now(self) -> None:
        plan = self._plan
        meant = [peer for peer in self._hub if plan.is_meant(peer.connection_id)]
        self._end([peer for peer in meant if peer.is_frozen], "cut")  # its client has long left
        alive = [peer for peer in meant if not peer.is_frozen]
        self._end(alive, plan.cut_how, plan.close_code if plan.cut_how == "close" else None)
        self._plan_cut()

    def _leave(self, peer: Peer) -> None:
        counts = self._open_counts(peer)
        id_ = peer.connection_id
        way = self._ways.pop(id_, None)
        if way is not None and way.timer is not None:
            way.timer.cancel()
        self._faults.pop(id_, None)
        self._ended[id_] = attrs.evolve(counts, is_open=False, waiting=0, unsent=counts.waiting)
        if len(self._ended) > _KEPT:
            del self._ended[next(iter(self._ended))]

    def _counts_of(self, id_: str) -> FrameCounts:
        return attrs.evolve(self._ended.get(id_, FrameCounts()), gone=self._hub.gone[id_])

    def _open_counts(self, peer: Peer) -> FrameCounts:
        way = self._ways.get(peer.connection_id)
        return FrameCounts(
            is_open=True,
            sent=peer.sent,
            overflowed=peer.dropped,
            waiting=peer.queued + (0 if way is None else len(way.line)),
            **self._faults.get(peer.connection_id, Counter()),
        )
