"""Searching all streams, or all videos, of a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, overload

from rtstream_async.api import search as searches
from rtstream_async.api import videos
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.records import CollectionRecord
from rtstream_async.protocol.searching import search_body
from rtstream_async.protocol.video_search import video_search_body
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.search import RTStreamSearchResult
from rtstream_async.resources.search_v2 import SearchesV2
from rtstream_async.resources.video_search import SearchResult

__all__ = ["CollectionSearch"]

_STREAMS = "rtstream"
_SEMANTIC, _SPOKEN = "semantic", "spoken_word"


class CollectionSearch(SearchesV2, Handle[CollectionRecord]):
    """Gives its heir the searches of a collection."""

    @overload
    async def search(
        self,
        query: str,
        *,
        result_threshold: int | None = None,
        score_threshold: float | None = None,
        dynamic_score_percentage: float | None = None,
        filter: Sequence[Mapping[str, Any]] | None = None,
        namespace: Literal["rtstream"],
        scene_index_id: str | None = None,
        index_id: str | None = None,
    ) -> RTStreamSearchResult: ...

    @overload
    async def search(
        self,
        query: str,
        search_type: str | None = None,
        index_type: str | None = None,
        result_threshold: int | None = None,
        score_threshold: float | None = None,
        dynamic_score_percentage: float | None = None,
        filter: Sequence[Mapping[str, Any]] | None = None,
        sort_docs_on: str | None = None,
        namespace: None = None,
        scene_index_id: str | None = None,
        index_id: str | None = None,
    ) -> SearchResult: ...

    async def search(
        self,
        query: str,
        search_type: str | None = None,
        index_type: str | None = None,
        result_threshold: int | None = None,
        score_threshold: float | None = None,
        dynamic_score_percentage: float | None = None,
        filter: Sequence[Mapping[str, Any]] | None = None,  # noqa: A002 - the reference's name
        sort_docs_on: str | None = None,
        namespace: str | None = None,
        scene_index_id: str | None = None,
        index_id: str | None = None,
    ) -> RTStreamSearchResult | SearchResult:
        """Return what answers a query in all streams, or all videos, of the collection, best first.

        In streams, finding nothing is an empty result; in videos it is an error, as the service
        has it. In videos, what `index_spoken_words()` wrote down is searched; `search_v2()` is what
        the official SDK 0.5 means by this name.

        Args:
            query: What to look for, in words.
            search_type: Of videos: by meaning (`semantic`), which is all there is.
            index_type: Of videos: what was said (`spoken_word`) or seen (`scene`).
            result_threshold: At most so many. `None`: the service's own (10); of videos: 5.
            score_threshold: Leave out what scores less. `None`: the service's own; of videos: 0.2.
            dynamic_score_percentage: 0 to 100: leave out what scores less than this part of the
                way from the worst hit to the best. `None`: the service's own.
            filter: Conditions on `metadata`, for example `[{"engine": "offline"}]`.
            sort_docs_on: Of videos: their order, `score` or `start`.
            namespace: `rtstream`: streams. `None`: videos.
            scene_index_id: Only in this index. `None`: in all.
            index_id: Another name for `scene_index_id`.

        Raises:
            InvalidArgumentError: An argument can't be used.
            NoResultsError: Nothing was found in any video.
            NotFoundError: There is no such index.
        """
        if namespace not in (None, _STREAMS):
            raise InvalidArgumentError(
                "namespace",
                f"can't be {namespace!r}; leave it out for videos",
                allowed=(_STREAMS,),
            )
        of_videos = {
            "search_type": search_type,
            "index_type": index_type,
            "sort_docs_on": sort_docs_on,
        }
        wanted: dict[str, Any] = {
            "result_threshold": result_threshold,
            "score_threshold": score_threshold,
            "dynamic_score_percentage": dynamic_score_percentage,
            "filter": filter,
        }
        only_in = index_id if scene_index_id is None else scene_index_id
        if namespace is None:
            return await self._search_videos(query, **of_videos, **wanted, scene_index_id=only_in)
        for argument, value in of_videos.items():
            if value is not None:
                raise InvalidArgumentError(argument, "is for videos; streams have no such thing")
        found = await searches.collection_streams(
            self._context.caller,
            self._record.id,
            wanted=search_body(query, **wanted, index_id=only_in),
        )
        return RTStreamSearchResult(self._context, found, self._record.id)

    legacy_search = search
    """The official SDK 0.5 has two names for it."""

    async def _search_videos(
        self,
        query: str,
        *,
        search_type: str | None,
        sort_docs_on: str | None,
        index_type: str | None,
        **wanted: Any,
    ) -> SearchResult:
        if search_type not in (None, _SEMANTIC):
            raise InvalidArgumentError(
                "search_type",
                f"can't be {search_type!r} in a collection; ask its videos, one by one",
                allowed=(_SEMANTIC,),
            )
        body = video_search_body(query, index_type=index_type or _SPOKEN, **wanted)
        if sort_docs_on is not None:
            body["sort_docs_on"] = sort_docs_on
        found = await videos.search(
            self._context.caller, wanted=body, collection_id=self._record.id
        )
        return SearchResult(self._context, found, self._record.id)

    def _searched(self) -> tuple[str | None, str | None]:
        return None, self._record.id
