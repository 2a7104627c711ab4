"""`rtstream demo`: everything at work, with no key and no network."""

from __future__ import annotations

import webbrowser
from contextlib import AsyncExitStack
from typing import Annotated

import anyio
import anyio.to_thread
import typer
from rich.console import RenderableType
from rich.text import Text

from rtstream_async.cli.options import JsonOption, console, globals_of
from rtstream_async.cli.outcome import Outcome, summary
from rtstream_async.cli.render.tables import measured, scenes_table, summary_table
from rtstream_async.cli.reports import open_report
from rtstream_async.cli.shell import Interruption, run

__all__ = ["demo"]


def demo(
    context: typer.Context,
    *,
    keep: Annotated[
        bool, typer.Option("--keep", help="Stay up until Ctrl-C, so that the player can be opened.")
    ] = False,
    open_player: Annotated[
        bool, typer.Option("--open", help="Open the player in a browser; implies --keep.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Publish a clip as a live stream, describe what is seen in it, page it, play it back.

    A local server runs in this process, and a real encoder publishes to it over RTMP.

    No key and no network are needed. It takes about a minute.
    """

    async def work(interruption: Interruption) -> int:
        from rtstream_async.cli.demonstration import Demonstration  # needs an extra

        async with AsyncExitStack() as stack:
            with open_report(console(), json=json) as report:
                outcome = await Demonstration(report, stack).run()
                report.end(_told(outcome, keep=keep or open_player), summary(outcome))
            if not (keep or open_player):
                return 0
            interruption.exit_code = 0
            if open_player:
                await anyio.to_thread.run_sync(webbrowser.open, outcome.player_url)
            await anyio.sleep_forever()
        return 0

    run(work, debug=globals_of(context).debug)


def _told(outcome: Outcome, *, keep: bool) -> list[RenderableType]:
    """What is printed at the end."""
    hint = (
        "Open the player; the server stays up until Ctrl-C."
        if keep
        else "Both play while the server is up: try rtstream demo --open"
    )
    return [
        Text("\nThe same scenes, paged over REST, newest first\n", style="bold"),
        scenes_table(outcome.scenes, brief=True),
        Text("What was seen and measured", style="bold"),
        summary_table(measured(outcome)),
        Text(
            f"Everything above was recognised from the video's pixels by {outcome.engine};"
            " nothing was scripted.\n",
            style="green",
        ),
        Text.assemble(("player  ", "dim"), outcome.player_url),
        Text.assemble(("stream  ", "dim"), outcome.stream_url),
        Text(hint, style="dim"),
    ]
