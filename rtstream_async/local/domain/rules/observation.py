"""What is known of one record: the facts of the engine that made it, or its text alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import attrs

from rtstream_async.local.domain.rules.vocabulary import PERSON

__all__ = ["Observation", "observe"]


@attrs.frozen(kw_only=True)
class Observation:
    """One record. What its engine has not told is `None`."""

    text: str
    objects: Mapping[str, int] | None = None  #: what was found -> how many
    scores: Mapping[str, float] = attrs.field(factory=dict[str, float])  #: 0-1, the best of a kind
    worn: Mapping[str, int] = attrs.field(factory=dict[str, int])  #: colour -> people in it
    lines: tuple[str, ...] | None = None  #: what can be read
    is_all_read: bool = False  #: whether somebody has looked for words, and read all there are
    spoken: str | None = None  #: what was said; `None`: of a picture
    brightness: float | None = None  #: mean, 0-1
    contrast: float | None = None  #: 0-0.5
    colors: tuple[str, ...] | None = None  #: that make up most of the picture, the greatest first
    change: float | None = None  #: the greatest share of the picture that changed at once, 0-1

    @property
    def is_told_only(self) -> bool:
        """Whether there are no facts, only a text about a picture."""
        return self.spoken is None and self.objects is None and self.lines is None


def observe(text: str, metadata: Mapping[str, Any], *, is_heard: bool) -> Observation:
    """Return what a record's text and metadata tell; what is not of the known form is left out.

    Args:
        text: The record's text.
        metadata: Its facts.
        is_heard: Whether the record is of an index that listens.
    """
    if is_heard:
        spoken = metadata.get("spoken")
        return Observation(text=text, spoken=spoken if isinstance(spoken, str) else text)
    objects = _counts(metadata.get("objects"))
    if metadata.get("frames_looked_at") == 0:
        objects = None  # nobody has looked for things
    sightings = {
        str(item.get("label")): item for item in map(_mapping, _items(metadata.get("sightings")))
    }
    lines = metadata.get("words")
    return Observation(
        text=text,
        objects=objects,
        scores={
            label: score
            for label, sighting in sightings.items()
            if (score := _number(sighting.get("score"))) is not None
        },
        worn=_counts(sightings.get(PERSON, {}).get("wearing")) or {},
        lines=None if lines is None else tuple(map(str, _items(lines))),
        is_all_read=metadata.get("words_unread") == 0,
        brightness=_number(metadata.get("brightness")),
        contrast=_number(metadata.get("contrast")),
        colors=tuple(map(str, _items(metadata.get("colors")))) or None,
        change=_number(metadata.get("change")),
    )


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []  # pyright: ignore[reportUnknownVariableType] - JSON


def _mapping(value: Any) -> dict[str, Any]:
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}


def _counts(value: Any) -> dict[str, int] | None:
    if not isinstance(value, dict):
        return None
    counts = cast("dict[str, Any]", value).items()
    return {name: count for name, count in counts if type(count) is int}


def _number(value: Any) -> float | None:
    return float(value) if type(value) in (int, float) else None
