"""What runs while `consume()` does: it takes, hands over, tries again, and notes what is done.

A message passes four places: taken from the source (`_unfinished`, so that it can be put back),
held while history is handed over, in a lane, and done. What has a history is noted in a cursor
from the moment that it is handed over, and only what is done is committed. `replay.py` reads the
history.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Hashable, Iterable, Sequence
from functools import partial
from typing import Any, Final, Generic, Protocol, TypeVar, cast, runtime_checkable

import anyio
import attrs
from anyio.abc import TaskGroup

from rtstream_async.errors import HandlerError, RTStreamError
from rtstream_async.protocol.checkpoint import CheckpointKey, key_of
from rtstream_async.protocol.retry import Retry, again
from rtstream_async.realtime.archive import Archive
from rtstream_async.realtime.consume import Consumed, ConsumeSettings
from rtstream_async.realtime.cursors import Cursors
from rtstream_async.realtime.lanes import Lanes
from rtstream_async.realtime.replay import Replay

__all__ = ["Consumer", "Returning"]

logger = logging.getLogger("rtstream_async.realtime")

M = TypeVar("M")

_GOODBYE: Final = 5.0  # seconds for the last commit


@runtime_checkable
class Returning(Protocol):
    """A source that takes back what was not handled."""

    def put_back(self, messages: Sequence[Any]) -> None:
        """Give these again, in this order and before all others."""
        ...


@attrs.define(eq=False)
class _Job(Generic[M]):
    message: M
    key: Hashable
    number: int | None = None  #: among those taken from the source; `None`: from the history
    done: Callable[[], None] | None = None  #: notes that it was handled
    attempts: int = 0
    begun_at: float = 0.0  #: by the clock of the event loop


@attrs.define
class _Counts:
    handled: int = 0
    dead: int = 0
    retries: int = 0
    replayed: int = 0
    repeats: int = 0


class Consumer(Generic[M]):
    """One run of `consume()`."""

    def __init__(
        self,
        source: AsyncIterable[M],
        settings: ConsumeSettings[M],
        *,
        archive: Archive,
        begin: Callable[[CheckpointKey], float | None],
        armed: Callable[[], Iterable[CheckpointKey]],
    ) -> None:
        """Start nothing yet.

        Args:
            source: Gives messages.
            settings: What is done with them.
            archive: Reads history.
            begin: Returns since when (the service's Unix time) a stream and channel is ours, if
                that is known.
            armed: Returns which streams and channels are pushed to us.
        """
        self._source = source
        self._settings = settings
        self._replay: Replay | None = None
        if settings.checkpoint is not None:
            cursors = Cursors(settings.checkpoint, overlap=settings.overlap, now=archive.now)
            self._replay = Replay(
                source,
                cursors,
                settings=settings,
                archive=archive,
                begin=begin,
                armed=armed,
                hand_over=self._hand_over_again,
                on_failure=self._fail,
            )
        self._counts = _Counts()
        self._failure: Exception | None = None
        self._scope = anyio.CancelScope()
        self._gate = asyncio.Event()  # what the source gives may be handed over
        self._held: deque[tuple[int, M]] = deque()
        self._taken = 0
        self._unfinished: dict[int, M] = {}

    async def run(self) -> Consumed:
        """Handle what the source gives until it ends, and return the counts."""
        if self._replay is not None:
            await self._replay.load()
        try:
            await self._run()
        finally:
            self._put_back()
            await self._say_goodbye()
        return Consumed(**attrs.asdict(self._counts))

    async def _run(self) -> None:
        if self._replay is not None:
            await self._replay.begin()
        with self._scope:
            async with anyio.create_task_group() as background:
                if self._replay is not None:
                    background.start_soon(self._guarded, self._replay.commit_on)
                async with anyio.create_task_group() as group:
                    await self._run_lanes(group)
                background.cancel_scope.cancel()
        if self._failure is not None:
            raise self._failure

    async def _run_lanes(self, group: TaskGroup) -> None:
        self._lanes: Lanes[_Job[M]] = Lanes(
            self._handle,
            on_failure=self._fail,
            group=group,
            concurrency=self._settings.concurrency,
            lookahead=self._settings.lookahead,
        )
        tending = anyio.CancelScope()
        if self._replay is not None:
            group.start_soon(self._guarded, self._replay.tend, tending)
        if self._replay is not None and self._replay.is_behind:
            group.start_soon(self._guarded, self._catch_up, self._replay)
        else:
            self._gate.set()
        await self._guarded(self._take)
        tending.cancel()

    async def _catch_up(self, replay: Replay) -> None:
        """Hand over history first, then what the source gave meanwhile, in its order."""
        await replay.catch_up()
        while self._held:
            await self._hand_over(*self._held.popleft())
        self._gate.set()

    async def _guarded(self, work: Callable[..., Awaitable[None]], *args: Any) -> None:
        try:
            await work(*args)
        except Exception as exc:  # noqa: BLE001 - not swallowed: run() raises it
            self._fail(exc)

    def _fail(self, error: Exception) -> None:
        if self._failure is None:
            self._failure = error
        self._scope.cancel()

    def _put_back(self) -> None:
        """Give back what was taken and not handled, so that the next reader gets it."""
        if self._unfinished and isinstance(self._source, Returning):
            self._source.put_back(list(self._unfinished.values()))

    async def _say_goodbye(self) -> None:
        if self._replay is None:
            return
        with anyio.move_on_after(_GOODBYE, shield=True) as scope:
            await self._replay.aclose()
        if scope.cancelled_caught:
            logger.warning("the checkpoint did not take the last commit in %g s", _GOODBYE)

    # What the source gives.

    async def _take(self) -> None:
        async for message in self._source:
            # No await between the two: what is not noted here would be lost by a cancel.
            self._taken += 1
            number = self._taken
            self._unfinished[number] = message
            if not self._gate.is_set():
                if len(self._held) < self._settings.held:
                    self._held.append((number, message))
                    continue
                await self._gate.wait()
            await self._hand_over(number, message)

    async def _hand_over(self, number: int, message: M) -> None:
        job = _Job(message, self._settings.key(message), number=number)
        key = None if self._replay is None else key_of(message)
        if self._replay is not None and key is not None:
            ticket = self._replay.push(key, message)
            if ticket is None:
                self._counts.repeats += 1
                del self._unfinished[number]
                return
            job.done = partial(self._replay.done, key, ticket)
        await self._lanes.put(job.key, job)

    async def _hand_over_again(self, message: Any, done: Callable[[], None]) -> None:
        """Hand over a message that was read from the history."""
        key = self._settings.key(message)
        await self._lanes.put(key, _Job(cast("M", message), key, done=done))

    # What the handler does with it.

    async def _handle(self, job: _Job[M]) -> float | None:
        """Call the handler once; return in how many seconds to do so again, if it failed."""
        job.begun_at = job.begun_at or anyio.current_time()
        job.attempts += 1
        error = await self._try(self._settings.handler, job.message)
        if error is None:
            self._counts.handled += 1
        else:
            step = again(
                policy=self._settings.retries,
                attempt=job.attempts,
                elapsed=anyio.current_time() - job.begun_at,
                jitter=random.random(),  # noqa: S311 - spreads attempts, no secret
            )
            if isinstance(step, Retry):
                self._counts.retries += 1
                return step.after
            await self._bury(job, error)
        self._finish(job)
        return None

    async def _try(
        self, function: Callable[..., Awaitable[object]], *args: Any
    ) -> Exception | None:
        """Call `function`; return what it raises."""
        try:
            await function(*args)
        except asyncio.CancelledError as exc:
            if _is_cancelled():
                raise
            # Something that the handler waited for was cancelled; nobody cancelled us.
            return _stopped(exc)
        except Exception as exc:  # noqa: BLE001 - given to dead_letter, or raised
            return exc
        return None

    async def _bury(self, job: _Job[M], error: Exception) -> None:
        dead_letter = self._settings.dead_letter
        problem = error
        if dead_letter is not None:
            failure = await self._try(dead_letter, job.message, error)
            if failure is None:
                self._counts.dead += 1
                return
            problem = failure
        raise HandlerError(
            job.message, key=job.key, attempts=job.attempts, problem=_told(problem)
        ) from problem

    def _finish(self, job: _Job[M]) -> None:
        if job.number is None:
            self._counts.replayed += 1
        else:
            del self._unfinished[job.number]
        if job.done is not None:
            job.done()


def _stopped(cause: asyncio.CancelledError) -> RTStreamError:
    error = RTStreamError("something that the handler waited for was cancelled")
    error.__cause__ = cause
    return error


def _is_cancelled() -> bool:
    """Return whether the task, or a scope that it is in, was cancelled."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        return True
    return anyio.current_effective_deadline() == float("-inf")


def _told(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
