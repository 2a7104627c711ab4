"""`rtstream scenes`: what the indexes of a stream have recorded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

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
from rtstream_async.cli.render.objects import as_line, scene_object
from rtstream_async.cli.render.tables import scenes_table
from rtstream_async.cli.render.text import printable
from rtstream_async.cli.shell import Interruption, run
from rtstream_async.models.records import Scene

__all__ = ["scenes"]

if TYPE_CHECKING:  # the SDK's names load the client when they are used
    _Found = list[tuple[rts.RTStreamSceneIndex, list[Scene]]]


def scenes(
    context: typer.Context,
    stream_id: Annotated[str, typer.Argument(metavar="STREAM_ID", help="The stream, rts-...")],
    index: Annotated[
        str | None, typer.Option(metavar="ID", help="One index; without it, all of the stream.")
    ] = None,
    start: MomentOption = None,
    end: MomentOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many of each index.")] = 20,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Show what the indexes of a stream have recorded, newest first.

    Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL names.
    """
    base_url = chosen_url(server, cloud=cloud)

    async def work(_: Interruption) -> int:
        async with rts.connect(api_key=api_key, base_url=base_url) as conn:
            found = await _fetch(conn, stream_id, index_id=index, start=start, end=end, limit=limit)
        (_print_json if json else _print_tables)(found)
        return 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))


async def _fetch(
    conn: rts.Connection,
    stream_id: str,
    *,
    index_id: str | None,
    start: float | None,
    end: float | None,
    limit: int,
) -> _Found:
    coll = await conn.get_collection()
    stream = await coll.get_rtstream(stream_id)
    if index_id is not None:
        indexes = [await stream.get_scene_index(index_id)]
    else:
        indexes = await stream.list_scene_indexes()
    found: _Found = []
    for index in indexes:
        kept: list[Scene] = []
        async for scene in index.get_scenes(start=start, end=end, page_size=min(limit, 100)):
            kept.append(scene)
            if len(kept) == limit:
                break
        found.append((index, kept))
    return found


def _print_json(found: _Found) -> None:
    for index, kept in found:
        for scene in kept:
            said: Mapping[str, object] = {"index_id": index.rtstream_index_id}
            typer.echo(as_line({**said, **scene_object(scene)}))


def _print_tables(found: _Found) -> None:
    out = console()
    if not found:
        out.print("the stream has no index")
    for index, kept in found:
        title = Text.assemble((printable(index.name or "index"), "bold"), "  ")
        title.append(f"{index.rtstream_index_id}  {printable(index.status or '')}", style="dim")
        out.print(title)
        out.print(scenes_table(kept) if kept else "no scenes in this time")
