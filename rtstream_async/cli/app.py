"""The command line: global options, and the commands by name."""

from __future__ import annotations

from typing import Annotated

import typer

from rtstream_async import __version__
from rtstream_async.cli.commands.alerts import alerts
from rtstream_async.cli.commands.capture import capture
from rtstream_async.cli.commands.demo import demo
from rtstream_async.cli.commands.events import events
from rtstream_async.cli.commands.export import export
from rtstream_async.cli.commands.scenes import scenes
from rtstream_async.cli.commands.search import search
from rtstream_async.cli.commands.serve import serve
from rtstream_async.cli.commands.streams import streams
from rtstream_async.cli.commands.transcript import transcript
from rtstream_async.cli.commands.watch import watch
from rtstream_async.cli.logs import LogLevel, log_to_stderr
from rtstream_async.cli.options import Globals

__all__ = ["app"]

app = typer.Typer(
    name="rtstream",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Watch live streams, and serve a VideoDB-compatible server on this machine.",
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"rtstream-async {__version__}")
        raise typer.Exit


@app.callback()
def main(
    context: typer.Context,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback when something fails.")
    ] = False,
    show_version: Annotated[  # noqa: ARG001 - its callback does the work
        bool,
        typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    """Take the options that come before the command's name."""
    context.obj = Globals(debug=debug)
    log_to_stderr(LogLevel.warning)


for _command in (
    demo,
    watch,
    serve,
    streams,
    scenes,
    transcript,
    search,
    events,
    alerts,
    export,
    capture,
):
    app.command()(_command)
