"""The videos of a collection."""

from __future__ import annotations

from rtstream_async.api import videos
from rtstream_async.models.records import CollectionRecord
from rtstream_async.resources.audio import Audio
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.video import Video

__all__ = ["Library"]


class Library(Handle[CollectionRecord]):
    """Gives its heirs videos, and recordings of sound alone."""

    async def get_videos(self) -> list[Video]:
        """Return all videos of the collection."""
        records = await videos.list_all(self._context.caller, self._record.id)
        return [Video(self._context, record) for record in records]

    async def get_video(self, video_id: str) -> Video:
        """Return the video with this id, such as an `export()` gives.

        Raises:
            InvalidArgumentError: `video_id` is empty.
            NotFoundError: There is none.
        """
        record = await videos.get(self._context.caller, video_id, collection_id=self._record.id)
        return Video(self._context, record)

    async def delete_video(self, video_id: str) -> None:
        """Delete the video with this id, and what was written down of it."""
        await videos.delete(self._context.caller, video_id, collection_id=self._record.id)

    async def get_audios(self) -> list[Audio]:
        """Return all recordings of sound alone of the collection."""
        records = await videos.list_audios(self._context.caller, self._record.id)
        return [Audio(self._context, record) for record in records]

    async def get_audio(self, audio_id: str) -> Audio:
        """Return the recording of sound with this id: `a-...` from an `export()` without picture.

        Raises:
            InvalidArgumentError: `audio_id` is empty.
            NotFoundError: There is none.
        """
        record = await videos.get_audio(
            self._context.caller, audio_id, collection_id=self._record.id
        )
        return Audio(self._context, record)

    async def delete_audio(self, audio_id: str) -> None:
        """Delete the recording of sound with this id, and what was written down of it."""
        await videos.delete_audio(self._context.caller, audio_id, collection_id=self._record.id)
