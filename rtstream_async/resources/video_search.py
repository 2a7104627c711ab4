"""`SearchResult` and `Shot`: what a search in a video found, and how to play it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, overload

from rtstream_async.api import videos
from rtstream_async.errors import NoResultsError
from rtstream_async.models.player import embed_code, player_page
from rtstream_async.models.records import Playback
from rtstream_async.models.videos import VideoSearchRecord, VideoShotRecord
from rtstream_async.resources.browsing import open_page
from rtstream_async.resources.context import Context
from rtstream_async.resources.handle import Handle

__all__ = ["SearchResult", "Shot"]

_DEFAULT_COLLECTION = "default"


class Shot(Handle[VideoShotRecord]):
    """A part of a video that answers a query."""

    def __init__(self, context: Context, record: VideoShotRecord) -> None:
        super().__init__(context, record)
        self._playback: Playback | None = None

    def __repr__(self) -> str:
        return (
            f"Shot(video_id={self.video_id!r}, start={self.start!r}, end={self.end!r},"
            f" text={self.text!r}, search_score={self.search_score!r})"
        )

    @property
    def video_id(self) -> str:
        """Id of the video."""
        return self._record.video_id

    @property
    def collection_id(self) -> str | None:
        """Id of the collection that the video is in."""
        return self._record.collection_id

    @property
    def video_title(self) -> str | None:
        """Name of the video."""
        return self._record.video_title

    @property
    def video_length(self) -> float | None:
        """Duration of the whole video in seconds."""
        return self._record.video_length

    @property
    def start(self) -> float:
        """Begin of the shot, seconds from the start of the video."""
        return self._record.start

    @property
    def end(self) -> float:
        """End of the shot, seconds from the start of the video."""
        return self._record.end

    @property
    def text(self) -> str:
        """What is said or seen in it."""
        return self._record.text

    @property
    def search_score(self) -> float | None:
        """How well it answers; the higher, the better."""
        return self._record.search_score

    @property
    def scene_index_id(self) -> str | None:
        """The scene index that found it, if one did."""
        return self._record.scene_index_id

    @property
    def scene_index_name(self) -> str | None:
        """Name of that index."""
        return self._record.scene_index_name

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What else is known of it."""
        return self._record.metadata

    @property
    def stream_url(self) -> str | None:
        """Its manifest, if it came with the search or `generate_stream()` has asked for it."""
        return self._playback.stream_url if self._playback else self._record.stream_url

    @property
    def player_url(self) -> str | None:
        """The page that plays it; likewise."""
        return self._playback.player_url if self._playback else self._record.player_url

    async def generate_stream(self) -> str:
        """Return the URL of the shot's HLS manifest; asks for it once. Cancelling is safe."""
        if self.stream_url:
            return self.stream_url
        self._playback = await videos.playback(
            self._context.caller,
            self.video_id,
            timeline=[(self.start, self.end)],
            length=self.video_length,
        )
        return self._playback.stream_url

    async def play(self) -> str:
        """Open a page that plays the shot in this machine's browser; return its address.

        Where there is no browser, nothing opens: the address is for another one.
        """
        page = player_page(await self.generate_stream(), self.player_url)
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
        """Return the HTML of an iframe that plays the shot; see `Video.get_embed_code()`."""
        if auto_generate and not self.player_url:
            await self.generate_stream()
        return embed_code(
            self.player_url,
            width=width,
            height=height,
            title=title,
            allow_fullscreen=allow_fullscreen,
        )


class SearchResult(Sequence[Shot]):
    """The shots that answer a query, the best first: a sequence of them."""

    def __init__(
        self, context: Context, found: VideoSearchRecord, collection_id: str | None
    ) -> None:
        self._context = context
        self._found = found
        self._shots = [Shot(context, record) for record in found.shots]
        self._collection_id = collection_id
        self._playback: Playback | None = None

    def __repr__(self) -> str:
        return f"SearchResult(collection_id={self.collection_id!r}, shots={len(self)})"

    @overload
    def __getitem__(self, index: int) -> Shot: ...

    @overload
    def __getitem__(self, index: slice) -> list[Shot]: ...

    def __getitem__(self, index: int | slice) -> Shot | list[Shot]:
        return self._shots[index]

    def __len__(self) -> int:
        return len(self._shots)

    @property
    def shots(self) -> list[Shot]:
        """All shots, the best first."""
        return self._shots

    @property
    def warnings(self) -> list[Any]:
        """What the service wants to be known of the search, in its own words."""
        return list(self._found.warnings)

    @property
    def raw(self) -> Mapping[str, Any]:
        """The service's answer, unchanged."""
        return self._found.raw

    @property
    def collection_id(self) -> str | None:
        """The collection that was searched; each shot has its own."""
        return self._collection_id

    @property
    def stream_url(self) -> str | None:
        """Manifest of what `compile()` has put together."""
        return self._playback.stream_url if self._playback else None

    @property
    def player_url(self) -> str | None:
        """A page that plays it."""
        return self._playback.player_url if self._playback else None

    def get_shots(self) -> list[Shot]:
        """Return `shots`; not to be awaited, since they are all here."""
        return self._shots

    async def compile(self) -> str:
        """Return the URL of one HLS manifest of all shots, one after the other; asks once.

        Cancelling is safe.

        Raises:
            NoResultsError: There are no shots.
        """
        if self._playback is None:
            if not self._shots:
                raise NoResultsError("No results found: there are no shots to compile")
            self._playback = await videos.compile_shots(
                self._context.caller, [_piece(shot) for shot in self._shots]
            )
        return self._playback.stream_url

    async def play(self) -> str:
        """Open a page that plays all shots in this machine's browser; return its address.

        Where there is no browser, nothing opens: the address is for another one.

        Raises:
            NoResultsError: There are no shots.
        """
        page = player_page(await self.compile(), self.player_url)
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
        """Return the HTML of an iframe that plays all shots; see `Video.get_embed_code()`."""
        if auto_generate and not self.player_url:
            await self.compile()
        return embed_code(
            self.player_url,
            width=width,
            height=height,
            title=title,
            allow_fullscreen=allow_fullscreen,
        )


def _piece(shot: Shot) -> dict[str, Any]:
    # Each with its own collection: the official SDK sends that of the last shot for all.
    return {
        "video_id": shot.video_id,
        "collection_id": shot.collection_id or _DEFAULT_COLLECTION,
        "shots": [(shot.start, shot.end)],
    }
