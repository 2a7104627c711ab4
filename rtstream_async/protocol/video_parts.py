"""What a caller asks for of a video, checked before any request; seconds from its start."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.bounds import at_least, web_address

__all__ = ["SEGMENTATIONS", "SEGMENTERS", "spoken_index_body", "timeline", "transcript_query"]

SEGMENTERS: Final = ("word", "sentence", "time")
SEGMENTATIONS: Final = ("sentence", "llm", "time")

_PAIR = 2


def timeline(given: object) -> list[tuple[float, float]] | None:
    """Return the parts of a video that are to be played; `None` for all of it.

    Raises:
        InvalidArgumentError: It is no list of (start, end), or one of these is empty.
    """
    if given is None:
        return None
    if isinstance(given, str) or not isinstance(given, Sequence):
        raise InvalidArgumentError("timeline", f"must be a list of (start, end), not {given!r}")
    parts = [_part(item) for item in cast("Sequence[object]", given)]
    return parts or None


def transcript_query(
    start: object, end: object, segmenter: object, length: object, *, force: object
) -> dict[str, Any]:
    """Return what to ask for, of what is said in a video.

    Raises:
        InvalidArgumentError: An argument can't be used.
    """
    if segmenter not in SEGMENTERS:
        raise InvalidArgumentError("segmenter", f"can't be {segmenter!r}", allowed=SEGMENTERS)
    first = None if start is None else _seconds("start", start)
    last = None if end is None else _seconds("end", end)
    if first is not None and last is not None and first > last:
        raise InvalidArgumentError("end", f"must not be before start ({first!r}), but is {last!r}")
    return {
        "start": first,
        "end": last,
        "segmenter": segmenter,
        "length": at_least("length", length, 1),
        "force": "true" if force else "false",
    }


def spoken_index_body(
    language_code: str | None,
    segmentation_type: str | None,
    *,
    force: bool,
    callback_url: str | None,
) -> Mapping[str, Any]:
    """Return what to ask for, to have what is said in a video made searchable.

    Raises:
        InvalidArgumentError: `segmentation_type` or `callback_url` can't be used.
    """
    if segmentation_type is not None and segmentation_type not in SEGMENTATIONS:
        raise InvalidArgumentError(
            "segmentation_type", f"can't be {segmentation_type!r}", allowed=SEGMENTATIONS
        )
    return {
        "index_type": "spoken_word",
        "language_code": language_code,
        "segmentation_type": segmentation_type,
        "force": bool(force),
        "callback_url": web_address("callback_url", callback_url) if callback_url else None,
    }


def _part(item: object) -> tuple[float, float]:
    if isinstance(item, str) or not isinstance(item, Sequence):
        raise InvalidArgumentError("timeline", f"has {item!r}, which is no (start, end)")
    pair = cast("Sequence[object]", item)
    if len(pair) != _PAIR:
        raise InvalidArgumentError("timeline", f"has {item!r}, which is no (start, end)")
    start, end = (_seconds("timeline", value) for value in pair)
    if start >= end:
        raise InvalidArgumentError("timeline", f"has an empty part: {start!r} to {end!r}")
    return start, end


def _seconds(argument: str, value: object) -> float:
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or value < 0
    ):
        raise InvalidArgumentError(
            argument, f"must be seconds from the start of the video, at least 0: {value!r}"
        )
    return value
