"""`Follow`: reads a list from its beginning, and goes on with what is added to it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Generic, Self, TypeVar

from rtstream_async.errors import APIError, ConnectionClosedError, RTStreamError
from rtstream_async.models.messages import Message
from rtstream_async.models.records import Page
from rtstream_async.protocol.following import Following, Reading
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.realtime.burst import Burst
from rtstream_async.realtime.settings import HubSettings

__all__ = ["Fetch", "Follow"]

logger = logging.getLogger("rtstream_async.realtime")

T = TypeVar("T")

Fetch = Callable[[Any], Awaitable[tuple[Page[T], Any]]]

_OVERLAP: Final = 60.0  # seconds
_IDLE_AFTER: Final = 15  # looks without news
_SOONEST: Final = 0.1  # seconds between two looks, however much is pushed
_FIRST_RETRY: Final = 0.5  # seconds
_LONGEST_RETRY: Final = 30.0  # seconds


class Follow(Generic[T]):
    """All records of a list in order of time, and then what comes, for ever.

    REST is the source: frames of the socket do not say which index they are of. A push of the
    same stream and channel only says that it is time to look.

    It has no task and holds nothing open: to drop it is to end it. Cancelling a call of
    `__anext__()` loses nothing; the next one goes on.
    """

    def __init__(
        self,
        fetch: Fetch[T],
        first: ByNumber,
        *,
        now: Callable[[], float],
        settings: HubSettings,
    ) -> None:
        """Be at the beginning.

        Args:
            fetch: Returns a page, and the place of the next one.
            first: From when on, and how long pages are.
            now: Returns the service's Unix time, seconds.
            settings: How often to look, and how long to try.
        """
        self._fetch = fetch
        self._following: Following[T] = Following(
            start=first.start,
            page_size=first.page_size,
            overlap=_OVERLAP if settings.overlap is None else settings.overlap,
        )
        self._now = now
        self._settings = settings
        self._items: deque[T] = deque()
        self._turn = asyncio.Lock()  # of those who wait for the next record
        self._bell = asyncio.Event()
        self._is_closed = False
        self._has_read = False
        self._has_begun = False  # all was read once
        self._is_news = True  # something came since the last look began
        self._idle_looks = 0
        self._looked_at = -math.inf  # by the monotonic clock, seconds
        self._look_at = -math.inf  # likewise: next
        self._expected = -math.inf  # the greatest end that was pushed; Unix seconds
        self._patience: float | None = None  # until the next look for it, seconds
        self._failing_since: float | None = None  # by the monotonic clock, seconds
        self._retry = _FIRST_RETRY
        self._failures = Burst(logger, quiet=settings.log_quiet)

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        while not self._items:
            async with self._turn:
                if not self._items and not await self._read_on():
                    raise StopAsyncIteration
        return self._items.popleft()

    async def aclose(self) -> None:
        """End the iteration; never waits."""
        self._items.clear()
        self.end()

    def end(self) -> None:
        """Let what was read be taken, and nothing more come."""
        self._is_closed = True
        self._bell.set()

    def ring(self, message: Message) -> None:
        """Look soon: `message` was pushed, so there may be a record of it."""
        end = getattr(message, "end", None)
        if end is None or not getattr(message, "is_final", True):
            return
        self._expected = max(self._expected, end)
        self._bell.set()

    async def _read_on(self) -> bool:
        """Wait until it is time, and read what there is; return whether there can be more."""
        while not self._is_closed and await self._waits():
            pass
        if self._is_closed:
            return False
        try:
            await self._look()
        except ConnectionClosedError:
            if not self._has_read:
                raise
            self._is_closed = True
        except RTStreamError as exc:
            self._failed(exc)
        return True

    async def _waits(self) -> bool:
        """Wait for a push or until the next look is due; return whether it is not due yet."""
        left = self._look_at - time.monotonic()
        if left > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(left):
                    await self._bell.wait()
        if self._bell.is_set():
            self._bell.clear()
            self._patience = _SOONEST
            if self._failing_since is None:
                self._look_at = min(self._look_at, self._looked_at + _SOONEST)
        return self._look_at > time.monotonic()

    async def _look(self) -> None:
        """Read one place, whole."""
        following, now = self._following, self._now()
        self._looked_at = time.monotonic()
        place: Any = following.place(now)
        pages: list[Any] = []
        while place is not None and len(pages) < following.most:
            page, place = await self._fetch(place)
            pages.append(page.items)
        fresh = following.take(Reading(pages=pages, has_more=place is not None), now)
        self._items.extend(fresh)
        self._has_read = True
        self._failing_since, self._retry = None, _FIRST_RETRY
        self._is_news = self._is_news or bool(fresh)
        if following.is_caught_up:
            self._look_at = time.monotonic() + self._spread(self._delay())
            self._has_begun, self._is_news = True, False

    def _delay(self) -> float:
        """Return how long to wait for a push until the next look."""
        if not self._has_begun:
            return 0.0  # history took a while
        settings = self._settings
        self._idle_looks = 0 if self._is_news else self._idle_looks + 1
        is_idle = self._idle_looks >= _IDLE_AFTER
        delay = settings.poll_idle_interval if is_idle else settings.poll_interval
        patience, self._patience = self._patience, None
        if patience is None or self._following.last_end >= self._expected:
            return delay
        if patience < delay:
            self._patience = 2 * patience
            return patience
        return delay

    def _failed(self, error: RTStreamError) -> None:
        """Try again later, or raise `error`."""
        now = time.monotonic()
        since = self._failing_since
        settings = self._settings
        budget = settings.outage_budget if self._has_read else settings.connect_timeout
        is_over = since is not None and budget is not None and now - since >= budget
        if not error.is_retryable or is_over:
            self._failing_since, self._retry = None, _FIRST_RETRY
            raise error
        if since is None:
            self._failing_since = now
        self._failures.warn("following goes on after a failure: %s", error)
        wish = (error.retry_after or 0.0) if isinstance(error, APIError) else 0.0
        self._look_at = now + max(wish, self._spread(self._retry))
        self._retry = min(_LONGEST_RETRY, 2 * self._retry)

    def _spread(self, delay: float) -> float:
        # Chance only keeps many readers apart.
        return delay * random.uniform(0.75, 1.25)  # noqa: S311
