"""REST calls that go wrong on purpose: between the key check and the handlers."""

from __future__ import annotations

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rtstream_async.local.answers import refusal_response
from rtstream_async.local.chaos import Chaos
from rtstream_async.local.domain.chaos import RestFault
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.wire import reset

__all__ = ["RestFaults"]

_EXEMPT = "/_local/"
"""Whoever set the chaos must be able to end it."""


class RestFaults:
    """Passes calls on, except those that a fault of the plan is for."""

    def __init__(self, app: ASGIApp, chaos: Chaos) -> None:
        self._app = app
        self._chaos = chaos

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call, well or ill."""
        fault = self._fault(scope)
        if fault is None:
            await self._app(scope, receive, send)
            return
        if fault.slow:
            await self._chaos.linger(fault.slow)
        if fault.status is not None:
            await _refuse(fault, fault.status, scope, receive, send)
        elif fault.reset:
            await self._break(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _fault(self, scope: Scope) -> RestFault | None:
        if scope["type"] != "http" or scope["path"].startswith(_EXEMPT):
            return None
        return self._chaos.choose_rest(scope["method"], scope["path"])

    async def _break(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_broken = False

        async def send_half(message: Message) -> None:
            nonlocal is_broken
            if message["type"] != "http.response.body":
                await send(message)
            elif not is_broken:
                is_broken = True
                body: bytes = message.get("body", b"")
                await send({**message, "body": body[: len(body) // 2], "more_body": True})
                reset(scope)

        await self._app(scope, receive, send_half)
        while (await receive())["type"] != "http.disconnect":
            continue  # until the server has seen it, it takes the answer for forgotten


async def _refuse(
    fault: RestFault, status: int, scope: Scope, receive: Receive, send: Send
) -> None:
    response = refusal_response(Refusal(status, "CHAOS", "this call fails, as asked for"))
    if fault.retry_after is not None:
        response.headers["retry-after"] = f"{fault.retry_after:g}"
    await response(scope, receive, send)
