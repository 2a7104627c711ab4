"""`RTStream`: a live stream, its recording and its indexes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rtstream_async.api import scene_indexes, streams
from rtstream_async.api.streams import Action
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.base import UNSET, Unset
from rtstream_async.models.records import Playback, StreamRecord
from rtstream_async.protocol.batch import visual_config
from rtstream_async.protocol.bounds import window
from rtstream_async.protocol.structured import prompt_for
from rtstream_async.resources.context import Context
from rtstream_async.resources.events import Events
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.scene_index import RTStreamSceneIndex

if TYPE_CHECKING:
    from rtstream_async.realtime.hub import Hub

__all__ = ["RTStream"]

_PLAYER_PARAMETERS = {
    "title": "player_title",
    "description": "player_description",
    "slug": "player_slug_prefix",
}


class RTStream(Handle[StreamRecord], Events):
    """A live stream."""

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

    async def start(self) -> None:
        """Begin ingestion; no error if it runs already. `status` is read from the service."""
        await self._switch("start", change=self._set_status, look=self._look)

    async def stop(self) -> None:
        """Stop ingestion; no error if it is stopped. `status` is read from the service."""
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

    async def index_visuals(
        self,
        prompt: str | None = None,
        batch_config: Mapping[str, Any] | None = None,
        model_name: str | None = None,
        model_config: Mapping[str, Any] | None = None,
        name: str | None = None,
        ws_connection_id: str | Unset | None = UNSET,
        sandbox_id: str | None = None,
        *,
        output_type: Any = None,
    ) -> RTStreamSceneIndex:
        """Return a new index that describes what is seen; it runs at once.

        Args:
            prompt: What to tell. `None`: the service's own.
            batch_config: `{"type": "time", "value": seconds, "frame_count": frames}`: how often,
                from how many frames. `None`: the service's own.
            model_name: `mini`, `basic`, `pro` or `ultra`. `None`: the service's own.
            model_config: Settings of the model, passed on.
            name: Name of the index.
            ws_connection_id: Where messages go. Not given: to this connection's own socket, so
                that `events()` has them. `None`: nowhere.
            sandbox_id: Passed on.
            output_type: Ask for JSON of this type, and have it in `message.output`: an attrs class
                or whatever else msgspec decodes.

        Raises:
            InvalidArgumentError: `batch_config` or `output_type` can't be used.
        """
        config = None if batch_config is None else visual_config(batch_config)
        if output_type is not None:
            prompt = prompt_for(prompt, output_type)
        target = await self._context.push_target(ws_connection_id)
        record = await scene_indexes.create(
            self._context.caller,
            self.id,
            extraction_type="time",
            extraction_config=config,
            prompt=prompt,
            model_name=model_name,
            model_config=model_config,
            name=name,
            ws_connection_id=target,
            sandbox_id=sandbox_id,
        )
        self._context.note_armed(ws_connection_id, target, stream_id=self.id, channel="scene_index")
        if output_type is not None:
            self._context.hub.set_output_type(self.id, "scene_index", output_type)
        return RTStreamSceneIndex(self._context, record)

    async def list_scene_indexes(self) -> list[RTStreamSceneIndex]:
        """Return all scene and audio indexes of the stream."""
        records = await scene_indexes.list_all(self._context.caller, self.id)
        return [RTStreamSceneIndex(self._context, record) for record in records]

    async def get_scene_index(self, index_id: str) -> RTStreamSceneIndex:
        """Return the index with this id."""
        record = await scene_indexes.get(self._context.caller, self.id, index_id)
        return RTStreamSceneIndex(self._context, record)

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
