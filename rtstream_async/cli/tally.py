"""What was seen so far, counted."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from statistics import median
from typing import Any, cast

import attrs
import msgspec

from rtstream_async.cli.events import Happening
from rtstream_async.models.announcements import Dropped, Gap
from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    Message,
    SceneMessage,
    TranscriptMessage,
)
from rtstream_async.models.records import Scene

__all__ = ["Facts", "Tally", "facts_of"]

_KEPT_DELAYS = 1000
"""Of so many latest messages the delay is kept: watching may go on for weeks."""

_KEPT_LINES = 200


@attrs.frozen(kw_only=True)
class Facts:
    """What an engine may say beside the text of a scene."""

    engine: str | None = None  #: which engine made the text
    words: list[str] = attrs.field(factory=list[str])  #: lines read in the picture
    objects: dict[str, int] = attrs.field(factory=dict[str, int])  #: how many of what


@attrs.define(eq=False)
class Tally:
    """Counts what `add()` is given."""

    messages: Counter[str] = attrs.field(factory=Counter[str], init=False)  #: by channel
    alerts: Counter[str] = attrs.field(factory=Counter[str], init=False)  #: by label
    scenes: int = attrs.field(default=0, init=False)  #: records read over REST
    dropped: int = attrs.field(default=0, init=False)
    gaps: int = attrs.field(default=0, init=False)
    delays: deque[float] = attrs.field(
        factory=lambda: deque(maxlen=_KEPT_DELAYS), init=False, repr=False
    )
    """Seconds from the end of a window to the arrival of its message, the latest ones."""
    lines_read: dict[str, None] = attrs.field(factory=dict[str, None], init=False, repr=False)
    """Lines of text that an engine read in the picture, each once, in order."""
    objects: dict[str, int] = attrs.field(factory=dict[str, int], init=False)
    """What was seen, and the most of it in one window."""
    engines: Counter[str] = attrs.field(factory=Counter[str], init=False)  #: texts by engine

    @property
    def total(self) -> int:
        """How many messages there were."""
        return self.messages.total()

    @property
    def people(self) -> int:
        """The most people seen in one window."""
        return self.objects.get("person", 0)

    @property
    def words_read(self) -> int:
        """How many words the lines that were read have, each line counted once."""
        return sum(len(line.split()) for line in self.lines_read)

    @property
    def median_delay(self) -> float | None:
        """Seconds from the end of a window to its message, median."""
        return median(self.delays) if self.delays else None

    @property
    def longest_delay(self) -> float | None:
        """Seconds from the end of a window to its message, the longest."""
        return max(self.delays, default=None)

    def add(self, value: Happening) -> None:
        """Count one thing that was told."""
        match value:
            case Message():
                self._add_message(value)
            case Dropped():
                self.dropped += value.count
            case Gap():
                self.gaps += 1
            case _:
                return

    def add_scene(self, scene: Scene) -> None:
        """Count what a record over REST says was seen; it is no message."""
        self.scenes += 1
        self._add_facts(facts_of(scene.raw))

    def _add_message(self, message: Message) -> None:
        self.messages[message.channel] += 1
        if isinstance(message, AlertMessage):
            self.alerts[message.label] += 1
        if isinstance(message, SceneMessage | AudioMessage | TranscriptMessage):
            if message.origin == "push":
                self.delays.append(message.received_at - message.end)
            self._add_facts(facts_of(message.get("data")))

    def _add_facts(self, facts: Facts) -> None:
        if facts.engine is not None:
            self.engines[facts.engine] += 1
        for line in facts.words:
            if len(self.lines_read) < _KEPT_LINES:
                self.lines_read.setdefault(line)
        for label, count in facts.objects.items():
            self.objects[label] = max(count, self.objects.get(label, 0))


def facts_of(said: Any) -> Facts:
    """Return what an engine says beside a text: in a message's `data`, or in a scene's record.

    Empty where a service says no more than the text.
    """
    if not isinstance(said, Mapping):
        return Facts()
    data = cast("Mapping[str, Any]", said)
    details = data.get("metadata")
    flat = {**data, **cast("Mapping[str, Any]", details)} if isinstance(details, Mapping) else data
    try:
        return msgspec.convert(flat, Facts)
    except msgspec.ValidationError:
        return Facts()
