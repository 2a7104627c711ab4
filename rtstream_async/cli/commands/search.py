"""`rtstream search`: scenes, and what was said, by meaning and by word."""

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
from rtstream_async.cli.render.lists import hits_table
from rtstream_async.cli.render.objects import as_line, record_object
from rtstream_async.cli.shell import Interruption, run

__all__ = ["search"]


def search(
    context: typer.Context,
    query: Annotated[str, typer.Argument(metavar="QUERY", help="What to look for, in words.")],
    stream: Annotated[
        str | None, typer.Option(metavar="ID", help="One stream; without it, all of them.")
    ] = None,
    index: Annotated[
        str | None, typer.Option(metavar="ID", help="One index of the stream.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=100, help="At most so many.")] = 10,
    min_score: Annotated[
        float | None, typer.Option(min=0, max=1, help="Leave out what fits less well.")
    ] = None,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Find scenes, and what was said, in all streams or in one; the best first.

    Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL names.
    """
    base_url = chosen_url(server, cloud=cloud)
    if index is not None and stream is None:
        raise typer.BadParameter("--index needs the --stream that it belongs to")

    async def work(_: Interruption) -> int:
        async with rts.connect(api_key=api_key, base_url=base_url) as conn:
            coll = await conn.get_collection()
            if stream is None:
                found = await coll.search(
                    query,
                    namespace="rtstream",
                    result_threshold=limit,
                    score_threshold=min_score,
                )
            else:
                one = await coll.get_rtstream(stream)
                found = await one.search(
                    query, index_id=index, result_threshold=limit, score_threshold=min_score
                )
        if json:
            for shot in found.shots:
                typer.echo(as_line(record_object(shot)))
        elif found.shots:
            console().print(hits_table(found.shots))
        else:
            console().print("nothing fits")
        return 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))
