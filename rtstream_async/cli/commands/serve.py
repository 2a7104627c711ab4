"""`rtstream serve`: a VideoDB-compatible server on this machine."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import anyio
import typer

from rtstream_async.cli.failure import CommandError
from rtstream_async.cli.logs import LogLevel, log_to_stderr
from rtstream_async.cli.options import JsonOption, console, globals_of
from rtstream_async.cli.render.objects import as_line
from rtstream_async.cli.render.serving import KeyOrigin, Serving, ready_object, ready_text
from rtstream_async.cli.shell import Interruption, run
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.protocol.codec.emit import AlertShape

__all__ = ["serve"]

_GB = 1_000_000_000


def serve(  # noqa: PLR0913, PLR0917 - a server has this many options, and typer asks for them so
    context: typer.Context,
    host: Annotated[
        str, typer.Option(envvar="RTSTREAM_HOST", show_envvar=True, help="Address to listen at.")
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            envvar="RTSTREAM_PORT",
            show_envvar=True,
            min=0,
            max=65535,
            help="Port to listen at; 0 takes a free one.",
        ),
    ] = 8787,
    data_dir: Annotated[
        Path,
        typer.Option(
            envvar="RTSTREAM_DATA_DIR",
            show_envvar=True,
            metavar="DIR",
            help="Where recordings, the database and the key are kept.",
        ),
    ] = Path("~/.rtstream"),
    media_root: Annotated[
        Path | None,
        typer.Option(
            envvar="RTSTREAM_MEDIA_ROOT",
            show_envvar=True,
            metavar="DIR",
            exists=True,
            file_okay=False,
            resolve_path=True,
            help="Files below it can be connected; without it, none.",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="RTSTREAM_API_KEY",
            show_envvar=True,
            metavar="KEY",
            help="The key that clients must send; made and kept at the first start if not given.",
        ),
    ] = None,
    allow_remote: Annotated[
        bool, typer.Option("--allow-remote", help="Allow a --host that other machines reach.")
    ] = False,
    allow_host: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A further name that clients reach the server by."),
    ] = None,
    quota_gb: Annotated[
        float | None,
        typer.Option(metavar="GB", help="The most that recordings may take; the oldest go first."),
    ] = None,
    open_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0.1, help="How long connecting a stream waits for its source."
        ),
    ] = 10.0,
    capture_timeout: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=0.1,
            help="How long a capture session goes on while nobody publishes to it.",
        ),
    ] = 60.0,
    capture_settle: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0.0, help="How long its first publisher waits for the others."
        ),
    ] = 5.0,
    strict_start: Annotated[
        bool,
        typer.Option(
            "--strict-start", help="Refuse the start of a running stream, as the service does."
        ),
    ] = False,
    scene_channel: Annotated[
        Literal["scene_index", "visual_index"],
        typer.Option(help="What visual indexes are pushed as: some programs know one of them."),
    ] = "scene_index",
    alert_shape: Annotated[
        AlertShape,
        typer.Option(help="How an alert looks on the socket; full has all that the others have."),
    ] = "full",
    push_understandings: Annotated[
        bool,
        typer.Option(
            "--push-understandings", help="Push records of understandings, in a frame of our own."
        ),
    ] = False,
    webhook_allow: Annotated[
        list[str] | None,
        typer.Option(
            metavar="HOST",
            help="A host, host:port, *.domain or network that webhooks may call; without it, all.",
        ),
    ] = None,
    vision: Annotated[
        str,
        typer.Option(
            envvar="RTSTREAM_VISION",
            show_envvar=True,
            metavar="ENGINE",
            help="What describes frames: offline, or openai:URL#model.",
        ),
    ] = "offline",
    speech: Annotated[
        str,
        typer.Option(
            envvar="RTSTREAM_SPEECH",
            show_envvar=True,
            metavar="ENGINE",
            help="What turns sound into text; likewise.",
        ),
    ] = "offline",
    language: Annotated[
        str,
        typer.Option(
            envvar="RTSTREAM_LANGUAGE",
            show_envvar=True,
            metavar="ENGINE",
            help="What summarises and judges text; likewise.",
        ),
    ] = "offline",
    embedding: Annotated[
        str,
        typer.Option(
            envvar="RTSTREAM_EMBEDDING",
            show_envvar=True,
            metavar="ENGINE",
            help="What finds texts by their meaning; likewise.",
        ),
    ] = "offline",
    control: Annotated[
        bool,
        typer.Option(
            "--control", help="For tests: offer /_local/, with faults, and scripted:// sources."
        ),
    ] = False,
    log_level: Annotated[
        LogLevel,
        typer.Option(
            envvar="RTSTREAM_LOG_LEVEL",
            show_envvar=True,
            help="What is logged, to standard error.",
        ),
    ] = LogLevel.info,
    json: JsonOption = False,
) -> None:
    """Run a VideoDB-compatible server on this machine until Ctrl-C."""
    directory = data_dir.expanduser().resolve()
    key_file = directory / "api_key"
    log_to_stderr(log_level)

    async def work(interruption: Interruption) -> int:
        from rtstream_async.local import LocalServer  # needs an extra

        interruption.exit_code = 0
        origin = _origin(api_key, key_file)
        server = LocalServer(
            data_dir=directory,
            media_root=media_root,
            host=host,
            port=port,
            api_key=api_key or None,
            control=control,
            allow_remote=allow_remote,
            allowed_hosts=allow_host or (),
            quota_bytes=None if quota_gb is None else int(quota_gb * _GB),
            open_timeout=open_timeout,
            capture_timeout=capture_timeout,
            capture_settle=capture_settle,
            strict_start=strict_start,
            scene_channel=scene_channel,
            alert_shape=alert_shape,
            push_understandings=push_understandings,
            webhook_allow=webhook_allow or None,
            vision=vision,
            speech=speech,
            language=language,
            embedding=embedding,
        )
        async with server:
            serving = Serving(
                url=server.url,
                data_dir=directory,
                media_root=media_root,
                key=server.api_key,
                key_origin=origin,
                key_file=key_file,
            )
            _announce(serving, json=json)
            await anyio.sleep_forever()
        return 0

    async def checked(interruption: Interruption) -> int:
        try:
            return await work(interruption)
        except InvalidArgumentError as exc:
            if exc.argument != "host":
                option = exc.argument.replace("_", "-")
                raise CommandError(f"--{option}: {exc.problem}") from exc
            raise CommandError(
                f"--host {host} can be reached by other machines; add --allow-remote if you want"
                " that"
            ) from exc

    run(checked, debug=globals_of(context).debug)


def _origin(given: str | None, key_file: Path) -> KeyOrigin:
    if given:
        return "given"
    return "kept" if key_file.exists() else "made"


def _announce(serving: Serving, *, json: bool) -> None:
    if json:
        typer.echo(as_line(ready_object(serving)))
        return
    out = console()
    for part in ready_text(serving):
        out.print(part, soft_wrap=True)
