"""Where this package's log goes while a command runs: to standard error, one line each."""

from __future__ import annotations

import enum
import logging
import sys

__all__ = ["LogLevel", "log_to_stderr", "quiet_local_server"]


class LogLevel(enum.StrEnum):
    """The least important messages that are logged."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


def log_to_stderr(level: LogLevel) -> None:
    """Log what this package and the libraries under it say, from `level` on."""
    handler = _Stderr()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    # Libraries below warning tell of every request, and some with its URL, which may be secret.
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("rtstream_async").setLevel(level.upper())


def quiet_local_server() -> None:
    """Keep an in-process server's warnings out of the terminal: a command shows what they say."""
    logging.getLogger("rtstream_async.local").setLevel(logging.ERROR)


class _Stderr(logging.Handler):
    """Writes to what `sys.stderr` is now: a live view replaces it, to print above itself."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(f"{self.format(record)}\n")
        except Exception:  # noqa: BLE001 - what logging asks of every handler
            self.handleError(record)
