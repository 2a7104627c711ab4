"""Which streams are at work, and a lock for each."""

from __future__ import annotations

from collections.abc import Iterator

import anyio
import attrs

from rtstream_async.local.pipelines.live import LiveStream

__all__ = ["Running"]


@attrs.define(eq=False)
class Running:
    """The streams at work. One lock a stream, so that start, stop and what is attached don't cross.

    A stream whose source has ended stays until it is started again, or stopped.
    """

    _streams: dict[str, LiveStream] = attrs.field(factory=dict[str, LiveStream], init=False)
    _locks: dict[str, anyio.Lock] = attrs.field(factory=dict[str, anyio.Lock], init=False)

    def __iter__(self) -> Iterator[LiveStream]:
        return iter(list(self._streams.values()))

    def live(self, stream_id: str) -> LiveStream | None:
        """Return the stream at work, or `None` when it does not run."""
        live = self._streams.get(stream_id)
        return live if live is not None and live.lifecycle.is_active else None

    def lock(self, stream_id: str) -> anyio.Lock:
        """Return the lock of a stream."""
        return self._locks.setdefault(stream_id, anyio.Lock())

    def put(self, live: LiveStream) -> None:
        """Note a stream that is being started."""
        self._streams[live.id] = live

    def pop(self, stream_id: str) -> LiveStream | None:
        """Forget a stream; return it, if it was here."""
        return self._streams.pop(stream_id, None)

    def clear(self) -> None:
        """Forget all streams."""
        self._streams.clear()
