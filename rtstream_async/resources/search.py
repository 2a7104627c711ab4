"""What a search in streams has found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, overload

from rtstream_async.api import streams
from rtstream_async.models.player import embed_code, player_page
from rtstream_async.models.records import Playback
from rtstream_async.models.search import ShotRecord, ShotsRecord
from rtstream_async.resources.browsing import open_page
from rtstream_async.resources.context import Context
from rtstream_async.resources.handle import Handle

__all__ = ["RTStreamSearchResult", "RTStreamShot"]


class RTStreamShot(Handle[ShotRecord]):
    """A window of a stream that answers a query."""

    def __init__(self, context: Context, record: ShotRecord) -> None:
        super().__init__(context, record)
        self._playback: Playback | None = None

    def __repr__(self) -> str:
        return (
            f"RTStreamShot(rtstream_id={self.rtstream_id!r}, start={self.start!r},"
            f" end={self.end!r}, text={self.text!r}, search_score={self.search_score!r})"
        )

    @property
    def rtstream_id(self) -> str:
        """Id of the stream."""
        return self._record.rtstream_id

    @property
    def rtstream_name(self) -> str | None:
        """Name of the stream."""
        return self._record.rtstream_name

    @property
    def start(self) -> float:
        """Begin of the window, Unix time in seconds."""
        return self._record.start

    @property
    def end(self) -> float:
        """End of the window, Unix time in seconds."""
        return self._record.end

    @property
    def text(self) -> str:
        """What was seen or said."""
        return self._record.text

    @property
    def search_score(self) -> float | None:
        """How well it answers the query: the higher, the better."""
        return self._record.search_score

    @property
    def scene_index_id(self) -> str | None:
        """Id of the index that it was found in."""
        return self._record.scene_index_id

    @property
    def scene_index_name(self) -> str | None:
        """Name of the index that it was found in."""
        return self._record.scene_index_name

    @property
    def metadata(self) -> Mapping[str, Any] | None:
        """What else the index knows of the window."""
        return self._record.metadata

    @property
    def stream_url(self) -> str | None:
        """Manifest of the window, once `generate_stream()` was called."""
        return self._playback.stream_url if self._playback else self._record.get("stream_url")

    @property
    def player_url(self) -> str | None:
        """Page that plays the window, once `generate_stream()` was called."""
        return self._playback.player_url if self._playback else self._record.get("player_url")

    def keys(self) -> Iterator[str]:
        """Iterate over the names of the properties."""
        yield from super().keys()
        yield from ("stream_url", "player_url")

    async def generate_stream(self) -> str:
        """Return the URL of an HLS manifest of exactly this window; asked for once.

        Raises:
            NotFoundError, ValidationError: Nothing of the window is recorded any more.
        """
        return self.stream_url or (await self._ask()).stream_url

    async def play(self) -> str:
        """Open a page that plays the window in this machine's browser; return its address.

        Where there is no browser, nothing opens: the address is for another one.

        Raises:
            NotFoundError, ValidationError: Nothing of the window is recorded any more.
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
        """Return the HTML of an iframe that plays the window.

        Args:
            width: CSS width, or pixels.
            height: Pixels.
            title: What a screen reader says of it.
            allow_fullscreen: Whether it may fill the screen.
            auto_generate: Ask for the player's page, if that was not done yet.

        Raises:
            InvalidArgumentError: There is no page, or `height` is no height.
        """
        if auto_generate and not self.player_url:
            await self._ask()
        return embed_code(
            self.player_url,
            width=width,
            height=height,
            title=title,
            allow_fullscreen=allow_fullscreen,
        )

    async def _ask(self) -> Playback:
        self._playback = await streams.playback(
            self._context.caller, self.rtstream_id, start=self.start, end=self.end, player={}
        )
        return self._playback


class RTStreamSearchResult(Sequence[RTStreamShot]):
    """The shots that answer a query, the best first: a sequence of them."""

    def __init__(self, context: Context, found: ShotsRecord, collection_id: str | None) -> None:
        self._found = found
        self._shots = [RTStreamShot(context, record) for record in found.shots]
        self._collection_id = collection_id

    def __repr__(self) -> str:
        return f"RTStreamSearchResult(collection_id={self.collection_id!r}, shots={len(self)})"

    @overload
    def __getitem__(self, index: int) -> RTStreamShot: ...

    @overload
    def __getitem__(self, index: slice) -> list[RTStreamShot]: ...

    def __getitem__(self, index: int | slice) -> RTStreamShot | list[RTStreamShot]:
        return self._shots[index]

    def __len__(self) -> int:
        return len(self._shots)

    @property
    def collection_id(self) -> str | None:
        """Id of the collection that was searched, or that the stream is in."""
        return self._collection_id

    @property
    def shots(self) -> list[RTStreamShot]:
        """All shots, the best first; none when nothing answers the query."""
        return self._shots

    @property
    def warnings(self) -> list[Any]:
        """What the service wants to be known of the search, in its own words."""
        return list(self._found.warnings)

    @property
    def raw(self) -> Mapping[str, Any]:
        """The service's answer, unchanged."""
        return self._found.raw

    def get_shots(self) -> list[RTStreamShot]:
        """Return `shots`; not to be awaited, since they are all here."""
        return self._shots
