"""What the service says of the speech in a stream: pieces of it, and whether it listens.

Times are Unix seconds. What the service sent beyond the fields is in `raw`, unchanged.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import attrs

from rtstream_async.models.base import Keyed, moment, raw_field

__all__ = ["TranscriptSegment", "TranscriptStatus", "Word"]

_RUNNING = frozenset({"active", "connected", "running"})


@attrs.frozen(kw_only=True)
class Word(Keyed):
    """One word, and when it was said."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str
    raw: Mapping[str, Any] = raw_field()


@attrs.frozen(kw_only=True)
class TranscriptSegment(Keyed):
    """A piece of speech, as it was stored: what had been partial is final here."""

    start: float  #: Unix time, seconds
    end: float  #: Unix time, seconds
    text: str
    words: tuple[Word, ...] = ()  #: each word by itself, where the service tells it
    engine: str | None = None  #: who heard it, where the service tells it
    raw: Mapping[str, Any] = raw_field()

    @property
    def start_time(self) -> datetime:
        """`start` as an aware `datetime` in UTC."""
        return moment(self.start)

    @property
    def end_time(self) -> datetime:
        """`end` as an aware `datetime` in UTC."""
        return moment(self.end)


@attrs.frozen(kw_only=True)
class TranscriptStatus(Keyed):
    """Whether a stream is being transcribed."""

    status: str | None = None
    """`running`, `stopped`, `not_configured` or any other word of the service."""
    engine: str | None = None
    language: str | None = None
    created_at: float | None = None  #: Unix time, seconds
    updated_at: float | None = None  #: Unix time, seconds
    raw: Mapping[str, Any] = raw_field()

    @property
    def is_running(self) -> bool:
        """Whether `status` is one of the words that the service uses for a running transcript."""
        return self.status in _RUNNING
