"""Identifiers in the forms that the service issues; time and chance are arguments."""

from __future__ import annotations

__all__ = [
    "ENTROPY",
    "asset_id",
    "bare_id",
    "capture_id",
    "collection_id",
    "connection_id",
    "short_id",
    "stream_id",
]

ENTROPY = 10
"""How many random bytes an id takes."""

_VERSION_7 = 0x7
_VARIANT = 0b10


def stream_id(now: float, entropy: bytes) -> str:
    """Return `rts-` and a UUID of version 7: ids sort by the time of their making."""
    return f"rts-{_uuid7(now, entropy)}"


def collection_id(now: float, entropy: bytes) -> str:
    """Return `c-` and a UUID of version 7."""
    return f"c-{_uuid7(now, entropy)}"


def bare_id(now: float, entropy: bytes) -> str:
    """Return a UUID of version 7, which an exported video gets as soon as it is begun."""
    return _uuid7(now, entropy)


def asset_id(bare: str, *, has_picture: bool) -> str:
    """Return the id of an exported video, `m-` and its `bare` id, or of sound alone, `a-`."""
    return f"{'m' if has_picture else 'a'}-{bare}"


def job_id(entropy: bytes) -> str:
    """Return the id of long work, under which its outcome can be asked for."""
    return f"job-{entropy.hex()}"


def capture_id(now: float, entropy: bytes) -> str:
    """Return `cap-` and a UUID of version 7: the id of a capture session."""
    return f"cap-{_uuid7(now, entropy)}"


def understanding_id(now: float, entropy: bytes) -> str:
    """Return `und-` and a UUID of version 7."""
    return f"und-{_uuid7(now, entropy)}"


def index_id(now: float, entropy: bytes) -> str:
    """Return `idx-` and a UUID of version 7: the id of an index that an understanding feeds."""
    return f"idx-{_uuid7(now, entropy)}"


def short_id(entropy: bytes) -> str:
    """Return 16 hexadecimal digits: the id of an index, an event or an alert."""
    return entropy[:8].hex()


def connection_id(entropy: bytes) -> str:
    """Return the id of one socket connection."""
    return f"conn-{entropy.hex()}"


def _uuid7(now: float, entropy: bytes) -> str:
    random = int.from_bytes(entropy[:ENTROPY], "big")
    high = random >> 62 & 0xFFF
    low = random & (1 << 62) - 1
    value = (
        (int(now * 1000) & (1 << 48) - 1) << 80
        | _VERSION_7 << 76
        | high << 64
        | _VARIANT << 62
        | low
    )
    digits = f"{value:032x}"
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
