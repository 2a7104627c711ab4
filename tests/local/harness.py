"""A running local server, spoken to from outside: HTTP by httpx, sockets by websockets."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs
import httpx
from websockets.asyncio.client import ClientConnection, connect

from rtstream_async.local import LocalServer, assets

__all__ = ["CLIP", "PATIENCE", "Api", "Ear", "api_of", "ear_of", "until"]

CLIP = Path(assets.__file__).with_name("clip.mp4")
PATIENCE = 60.0  # seconds until something that should happen counts as not happening

INDEX = {"extraction_type": "time", "extraction_config": {"time": 2, "frame_count": 5}}


@attrs.define
class Api:
    """REST calls that must succeed, and `refused()` for those that must not."""

    http: httpx.AsyncClient

    async def call(self, method: str, path: str, **kwargs: Any) -> Any:
        response = await self.http.request(method, path, **kwargs)
        body = response.json()
        assert response.is_success, body
        assert body["success"] is True
        if body.get("request_type") == "sync":  # on a busy machine, work may take a while
            body = await self._later(body["data"]["output_url"])
        return body.get("data")

    async def _later(self, url: str) -> Any:
        """The answer to a call that took longer than the server makes a client wait for it."""

        async def look() -> Any:
            return (await self.http.get(url)).json()

        body = await until(look, lambda body: body.get("status") != "processing")
        assert body["success"] is True, body
        return body

    async def refused(self, method: str, path: str, status: int, **kwargs: Any) -> dict[str, Any]:
        response = await self.http.request(method, path, **kwargs)
        body = response.json()
        assert response.status_code == status, body
        assert body["success"] is False
        assert body["message"]
        assert body["error_code"]
        return body

    async def connect(self, url: str = "scripted://door", **body: Any) -> str:
        answer = await self.call("POST", "/rtstream", json={"url": url, "name": "door", **body})
        return answer["id"]

    async def index(self, stream: str, ws_connection_id: str | None = None, **body: Any) -> str:
        body = {**INDEX, "ws_connection_id": ws_connection_id, **body}
        answer = await self.call("POST", f"/rtstream/{stream}/index/scene", json=body)
        return answer["rtstream_index_id"]

    async def stream(self, stream: str) -> dict[str, Any]:
        return await self.call("GET", f"/rtstream/{stream}")

    async def scenes(self, stream: str, index: str, **query: Any) -> list[dict[str, Any]]:
        path = f"/rtstream/{stream}/index/scene/{index}"
        page = await self.call("GET", path, params=query)
        return page["scene_index_records"]


@attrs.define
class Ear:
    """An open socket and its connection id."""

    socket: ClientConnection
    id: str

    async def hear(self) -> dict[str, Any]:
        async with asyncio.timeout(PATIENCE):
            return json.loads(await self.socket.recv())


@asynccontextmanager
async def api_of(server: LocalServer) -> AsyncIterator[Api]:
    headers = {"x-access-token": server.api_key}
    timeout = httpx.Timeout(PATIENCE)
    async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=timeout) as http:
        yield Api(http)


@asynccontextmanager
async def ear_of(api: Api, **kwargs: Any) -> AsyncIterator[Ear]:
    answer = await api.call("GET", "/collection/default/websocket")
    async with connect(answer["websocket_url"], **kwargs) as socket:
        hello = json.loads(await socket.recv())
        yield Ear(socket, hello["connection_id"])


async def until(look: Callable[[], Awaitable[Any]], accept: Callable[[Any], bool] = bool) -> Any:
    """Look again and again, until what is seen is accepted; return it."""
    async with asyncio.timeout(PATIENCE):
        while True:
            seen = await look()
            if accept(seen):
                return seen
            await asyncio.sleep(0.02)
