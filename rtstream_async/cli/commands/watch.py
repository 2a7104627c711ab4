"""`rtstream watch`: connect a stream, tell live what is seen and said."""

from __future__ import annotations

import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import anyio
import attrs
import typer

import rtstream_async as rts
from rtstream_async.cli.arming import Armed, Wishes, arm
from rtstream_async.cli.events import Note
from rtstream_async.cli.failure import CommandError
from rtstream_async.cli.logs import quiet_local_server
from rtstream_async.cli.options import (
    CLOUD_URL,
    CloudOption,
    JsonOption,
    KeyOption,
    ServerOption,
    chosen_url,
    console,
    globals_of,
)
from rtstream_async.cli.render.text import count, seconds, shown_url
from rtstream_async.cli.reports import Report, open_report
from rtstream_async.cli.shell import FAILED, Interruption, run
from rtstream_async.cli.sources import Watchable, find_source
from rtstream_async.cli.watching import Limits, Watching

__all__ = ["watch"]

_GOODBYE = 5.0  # seconds that stopping the stream may take


@attrs.frozen(kw_only=True)
class _Order:
    """What the user asked for."""

    source: Watchable
    wishes: Wishes
    name: str
    limits: Limits
    base_url: str | None  # `None`: a server in this process
    api_key: str | None = attrs.field(repr=False)
    data_dir: Path | None
    store: bool  #: whether the recording is kept, to be exported


def watch(  # noqa: PLR0913 - a command has this many options, all with defaults
    context: typer.Context,
    *,
    url: Annotated[
        str, typer.Argument(metavar="URL", help="rtsp://, rtmp://, http(s):// or a file.")
    ],
    prompt: Annotated[
        str, typer.Option(help="What to tell; an engine that can't follow it says what it sees.")
    ] = "Describe what is seen.",
    every: Annotated[
        float, typer.Option(min=0.5, metavar="SECONDS", help="Length of a window.")
    ] = 5,
    frames: Annotated[int, typer.Option(min=1, max=60, help="Frames looked at in a window.")] = 5,
    scenes: Annotated[bool, typer.Option(help="Describe what is seen.")] = True,
    transcript: Annotated[
        bool, typer.Option("--transcript", help="Write down what is said, word for word.")
    ] = False,
    audio: Annotated[
        bool, typer.Option("--audio", help="Sum up what is said, window by window.")
    ] = False,
    alert: Annotated[
        list[str] | None,
        typer.Option(metavar="PROMPT", help="Tell when this happens; may be repeated."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name of the stream.")] = None,
    store: Annotated[
        bool, typer.Option("--store", help="Keep the recording, for rtstream export.")
    ] = False,
    for_: Annotated[
        float | None, typer.Option("--for", min=0.1, metavar="SECONDS", help="End after so long.")
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--count", min=1, metavar="N", help="End after so many messages.")
    ] = None,
    server: ServerOption = None,
    cloud: CloudOption = False,
    api_key: KeyOption = None,
    data_dir: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Keep recordings and scenes here, not in a temporary one."
        ),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Connect a stream, and tell live what is seen and said in it.

    Without --server and --cloud a local server runs in this process: no key, no network.
    """
    base_url = chosen_url(server, cloud=cloud)
    if base_url is not None and data_dir is not None:
        raise typer.BadParameter("--data-dir is for the server in this process")
    wishes = Wishes(
        prompt=prompt,
        every=every,
        frames=frames,
        scenes=scenes,
        transcript=transcript,
        audio=audio,
        alerts=tuple(alert or ()),
    )
    _check(wishes)

    async def work(_: Interruption) -> int:
        order = _Order(
            source=_source(url, base_url),
            wishes=wishes,
            name=name or _name_of(url),
            limits=Limits(seconds=for_, messages=limit),
            base_url=base_url,
            api_key=api_key,
            data_dir=data_dir,
            store=store,
        )
        with open_report(console(), json=json) as report:
            return await _watch(order, report)

    run(work, debug=globals_of(context).debug, server=base_url)


async def _watch(order: _Order, report: Report) -> int:
    async with AsyncExitStack() as stack:
        conn, server = await _connect(order, report, stack)
        coll = await conn.get_collection()
        _note(report, f"connecting {shown_url(order.source.url)}")
        stream = await coll.connect_rtstream(
            url=order.source.url,
            name=order.name,
            media_types=order.wishes.media_types,
            store=order.store,
            enable_transcript=False,  # it is started below, where it was asked for
        )
        begun = time.monotonic()
        try:
            _note(report, f"stream {stream.id} is {stream.status}; starting what was asked for")
            watching = Watching(
                stream,
                await _arm(conn, stream, order),
                order.wishes.channels,
                report,
                server=server,
                source=shown_url(order.source.url),
            )
            await watching.run(order.limits)
        finally:
            await _stop(stream, report)
        watched = seconds(time.monotonic() - begun)
        _note(report, f"{count(watching.tally.total, 'message')} in {watched}")
        return FAILED if watching.status == "error" else 0


async def _arm(conn: rts.Connection, stream: rts.RTStream, order: _Order) -> Armed:
    """Have everything at work. A file waits for it, to be seen from its beginning."""
    waits = order.source.file is not None
    if waits:
        await stream.stop()
    armed = await arm(conn, stream, order.wishes, name=order.name)
    if waits:
        await stream.start()
    return armed


async def _stop(stream: rts.RTStream, report: Report) -> None:
    with anyio.move_on_after(_GOODBYE, shield=True):
        try:
            await stream.stop()
            _note(report, "stream stopped")
        except rts.RTStreamError as exc:
            _note(report, f"stream {stream.id} could not be stopped: {exc}")


async def _connect(
    order: _Order, report: Report, stack: AsyncExitStack
) -> tuple[rts.Connection, str]:
    """The connection to watch by, and what its server is called."""
    if order.base_url is not None:
        conn = rts.connect(api_key=order.api_key, base_url=order.base_url)
        return await stack.enter_async_context(conn), order.base_url
    from rtstream_async.local import LocalServer  # needs an extra

    _note(report, "starting a local server in this process")
    quiet_local_server()
    local = LocalServer(data_dir=order.data_dir, media_root=order.source.media_root)
    await stack.enter_async_context(local)
    # No proxy stands between a process and itself, whatever the environment says.
    conn = rts.connect(api_key=local.api_key, base_url=local.url, proxy=False)
    return await stack.enter_async_context(conn), f"{local.url} (in this process)"


def _source(url: str, base_url: str | None) -> Watchable:
    """The source as the chosen server is to get it.

    Raises:
        CommandError: That server can't read it.
    """
    source = find_source(url) if base_url is None else _for_another_machine(url)
    if source.file is not None and base_url == CLOUD_URL:
        raise CommandError(f"VideoDB's cloud can't read the file {source.file} of this machine")
    return source


def _for_another_machine(url: str) -> Watchable:
    """A path that names a file here is made whole; any other name is the server's to judge."""
    path = Path(url).expanduser()
    if path.is_file():
        return Watchable(url=path.resolve().as_uri(), file=path.resolve())
    return Watchable(url=url)


def _name_of(url: str) -> str:
    parts = urlsplit(url)
    last = parts.path.rstrip("/").rpartition("/")[2]
    return " ".join(part for part in (parts.hostname, last) if part) or "watched"


def _check(wishes: Wishes) -> None:
    if not wishes.channels or not wishes.media_types:
        raise typer.BadParameter("with --no-scenes, give --transcript or --audio")
    if wishes.alerts and not (wishes.scenes or wishes.audio):
        raise typer.BadParameter("--alert judges scenes, or with --audio what is said")


def _note(report: Report, text: str) -> None:
    report.tell(Note(at=time.time(), text=text))
