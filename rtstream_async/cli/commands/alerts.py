"""`rtstream alerts`: which events the indexes of a stream watch for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

import rtstream_async as rts
from rtstream_async.cli.failure import CommandError
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
from rtstream_async.cli.render.lists import alerts_table
from rtstream_async.cli.render.objects import as_line, record_object
from rtstream_async.cli.shell import Interruption, run

__all__ = ["alerts"]

if TYPE_CHECKING:  # the SDK's names load the client when they are used
    _Found = list[tuple[rts.RTStreamSceneIndex, list[rts.Alert]]]


def alerts(
    context: typer.Context,
    *,
    stream_id: Annotated[str, typer.Argument(metavar="STREAM_ID", help="The stream, rts-...")],
    index: Annotated[
        str | None, typer.Option(metavar="ID", help="One index; without it, all of the stream.")
    ] = None,
    add: Annotated[
        str | None, typer.Option(metavar="EVENT_ID", help="Have the index watch for this event.")
    ] = None,
    webhook: Annotated[
        str | None, typer.Option(metavar="URL", help="Where the new alert is posted to.")
    ] = None,
    enable: Annotated[
        str | None, typer.Option(metavar="ALERT_ID", help="Have this alert told again.")
    ] = None,
    disable: Annotated[
        str | None, typer.Option(metavar="ALERT_ID", help="Have this alert told no more.")
    ] = None,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """List the alerts of a stream; add, enable or disable one.

    Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL names.
    """
    base_url = chosen_url(server, cloud=cloud)
    if webhook is not None and add is None:
        raise typer.BadParameter("--webhook is for the alert that --add makes")

    async def work(_: Interruption) -> int:
        async with rts.connect(api_key=api_key, base_url=base_url) as conn:
            coll = await conn.get_collection()
            indexes = await _indexes(await coll.get_rtstream(stream_id), index)
            if add is not None:
                # Whoever runs this command has left when the first alert comes: no socket.
                await _only(indexes).create_alert(add, callback_url=webhook, ws_connection_id=None)
            for alert_id, is_wanted in ((enable, True), (disable, False)):
                if alert_id is not None:
                    await _switch(indexes, alert_id, is_wanted=is_wanted)
            found = [(one, await one.list_alerts()) for one in indexes]
        (_print_json if json else _print_tables)(found)
        return 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))


async def _indexes(stream: rts.RTStream, index_id: str | None) -> list[rts.RTStreamSceneIndex]:
    if index_id is not None:
        return [await stream.get_scene_index(index_id)]
    return await stream.list_scene_indexes()


def _only(indexes: list[rts.RTStreamSceneIndex]) -> rts.RTStreamSceneIndex:
    if len(indexes) == 1:
        return indexes[0]
    if not indexes:
        raise CommandError("the stream has no index that could watch for an event")
    ids = ", ".join(index.rtstream_index_id for index in indexes)
    raise CommandError(f"the stream has several indexes; choose one with --index: {ids}")


async def _switch(indexes: list[rts.RTStreamSceneIndex], alert_id: str, *, is_wanted: bool) -> None:
    for index in indexes:
        if alert_id in {alert.alert_id for alert in await index.list_alerts()}:
            await (index.enable_alert if is_wanted else index.disable_alert)(alert_id)
            return
    raise CommandError(f"no index of the stream has an alert {alert_id!r}")


def _print_json(found: _Found) -> None:
    for index, kept in found:
        for alert in kept:
            said = {"index_id": index.rtstream_index_id}
            typer.echo(as_line({**said, **record_object(alert)}))


def _print_tables(found: _Found) -> None:
    kept = [(index, alert) for index, alerts_ in found for alert in alerts_]
    if kept:
        console().print(alerts_table(kept))
    else:
        console().print("no alerts; make one with --add EVENT_ID (rtstream events lists those)")
