"""`Video`: what the recording of a stream was exported to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from rtstream_async.api import videos
from rtstream_async.api.videos import ProgressTold
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.player import embed_code, player_page
from rtstream_async.models.records import Playback
from rtstream_async.models.videos import VideoRecord, VideoTranscript
from rtstream_async.protocol import video_parts
from rtstream_async.protocol.video_search import video_search_body
from rtstream_async.resources.browsing import open_page
from rtstream_async.resources.context import Context
from rtstream_async.resources.search_v2 import SearchesV2
from rtstream_async.resources.spoken import Spoken
from rtstream_async.resources.video_search import SearchResult

__all__ = ["Video"]


class Video(SearchesV2, Spoken[VideoRecord]):
    """A video, such as the export of a stream."""

    def __init__(self, context: Context, record: VideoRecord) -> None:
        super().__init__(context, record)
        self._playback: Playback | None = None

    def __repr__(self) -> str:
        return (
            f"Video(id={self.id!r}, name={self.name!r}, length={self.length!r},"
            f" collection_id={self.collection_id!r})"
        )

    @property
    def description(self) -> str | None:
        """What its owner says about it."""
        return self._record.description

    @property
    def thumbnail_url(self) -> str | None:
        """A picture of it."""
        return self._record.thumbnail_url

    @property
    def stream_url(self) -> str | None:
        """Manifest of what `generate_stream()` was last asked for; of all of it before that."""
        return self._playback.stream_url if self._playback else self._record.stream_url

    @property
    def player_url(self) -> str | None:
        """Page that plays what `generate_stream()` was last asked for; all of it before that."""
        return self._playback.player_url if self._playback else self._record.player_url

    async def refresh(self) -> None:
        """Read the video anew from the service."""
        self._record = await videos.get(
            self._context.caller, self.id, collection_id=self.collection_id
        )
        self._playback = None

    async def update(self, name: str | None = None) -> None:
        """Give the video another name; the properties are read from the service.

        Args:
            name: The new name; `None` changes nothing.

        Raises:
            InvalidArgumentError: `name` is empty.
        """
        if name is None:
            return
        if not name.strip():
            raise InvalidArgumentError("name", "is empty; give the video a name")
        await videos.rename(self._context.caller, self.id, name)
        await self.refresh()

    async def delete(self) -> None:
        """Delete the video, and what was written down of it."""
        await videos.delete(self._context.caller, self.id)

    async def generate_stream(self, timeline: Sequence[tuple[float, float]] | None = None) -> str:
        """Return the URL of an HLS manifest of the video; the page is in `player_url`.

        Args:
            timeline: The parts of it to play, one after the other, each as (start, end) in seconds
                from its start. `None`, or no parts: all of it.

        Raises:
            InvalidArgumentError: `timeline` can't be used.
        """
        parts = video_parts.timeline(timeline)
        if parts is None and self._record.stream_url:
            self._playback = None
            return self._record.stream_url
        playback = await videos.playback(
            self._context.caller, self.id, timeline=parts, length=self.length
        )
        if parts is None:
            self._record = attrs.evolve(
                self._record, stream_url=playback.stream_url, player_url=playback.player_url
            )
        self._playback = playback
        return playback.stream_url

    async def play(self) -> str:
        """Open a page that plays `stream_url` in this machine's browser; return its address.

        Where there is no browser, nothing opens: the address is for another one.
        """
        page = player_page(self.stream_url or await self.generate_stream(), self.player_url)
        await open_page(page)
        return page

    async def get_embed_code(
        self,
        width: str | int = "100%",
        height: int = 405,
        title: str = "VideoDB Player",
        allow_fullscreen: bool = True,
        auto_generate: bool = True,
    ) -> str:
        """Return the HTML of an iframe that plays the video.

        Args:
            width: CSS width, or pixels.
            height: Pixels.
            title: What a screen reader says of it.
            allow_fullscreen: Whether it may fill the screen.
            auto_generate: Ask the service for a player's page where none is known.

        Raises:
            InvalidArgumentError: There is no player's page, or `height` is no height.
        """
        if auto_generate and not self.player_url:
            await self.generate_stream()
        return embed_code(
            self.player_url,
            width=width,
            height=height,
            title=title,
            allow_fullscreen=allow_fullscreen,
        )

    async def index_spoken_words(
        self,
        language_code: str | None = None,
        segmentation_type: str | None = "sentence",
        force: bool = False,
        callback_url: str | None = None,
        *,
        progress: ProgressTold | None = None,
        patience: float | None = None,
    ) -> None:
        """Have what is said in the video written down and made searchable, and wait for it.

        Cancelling is safe: the service goes on with it.

        Args:
            language_code: Language that is spoken, such as `en_us`. `None`: the service's own.
            segmentation_type: What a search finds: a `sentence`, what a language model takes for a
                unit (`llm`), or a stretch of `time`; no service has all of them.
            force: Do it again if it was done. Without it, that is an error.
            callback_url: Where the service is to tell that it is done; then nothing is waited for.
            progress: Told how it is getting on, at each look at it.
            patience: Seconds to wait for the service; `None`: twice as long as the video plays,
                and at least 500.

        Raises:
            InvalidArgumentError: `segmentation_type` or `callback_url` can't be used.
            ValidationError: It was done already, or there is no sound in the video.
            AsyncResponseError: It could not be done.
            RequestTimeoutError: It took longer than `patience`.
        """
        body = video_parts.spoken_index_body(
            language_code, segmentation_type, force=force, callback_url=callback_url
        )
        await videos.index_spoken_words(
            self._context.caller,
            self.id,
            body=body,
            progress=progress,
            patience=self._patience(patience),
        )

    async def search(
        self,
        query: str,
        search_type: str = "semantic",
        index_type: str = "spoken_word",
        result_threshold: int | None = None,
        score_threshold: float | None = None,
        dynamic_score_percentage: float | None = None,
        filter: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 - the reference's name
        *,
        scene_index_id: str | None = None,
        index_id: str | None = None,
    ) -> SearchResult:
        """Return the parts of the video that answer `query`, the best first.

        What is searched is what `index_spoken_words()` wrote down. (The official SDK 0.5 has moved
        the name to another search, which can't read that and is `search_v2()` here; this one is
        `legacy_search()` there.)

        Args:
            query: What to look for.
            search_type: By meaning (`semantic`) or by words (`keyword`).
            index_type: What was said (`spoken_word`) or seen (`scene`).
            result_threshold: How many at most; `None`: 5 with `semantic`, else the service's own.
            score_threshold: Nothing that scores lower; `None`: 0.2, likewise.
            dynamic_score_percentage: Nothing that is so many per cent of the best score below it.
            filter: Conditions on the metadata.
            scene_index_id: One scene index alone.
            index_id: The same, by its other name.

        Raises:
            InvalidArgumentError: An argument can't be used.
            NoResultsError: Nothing was found.
            ValidationError: There is nothing to search: see `index_spoken_words()`.
        """
        wanted = video_search_body(
            query,
            search_type=search_type,
            index_type=index_type,
            result_threshold=result_threshold,
            score_threshold=score_threshold,
            dynamic_score_percentage=dynamic_score_percentage,
            filter=filter,
            scene_index_id=index_id if scene_index_id is None else scene_index_id,
        )
        found = await videos.search(
            self._context.caller,
            wanted=wanted,
            video_id=self.id,
            collection_id=self.collection_id,
        )
        return SearchResult(self._context, found, self.collection_id)

    async def legacy_search(
        self,
        query: str,
        search_type: str = "semantic",
        index_type: str = "spoken_word",
        result_threshold: int | None = None,
        score_threshold: float | None = None,
        dynamic_score_percentage: float | None = None,
        filter: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 - the reference's name
        *,
        scene_index_id: str | None = None,
        index_id: str | None = None,
    ) -> SearchResult:
        """Return what `search()` does: this is its name in the official SDK 0.5."""
        return await self.search(
            query,
            search_type,
            index_type,
            result_threshold,
            score_threshold,
            dynamic_score_percentage,
            filter,
            scene_index_id=scene_index_id,
            index_id=index_id,
        )

    def _searched(self) -> tuple[str | None, str | None]:
        return self.id, self.collection_id

    async def _hear(
        self, query: Mapping[str, Any], progress: ProgressTold | None, patience: float | None
    ) -> VideoTranscript:
        return await videos.transcript(
            self._context.caller, self.id, query=query, progress=progress, patience=patience
        )

    async def _write_down(
        self, body: Mapping[str, Any], progress: ProgressTold | None, patience: float | None
    ) -> None:
        await videos.transcribe(
            self._context.caller, self.id, body=body, progress=progress, patience=patience
        )
