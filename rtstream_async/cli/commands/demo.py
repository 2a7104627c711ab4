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
from rtstream_async.cli.render.lists import transcript_table
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
    """Publish a clip as a live stream; watch, search, export and play it.

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
        else "All of it plays while the server is up: try rtstream demo --open"
    )
    return [
        Text("\nThe same scenes, paged over REST, newest first\n", style="bold"),
        scenes_table(outcome.scenes, brief=True),
        Text("What was said, paged over REST\n", style="bold"),
        transcript_table(outcome.segments),
        Text("What was seen, heard and measured", style="bold"),
        summary_table(measured(outcome)),
        Text(
            "Everything above was recognised from pixels and sound by"
            f" {', '.join(outcome.engines)}; nothing was scripted.\n",
            style="green",
        ),
        *(_link(name, url) for name, url in _links(outcome)),
        Text(hint, style="dim"),
    ]


def _links(outcome: Outcome) -> list[tuple[str, str]]:
    """What can be opened, by name."""
    links = [
        ("player", outcome.player_url),
        ("stream", outcome.stream_url),
        ("video", outcome.exported.player_url or ""),
    ]
    hits = [("seen", outcome.seen), ("heard", outcome.heard)]
    return links + [(name, hit.url) for name, hit in hits if hit is not None]


def _link(name: str, url: str) -> Text:
    return Text.assemble((f"{name:<8}", "dim"), url)
