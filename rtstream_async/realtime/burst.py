"""Warnings that come in bursts: the first is a warning, the rest are for who looks closer."""

from __future__ import annotations

import logging
import time

__all__ = ["Burst"]


class Burst:
    """Warns of a kind of thing at most once in `quiet` seconds; the rest is logged at DEBUG."""

    __slots__ = ("_kept", "_logger", "_quiet", "_until")

    def __init__(self, logger: logging.Logger, *, quiet: float) -> None:
        self._logger = logger
        self._quiet = quiet
        self._until = float("-inf")
        self._kept = 0

    def warn(self, message: str, *args: object) -> None:
        """Log `message % args`, as a warning if it is the first for a while."""
        now = time.monotonic()
        if now < self._until:
            self._kept += 1
            self._logger.debug(message, *args)
            return
        kept, self._until, self._kept = self._kept, now + self._quiet, 0
        self._logger.warning(message, *args)
        if kept:
            self._logger.warning("%d more like it since the last such warning", kept)
