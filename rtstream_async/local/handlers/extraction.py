"""What an index is to be made of: the settings of a request, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.domain.batches import SEGMENTERS
from rtstream_async.local.refusal import Refusal, invalid

__all__ = ["HEARD_DEFAULTS", "check_rate", "read_extraction"]

_SHOTS = "shot detection is not offered by the local server; use 'time'"
_REFUSED = {"shot": _SHOTS, "shot_based": _SHOTS}
_DEFAULT_TIME = 10.0
_DEFAULT_FRAMES = 5
_MAX_TIME = 3600.0
_MAX_FRAMES = 60
_MAX_RATE = 30.0  # frames a second; no engine sees more in them
_MAX_COUNT = 10_000

HEARD_DEFAULTS: Mapping[str, float] = {"word": 10, "sentence": 1, "time": 10.0}
"""What an audio index counts to when nothing is said: words, sentences, seconds."""


def read_extraction(body: Arguments) -> tuple[str, dict[str, Any]]:
    """Return the type and the settings of what an index works on.

    Raises:
        Refusal: They are not possible, or not offered.
    """
    kinds: dict[str, tuple[str, Callable[[Arguments], dict[str, Any]]]] = {
        "time": ("time", _watched),
        "time_based": ("time", _watched),
        "transcript": ("transcript", _heard),
    }
    asked = body.choice("extraction_type", (*kinds, *_REFUSED), "time")
    if asked in _REFUSED:
        raise Refusal(400, "NOT_OFFERED", f"extraction_type: {_REFUSED[asked]}")
    kind, read = kinds[asked]
    return kind, read(body.mapping("extraction_config"))


def check_rate(argument: str, frames: int, seconds: float) -> None:
    """Refuse more frames of a window than an engine could see anything new in.

    Raises:
        Refusal: They are too many, or the window is too long.
    """
    if seconds > _MAX_TIME or frames > _MAX_FRAMES:
        problem = f"at most {_MAX_FRAMES} frames of at most {_MAX_TIME:g} s are possible"
        raise invalid(argument, problem)
    if frames / seconds > _MAX_RATE:
        raise invalid(
            argument, f"{frames} in {seconds:g} s is more than {_MAX_RATE:g} frames a second"
        )


def _watched(config: Arguments) -> dict[str, Any]:
    config.only(("time", "frame_count"))
    value = config.positive("time", _DEFAULT_TIME, high=_MAX_TIME)
    frames = config.integer("frame_count", _DEFAULT_FRAMES, low=1, high=_MAX_FRAMES)
    check_rate(f"{config.prefix}frame_count", frames, value)
    return {"time": value, "frame_count": frames}


def _heard(config: Arguments) -> dict[str, Any]:
    config.only(("segmenter", "segmentation_value"))
    segmenter = config.choice("segmenter", SEGMENTERS, "word")
    default = HEARD_DEFAULTS[segmenter]
    if segmenter == "time":
        value = config.positive("segmentation_value", default, high=_MAX_TIME)
    else:
        value = config.integer("segmentation_value", int(default), low=1, high=_MAX_COUNT)
    return {"segmenter": segmenter, "segmentation_value": value}
