"""What an index is to be made of: the settings of a request, checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.domain.batches import SEGMENTERS
from rtstream_async.local.refusal import invalid

__all__ = ["HEARD_DEFAULTS", "check_rate", "read_extraction"]

_DEFAULT_TIME = 10.0
_DEFAULT_FRAMES = 5
_MAX_TIME = 3600.0
_MAX_FRAMES = 60
_MAX_RATE = 30.0  # frames a second; no engine sees more in them
_MAX_COUNT = 10_000
_MAX_CHANGE = 255.0
_DEFAULT_CHANGE = 20.0  # between what moves within a shot and what a cut changes, from both far
_DEFAULT_SHORTEST = 1.0  # seconds
_DEFAULT_LONGEST = 30.0  # seconds

HEARD_DEFAULTS: Mapping[str, float] = {"word": 10, "sentence": 1, "time": 10.0}
"""What an audio index counts to when nothing is said: words, sentences, seconds."""


def read_extraction(body: Arguments) -> tuple[str, dict[str, Any]]:
    """Return the type and the settings of what an index works on.

    Raises:
        Refusal: They are not possible.
    """
    kinds: dict[str, tuple[str, Callable[[Arguments], dict[str, Any]]]] = {
        "time": ("time", _watched),
        "time_based": ("time", _watched),
        "shot": ("shot", _cut),
        "shot_based": ("shot", _cut),
        "transcript": ("transcript", _heard),
    }
    kind, read = kinds[body.choice("extraction_type", tuple(kinds), "time")]
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


def _cut(config: Arguments) -> dict[str, Any]:
    # The official SDK sends its default for `time`, `{"time": 2}`, when no settings are given.
    config.only(("threshold", "frame_count", "min_length", "max_length", "time"))
    threshold = config.positive("threshold", _DEFAULT_CHANGE, high=_MAX_CHANGE)
    frames = config.integer("frame_count", _DEFAULT_FRAMES, low=1, high=_MAX_FRAMES)
    shortest = config.positive("min_length", _DEFAULT_SHORTEST, high=_MAX_TIME)
    longest = config.positive("max_length", max(shortest, _DEFAULT_LONGEST), high=_MAX_TIME)
    if longest < shortest:
        problem = f"must not be below min_length, {shortest:g} s"
        raise invalid(f"{config.prefix}max_length", problem)
    check_rate(f"{config.prefix}frame_count", frames, shortest)
    return {
        "threshold": threshold,
        "frame_count": frames,
        "min_length": shortest,
        "max_length": longest,
    }


def _heard(config: Arguments) -> dict[str, Any]:
    config.only(("segmenter", "segmentation_value"))
    segmenter = config.choice("segmenter", SEGMENTERS, "word")
    default = HEARD_DEFAULTS[segmenter]
    if segmenter == "time":
        value = config.positive("segmentation_value", default, high=_MAX_TIME)
    else:
        value = config.integer("segmentation_value", int(default), low=1, high=_MAX_COUNT)
    return {"segmenter": segmenter, "segmentation_value": value}
