"""What was told to publish to which connection id, and what has become of it since.

A new socket has a new connection id, and the service's pipelines go on publishing to the old one.
An `Arm` is all that is needed to have one of them publish to the new id; `Arms` are those of one
connection, and know what took whose place.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

from rtstream_async.protocol.router import Key

__all__ = [
    "AlertArm",
    "AlertsOf",
    "Arm",
    "Arms",
    "IndexArm",
    "RearmPolicy",
    "Rearmed",
    "TranscriptArm",
]

RearmPolicy = Literal["poll", "recreate"]
"""What becomes of an index when the connection id changes: its records are polled over REST, or it
is stopped and a new one takes its place."""

AlertsOf = Literal["scene_index", "understanding"]
"""What an alert watches: a scene or audio index, or an index of an understanding."""


@attrs.frozen(kw_only=True)
class Arm:
    """Something that was told to publish to a connection id.

    By itself it can't be told another: an understanding, or a capture session.
    """

    rtstream_id: str | None  #: the stream; of a capture session, the session's own id
    channel: str
    source: str  #: id of the index, alert, understanding or session; or `transcript`
    connection_id: str


@attrs.frozen(kw_only=True)
class TranscriptArm(Arm):
    """The transcript of a stream."""

    engine: str | None = None  #: who listens; `None`: the service's own


@attrs.frozen(kw_only=True)
class AlertArm(Arm):
    """An event that watches an index."""

    index_id: str
    of: AlertsOf
    event_id: str
    callback_url: str | None = attrs.field(default=None, repr=False)  # it may hold a secret


@attrs.frozen(kw_only=True)
class IndexArm(Arm):
    """A scene or audio index."""

    rearm: RearmPolicy
    spec: Mapping[str, Any] = attrs.field(repr=False, hash=False)
    """What it was made with, by the names that `scene_indexes.create()` has for it."""


@attrs.frozen(kw_only=True)
class Rearmed:
    """What came of arming something again."""

    arm: Arm | None  #: what publishes now; `None`: nothing does, so poll if there is a history
    lost: tuple[float, float] | None = None
    """Since and until when (the service's Unix time, seconds) nothing watched or listened."""
    also: tuple[str, ...] = ()  #: other channels of the stream that lost the same time
    reason: str = ""  #: why there is no arm, why something was lost, or what could not be tidied up


_Name = tuple[str | None, str]  # stream and source: every transcript has the same source


@attrs.define
class Arms:
    """What one connection has armed, and what took whose place."""

    _armed: dict[_Name, Arm] = attrs.field(factory=dict[_Name, Arm], init=False)
    _by_key: dict[Key, dict[str, Arm]] = attrs.field(factory=dict[Key, dict[str, Arm]], init=False)
    _resting: dict[_Name, Arm] = attrs.field(factory=dict[_Name, Arm], init=False)
    _lines: dict[str, list[str]] = attrs.field(factory=dict[str, list[str]], init=False)
    _ended: dict[str, float] = attrs.field(factory=dict[str, float], init=False)

    def add(self, arm: Arm) -> None:
        """Note that something is armed; what had its name before is forgotten."""
        self._take(_name(arm))
        self._resting.pop(_name(arm), None)
        self._put(arm)

    def remove(self, source: str, *, rtstream_id: str | None) -> Arm | None:
        """Note that something is armed no longer, and return what was noted of it, if anything.

        It is kept aside, for `wake()`.
        """
        name = rtstream_id, self.current(source)
        arm = self._take(name)
        if arm is not None:
            self._resting[name] = arm
        return arm

    def wake(self, source: str, *, rtstream_id: str | None) -> Arm | None:
        """Return what `remove()` had taken out under this name, to be added again."""
        return self._resting.pop((rtstream_id, self.current(source)), None)

    def known(self, source: str, *, rtstream_id: str | None) -> Arm | None:
        """Return what is noted under this name or one that it had before, armed or not."""
        name = rtstream_id, self.current(source)
        return self._armed.get(name) or self._resting.get(name)

    def of(self, rtstream_id: str | None, channel: str | None) -> tuple[Arm, ...]:
        """Return what makes messages of this stream and channel."""
        return tuple(self._by_key.get((rtstream_id, channel), {}).values())

    def of_stream(self, rtstream_id: str) -> tuple[Arm, ...]:
        """Return all that is armed of a stream."""
        return tuple(arm for arm in self._armed.values() if arm.rtstream_id == rtstream_id)

    def all(self) -> tuple[Arm, ...]:
        """Return all that is armed."""
        return tuple(self._armed.values())

    def present(self, arm: Arm) -> Arm | None:
        """Return what is armed now in the place of `arm`; `None`: nothing is any more."""
        return self._armed.get((arm.rtstream_id, self.current(arm.source)))

    def replace(self, old: Arm, new: Arm, *, at: float | None = None) -> bool:
        """Let `new` take the place of `old`, and answer to its ids; a second time changes nothing.

        Args:
            old: What was armed.
            new: What is.
            at: When that was, the service's Unix time, seconds; `None`: not known.

        Returns:
            Whether it is armed now. It is not where `old` was removed in the meantime: then it
            rests, as `old` did.
        """
        was = old.rtstream_id, self.current(old.source)
        line = self._lines.get(old.source, [old.source])
        if new.source in line[:-1]:  # something newer has taken its place already
            return was in self._armed
        if new.source != line[-1]:
            if at is not None:
                self._ended[line[-1]] = at
            line.append(new.source)
            self._lines.update(dict.fromkeys(line, line))
        if self._take(was) is None:
            self._resting.pop(was, None)
            self._resting[_name(new)] = new
            return False
        self._put(new)
        return True

    def current(self, source: str) -> str:
        """Return the present id of what once had the id `source`."""
        return self._lines.get(source, (source,))[-1]

    def lineage(self, source: str, *, since: float | None = None) -> tuple[str, ...]:
        """Return all ids that what once had the id `source` has had, the present one last.

        Args:
            source: One of them.
            since: Without those that something took the place of before: the service's Unix time,
                seconds.
        """
        line = tuple(self._lines.get(source, (source,)))
        if since is None:
            return line
        return tuple(id_ for id_ in line if self._ended.get(id_, since) >= since)

    def _put(self, arm: Arm) -> None:
        self._armed[_name(arm)] = arm
        self._by_key.setdefault((arm.rtstream_id, arm.channel), {})[arm.source] = arm

    def _take(self, name: _Name) -> Arm | None:
        arm = self._armed.pop(name, None)
        if arm is not None:
            key = arm.rtstream_id, arm.channel
            del self._by_key[key][arm.source]
            if not self._by_key[key]:
                del self._by_key[key]
        return arm


def _name(arm: Arm) -> _Name:
    return arm.rtstream_id, arm.source
