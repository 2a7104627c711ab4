"""The little of H.264 that a recorder must know: when the picture's parameters change."""

from __future__ import annotations

__all__ = ["sequence_parameters"]

_SPS = 7
_START = b"\x00\x00\x01"
_SEARCHED = 512  # bytes; parameter sets stand before the picture


def sequence_parameters(data: bytes) -> bytes | None:
    """Return the sequence parameter set that a key frame carries, `None` when it has none.

    `data` is the frame in start-code form (as in MPEG-TS and RTSP); in length-prefixed form
    (MP4, RTMP) the parameters travel beside the frames, not in them.
    """
    head = data[:_SEARCHED]
    if not head.startswith((_START, b"\x00" + _START)):
        return None
    for unit in head.split(_START)[1:]:
        if unit and unit[0] & 0x1F == _SPS:
            return unit.rstrip(b"\x00")
    return None
