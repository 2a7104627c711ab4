"""`RTStream`: a live stream and its recording."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rtstream_async.api import export as exports
from rtstream_async.api import search as searches
from rtstream_async.api import streams
from rtstream_async.api.streams import Action
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.exports import RTStreamExportResult
from rtstream_async.models.jobs import JobProgress
from rtstream_async.models.player import embed_code
from rtstream_async.models.records import Playback, StreamRecord
from rtstream_async.protocol.bounds import at_least, filled, window
from rtstream_async.protocol.searching import search_body
from rtstream_async.resources.context import Context
from rtstream_async.resources.events import Events
from rtstream_async.resources.indexing import Indexing
from rtstream_async.resources.search import RTStreamSearchResult
from rtstream_async.resources.transcribing import Transcribing
from rtstream_async.resources.understood import Understood

if TYPE_CHECKING:
    from rtstream_async.realtime.hub import Hub

__all__ = ["RTStream"]

_PLAYER_PARAMETERS = {
    "title": "player_title",
    "description": "player_description",
    "slug": "player_slug_prefix",
}


class RTStream(Indexing, Transcribing, Understood, Events):
    """A live stream: what it is, what is recorded of it, and what is made of it."""

    def __init__(self, context: Context, record: StreamRecord) -> None:
        super().__init__(context, record)
        self._playback: Playback | None = None

    def __repr__(self) -> str:
        return (
            f"RTStream(id={self.id!r}, name={self.name!r}, status={self.status!r},"
            f" collection_id={self.collection_id!r})"
        )

    @property
    def id(self) -> str:
        """Id of the stream."""
        return self._record.id

    @property
    def name(self) -> str | None:
        """Name of the stream."""
        return self._record.name

    @property
    def status(self) -> str | None:
        """The service's word for its state, when it was last asked."""
        return self._record.status

    @property
    def collection_id(self) -> str | None:
        """Id of the collection that it is in."""
        return self._record.collection_id

    @property
    def sample_rate(self) -> int | None:
        """The service's sample rate."""
        return self._record.sample_rate

    @property
    def media_types(self) -> tuple[str, ...]:
        """`video`, `audio` or both: what of it is analysed."""
        return self._record.media_types

    @property
    def store(self) -> bool | None:
        """Whether the recording is kept for export."""
        return self._record.store

    @property
    def created_at(self) -> float | None:
        """When it was connected, Unix time in seconds."""
        return self._record.created_at

    @property
    def channel_id(self) -> str | None:
        """Its channel in a capture session, if it comes from one."""
        return self._record.channel_id

    @property
    def exported_asset_id(self) -> str | None:
        """Id of what its recording was exported to."""
        return self._record.exported_asset_id

    @property
    def stream_url(self) -> str | None:
        """Manifest of the window that `generate_stream()` was last asked for."""
        return self._playback.stream_url if self._playback else self._record.get("stream_url")

    @property
    def player_url(self) -> str | None:
        """Page that plays the window that `generate_stream()` was last asked for."""
        return self._playback.player_url if self._playback else self._record.get("player_url")

    def keys(self) -> Iterator[str]:
        """Iterate over the names of the properties."""
        yield from super().keys()
        yield from ("stream_url", "player_url")

    async def refresh(self) -> None:
        """Read the stream anew from the service."""
        self._record = await self._look()

    async def update(self, *, name: str | None = None, sample_rate: int | None = None) -> None:
        """Change the stream; the properties are read from the service.

        Args:
            name: New name. `None`: as it is.
            sample_rate: New sample rate, frames a second. `None`: as it is.

        Raises:
            InvalidArgumentError: Nothing to change, or a value that can't be used.
        """
        if name is None and sample_rate is None:
            raise InvalidArgumentError("name", "or `sample_rate` must be given: what is to change")
        if name is not None:
            filled("name", name)
        rate = None if sample_rate is None else at_least("sample_rate", sample_rate, 1)
        await streams.update(self._context.caller, self.id, name=name, sample_rate=rate)
        self._record = await self._look()

    async def start(self) -> None:
        """Begin ingestion; no error if it runs already. `status` is read from the service."""
        await self._switch("start", change=self._set_status, look=self._look)
        self._context.note_stream_resumed(self.id)

    async def stop(self) -> None:
        """Stop ingestion; no error if it is stopped. `status` is read from the service."""
        with self._context.stopping_stream(self.id):
            await self._switch("stop", change=self._set_status, look=self._look)

    async def generate_stream(
        self,
        start: float | datetime,
        end: float | datetime,
        player_config: Mapping[str, str] | None = None,
    ) -> str:
        """Return the URL of an HLS manifest of a recorded window; the page is in `player_url`.

        Args:
            start: Begin of the window: Unix seconds, or an aware `datetime`.
            end: End of the window, after `start`.
            player_config: `title`, `description` and `slug` of the player's page.

        Raises:
            InvalidArgumentError: A bound or a key of `player_config` can't be used.
            NotFoundError, ValidationError: Nothing of the window was recorded.
        """
        first, last = window(start, end)
        self._playback = await streams.playback(
            self._context.caller,
            self.id,
            start=first,
            end=last,
            player=_player_parameters(player_config or {}),
        )
        return self._playback.stream_url

    async def get_embed_code(
        self,
        width: str | int = "100%",
        height: int = 405,
        title: str = "VideoDB Player",
        allow_fullscreen: bool = True,
    ) -> str:
        """Return the HTML of an iframe that plays the window last given to `generate_stream()`.

        Args:
            width: CSS width, or pixels.
            height: Pixels.
            title: What a screen reader says of it.
            allow_fullscreen: Whether it may fill the screen.

        Raises:
            InvalidArgumentError: No window was asked for, or `height` is no height.
        """
        return embed_code(
            self.player_url,
            width=width,
            height=height,
            title=title,
            allow_fullscreen=allow_fullscreen,
        )

    async def search(
        self,
        query: str,
        index_id: str | None = None,
        result_threshold: int | None = None,
        score_threshold: float | None = None,
        dynamic_score_percentage: float | None = None,
        filter: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 - the reference's name
    ) -> RTStreamSearchResult:
        """Return the windows of this stream that answer a query, the best first.

        Nothing found is an empty result, and no error.

        Args:
            query: What to look for, in words.
            index_id: Only in this index. `None`: in all of the stream.
            result_threshold: At most so many. `None`: the service's own (10).
            score_threshold: Leave out what scores less. `None`: the service's own.
            dynamic_score_percentage: 0 to 100: leave out what scores less than this part of the
                way from the worst hit to the best. `None`: the service's own.
            filter: Conditions on `metadata`, for example `[{"engine": "offline"}]`.

        Raises:
            InvalidArgumentError: An argument can't be used.
            NotFoundError: There is no such index.
        """
        wanted = search_body(
            query,
            index_id=index_id,
            result_threshold=result_threshold,
            score_threshold=score_threshold,
            dynamic_score_percentage=dynamic_score_percentage,
            filter=filter,
        )
        found = await searches.stream(
            self._context.caller, self.id, wanted=wanted, stream_name=self.name
        )
        return RTStreamSearchResult(self._context, found, self.collection_id)

    async def export(
        self,
        name: str | None = None,
        *,
        progress: Callable[[JobProgress], object] | None = None,
        patience: float | None = None,
    ) -> RTStreamExportResult:
        """Return the video (or sound) that the latest recording was made into, once it is done.

        The stream must be stopped. Called again, it returns the same asset. Cancelling does not
        stop the service: the next call returns what it has made.

        Args:
            name: Name of the video. `None`: `<name of the stream> - Recording`.
            progress: Told how it is getting on, where the service takes a while; see
                `JobProgress`.
            patience: Seconds to wait for it. `None`: 500.

        Raises:
            ConflictError, ValidationError: The stream is running, or nothing was recorded, or it
                was connected without `store=True`.
            RequestTimeoutError: It took longer than `patience`.
        """
        return await exports.create(
            self._context.caller, self.id, name=name, progress=progress, patience=patience
        )

    def _source(self) -> tuple[Hub, frozenset[str]]:
        return self._context.hub, frozenset({self.id})

    async def _look(self) -> StreamRecord:
        return await streams.get(self._context.caller, self.id)

    async def _set_status(self, action: Action) -> None:
        await streams.set_status(self._context.caller, self.id, action)


def _player_parameters(config: Mapping[str, str]) -> dict[str, str]:
    """Return the query parameters for `config`; empty values are left out, as by the reference."""
    for key in config:
        if key not in _PLAYER_PARAMETERS:
            raise InvalidArgumentError(
                "player_config", f"has an unknown key {key!r}", allowed=tuple(_PLAYER_PARAMETERS)
            )
    return {_PLAYER_PARAMETERS[key]: value for key, value in config.items() if value}
