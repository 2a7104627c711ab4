"""The `rtstream` command."""

from __future__ import annotations

import sys

__all__ = ["main"]

_EXTRA = {"typer", "rich"}


def main() -> None:
    """Run the command line, or say in one line which extra it needs."""
    try:
        from rtstream_async.cli.app import app
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] not in _EXTRA:
            raise
        sys.stderr.write(
            "rtstream: the command line needs an extra: pip install 'rtstream-async[cli]'"
            " (with the local server: 'rtstream-async[all]')\n"
        )
        sys.exit(1)
    app()
