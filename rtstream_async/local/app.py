"""The ASGI application: routes to handlers, requests to calls, refusals to envelopes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp
from starlette.websockets import WebSocket

from rtstream_async.local.answers import (
    envelope,
    guarded,
    refusal_response,
    request_id_of,
    send_denial,
)
from rtstream_async.local.arguments import Arguments
from rtstream_async.local.calls import Call, Endpoint, Handler
from rtstream_async.local.gate import Gate
from rtstream_async.local.handlers import (
    alerts,
    browser,
    captures,
    capturing,
    collections,
    engines,
    export,
    indexes,
    jobs,
    not_offered,
    playback,
    search,
    spoken,
    streams,
    transcripts,
    understandings,
    video_search,
    videos,
)
from rtstream_async.local.openapi.document import make_document
from rtstream_async.local.refusal import Refusal, invalid
from rtstream_async.local.rest_faults import RestFaults
from rtstream_async.local.services import Services
from rtstream_async.protocol.routes import OPENAPI
from rtstream_async.protocol.routes import Route as RouteSpec

__all__ = ["build_app"]

_BODY_BYTES = 1024 * 1024

# The first that fits is taken: `/index/scene` before `/index/{index_id}`. And they are tried one
# by one, so what clients of many streams call when they have lost their socket comes first.
ENDPOINTS: tuple[Endpoint, ...] = (
    *transcripts.ENDPOINTS,
    *indexes.ENDPOINTS,
    *collections.ENDPOINTS,
    *captures.ENDPOINTS,
    *capturing.ENDPOINTS,
    *search.ENDPOINTS,
    *video_search.ENDPOINTS,
    *alerts.ENDPOINTS,
    *streams.ENDPOINTS,
    *playback.ENDPOINTS,
    *understandings.ENDPOINTS,
    *engines.ENDPOINTS,
    *export.ENDPOINTS,
    *videos.ENDPOINTS,
    *spoken.ENDPOINTS,
    *jobs.ENDPOINTS,
)


def build_app(
    services: Services,
    *,
    api_key: str,
    is_host_allowed: Callable[[str], bool],
    extra: Sequence[Endpoint] = (),
) -> ASGIApp:
    """Return the application over `services`; `extra` endpoints need the key like all others.

    They are a test's: only with them can calls be made to go wrong.
    """
    routes = [
        *(_route(services, *item) for item in (*ENDPOINTS, *extra)),
        *browser.routes(services),
        *not_offered.routes(),
        Route(OPENAPI.template, guarded(_describe(make_document(ENDPOINTS)))),
        WebSocketRoute("/ws", _socket_endpoint(services)),
    ]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _http_error})
    app.router.redirect_slashes = False
    inner = RestFaults(app, services.chaos) if extra else app
    return Gate(inner, api_key=api_key, tokens=services.tokens, is_host_allowed=is_host_allowed)


def endpoint(services: Services, handler: Handler) -> Callable[[Request], Awaitable[Response]]:
    """Return the Starlette endpoint that calls `handler`."""

    async def respond(request: Request) -> Response:
        call = Call(
            services=services,
            base_url=f"{request.url.scheme}://{request.headers['host']}",
            request_id=request_id_of(request.scope),
            ids={name: str(value) for name, value in request.path_params.items()},
            query=Arguments(dict(request.query_params)),
            content=await _read_json(request),
        )
        reply = await handler(call)
        return envelope(reply.data, status=reply.status, message=reply.message, more=reply.envelope)

    return guarded(respond)


def _route(services: Services, route: RouteSpec, handler: Handler) -> Route:
    return Route(route.template, endpoint(services, handler), methods=[route.method])


async def _read_json(request: Request) -> Any:
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > _BODY_BYTES:
            raise Refusal(413, "TOO_LARGE", f"the body is larger than {_BODY_BYTES} bytes")
    if not raw.strip():
        return None
    try:
        return msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        raise invalid("body", f"is not JSON: {exc}") from None


def _describe(document: Mapping[str, Any]) -> Callable[[Request], Awaitable[Response]]:
    payload = msgspec.json.encode(document)

    async def respond(_: Request) -> Response:
        return Response(payload, media_type="application/json")

    return respond


def _socket_endpoint(services: Services) -> Callable[[WebSocket], Awaitable[None]]:
    async def serve(socket: WebSocket) -> None:
        try:
            await services.hub.serve(socket)
        except Refusal as refusal:
            await send_denial(refusal, socket.send)

    return serve


async def _http_error(request: Request, exc: Exception) -> Response:
    assert isinstance(exc, HTTPException)  # noqa: S101 - registered for it alone
    texts = {
        404: ("NOT_FOUND", f"there is nothing at {request.url.path}"),
        405: ("WRONG_METHOD", f"{request.method} is not possible at {request.url.path}"),
    }
    code, message = texts.get(exc.status_code, ("HTTP_ERROR", exc.detail))
    response = refusal_response(Refusal(exc.status_code, code, message))
    response.headers.update(exc.headers or {})
    return response
