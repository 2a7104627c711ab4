"""Moments as people type them."""

from __future__ import annotations

import re
from datetime import datetime

__all__ = ["parse_moment"]

_AGO = re.compile(r"-(\d+(?:\.\d+)?)([smhd])")
_UNIX = re.compile(r"\d{5,}(?:\.\d+)?")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_moment(text: str, *, now: float) -> float:
    """Return Unix seconds for a Unix time, an ISO 8601 time (local, without a zone) or `-15m`.

    Raises:
        ValueError: It is none of these.
    """
    if match := _AGO.fullmatch(text.strip()):
        return now - float(match[1]) * _UNITS[match[2]]
    if _UNIX.fullmatch(text.strip()):
        return float(text)
    try:
        return datetime.fromisoformat(text.strip()).timestamp()
    except ValueError:
        raise ValueError(
            f"{text!r} is no time; write Unix seconds, 2026-03-01T14:00 or -15m"
        ) from None
