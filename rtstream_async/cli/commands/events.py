"""`rtstream events`: rules for what is to be told."""

from __future__ import annotations

from typing import Annotated

import typer

import rtstream_async as rts
from rtstream_async.cli.arming import label_of
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
from rtstream_async.cli.render.lists import events_table
from rtstream_async.cli.render.objects import as_line, record_object
from rtstream_async.cli.shell import Interruption, run

__all__ = ["events"]


def events(
    context: typer.Context,
    add: Annotated[
        str | None, typer.Option(metavar="PROMPT", help="Make a new event of this prompt.")
    ] = None,
    label: Annotated[
        str | None, typer.Option(help="Label of the new event; without it, made of its prompt.")
    ] = None,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """List the events that alerts can be made of, or add one.

    Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL names.
    """
    base_url = chosen_url(server, cloud=cloud)
    if label is not None and add is None:
        raise typer.BadParameter("--label is for the event that --add makes")

    async def work(_: Interruption) -> int:
        async with rts.connect(api_key=api_key, base_url=base_url) as conn:
            if add is not None:
                await conn.create_event(event_prompt=add, label=label or label_of(add))
            found = await conn.list_events()
        if json:
            for event in found:
                typer.echo(as_line(record_object(event)))
        elif found:
            console().print(events_table(found))
        else:
            console().print("no events; make one with --add PROMPT")
        return 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))
