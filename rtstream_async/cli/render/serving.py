"""What `rtstream serve` says when it is ready."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

import attrs
from rich.table import Table
from rich.text import Text

__all__ = ["KeyOrigin", "Serving", "ready_object", "ready_text"]

KeyOrigin = str
"""`given`, `made` (at this start) or `kept` (since an earlier start)."""


@attrs.frozen(kw_only=True)
class Serving:
    """A server that has just come up."""

    url: str
    data_dir: Path
    media_root: Path | None
    key: str = attrs.field(repr=False)
    key_origin: KeyOrigin
    key_file: Path


def ready_text(serving: Serving) -> list[Text | Table]:
    """Return what to print: where it is, and how to connect."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row("  listening", Text(serving.url, style="bold"))
    grid.add_row("  data", Text(str(serving.data_dir)))
    grid.add_row("  files", Text(_files(serving)))
    exports = Text.assemble(
        ("  export VIDEO_DB_BASE_URL=", "green"),
        (shlex.quote(serving.url), "green"),
        ("\n  export VIDEO_DB_API_KEY=", "green"),
        (_key_word(serving), "green"),
    )
    return [
        Text("rtstream: the local server is ready", style="bold cyan"),
        grid,
        Text("\nTo connect, in another terminal:\n"),
        exports,
        Text(f"\n{_key_note(serving)}\nCtrl-C stops the server.", style="dim"),
    ]


def ready_object(serving: Serving) -> dict[str, Any]:
    """Return the same for machines; with the key only at the start that made it."""
    said = {
        "type": "ready",
        "url": serving.url,
        "data_dir": str(serving.data_dir),
        "media_root": None if serving.media_root is None else str(serving.media_root),
        "key": serving.key_origin,
        "key_file": None if serving.key_origin == "given" else str(serving.key_file),
    }
    return said | ({"api_key": serving.key} if serving.key_origin == "made" else {})


def _files(serving: Serving) -> str:
    if serving.media_root is None:
        return "refused (give --media-root to have files of this machine read)"
    return f"below {serving.media_root}"


def _key_word(serving: Serving) -> str:
    match serving.key_origin:
        case "made":
            return shlex.quote(serving.key)
        case "kept":
            return f'"$(cat {shlex.quote(str(serving.key_file))})"'
        case _:
            return "..."


def _key_note(serving: Serving) -> str:
    match serving.key_origin:
        case "made":
            return f"The key was made now and is shown this once; it is kept in {serving.key_file}"
        case "kept":
            return f"The key was made earlier; it is kept in {serving.key_file}"
        case _:
            return "The key is the one that you gave"
