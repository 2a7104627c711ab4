"""What videos and recordings of sound alone share: somebody speaks in them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeVar

from rtstream_async.api.caller import CallSettings
from rtstream_async.api.videos import ProgressTold
from rtstream_async.models.videos import AudioRecord, VideoRecord, VideoSegment, VideoTranscript
from rtstream_async.protocol.video_parts import transcript_query
from rtstream_async.resources.context import Context
from rtstream_async.resources.handle import Handle

__all__ = ["Spoken"]

_USUAL_PATIENCE: Final = CallSettings().poll_deadline
_PATIENCE: Final = 2.0  # seconds for each of the video: a busy machine hears slower than we speak

R = TypeVar("R", bound=VideoRecord | AudioRecord)


class Spoken(Handle[R]):
    """What can be listened to."""

    def __init__(self, context: Context, record: R) -> None:
        super().__init__(context, record)
        self._heard: VideoTranscript | None = None

    @property
    def id(self) -> str:
        """Id of it."""
        return self._record.id

    @property
    def collection_id(self) -> str | None:
        """Id of the collection that it is in."""
        return self._record.collection_id

    @property
    def name(self) -> str | None:
        """Name of it."""
        return self._record.name

    @property
    def length(self) -> float:
        """Duration in seconds; 0 if the service did not say."""
        return self._record.length

    @property
    def transcript(self) -> list[VideoSegment] | None:
        """What `get_transcript()` has last given; `None` before that."""
        return None if self._heard is None else list(self._heard.segments)

    @property
    def transcript_text(self) -> str | None:
        """What was last read of the transcript, as one text; `None` before that."""
        return None if self._heard is None else self._heard.text

    def keys(self) -> Iterator[str]:
        """Iterate over the names of the properties."""
        yield from super().keys()
        yield from ("transcript", "transcript_text")

    async def get_transcript(
        self,
        start: float | None = None,
        end: float | None = None,
        segmenter: str = "word",
        length: int = 1,
        force: bool | None = None,
        *,
        progress: ProgressTold | None = None,
        patience: float | None = None,
    ) -> list[VideoSegment]:
        """Return what is said, piece by piece; the service may have to listen first.

        Cancelling is safe: the service goes on listening.

        Args:
            start: Nothing before this, in seconds from the start.
            end: Nothing after this, in seconds from the start.
            segmenter: A piece for each `word`, each `sentence`, or each `length` seconds (`time`).
            length: Seconds of a piece, with `time`.
            force: Listen again.
            progress: Told how it is getting on, at each look at it.
            patience: Seconds to wait for the service; `None`: twice as long as it plays, and at
                least 500.

        Raises:
            InvalidArgumentError: An argument can't be used.
            ValidationError: There is no sound in it, or it can't be transcribed.
            RequestTimeoutError: It took longer than `patience`.
        """
        query = transcript_query(start, end, segmenter, length, force=force)
        self._heard = await self._hear(query, progress, self._patience(patience))
        return list(self._heard.segments)

    async def get_transcript_text(
        self,
        start: float | None = None,
        end: float | None = None,
        *,
        progress: ProgressTold | None = None,
        patience: float | None = None,
    ) -> str:
        """Return what is said, as one text; for all else see `get_transcript()`."""
        query = transcript_query(start, end, "word", 1, force=None)
        self._heard = await self._hear(query, progress, self._patience(patience))
        return self._heard.text

    async def generate_transcript(
        self,
        force: bool | None = None,
        language_code: str | None = None,
        *,
        progress: ProgressTold | None = None,
        patience: float | None = None,
    ) -> str:
        """Have what is said written down, and return it as one text.

        Cancelling is safe: the service goes on with it.

        Args:
            force: Do it again if it was done.
            language_code: Language that is spoken, such as `en_us`. `None`: the service's own.
            progress: Told how it is getting on, at each look at it.
            patience: See `get_transcript()`.

        Raises:
            ValidationError: There is no sound in it, or it can't be transcribed.
            AsyncResponseError: It could not be done.
            RequestTimeoutError: It took longer than `patience`.
        """
        body = {"force": bool(force), "language_code": language_code}
        await self._write_down(body, progress, self._patience(patience))
        return await self.get_transcript_text()

    @abstractmethod
    async def _hear(
        self, query: Mapping[str, Any], progress: ProgressTold | None, patience: float | None
    ) -> VideoTranscript:
        """Return what the service answers to `query`."""

    @abstractmethod
    async def _write_down(
        self, body: Mapping[str, Any], progress: ProgressTold | None, patience: float | None
    ) -> None:
        """Have the service listen."""

    def _patience(self, asked: float | None) -> float | None:
        if asked is not None:
            return asked
        needed = _PATIENCE * self.length
        return needed if needed > _USUAL_PATIENCE else None
