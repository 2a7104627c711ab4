"""One OpenAI-compatible endpoint: requests with the key, retries, limits and counters.

After a failure that is not of one request alone, a single request at a time tries whether the
endpoint is back. Whoever else wants something waits for what becomes of it, and goes on, or fails
with it: a dead endpoint is not stormed, and the first window after its return is described.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import attrs

from rtstream_async.local.domain.endpoints import EndpointAddress
from rtstream_async.local.domain.replies import Failure, decode, failure_of, retry_delay
from rtstream_async.local.engines.openai.usage import Usage
from rtstream_async.local.engines.ports import EngineError
from rtstream_async.local.outbound import Answer, Form, Outbound, OutboundError

__all__ = ["Endpoint", "EndpointKey", "Question", "RefusedError", "Reply"]

_CONCEALED: Final = "***"
_TIMEOUT: Final = 60.0
_RETRIES: Final = 2
_CONCURRENCY: Final = 4
_LONGEST_PAUSE: Final = 300.0  # seconds


class RefusedError(EngineError):
    """The endpoint answered, and the answer is no.

    Attributes:
        failure: What it said.
    """

    def __init__(self, failure: Failure) -> None:
        self.failure = failure
        super().__init__(failure.text)


@attrs.frozen(kw_only=True)
class EndpointKey:
    """The key of one endpoint."""

    value: str | None = attrs.field(repr=False)  #: `None`: none is sent
    variable: str  #: of the environment, that it comes from or should come from

    def conceal(self, text: str) -> str:
        """Return `text` with the key in it made unreadable: services quote it."""
        return text.replace(self.value, _CONCEALED) if self.value else text


@attrs.frozen(kw_only=True)
class Question:
    """What an endpoint is asked."""

    path: str  #: below the base URL
    body: Mapping[str, Any] | Form = attrs.field(repr=False)  #: JSON, or a form with a file
    model: str  #: that is asked for, for the text of errors
    type_: type[Any]  #: what a success is decoded as
    count: Callable[[Usage], None]  #: called for every request that is sent, with what is in it


@attrs.frozen(kw_only=True)
class Reply:
    """A successful answer."""

    content: Any  #: of the type that was asked for
    seconds: float  #: from request to answer


@attrs.define(eq=False)
class _Probe:
    """A request that finds out for all whether the endpoint is back."""

    is_over: asyncio.Event = attrs.field(factory=asyncio.Event)
    failed: str | None = None


class Endpoint:
    """Asks one endpoint."""

    def __init__(
        self,
        outbound: Outbound,
        address: EndpointAddress,
        key: EndpointKey,
        *,
        chance: Callable[[], float] = random.random,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        """Keep how to reach it; nothing is sent before the first request.

        Args:
            outbound: What sends requests.
            address: Where it is, and its options `timeout`, `retries` and `concurrency`.
            key: Sent to this address alone.
            chance: Gives numbers from 0 to 1, to spread repetitions.
            pause: Waits for so many seconds, between repetitions.
        """
        options = address.options
        self.address = address
        self.usage = Usage()
        self._outbound = outbound
        self._key = key
        self._chance = chance
        self._pause = pause
        self._timeout: float = options.get("timeout", _TIMEOUT)
        self._attempts: int = options.get("retries", _RETRIES) + 1
        self._slots = asyncio.Semaphore(options.get("concurrency", _CONCURRENCY))
        self._headers = {} if key.value is None else {"authorization": f"Bearer {key.value}"}
        self._is_down = False
        self._not_before = 0.0  # on the monotonic clock: the endpoint asked for so long a pause
        self._probe: _Probe | None = None
        self._is_closed = False

    def __repr__(self) -> str:
        return f"<Endpoint {self.address.base_url}>"

    @property
    def is_down(self) -> bool:
        """Whether the last request failed in a way in which the next one will, too."""
        return self._is_down

    async def ask(self, question: Question) -> Reply:
        """Return the answer to `question`.

        Cancelling returns at once; what was sent may be answered, and cost, all the same.

        Raises:
            RefusedError: The answer is no.
            EngineError: There is no answer, or it can't be understood.
        """
        try:
            reply = await self._ask(question)
        except EngineError as exc:
            self.usage.note_failure(str(exc))
            raise
        self.usage.last_error = None
        return reply

    def close(self) -> None:
        """Refuse further requests."""
        self._is_closed = True

    async def _ask(self, question: Question) -> Reply:
        while True:
            probe = await self._admit()
            try:
                async with self._slots:
                    if probe is None and self._is_down:
                        continue  # it has gone down while this one waited in line
                    return await self._call(question, attempts=1 if probe else self._attempts)
            except EngineError as exc:
                if probe is not None and self._is_down:
                    probe.failed = str(exc)
                raise
            finally:
                if probe is not None:
                    self._probe = None
                    probe.is_over.set()

    async def _admit(self) -> _Probe | None:
        """Return when a request may be sent; with a probe, when the others wait for it."""
        while True:
            if self._is_closed:
                raise EngineError("the engine was closed")
            if not self._is_down:
                return None
            if self._probe is None:
                self._check_pause()
                self._probe = _Probe()
                return self._probe
            probe = self._probe
            await probe.is_over.wait()
            if probe.failed is not None:
                raise EngineError(probe.failed)

    def _check_pause(self) -> None:
        left = self._not_before - time.monotonic()
        if left > 0:
            raise EngineError(
                f"{self.address.base_url} takes no more requests for now; it asks to wait"
                f" {left:.0f} s more"
            )

    async def _call(self, question: Question, *, attempts: int) -> Reply:
        ends = time.monotonic() + self._timeout
        attempt = 0
        while True:
            attempt += 1
            self.usage.requests += 1
            self.usage.retries += attempt > 1
            question.count(self.usage)
            outcome = await self._attempt(question, left=round(ends - time.monotonic(), 3))
            if isinstance(outcome, Reply):
                self._is_down = False
                return outcome
            left = ends - time.monotonic()
            wait = retry_delay(
                outcome, attempt=attempt, attempts=attempts, left=left, jitter=self._chance()
            )
            if wait is None:
                raise self._given_up(outcome)
            await self._pause(wait)

    async def _attempt(self, question: Question, *, left: float) -> Reply | Failure:
        where = self.address.base_url
        try:
            answer = await self._outbound.post_to_endpoint(
                where + question.path, question.body, timeout=left, headers=self._headers
            )
        except OutboundError as exc:
            # What has taken all of the time there is, or can't be called, is not tried again.
            again = exc.is_transient and exc.kind != "timeout"
            return Failure(text=str(exc), is_transient=again)
        failure = self._failure(answer, question.model)
        if failure is not None:
            return failure
        try:
            content = decode(answer.body, question.type_)
        except ValueError as exc:
            return Failure(text=f"{where} {exc}")
        self.usage.note_answer(answer.elapsed)
        return Reply(content=content, seconds=answer.elapsed)

    def _failure(self, answer: Answer, model: str) -> Failure | None:
        where = self.address.base_url
        if answer.is_cut:
            return Failure(text=f"{where} answers with more than is read of an answer")
        failure = failure_of(
            answer.status,
            answer.headers,
            answer.body,
            model=model,
            key_name=self._key.variable,
            has_key=self._key.value is not None,
            now=time.time(),
        )
        if failure is None:
            return None
        return attrs.evolve(failure, text=self._key.conceal(f"{where} {failure.text}"))

    def _given_up(self, failure: Failure) -> EngineError:
        self._is_down = failure.is_general
        pause = min(failure.retry_after or 0.0, _LONGEST_PAUSE)
        self._not_before = time.monotonic() + pause
        if failure.status:
            return RefusedError(failure)
        return EngineError(failure.text)
