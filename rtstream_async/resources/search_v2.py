"""Search v2 in videos: its two ways to ask, and its answer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, overload

from rtstream_async.api import videos
from rtstream_async.errors import SearchError
from rtstream_async.models.videos import VideoAnswerRecord
from rtstream_async.protocol.video_search import semantic_search_body, video_search_v2_body
from rtstream_async.resources.context import Context
from rtstream_async.resources.video_search import SearchResult, Shot

__all__ = ["SearchResponse", "SearchesV2"]


class SearchResponse(Sequence[Shot]):
    """What Search v2 answers: a sequence of its shots, which may be none."""

    def __init__(
        self, context: Context, answer: VideoAnswerRecord, collection_id: str | None
    ) -> None:
        self._answer = answer
        self._found = (
            None if answer.found is None else SearchResult(context, answer.found, collection_id)
        )

    def __repr__(self) -> str:
        return f"SearchResponse(response_type={self.response_type!r}, shots={len(self)})"

    @overload
    def __getitem__(self, index: int) -> Shot: ...

    @overload
    def __getitem__(self, index: slice) -> list[Shot]: ...

    def __getitem__(self, index: int | slice) -> Shot | list[Shot]:
        return self.shots[index]

    def __len__(self) -> int:
        return len(self.shots)

    @property
    def response_type(self) -> str:
        """What the results are: `shots`, `deepsearch`, `aggregate`; open text."""
        return self._answer.response_type

    @property
    def results(self) -> SearchResult | Any:
        """The shots as a `SearchResult`; what is no shots, as the service sent it."""
        return self._answer.results if self._found is None else self._found

    @property
    def shots(self) -> list[Shot]:
        """All shots, the best first; none when the results are something else."""
        return [] if self._found is None else self._found.shots

    @property
    def session_id(self) -> str | None:
        """What to give to the next search to go on with this one."""
        return self._answer.session_id

    @property
    def waiting_for(self) -> str:
        """What the service wants to be told before it goes on; `none`: nothing."""
        return self._answer.waiting_for

    @property
    def clarification(self) -> Any:
        """What the service asks, in its own words."""
        return self._answer.clarification

    @property
    def trace(self) -> Any:
        """How the service came to its answer, if it says so."""
        return self._answer.trace

    @property
    def warnings(self) -> list[Any]:
        """What the service wants to be known of the search, in its own words."""
        return list(self._answer.warnings)

    @property
    def raw(self) -> Mapping[str, Any]:
        """The service's answer, unchanged."""
        return self._answer.raw

    def get_shots(self) -> list[Shot]:
        """Return `shots`; not to be awaited, since they are all here."""
        return self.shots

    def get_shot_results(self) -> SearchResult:
        """Return the shots as a `SearchResult`; not to be awaited.

        Raises:
            SearchError: The results are no shots.
        """
        if self._found is None:
            raise SearchError(
                f"the answer is of the type {self.response_type!r} and has no shots; read `results`"
            )
        return self._found

    async def compile(self) -> str:
        """Return the URL of one HLS manifest of all shots; see `SearchResult.compile()`."""
        return await self.get_shot_results().compile()

    async def play(self) -> str:
        """Open a page that plays all shots; see `SearchResult.play()`."""
        return await self.get_shot_results().play()

    async def get_embed_code(
        self,
        width: str | int = "100%",
        height: int = 405,
        title: str = "VideoDB Player",
        allow_fullscreen: bool = True,
        auto_generate: bool = True,
    ) -> str:
        """Return the HTML of an iframe that plays all shots; see `Video.get_embed_code()`."""
        return await self.get_shot_results().get_embed_code(
            width, height, title, allow_fullscreen, auto_generate
        )


class SearchesV2(ABC):
    """Gives its heirs, a video or a collection of them, the newer searches."""

    _context: Context

    @abstractmethod
    def _searched(self) -> tuple[str | None, str | None]:
        """Return the ids of the one video, if it is one, and of the collection."""

    async def search_v2(
        self,
        query: str,
        *,
        top_k: int | None = None,
        mode: str | None = None,
        return_fields: Sequence[str] | Mapping[str, Any] | str | None = None,
        include_clip: bool | None = None,
        session_id: str | None = None,
        config: Mapping[str, Any] | None = None,
        score_threshold: float | None = None,
        filter: Sequence[Any] | Mapping[str, Any] | None = None,  # noqa: A002 - the reference's name
    ) -> SearchResponse:
        """Return what Search v2 says: `search()` of the official SDK 0.5.

        Finding nothing is no error here. The service reads other indexes for this than those that
        `index_spoken_words()` makes; the local server reads the same ones.

        Args:
            query: What to look for.
            top_k: How many shots at most; `None`: the service's own.
            mode: How to look; the service's word.
            return_fields: What of the metadata is to come back.
            include_clip: Whether each shot is to come with a manifest.
            session_id: Of an earlier answer, to go on with it.
            config: What else the service takes, as it is.
            score_threshold: Nothing that scores lower; `None`: the service's own.
            filter: Conditions on the metadata.

        Raises:
            InvalidArgumentError: An argument can't be used.
        """
        wanted = video_search_v2_body(
            query,
            top_k=top_k,
            mode=mode,
            return_fields=return_fields,
            include_clip=include_clip,
            session_id=session_id,
            config=config,
            score_threshold=score_threshold,
            filter=filter,
        )
        video_id, collection_id = self._searched()
        answer = await videos.search_answer(
            self._context.caller, wanted=wanted, video_id=video_id, collection_id=collection_id
        )
        return SearchResponse(self._context, answer, collection_id)

    async def semantic_search(
        self,
        query: str,
        index_names: Sequence[str] | str | None = None,
        top_k: int = 10,
        score_threshold: float | None = None,
        filter: Sequence[Any] | Mapping[str, Any] | None = None,  # noqa: A002 - the reference's name
        return_fields: Sequence[str] | Mapping[str, Any] | str | None = None,
        index_ids: Sequence[str] | str | None = None,
    ) -> SearchResult:
        """Return the shots that are nearest in meaning, which may be none.

        Args:
            query: What to look for.
            index_names: Only in these indexes. `None`: in all.
            top_k: How many shots at most.
            score_threshold: Nothing that scores lower; `None`: the service's own.
            filter: Conditions on the metadata.
            return_fields: What of the metadata is to come back.
            index_ids: Only in these indexes, by id.

        Raises:
            InvalidArgumentError: An argument can't be used.
            NotFoundError: There is no such index.
        """
        wanted = semantic_search_body(
            query,
            index_names=index_names,
            top_k=top_k,
            score_threshold=score_threshold,
            filter=filter,
            return_fields=return_fields,
            index_ids=index_ids,
        )
        video_id, collection_id = self._searched()
        found = await videos.search_meaning(
            self._context.caller, wanted=wanted, video_id=video_id, collection_id=collection_id
        )
        return SearchResult(self._context, found, collection_id)
