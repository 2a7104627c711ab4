"""Stops what a connection has started, when it is closed and that was asked for."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import anyio

from rtstream_async.api import alerts, scene_indexes, transcripts, understandings
from rtstream_async.errors import ConflictError, NotFoundError, RTStreamError, ValidationError
from rtstream_async.protocol.rearm import AlertArm, Arm, TranscriptArm
from rtstream_async.resources.context import Context
from rtstream_async.resources.understood import UNDERSTOOD_INDEX

__all__ = ["stop_started"]

logger = logging.getLogger("rtstream_async")

_AT_ONCE = 4  # calls


async def stop_started(context: Context, *, seconds: float) -> None:
    """Stop what was started through `context` and not stopped since; what fails is logged.

    Takes at most so many seconds, also when it is cancelled.
    """
    limit = anyio.Semaphore(_AT_ONCE)
    with anyio.move_on_after(seconds, shield=True) as scope:
        for channels in _ORDER:
            async with anyio.create_task_group() as group:
                for arm in context.started.all():
                    if arm.channel in channels:
                        group.start_soon(_stop, context, arm, limit)
    if scope.cancelled_caught:
        logger.warning("not all that was started could be stopped in %g s; it goes on", seconds)


async def _stop(context: Context, arm: Arm, limit: anyio.Semaphore) -> None:
    stream = arm.rtstream_id or ""
    async with limit:
        try:
            with context.stopping(stream, arm.source):
                await _STOPS[arm.channel](context, stream, context.current(arm.source), arm)
        except (ConflictError, NotFoundError, ValidationError) as exc:
            logger.debug("%s %s is stopped already: %s", arm.channel, arm.source, exc)
        except RTStreamError as exc:
            logger.warning("%s %s could not be stopped: %s", arm.channel, arm.source, exc)


async def _stop_alert(context: Context, stream: str, id_: str, arm: Arm) -> None:
    noted = context.noted(stream, arm.source)
    alert = noted if isinstance(noted, AlertArm) else arm
    if isinstance(alert, AlertArm):
        await alerts.set_status(
            context.caller, alerts.ROUTES[alert.of], stream, alert.index_id, id_, "disable"
        )


async def _stop_index(context: Context, stream: str, id_: str, _: Arm) -> None:
    await scene_indexes.set_status(context.caller, stream, id_, "stop")


async def _stop_understanding(context: Context, stream: str, id_: str, _: Arm) -> None:
    await understandings.set_status(context.caller, stream, id_, "stop")


async def _stop_understood_index(context: Context, stream: str, id_: str, _: Arm) -> None:
    await understandings.set_index_status(context.caller, stream, id_, "stop")


async def _stop_transcript(context: Context, stream: str, _: str, arm: Arm) -> None:
    engine = arm.engine if isinstance(arm, TranscriptArm) else None
    await transcripts.stop(context.caller, stream, engine=engine)


_STOPS: Mapping[str, Callable[[Context, str, str, Arm], Awaitable[None]]] = {
    "alert": _stop_alert,
    UNDERSTOOD_INDEX: _stop_understood_index,
    "scene_index": _stop_index,
    "audio_index": _stop_index,
    "understanding": _stop_understanding,
    "transcript": _stop_transcript,
}

_ORDER: Sequence[tuple[str, ...]] = (
    ("alert", UNDERSTOOD_INDEX),
    ("scene_index", "audio_index", "understanding"),
    ("transcript",),
)
"""What works on something else is stopped before that. A capture session runs elsewhere."""
