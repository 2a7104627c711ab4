"""`batch_config` of the reference -> `extraction_config` of the wire, checked on the way.

The official SDK passes anything through: an unknown type becomes another one in silence, a
missing value is sent as null. Here each mistake is named before any request is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

import attrs

from rtstream_async.errors import InvalidArgumentError

__all__ = ["audio_config", "scene_config", "spoken_config", "visual_config"]

_ARGUMENT = "batch_config"


@attrs.frozen
class _Number:
    """A number above 0; a whole one, unless `fractions` are allowed."""

    fractions: bool
    wanted: str

    def fits(self, value: object) -> bool:
        kinds = int | float if self.fractions else int
        return (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and value > 0
        )


_SECONDS = _Number(fractions=True, wanted="a number of seconds above 0")
_COUNT = _Number(fractions=False, wanted="a whole number above 0")
_CHANGE = _Number(fractions=True, wanted="a number above 0")

_VISUAL_TYPES = {"time": _SECONDS}
_AUDIO_TYPES = {"word": _COUNT, "sentence": _COUNT, "time": _SECONDS}
_SHOT_NUMBERS = {
    "threshold": _CHANGE,
    "frame_count": _COUNT,
    "min_length": _SECONDS,
    "max_length": _SECONDS,
}
_CONFIG_NUMBERS = {"time": _SECONDS, **_SHOT_NUMBERS}
_SHOT = "shot"


def visual_config(batch_config: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the extraction type and the extraction config of a visual index.

    Args:
        batch_config: `{"type": "time", "value": seconds, "frame_count": frames}`; without
            `frame_count` the service chooses. Or `{"type": "shot"}`, with `threshold`,
            `frame_count`, `min_length` and `max_length`, or without.

    Raises:
        InvalidArgumentError: A key, a type or a value that can't be used.
    """
    if _is_shot(batch_config):
        return _SHOT, _shot_config(batch_config)
    _check_keys(batch_config, required=("type", "value"), optional=("frame_count",))
    _check_type(batch_config["type"], _VISUAL_TYPES, allowed=(*_VISUAL_TYPES, _SHOT))
    config = {"time": _checked(batch_config, "value", _SECONDS)}
    if batch_config.get("frame_count") is not None:
        config["frame_count"] = _checked(batch_config, "frame_count", _COUNT)
    return "time", config


def audio_config(batch_config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extraction config of an audio index.

    Args:
        batch_config: `{"type": "word" | "sentence" | "time", "value": words, sentences or seconds}`

    Raises:
        InvalidArgumentError: A key, a type or a value that can't be used.
    """
    _check_keys(batch_config, required=("type", "value"), optional=())
    kind = batch_config["type"]
    number = _check_type(kind, _AUDIO_TYPES)
    return {"segmenter": kind, "segmentation_value": _checked(batch_config, "value", number)}


def spoken_config(segmenter: object, length: object) -> dict[str, Any]:
    """Return the extraction config of an index of spoken words.

    Args:
        segmenter: `word`, `sentence` or `time`.
        length: Words, sentences or seconds of a segment.

    Raises:
        InvalidArgumentError: Either can't be used.
    """
    if not isinstance(segmenter, str) or segmenter not in _AUDIO_TYPES:
        raise InvalidArgumentError(
            "segmenter", f"can't be {segmenter!r}", allowed=tuple(_AUDIO_TYPES)
        )
    number = _AUDIO_TYPES[segmenter]
    if not number.fits(length):
        raise InvalidArgumentError("length", f"must be {number.wanted}, not {length!r}")
    return {"segmenter": segmenter, "segmentation_value": length}


def scene_config(extraction_type: object, extraction_config: object) -> dict[str, Any]:
    """Return an extraction config as it was given.

    Other types than those known here, and other keys, are the service's to judge.

    Raises:
        InvalidArgumentError: A type that is none, or a number that can't be used.
    """
    if not isinstance(extraction_type, str) or not extraction_type:
        raise InvalidArgumentError("extraction_type", f"must be a word, not {extraction_type!r}")
    if not isinstance(extraction_config, Mapping):
        kind = type(extraction_config).__name__
        raise InvalidArgumentError("extraction_config", f"must be a dict, not {kind}")
    config = dict(cast("Mapping[str, Any]", extraction_config))
    for key, number in _CONFIG_NUMBERS.items():
        value = config.get(key)
        if value is not None and not number.fits(value):
            raise InvalidArgumentError(
                f"extraction_config[{key!r}]", f"must be {number.wanted}, not {value!r}"
            )
    return config


def _is_shot(batch_config: object) -> bool:
    if not isinstance(batch_config, Mapping):
        return False
    return cast("Mapping[str, Any]", batch_config).get("type") == _SHOT


def _shot_config(batch_config: Mapping[str, Any]) -> dict[str, Any]:
    _check_keys(batch_config, required=("type",), optional=tuple(_SHOT_NUMBERS))
    config = {
        key: _checked(batch_config, key, number)
        for key, number in _SHOT_NUMBERS.items()
        if batch_config.get(key) is not None
    }
    shortest, longest = config.get("min_length"), config.get("max_length")
    if shortest is not None and longest is not None and longest < shortest:
        raise InvalidArgumentError(
            f"{_ARGUMENT}['max_length']", f"must not be below min_length, {shortest:g} s"
        )
    return config


def _check_keys(
    batch_config: object, *, required: tuple[str, ...], optional: tuple[str, ...]
) -> None:
    if not isinstance(batch_config, Mapping):
        kind = type(batch_config).__name__
        raise InvalidArgumentError(_ARGUMENT, f"must be a dict, not {kind}")
    allowed = required + optional
    for key in batch_config:  # pyright: ignore[reportUnknownVariableType] - the caller's dict
        if key not in allowed:
            raise InvalidArgumentError(_ARGUMENT, f"has an unknown key {key!r}", allowed=allowed)
    for key in required:
        if key not in batch_config:
            raise InvalidArgumentError(f"{_ARGUMENT}[{key!r}]", "is missing", allowed=None)


def _check_type(
    kind: object, types: Mapping[str, _Number], *, allowed: tuple[str, ...] = ()
) -> _Number:
    if not isinstance(kind, str) or kind not in types:
        raise InvalidArgumentError(
            f"{_ARGUMENT}['type']", f"can't be {kind!r}", allowed=allowed or tuple(types)
        )
    return types[kind]


def _checked(batch_config: Mapping[str, Any], key: str, number: _Number) -> Any:
    value = batch_config[key]
    if not number.fits(value):
        raise InvalidArgumentError(
            f"{_ARGUMENT}[{key!r}]", f"must be {number.wanted}, not {value!r}"
        )
    return value
