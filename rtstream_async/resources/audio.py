"""`Audio`: what a recording of sound alone was exported to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rtstream_async.api import videos
from rtstream_async.api.videos import ProgressTold
from rtstream_async.models.videos import AudioRecord, VideoTranscript
from rtstream_async.resources.spoken import Spoken

__all__ = ["Audio"]


class Audio(Spoken[AudioRecord]):
    """A recording of sound alone, such as the export of a stream that had no picture."""

    def __repr__(self) -> str:
        return (
            f"Audio(id={self.id!r}, name={self.name!r}, length={self.length!r},"
            f" collection_id={self.collection_id!r})"
        )

    async def refresh(self) -> None:
        """Read it anew from the service."""
        self._record = await videos.get_audio(
            self._context.caller, self.id, collection_id=self.collection_id
        )

    async def generate_url(self) -> str:
        """Return where the sound can be fetched, for a while."""
        return await videos.audio_url(
            self._context.caller, self.id, collection_id=self.collection_id
        )

    async def delete(self) -> None:
        """Delete it, and what was written down of it."""
        await videos.delete_audio(self._context.caller, self.id)

    async def _hear(
        self, query: Mapping[str, Any], progress: ProgressTold | None, patience: float | None
    ) -> VideoTranscript:
        return await videos.audio_transcript(
            self._context.caller, self.id, query=query, progress=progress, patience=patience
        )

    async def _write_down(
        self, body: Mapping[str, Any], progress: ProgressTold | None, patience: float | None
    ) -> None:
        await videos.transcribe_audio(
            self._context.caller, self.id, body=body, progress=progress, patience=patience
        )
