"""`rtstream streams`: which streams a server has."""

from __future__ import annotations

from typing import Annotated

import typer

import rtstream_async as rts
from rtstream_async.cli.options import (
    CloudOption,
    JsonOption,
    KeyOption,
    ServerOption,
    asked_server,
    chosen_url,
    console,
    globals_of,
)
from rtstream_async.cli.render.objects import as_line, stream_object
from rtstream_async.cli.render.tables import streams_table
from rtstream_async.cli.shell import Interruption, run

__all__ = ["streams"]


def streams(
    context: typer.Context,
    status: Annotated[str | None, typer.Option(help="Only streams in this state.")] = None,
    name: Annotated[
        str | None, typer.Option(help="Only streams whose name has this in it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 100,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """List the streams of a server, newest first.

    Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL names.
    """
    base_url = chosen_url(server, cloud=cloud)

    async def work(_: Interruption) -> int:
        found = await _fetch(base_url, api_key, status=status, name=name, limit=limit)
        if json:
            for stream in found:
                typer.echo(as_line(stream_object(stream)))
        elif found:
            console().print(streams_table(found))
        else:
            console().print("no streams")
        return 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))


async def _fetch(
    base_url: str | None, api_key: str | None, *, status: str | None, name: str | None, limit: int
) -> list[rts.RTStream]:
    found: list[rts.RTStream] = []
    async with rts.connect(api_key=api_key, base_url=base_url) as conn:
        coll = await conn.get_collection()
        async for stream in coll.list_rtstreams(limit=min(limit, 100), status=status, name=name):
            found.append(stream)
            if len(found) == limit:
                break
    return found
