"""What the service has and this server has not: who calls it is told so, and what to do instead."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from rtstream_async.local.answers import guarded
from rtstream_async.local.refusal import Refusal

__all__ = ["NOT_OFFERED", "routes"]

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")

_ACCOUNT = "there is no account behind a local server: nothing is billed"
_ENCODING = "the local server keeps videos as their streams came, and encodes none anew"
_EDITING = (
    "the local server cuts and joins videos (generate_stream, compile), and edits them no more"
)
_GENERATION = "the local server makes no pictures, sounds, voices, videos or texts"
_MEETINGS = "the local server sends no bot into a meeting; give it a stream of the meeting"
_SCENES = (
    "scenes of exported videos are not described here; index the stream while it runs"
    " (index_visuals, understand), and search its records"
)
_SEARCH = "the local server searches what is said in videos: use search or semantic_search"
_THUMBNAILS = "the local server makes no thumbnails"
_UPLOADS = "the local server takes no uploads; its videos are exported streams"

NOT_OFFERED: Mapping[str, str] = {
    "/billing/{what}": _ACCOUNT,
    "/collection/{collection_id}/aggregate": _SEARCH,
    "/collection/{collection_id}/ask": _SEARCH,
    "/collection/{collection_id}/generate/{what:path}": _GENERATION,
    "/collection/{collection_id}/meeting/{what}": _MEETINGS,
    "/collection/{collection_id}/query": _SEARCH,
    "/collection/{collection_id}/search/title": _SEARCH,
    "/collection/{collection_id}/search/web": "the local server searches no other site",
    "/collection/{collection_id}/upload": _UPLOADS,
    "/collection/{collection_id}/upload_url": _UPLOADS,
    "/collection/{collection_id}/video/{video_id}/translate": "the local server does not translate",
    "/download": "a video's download_url is its file; there is nothing to prepare",
    "/editor": _EDITING,
    "/image": _GENERATION,
    "/image/{what:path}": _GENERATION,
    "/sandbox": "the local server's engines run beside it, in no sandbox",
    "/sandbox/{what:path}": "the local server's engines run beside it, in no sandbox",
    "/timeline": _EDITING,
    "/transcode": _ENCODING,
    "/transcode/{what}": _ENCODING,
    "/video/{video_id}/aggregate": _SEARCH,
    "/video/{video_id}/ask": _SEARCH,
    "/video/{video_id}/clip": _SEARCH,
    "/video/{video_id}/index": _SCENES,
    "/video/{video_id}/index/{what:path}": _SCENES,
    "/video/{video_id}/indexes": _SCENES,
    "/video/{video_id}/indexes/{what:path}": _SCENES,
    "/video/{video_id}/meeting": _MEETINGS,
    "/video/{video_id}/query": _SEARCH,
    "/video/{video_id}/reframe": _EDITING,
    "/video/{video_id}/scenes": _SCENES,
    "/video/{video_id}/scenes/{what:path}": _SCENES,
    "/video/{video_id}/storage": "a video is its files here: delete the video",
    "/video/{video_id}/thumbnail": _THUMBNAILS,
    "/video/{video_id}/thumbnails": _THUMBNAILS,
    "/video/{video_id}/understand": _SCENES,
    "/video/{video_id}/understand/{what:path}": _SCENES,
    "/video/{video_id}/workflow": _EDITING,
    "/voice_clone": _GENERATION,
    "/voice_clone/{what:path}": _GENERATION,
}
"""Path templates of the service, and why there is nothing at them."""


def routes() -> list[BaseRoute]:
    """Return the routes that refuse; they come after those that answer."""
    return [
        Route(template, guarded(_refusing(why)), methods=_METHODS)
        for template, why in NOT_OFFERED.items()
    ]


def _refusing(why: str) -> Callable[[Request], Awaitable[Response]]:
    async def refuse(_: Request) -> Response:
        raise Refusal(404, "NOT_OFFERED", f"not offered here: {why}")

    return refuse
