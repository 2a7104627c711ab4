"""`batch_config` of the reference -> `extraction_config` of the wire, checked on the way.

The official SDK passes anything through: an unknown type becomes another one in silence, a
missing value is sent as null. Here each mistake is named before any request is made.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import attrs

from rtstream_async.errors import InvalidArgumentError

__all__ = ["audio_config", "visual_config"]

_ARGUMENT = "batch_config"


@attrs.frozen
class _Number:
    """A number above 0; a whole one, unless `fractions` are allowed."""

    fractions: bool

    @property
    def wanted(self) -> str:
        return "a number of seconds above 0" if self.fractions else "a whole number above 0"

    def fits(self, value: object) -> bool:
        kinds = int | float if self.fractions else int
        return (
            isinstance(value, kinds)
            and not isinstance(value, bool)
            and math.isfinite(value)
            and value > 0
        )


_SECONDS = _Number(fractions=True)
_COUNT = _Number(fractions=False)

_VISUAL_TYPES = {"time": _SECONDS}
_AUDIO_TYPES = {"word": _COUNT, "sentence": _COUNT, "time": _SECONDS}


def visual_config(batch_config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the extraction config of a visual index.

    Args:
        batch_config: `{"type": "time", "value": seconds, "frame_count": frames}`; without
            `frame_count` the service chooses.

    Raises:
        InvalidArgumentError: A key, a type or a value that can't be used.
    """
    _check_keys(batch_config, required=("type", "value"), optional=("frame_count",))
    _check_type(batch_config["type"], _VISUAL_TYPES)
    config = {"time": _checked(batch_config, "value", _SECONDS)}
    if batch_config.get("frame_count") is not None:
        config["frame_count"] = _checked(batch_config, "frame_count", _COUNT)
    return config


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


def _check_type(kind: object, types: Mapping[str, _Number]) -> _Number:
    if not isinstance(kind, str) or kind not in types:
        raise InvalidArgumentError(
            f"{_ARGUMENT}['type']", f"can't be {kind!r}", allowed=tuple(types)
        )
    return types[kind]


def _checked(batch_config: Mapping[str, Any], key: str, number: _Number) -> Any:
    value = batch_config[key]
    if not number.fits(value):
        raise InvalidArgumentError(
            f"{_ARGUMENT}[{key!r}]", f"must be {number.wanted}, not {value!r}"
        )
    return value
