"""`rtstream export`: one video of a recording."""

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
from rtstream_async.cli.progress import progress_of
from rtstream_async.cli.render.lists import exported_table
from rtstream_async.cli.render.objects import as_line, record_object
from rtstream_async.cli.shell import Interruption, run

__all__ = ["export"]


def export(
    context: typer.Context,
    stream_id: Annotated[str, typer.Argument(metavar="STREAM_ID", help="The stream, rts-...")],
    name: Annotated[str | None, typer.Option(help="Name of the video.")] = None,
    stop: Annotated[
        bool, typer.Option("--stop", help="Stop the stream first; what runs can't be exported.")
    ] = False,
    index: Annotated[
        bool, typer.Option("--index", help="Write down what is said, so that it can be searched.")
    ] = False,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Make one video of the latest recording of a stream; again, and it is the same video.

    Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL names.
    """
    base_url = chosen_url(server, cloud=cloud)

    async def work(_: Interruption) -> int:
        async with rts.connect(api_key=api_key, base_url=base_url) as conn:
            coll = await conn.get_collection()
            stream = await coll.get_rtstream(stream_id)
            if stop:
                await stream.stop()
            with progress_of("exporting", quiet=json) as progress:
                result = await stream.export(name, progress=progress)
            if index:
                video = await coll.get_video(result.video_id)
                with progress_of("writing down what is said", quiet=json) as progress:
                    await video.index_spoken_words(force=True, progress=progress)
        if json:
            typer.echo(as_line(record_object(result)))
        else:
            console().print(exported_table(result))
        return 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))
