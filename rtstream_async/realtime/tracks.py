"""What was delivered of everything that has a history: a track for each stream and channel."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from rtstream_async.models.messages import AudioMessage, Message, SceneMessage, TranscriptMessage
from rtstream_async.protocol.recovery import Push, RecoverySettings, Track
from rtstream_async.protocol.router import Key
from rtstream_async.realtime.settings import HubSettings

__all__ = ["Tracks", "push"]

_RECORDS = (SceneMessage, AudioMessage, TranscriptMessage)


class Tracks:
    """The tracks, by stream and channel, and the clock that they go by.

    Attributes:
        by_key: All of them.
        on_change: Called with the key of a track that has come or is gone.
    """

    def __init__(self, *, settings: HubSettings, now: Callable[[], float] | None) -> None:
        """Have no tracks yet.

        Args:
            settings: What can be set about recovery.
            now: Returns the service's Unix time, seconds; `None`: its clock is ours.
        """
        self.by_key: dict[Key, Track[Message]] = {}
        self.on_change: Callable[[Key], None] = _ignore
        self._now = now
        self._sources: dict[Key, dict[str, None]] = {}
        self._settings = RecoverySettings(
            overlap=settings.overlap,
            sweep_delay=settings.sweep_delay,
            window=settings.recovery_window,
            records=settings.recovery_records,
            held=settings.held_messages,
        )

    @property
    def skew(self) -> float:
        """How much the service's clock is ahead of ours, seconds."""
        return 0.0 if self._now is None else self._now() - time.time()

    def now(self) -> float:
        """Return the service's Unix time, seconds."""
        return time.time() if self._now is None else self._now()

    def get(self, key: Key) -> Track[Message] | None:
        """Return the track of a stream and channel, if it has one."""
        return self.by_key.get(key)

    def open(self, key: Key, source: str | None = None) -> Track[Message]:
        """Return the track of a stream and channel, a new one from now on if there is none.

        Args:
            key: Stream and channel.
            source: What makes its messages, besides what was named before.
        """
        sources = self._sources.setdefault(key, {})
        if source:
            sources[source] = None
        track = self.by_key.get(key)
        if track is None:
            track = self.by_key[key] = Track(
                since=self.now(), settings=self._settings, skew=self.skew
            )
            self.on_change(key)
        track.sources = len(sources)
        return track

    def sources(self, stream: str, channel: str) -> Sequence[str]:
        """Return what is known to make messages of a stream and channel."""
        return tuple(self._sources.get((stream, channel), ()))

    def close(self, key: Key) -> None:
        """Forget a track."""
        self.by_key.pop(key, None)
        self._sources.pop(key, None)
        self.on_change(key)


def push(track: Track[Message], message: Message) -> Push:
    """Take a pushed message to its track; return what is to become of it."""
    if type(message) is TranscriptMessage and not message.is_final:
        return Push.HOLD if track.hold(message) else Push.DELIVER
    if not isinstance(message, _RECORDS):
        return Push.DELIVER
    return track.push(message, message.received_at - message.end)


def _ignore(_key: Key) -> None:
    return
