"""`rtstream transcript`: what was said in a stream."""

from __future__ import annotations

from typing import Annotated

import typer

import rtstream_async as rts
from rtstream_async.cli.options import (
    CloudOption,
    JsonOption,
    KeyOption,
    MomentOption,
    ServerOption,
    asked_server,
    chosen_url,
    console,
    globals_of,
)
from rtstream_async.cli.render.lists import transcript_table
from rtstream_async.cli.render.objects import as_line, record_object
from rtstream_async.cli.shell import Interruption, run

__all__ = ["transcript"]


def transcript(
    context: typer.Context,
    stream_id: Annotated[str, typer.Argument(metavar="STREAM_ID", help="The stream, rts-...")],
    start: MomentOption = None,
    end: MomentOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many segments.")] = 200,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Show what was said in a stream, oldest first.

    Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL names.
    """
    base_url = chosen_url(server, cloud=cloud)

    async def work(_: Interruption) -> int:
        async with rts.connect(api_key=api_key, base_url=base_url) as conn:
            coll = await conn.get_collection()
            stream = await coll.get_rtstream(stream_id)
            found: list[rts.TranscriptSegment] = []
            pages = stream.get_transcript(start=start, end=end, page_size=min(limit, 100))
            async for segment in pages:
                found.append(segment)
                if len(found) == limit:
                    break
        if json:
            for segment in found:
                typer.echo(as_line(record_object(segment)))
        elif found:
            console().print(transcript_table(found))
        else:
            console().print("nothing was written down of this stream")
        return 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))
