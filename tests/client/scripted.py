"""A service that a test scripts: answers by method and path, and one socket to push frames to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs

import rtstream_async as rts
from rtstream_async.models.records import CollectionRecord, IndexRecord, StreamRecord
from tests.loopback import Loopback, Seen, answer, serve
from tests.sockets import Peer, ScriptedServer, scripted_server

__all__ = ["Service", "scripted_service"]

Script = Any | Callable[[Seen], Any]


@attrs.define
class Service:
    """What it is to answer, and what it was asked."""

    conn: rts.Connection
    loopback: Loopback
    sockets: ScriptedServer
    scripts: dict[str, list[Script]] = attrs.field(factory=dict)

    def says(self, request: str, *data: Script) -> None:
        """Answer `METHOD /path` with each `data` in turn, and with the last from then on.

        A dict with `success` is the whole answer; a function is given the request.
        """
        self.scripts[request] = list(data)

    def asked(self, request: str) -> list[Seen]:
        """Return the requests of `METHOD /path` that came."""
        return [seen for seen in self.loopback.seen if _name(seen) == request]

    def body(self, request: str) -> Any:
        """Return the body of the last such request."""
        return self.asked(request)[-1].json

    def query(self, request: str) -> dict[str, str]:
        """Return the query of the last such request."""
        return dict(parse_qsl(urlsplit(self.asked(request)[-1].path).query))

    def collection(self) -> rts.Collection:
        return rts.Collection(self.conn._context, CollectionRecord(id="c-1"))

    def stream(self, **fields: Any) -> rts.RTStream:
        record = StreamRecord(id="rts-1", collection_id="c-1", **{"name": "Door", **fields})
        return rts.RTStream(self.conn._context, record)

    def index(self) -> rts.RTStreamSceneIndex:
        record = IndexRecord(rtstream_index_id="i-1", rtstream_id="rts-1")
        return rts.RTStreamSceneIndex(self.conn._context, record)

    async def live(self) -> Peer:
        """Open the socket, as `conn-1`."""
        opening = asyncio.create_task(self.conn.ws_connection_id())
        peer = await self.sockets.accept_live()
        assert await opening == "conn-1"
        return peer

    def answer(self, seen: Seen) -> bytes:
        scripts = self.scripts[_name(seen)]
        script = scripts.pop(0) if len(scripts) > 1 else scripts[0]
        data = script(seen) if callable(script) else script
        whole = isinstance(data, dict) and "success" in data
        status = data.pop("http", 200) if whole else 200
        return answer(data if whole else {"success": True, "data": data}, status=status)


@asynccontextmanager
async def scripted_service(**settings: Any) -> AsyncIterator[Service]:
    """Run a service, with a connection to it."""
    made: list[Service] = []

    async def handler(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(made[0].answer(seen))

    async with AsyncExitStack() as stack:
        sockets = await stack.enter_async_context(scripted_server())
        loopback = await stack.enter_async_context(serve(handler))
        conn = rts.connect("sk-x", base_url=loopback.url, retries=0, **settings)
        service = Service(await stack.enter_async_context(conn), loopback, sockets)
        made.append(service)
        service.says(
            "GET /collection/default/websocket",
            {"websocket_url": f"ws://127.0.0.1:{sockets.port}/s"},
        )
        yield service


def _name(seen: Seen) -> str:
    return f"{seen.method} {urlsplit(seen.path).path}"
