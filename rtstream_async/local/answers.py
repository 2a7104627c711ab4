"""Answers: the service's envelope, for successes, refusals and failures."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Scope, Send

from rtstream_async.local.refusal import Refusal

__all__ = ["envelope", "guarded", "refusal_response", "request_id_of", "send_denial"]

logger = logging.getLogger(__name__)


def guarded(
    respond: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """Return `respond` with refusals, and whatever else it raises, answered in the envelope."""

    async def safe(request: Request) -> Response:
        try:
            return await respond(request)
        except Refusal as refusal:
            return refusal_response(refusal)
        except ClientDisconnect:
            return refusal_response(Refusal(400, "CLIENT_GONE", "the client has left"))
        except Exception:
            id_ = request_id_of(request.scope)
            logger.exception("%s %s failed (%s)", request.method, request.url.path, id_)
            return refusal_response(
                Refusal(500, "INTERNAL", f"the server failed; its log has more under {id_}")
            )

    return safe


def envelope(
    data: Any = None,
    *,
    status: int = 200,
    message: str = "Operation successful",
    more: Mapping[str, Any] | None = None,
) -> Response:
    """Return an answer in the service's envelope, a successful one unless `more` says otherwise."""
    body: dict[str, Any] = {"success": True, "message": message, **(more or {})}
    if data is not None:
        body["data"] = data
    return _json(status, body)


def refusal_response(refusal: Refusal) -> Response:
    """Return a refusal in the service's envelope."""
    return _json(refusal.status, _refused(refusal))


async def send_denial(refusal: Refusal, send: Send) -> None:
    """Answer a socket's handshake with a refusal in the envelope."""
    response = refusal_response(refusal)
    await send(
        {
            "type": "websocket.http.response.start",
            "status": response.status_code,
            "headers": response.raw_headers,
        }
    )
    await send({"type": "websocket.http.response.body", "body": bytes(response.body)})


def request_id_of(scope: Scope) -> str:
    """Return the id that this request has in answers and logs."""
    return str(scope["state"]["request_id"])


def _refused(refusal: Refusal) -> dict[str, Any]:
    return {"success": False, "message": refusal.message, "error_code": refusal.code}


def _json(status: int, body: Mapping[str, Any]) -> Response:
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json")
