"""`rtstream capture`: the part of a desktop program that captures, played with a file or device."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal

import anyio
import attrs
import typer

import rtstream_async as rts
from rtstream_async.cli.capturing import Recital, follow, stop_session
from rtstream_async.cli.failure import CommandError
from rtstream_async.cli.options import (
    CloudOption,
    JsonOption,
    KeyOption,
    ServerOption,
    asked_server,
    chosen_url,
    globals_of,
)
from rtstream_async.cli.shell import Interruption, run

if TYPE_CHECKING:
    from rtstream_async.local.media.devices import Feed
    from rtstream_async.local.media.publishing import Publication

__all__ = ["capture"]

_TOKEN_LIFETIME = 86_400  # seconds
_END_USER = "rtstream capture"
_PATIENCE = 600.0  # seconds for the export

Kind = Literal["video", "audio"]


class Part(StrEnum):
    """What a desktop program captures."""

    MIC = "mic"
    SCREEN = "screen"
    SYSTEM_AUDIO = "system_audio"


_CHANNELS: Final[Mapping[Part, tuple[str, Kind]]] = {
    Part.MIC: ("mic:default", "audio"),
    Part.SCREEN: ("display:1", "video"),
    Part.SYSTEM_AUDIO: ("system_audio:default", "audio"),
}


@attrs.frozen(kw_only=True)
class _Track:
    channel_id: str
    kind: Kind
    feed: Feed


def capture(
    context: typer.Context,
    file: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, resolve_path=True, help="Play this file."),
    ] = None,
    screen: Annotated[
        bool, typer.Option("--screen", help="Capture the screen of this machine.")
    ] = False,
    device: Annotated[
        list[str] | None,
        typer.Option(metavar="FORMAT:NAME", help="Capture a device, such as alsa:default."),
    ] = None,
    channel: Annotated[
        list[Part] | None,
        typer.Option(help="What it stands for; all that there is picture or sound for."),
    ] = None,
    session: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Join this session; a new one is made without it."),
    ] = None,
    loop: Annotated[bool, typer.Option("--loop", help="Start the file over at its end.")] = False,
    store: Annotated[bool, typer.Option(help="Have it stored, and exported at the end.")] = True,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    json: JsonOption = False,
) -> None:
    """Capture into a session until the file ends or Ctrl-C, and tell what becomes of it.

    The key may be a client token (st-...), which is all that a desktop program has; it can join a
    session or make one. Without --server and --cloud the server is the one that VIDEO_DB_BASE_URL
    names.
    """
    base_url = chosen_url(server, cloud=cloud)
    chosen = [file is not None, bool(screen or device)]
    if sum(chosen) != 1:
        raise typer.BadParameter("choose what to capture: --file, or --screen and --device")

    async def work(interruption: Interruption) -> int:
        interruption.exit_code = 0
        tracks = _assign(channel, await _feeds(file, device or (), screen=screen))
        recital = Recital(as_json=json)
        async with AsyncExitStack() as stack:
            conn = await _connect(stack, base_url, api_key)
            taken = await _session(conn, session)
            await _capture(taken, tracks, recital, loop=loop, store=store)
            return await recital.export(taken, patience=_PATIENCE) if store else 0

    run(work, debug=globals_of(context).debug, server=asked_server(base_url))


async def _connect(stack: AsyncExitStack, base_url: str | None, key: str | None) -> rts.Connection:
    """A connection by a client token: a desktop program has no more."""
    token = key if key is not None and key.startswith("st-") else None
    if token is None:
        async with rts.connect(api_key=key, base_url=base_url) as owner:
            token = await owner.generate_client_token(_TOKEN_LIFETIME)
    return await stack.enter_async_context(rts.connect(session_token=token, base_url=base_url))


async def _session(conn: rts.Connection, id_: str | None) -> rts.CaptureSession:
    if id_ is not None:
        return await conn.get_capture_session(id_)
    return await conn.create_capture_session(_END_USER, ws_connection_id=None)


async def _capture(
    session: rts.CaptureSession,
    tracks: Iterable[_Track],
    recital: Recital,
    *,
    loop: bool,
    store: bool,
) -> None:
    from rtstream_async.local.media.publishing import publishing  # needs an extra

    recital.state(session)
    wanted = {track.channel_id: track for track in tracks}
    begun = await session.start(
        {"channel_id": track.channel_id, "type": track.kind, "store": store}
        for track in wanted.values()
    )
    try:
        recital.state(session)
        async with anyio.create_task_group() as group, AsyncExitStack() as stack:
            group.start_soon(follow, session, recital)
            published = {
                track.channel_id: await stack.enter_async_context(
                    publishing(
                        track.feed.name,
                        _push_url(channel),
                        encode=True,
                        loop=loop,
                        only=track.kind,
                        device=track.feed.format,
                    )
                )
                for channel in begun
                if (track := wanted.get(channel.id)) is not None
            }
            for id_, publication in published.items():
                await _play(id_, publication)
            group.cancel_scope.cancel()
    finally:
        await stop_session(session, recital)


async def _play(channel_id: str, publication: Publication) -> None:
    from rtstream_async.local.media.publishing import PublishError  # needs an extra

    try:
        await publication.wait()
    except PublishError as exc:
        # Not its own text, which has the address: who knows that can push.
        raise CommandError(f"{channel_id} is not taken any more: {exc.reason}") from exc


def _push_url(channel: rts.CaptureChannel) -> str:
    url = channel.rtmp_url or channel.rtsp_url
    if url is None:
        raise CommandError(f"the server does not say where {channel.id} is to be pushed")
    return url


async def _feeds(
    file: Path | None, devices: Iterable[str], *, screen: bool
) -> list[tuple[Feed, tuple[str, ...]]]:
    """What is captured, and what each of it has."""
    from rtstream_async.local.media import devices as found  # needs an extra

    try:
        feeds = [found.device(text) for text in devices]
        if screen:
            feeds.append(found.screen())
        if file is not None:
            feeds.append(found.Feed(name=str(file)))
        return [(feed, await found.media_types(feed)) for feed in feeds]
    except found.FeedError as exc:
        raise CommandError(str(exc)) from exc


def _assign(
    asked: Iterable[Part] | None, feeds: Iterable[tuple[Feed, tuple[str, ...]]]
) -> list[_Track]:
    """The channels, each with what is published to it."""
    given: dict[str, Feed] = {}
    for feed, kinds in feeds:
        for kind in kinds:
            given.setdefault(kind, feed)
    parts = list(dict.fromkeys(asked or ()))
    if not parts:
        parts = [part for part in (Part.SCREEN, Part.MIC) if _CHANNELS[part][1] in given]
    tracks: list[_Track] = []
    for part in parts:
        id_, kind = _CHANNELS[part]
        if kind not in given:
            missing = "picture" if kind == "video" else "sound"
            raise CommandError(f"there is no {missing} for --channel {part}")
        tracks.append(_Track(channel_id=id_, kind=kind, feed=given[kind]))
    return tracks
