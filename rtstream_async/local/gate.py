"""What every request passes before a handler sees it, and every answer behind it."""

from __future__ import annotations

import hmac
import random
import re
from collections.abc import Callable, Mapping

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rtstream_async.local.answers import refusal_response, send_denial
from rtstream_async.local.refusal import Refusal
from rtstream_async.local.tokens import CLIENT, CLIENT_PREFIX, Tokens

__all__ = ["OPEN_PATHS", "Gate"]

_KEY_PATHS = ("/capture/session/token", "/_local/")
"""Where a client token is not enough: it must neither outlive itself nor script the server."""

OPEN_PATHS = ("/manifests/", "/segments/", "/files/", "/player", "/console/", "/ws")
"""Where a browser or a socket comes without the key; tokens in the URL stand in for it."""

_SLASHES = re.compile("/{2,}")


class Gate:
    """Host check, key check, path spelling, request id, and no traceback to anyone.

    Both spellings of a path, with and without a slash at the end, and doubled slashes, lead to
    the same handler without a redirect: clients turn a redirected POST into a GET.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        api_key: str,
        tokens: Tokens,
        is_host_allowed: Callable[[str], bool],
    ) -> None:
        self._app = app
        self._key = api_key.encode()
        self._tokens = tokens
        self._is_host_allowed = is_host_allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let one request or handshake through, or refuse it."""
        path = _SLASHES.sub("/", scope["path"])
        scope["path"] = path if path == "/" else path.rstrip("/")
        scope["raw_path"] = scope["path"].encode()
        id_ = f"{random.getrandbits(64):016x}"  # a name in logs, and no secret
        scope["state"] = {**scope.get("state", {}), "request_id": id_}
        headers: dict[bytes, bytes] = dict(scope["headers"])
        if scope["type"] == "websocket":
            await self._socket(scope, receive, send, headers)
            return

        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = id_
            await send(message)

        await self._http(scope, receive, send_marked, headers)

    async def _http(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[bytes, bytes]
    ) -> None:
        try:
            self._check_host(headers)
            if not scope["path"].startswith(OPEN_PATHS):
                self._check_key(headers, scope["path"])
        except Refusal as refusal:
            await refusal_response(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    async def _socket(
        self, scope: Scope, receive: Receive, send: Send, headers: Mapping[bytes, bytes]
    ) -> None:
        try:
            self._check_host(headers)
        except Refusal as refusal:
            await send_denial(refusal, send)
            return
        await self._app(scope, receive, send)

    def _check_host(self, headers: Mapping[bytes, bytes]) -> None:
        host = headers.get(b"host", b"").decode("latin-1")
        if not self._is_host_allowed(host):
            raise Refusal(
                421, "WRONG_HOST", "this server does not answer under the name in the Host header"
            )

    def _check_key(self, headers: Mapping[bytes, bytes], path: str) -> None:
        given = headers.get(b"x-access-token")
        if given is None:
            raise Refusal(401, "NO_KEY", "no API key; send it in the x-access-token header")
        if hmac.compare_digest(given, self._key):
            return
        if not given.startswith(CLIENT_PREFIX.encode()):
            raise Refusal(401, "WRONG_KEY", "the API key is not valid here")
        self._check_token(given.decode("latin-1").removeprefix(CLIENT_PREFIX))
        if path.startswith(_KEY_PATHS):
            raise Refusal(403, "KEY_NEEDED", "this needs the API key; a client token is not enough")

    def _check_token(self, token: str) -> None:
        try:
            self._tokens.check(token, CLIENT)
        except Refusal as refusal:
            problem = "has expired" if refusal.code == "EXPIRED" else "is not valid here"
            raise Refusal(401, "WRONG_TOKEN", f"the client token {problem}") from None
