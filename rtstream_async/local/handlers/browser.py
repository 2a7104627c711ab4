"""What a browser or a player fetches with a token in place of the key."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rtstream_async.local.answers import guarded
from rtstream_async.local.console import CONTENT_SECURITY_POLICY, player_page, static_dir
from rtstream_async.local.domain.cutting import parse_part_name
from rtstream_async.local.domain.playlist import NotRecorded, Segment, make_playlist
from rtstream_async.local.handlers.asset_media import (
    asset_file,
    asset_manifest,
    asset_segment_path,
    is_asset,
)
from rtstream_async.local.recording import playable, read_segment
from rtstream_async.local.refusal import Refusal, invalid, not_found
from rtstream_async.local.services import Services
from rtstream_async.local.store import statements
from rtstream_async.local.tokens import Grant
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["routes"]

_HEADERS = {
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}
# Players on other pages (a notebook, an embedded player) may fetch what a token opens.
_MEDIA_HEADERS = {**_HEADERS, "Access-Control-Allow-Origin": "*"}
_PAGE_HEADERS = {**_HEADERS, "Content-Security-Policy": CONTENT_SECURITY_POLICY}

# A stream without its source gets no older: what comes back comes with the time of its coming.
_SETTLED = 15.0  # seconds after which nothing is added to a window any more

# The official SDK makes an `/embed` page of a `/watch` page; here they are the same one.
_PAGES = ("/player", "/player/watch", "/player/embed")

Respond = Callable[[Request], Awaitable[Response]]


def routes(services: Services) -> list[BaseRoute]:
    """Return the routes for manifests, segments, files, the player page and its own files."""
    return [
        Route("/manifests/{subject}/{name}", guarded(_manifest(services))),
        Route("/segments/{subject}/{name}", guarded(_segment(services))),
        Route("/files/{subject}/{name}", guarded(_file(services))),
        *(Route(path, guarded(_player(services))) for path in _PAGES),
        Mount("/console/static", _WithHeaders(StaticFiles(directory=static_dir()))),
    ]


def _manifest(services: Services) -> Respond:
    async def respond(request: Request) -> Response:
        grant, token = _grant(services, request, "clip", "timeline")
        if request.path_params["name"] != _manifest_name(grant):
            raise Refusal(403, "BAD_TOKEN", "the token in this URL is for another window")
        is_recording = grant.kind == "clip" and not is_asset(grant.subject)
        make = _manifest_text if is_recording else asset_manifest
        text = await make(services, grant, token)
        return Response(text, media_type="application/vnd.apple.mpegurl", headers=_MEDIA_HEADERS)

    return respond


def _manifest_name(grant: Grant) -> str:
    if grant.kind == "timeline":
        return "timeline.m3u8"
    return f"{grant.start_us}-{grant.end_us}.m3u8"


async def _manifest_text(services: Services, grant: Grant, token: str) -> str:
    start, end = grant.start_us / 1e6, grant.end_us / 1e6
    live = services.director.live(grant.subject)
    segments = await playable(services.store, grant.subject, live, start=start, end=end)
    query = urlencode({"token": token})

    def uri(segment: Segment) -> str:
        return f"/segments/{grant.subject}/{segment.name}?{query}"

    playlist = make_playlist(
        segments,
        start=start,
        end=end,
        uri=uri,
        complete=live is None or live.present >= end or time.time() > end + _SETTLED,
    )
    if isinstance(playlist, NotRecorded):
        raise Refusal(404, "NOT_RECORDED", "what this URL played is not kept any more")
    return playlist.text


def _segment(services: Services) -> Respond:
    async def respond(request: Request) -> Response:
        subject, name = request.path_params["subject"], request.path_params["name"]
        if is_asset(subject):
            grant = _token_of(services, request, "clip", "timeline")
            path = await asset_segment_path(services, grant, subject, name)
        else:
            grant, _ = _grant(services, request, "clip")
            path = await _segment_path(services, grant, name)
        try:
            data = await anyio.to_thread.run_sync(read_segment, path)
        except FileNotFoundError:
            raise not_found("segment", path.name) from None
        return Response(data, media_type="video/mp2t", headers=_MEDIA_HEADERS)

    return respond


async def _segment_path(services: Services, grant: Grant, name: str) -> Path:
    """Return where the segment is; only what the store or the running stream knows is served."""
    directory = services.director.directory(grant.subject)
    row = await services.store.run(statements.get_segment, grant.subject, name)
    started = parse_part_name(f"{name}.part")
    if row is None and started is not None:
        live = services.director.live(grant.subject)
        opened = None if live is None else live.open_segment
        if opened is not None and opened.name == name:
            if _overlaps(grant, microseconds(opened.start), microseconds(opened.end)):
                return directory / f"{name}.part"
        else:  # it was finished since the manifest was made, and has its final name
            row = await services.store.run(
                statements.find_segment, grant.subject, microseconds(started)
            )
    if row is None or not _overlaps(grant, row.start_us, row.end_us):
        raise not_found("segment", name)
    return directory / row.file


def _overlaps(grant: Grant, start_us: int, end_us: int) -> bool:
    return start_us < grant.end_us and end_us > grant.start_us


def _file(services: Services) -> Respond:
    async def respond(request: Request) -> Response:
        grant, _ = _grant(services, request, "file")
        return await asset_file(services, grant.subject, _MEDIA_HEADERS)

    return respond


def _grant(services: Services, request: Request, *kinds: str) -> tuple[Grant, str]:
    """Return what the request's token opens, which is what its path names."""
    grant = _token_of(services, request, *kinds)
    if grant.subject != request.path_params["subject"]:
        raise Refusal(403, "BAD_TOKEN", "the token in this URL is for another recording")
    return grant, request.query_params["token"]


def _token_of(services: Services, request: Request, *kinds: str) -> Grant:
    return services.tokens.check(request.query_params.get("token", ""), *kinds)


def _player(services: Services) -> Respond:
    async def respond(request: Request) -> Response:
        manifest = _own_manifest(services, request)
        page = player_page(
            title=request.query_params.get("title") or "Stream",
            description=request.query_params.get("description"),
            manifest_url=manifest,
        )
        return Response(page, media_type="text/html", headers=_PAGE_HEADERS)

    return respond


def _own_manifest(services: Services, request: Request) -> str:
    """Return the path of the manifest to play: one of ours, with a token that is good."""
    parts = urlsplit(request.query_params.get("url", ""))
    if parts.netloc != request.headers["host"] or not parts.path.startswith("/manifests/"):
        raise invalid("url", "must be a stream_url of this server")
    services.tokens.check(parse_qs(parts.query).get("token", [""])[0], "clip", "timeline")
    return f"{parts.path}?{parts.query}"


class _WithHeaders:
    """Adds the headers that every page and file of ours carries."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = {**_HEADERS, "Cache-Control": "max-age=3600"}
                message["headers"] = [
                    *message["headers"],
                    *((name.lower().encode(), value.encode()) for name, value in extra.items()),
                ]
            await send(message)

        await self._app(scope, receive, send_marked)
