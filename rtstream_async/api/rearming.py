"""Has what publishes to an old connection id publish to a new one, as far as the service can.

The service binds a pipeline to a connection id when it is made, and has no way to change that. So
a transcript is stopped and started, an alert is made a second time before the first is disabled,
and an index, where that was asked for, is stopped and made anew. Each step is noted in `Arms` as
soon as it is done; who fails or is cancelled in between is taken up there by the next attempt.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import attrs

from rtstream_async.api import scene_indexes, transcripts
from rtstream_async.api.caller import Caller
from rtstream_async.api.rearm_alerts import Alarms
from rtstream_async.api.rearm_steps import Attempts, Steps, is_lasting
from rtstream_async.api.streams import Action
from rtstream_async.errors import ConflictError, NotFoundError, RTStreamError, ValidationError
from rtstream_async.models.records import IndexRecord
from rtstream_async.protocol.rearm import AlertArm, Arm, Arms, IndexArm, Rearmed, TranscriptArm

__all__ = ["Rearmer"]

logger = logging.getLogger("rtstream_async.realtime")

_STOPPED = frozenset({"inactive", "not_configured", "stop_requested", "stopped", "stopping"})
_MAKING = 4.0  # times as long as another step: the service may load a model
_ALERT = "alert"
_PAUSE = 0.3  # seconds, between the tries of an alert
_TRIES = 3  # for each alert of an index that was made anew
_NO_WAY = "the service can't push %s to another connection"
_GONE = "it is gone: %s"
_STOPPED_MEANWHILE = "it was stopped by somebody"
_RESTARTED = "the transcript was stopped and started again"
_MADE_ANEW = "the index was stopped, and a new one made in its place"
_NOT_STARTED = "the transcript was stopped, and can't be started again: %s"
_NOT_MADE = "no new index could be made: %s"
_STAYS_STOPPED = "the index %s was stopped, and can't be started again: %s"
_DEAF = "the alert %s could not be made again on the new index: %s"


class Rearmer:
    """Arms again what one connection has armed."""

    def __init__(self, caller: Caller, arms: Arms, *, step_timeout: float = 30.0) -> None:
        """Arm nothing yet.

        Args:
            caller: Makes the calls.
            arms: What is armed; each step that is done is noted there.
            step_timeout: Seconds for one step; making an index may take four times that.
        """
        self._steps = Steps(caller=caller, seconds=step_timeout)
        self._arms = arms
        self._alarms = Alarms(self._steps, arms)
        self._attempts = Attempts()
        self._stopped: dict[tuple[str | None, str], float] = {}  # by us, and since when
        self._turns: dict[str | None, anyio.Lock] = {}  # of streams

    async def rearm(self, arm: Arm, connection_id: str) -> Rearmed:
        """Have what was armed publish to `connection_id`, if there is a way.

        Cancelling is safe: called again, it goes on where it was. What somebody stopped or
        disabled in the meantime is left so.

        Raises:
            RTStreamError: It failed, and may work later. A transcript may be stopped meanwhile;
                an index runs as before; an alert is as it was.
        """
        async with self._turn(arm.rtstream_id):
            present = self._arms.present(arm)
            if present is None:
                return Rearmed(arm=None, reason=_STOPPED_MEANWHILE)
            if present != arm and present.connection_id == connection_id:
                return Rearmed(
                    arm=present, reason="; ".join(await self._alarms.tidy(arm.rtstream_id))
                )
            try:
                return await self._move(present, connection_id)
            except NotFoundError as exc:
                return Rearmed(arm=None, reason=_GONE % exc)

    async def _move(self, arm: Arm, connection_id: str) -> Rearmed:
        match arm:
            case TranscriptArm():
                return await self._transcript(arm, connection_id)
            case AlertArm():
                return await self._alarms.move(arm, self._arms.current(arm.index_id), connection_id)
            case IndexArm(rearm="recreate"):
                return await self._index(arm, connection_id)
            case _:
                return Rearmed(arm=None, reason=_NO_WAY % arm.channel)

    @asynccontextmanager
    async def _turn(self, rtstream_id: str | None) -> AsyncGenerator[None, None]:
        """One after the other for each stream: an index takes its alerts with it."""
        lock = self._turns.setdefault(rtstream_id, anyio.Lock())
        try:
            async with lock:
                yield
        finally:
            if not lock.locked():
                self._turns.pop(rtstream_id, None)

    async def _transcript(self, arm: TranscriptArm, connection_id: str) -> Rearmed:
        stream, caller, take = arm.rtstream_id or "", self._steps.caller, self._steps.take
        name = stream, arm.source
        if name not in self._stopped:
            status = await take(transcripts.get_status(caller, stream, engine=arm.engine))
            if status.status in _STOPPED:
                return Rearmed(arm=None, reason=_STOPPED_MEANWHILE)
        begun = self._stopped.setdefault(name, self._steps.now())
        await take(transcripts.stop(caller, stream, engine=arm.engine))
        if self._arms.present(arm) is None:
            del self._stopped[name]
            return Rearmed(arm=None, reason=_STOPPED_MEANWHILE)
        try:
            await take(
                transcripts.start(
                    caller, stream, engine=arm.engine, ws_connection_id=connection_id
                ),
                times=_MAKING,
            )
        except RTStreamError as exc:
            if not is_lasting(exc):
                raise
            del self._stopped[name]
            logger.warning("stream %s: %s", stream, _NOT_STARTED % exc)
            return Rearmed(arm=None, lost=self._steps.since(begun), reason=_NOT_STARTED % exc)
        del self._stopped[name]
        new = attrs.evolve(arm, connection_id=connection_id)
        if not self._arms.replace(arm, new):
            await take(transcripts.stop(caller, stream, engine=arm.engine))
            return Rearmed(arm=None, reason=_STOPPED_MEANWHILE)
        return Rearmed(arm=new, lost=self._steps.since(begun), reason=_RESTARTED)

    async def _index(self, arm: IndexArm, connection_id: str) -> Rearmed:
        record = await self._steps.take(
            scene_indexes.get(self._steps.caller, arm.rtstream_id or "", arm.source)
        )
        name = arm.rtstream_id, arm.source
        if record.status in _STOPPED and name not in self._stopped:
            return Rearmed(arm=None, reason=_STOPPED_MEANWHILE)
        begun = self._stopped.setdefault(name, self._steps.now())
        await self._switch(arm, "stop")
        try:
            new = await self._make(arm, record, connection_id)
        except RTStreamError as exc:
            reason = "; ".join([_NOT_MADE % exc, *await self._restart(arm)])
            if not is_lasting(exc):
                raise
            del self._stopped[name]
            logger.warning("index %s: %s", arm.source, reason)
            return Rearmed(arm=None, lost=self._steps.since(begun), reason=reason)
        del self._stopped[name]
        if not self._arms.replace(arm, new, at=self._steps.now()):
            await self._switch(new, "stop")
            return Rearmed(arm=None, reason=_STOPPED_MEANWHILE)
        also, failures = await self._take_alerts(arm, new)
        return Rearmed(
            arm=new,
            lost=self._steps.since(begun),
            also=also,
            reason="; ".join([_MADE_ANEW, *failures]),
        )

    async def _make(self, arm: IndexArm, record: IndexRecord, connection_id: str) -> IndexArm:
        """Make an index as `arm` was, asked what it is asked now; return what is to be noted.

        When an earlier attempt made it, unheard, that is it.
        """
        stream, caller, take = arm.rtstream_id or "", self._steps.caller, self._steps.take
        spec: dict[str, Any] = dict(arm.spec) | ({"prompt": record.prompt} if record.prompt else {})
        there = await take(scene_indexes.list_all(caller, stream))
        strays = [
            one.rtstream_index_id
            for one in there
            if self._attempts.is_new(arm, one.rtstream_index_id)
            and (one.extraction_type, one.prompt) == (record.extraction_type, record.prompt)
        ]
        was_for_us = self._attempts.is_for(arm, connection_id)
        self._attempts.end(arm)
        for id_ in strays[:-1] if was_for_us else strays:
            await self._switch(attrs.evolve(arm, source=id_), "stop")
        if strays and was_for_us:
            id_ = strays[-1]
            await self._switch(attrs.evolve(arm, source=id_), "start")
        else:
            self._attempts.begin(arm, connection_id, [one.rtstream_index_id for one in there])
            try:
                made = await take(
                    scene_indexes.create(caller, stream, ws_connection_id=connection_id, **spec),
                    times=_MAKING,
                )
            except RTStreamError as exc:
                if is_lasting(exc):
                    self._attempts.end(arm)
                raise
            self._attempts.end(arm)
            id_ = made.rtstream_index_id
        return attrs.evolve(arm, source=id_, connection_id=connection_id, spec=spec)

    async def _take_alerts(self, old: IndexArm, new: IndexArm) -> tuple[tuple[str, ...], list[str]]:
        """Make our alerts of an index again on what is in its place.

        Returns:
            The channels concerned, and what went wrong.
        """
        former = self._arms.lineage(new.source)[:-1]
        moving = [
            alert
            for alert in self._arms.of(old.rtstream_id, _ALERT)
            if isinstance(alert, AlertArm) and alert.index_id in former
        ]
        failures: list[str] = []
        for alert in moving:
            try:
                moved = await self._take_alert(alert, new)
                if moved.arm is None:
                    self._arms.remove(alert.source, rtstream_id=alert.rtstream_id)
                failures += [moved.reason] if moved.reason else []
            except RTStreamError as exc:
                logger.warning(_DEAF, alert.source, exc)
                failures.append(_DEAF % (alert.source, exc))
        return ((_ALERT,) if moving else ()), failures

    async def _take_alert(self, alert: AlertArm, index: IndexArm) -> Rearmed:
        for attempt in range(1, _TRIES):
            try:
                return await self._alarms.move(alert, index.source, index.connection_id)
            except RTStreamError as exc:
                if is_lasting(exc):
                    raise
            await anyio.sleep(attempt * _PAUSE)
        return await self._alarms.move(alert, index.source, index.connection_id)

    async def _restart(self, arm: IndexArm) -> list[str]:
        """Start an index again that nothing took the place of; return what went wrong."""
        try:
            await self._switch(arm, "start")
        except RTStreamError as exc:
            logger.warning(_STAYS_STOPPED, arm.source, exc)
            return [_STAYS_STOPPED % (arm.source, exc)]
        return []

    async def _switch(self, arm: IndexArm, action: Action) -> None:
        """Start or stop an index; that it is so already is no error."""
        stream, caller, take = arm.rtstream_id or "", self._steps.caller, self._steps.take
        try:
            await take(
                scene_indexes.set_status(caller, stream, arm.source, action),
                times=_MAKING if action == "start" else 1,
            )
        except (ConflictError, ValidationError):
            record = await take(scene_indexes.get(caller, stream, arm.source))
            if (record.status in _STOPPED) is not (action == "stop"):
                raise
