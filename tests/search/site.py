"""A server with streams to search in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import attrs

from rtstream_async.local import LocalServer
from tests.local.harness import Api, api_of, until
from tests.search.engines import IdeaEngine

__all__ = ["EPOCH", "Site", "site"]

EPOCH = 1_700_000_000.0
"""When the first record of a stream begins; each takes two seconds."""


@attrs.define
class Site:
    """A running server, spoken to over REST."""

    server: LocalServer
    api: Api
    engine: IdeaEngine

    async def stream(self, *texts: str, **body: Any) -> tuple[str, str]:
        """Return the ids of a new stream and its index, which has these records."""
        stream = await self.api.connect(**body)
        index = await self.api.index(stream)
        await self.tell(stream, *texts)
        return stream, index

    async def tell(self, stream: str, *texts: str, **options: Any) -> None:
        """Give the stream's indexes records, one after the other."""
        begin = EPOCH
        for text in texts:
            await self.server.control.add_scene(stream, text, start=begin, end=begin + 2, **options)
            begin += 2

    async def search(self, stream: str | None, query: str, **body: Any) -> dict[str, Any]:
        """Return the answer to a search, in one stream or in all."""
        where = "collection/default" if stream is None else stream
        return await self.api.call(
            "POST", f"/rtstream/{where}/search", json={"query": query, **body}
        )

    async def texts(self, stream: str | None, query: str, **body: Any) -> list[str]:
        """Return the texts that are found, the best first."""
        answer = await self.search(stream, query, **body)
        return [hit["text"] for hit in answer["results"]]

    async def settled(self, stream: str | None, query: str) -> dict[str, Any]:
        """Search until the answer has no reservations; return it."""
        return await until(
            lambda: self.search(stream, query), lambda answer: not answer["warnings"]
        )


@asynccontextmanager
async def site(
    data: Path | None = None,
    *,
    engine: IdeaEngine | None = None,
    make: Callable[[], IdeaEngine] | None = None,
    **options: Any,
) -> AsyncIterator[Site]:
    engine = engine or IdeaEngine()
    server = LocalServer(data, control=True, embedding=make or (lambda: engine), **options)
    async with server, api_of(server) as api:
        yield Site(server, api, engine)
