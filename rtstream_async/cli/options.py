"""Options that several commands share, and what they mean together."""

from __future__ import annotations

import os
import time
from typing import Annotated

import attrs
import typer
from rich.console import Console

from rtstream_async.cli.moments import parse_moment
from rtstream_async.cli.render.text import shown_url

__all__ = [
    "CLOUD_URL",
    "CloudOption",
    "Globals",
    "JsonOption",
    "KeyOption",
    "MomentOption",
    "ServerOption",
    "asked_server",
    "chosen_url",
    "console",
    "globals_of",
]

CLOUD_URL = "https://api.videodb.io"

ServerOption = Annotated[
    str | None, typer.Option("--server", metavar="URL", help="Ask the server at this address.")
]
CloudOption = Annotated[bool, typer.Option("--cloud", help=f"Ask VideoDB's cloud ({CLOUD_URL}).")]
KeyOption = Annotated[
    str | None,
    typer.Option(
        "--api-key",
        metavar="KEY",
        envvar="VIDEO_DB_API_KEY",
        show_envvar=True,
        help="The key for that server.",
    ),
]


def _moment(text: str) -> float:
    try:
        return parse_moment(text, now=time.time())
    except ValueError as exc:
        raise typer.BadParameter(str(exc)) from exc


MomentOption = Annotated[
    float | None,
    typer.Option(parser=_moment, metavar="TIME", help="Unix seconds, 2026-03-01T14:00 or -15m."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, one object a line.")]


@attrs.frozen(kw_only=True)
class Globals:
    """What was said before the command's name."""

    debug: bool = False


def globals_of(context: typer.Context) -> Globals:
    """Return the global options."""
    found = context.find_object(Globals)
    return found if found is not None else Globals()


def chosen_url(server: str | None, *, cloud: bool) -> str | None:
    """Return the base URL that was asked for; `None`: neither was.

    Raises:
        typer.BadParameter: Both were.
    """
    if server is not None and cloud:
        raise typer.BadParameter("choose one of --server and --cloud")
    return CLOUD_URL if cloud else server


def asked_server(base_url: str | None) -> str:
    """Return the address that the SDK will use for this base URL, to be shown."""
    return shown_url(base_url or os.environ.get("VIDEO_DB_BASE_URL") or CLOUD_URL)


def console() -> Console:
    """Return the console on standard output; what is printed is never taken for markup."""
    return Console(highlight=False, markup=False, emoji=False)
