"""`LocalServer`: a VideoDB-compatible RTStream service in this process."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

import anyio

from rtstream_async.errors import InvalidArgumentError, LocalServerError
from rtstream_async.local.chaos import Chaos
from rtstream_async.local.control import Control
from rtstream_async.local.datadir import open_data_dir
from rtstream_async.local.domain.targets import is_address, is_loopback
from rtstream_async.local.engines.choice import choose_engines
from rtstream_async.local.engines.ports import (
    EmbeddingEngine,
    LanguageEngine,
    SpeechEngine,
    VisionEngine,
)
from rtstream_async.local.hub import HubSettings
from rtstream_async.local.one_run import OneRun, bind
from rtstream_async.local.outbound import check_allow
from rtstream_async.local.settings import Settings
from rtstream_async.protocol.codec.emit import AlertShape

__all__ = ["LocalServer"]

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:(?P<name>[\w.-]+)|\[(?P<v6>[0-9a-f:.]+)\])(?::\d{1,5})?", re.ASCII)


class LocalServer:
    """A local RTStream service: ingests, records, describes, delivers; no key, no network.

    Use it as an async context manager, or call `start()` and `aclose()`, from any task::

        async with LocalServer(media_root="clips") as server:
            conn = rtstream_async.connect(server.api_key, base_url=server.url)
    """

    def __init__(  # noqa: PLR0913 - a server has this many options, all with defaults
        self,
        data_dir: str | os.PathLike[str] | None = None,
        media_root: str | os.PathLike[str] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        api_key: str | None = None,
        control: bool = False,
        vision: str | Callable[[], VisionEngine] | None = None,
        *,
        speech: str | Callable[[], SpeechEngine] | None = None,
        language: str | Callable[[], LanguageEngine] | None = None,
        embedding: str | Callable[[], EmbeddingEngine] | None = None,
        allow_remote: bool = False,
        allowed_hosts: Iterable[str] = (),
        strict_start: bool = False,
        quota_bytes: int | None = None,
        socket_queue: int = 1024,
        socket_url_lifetime: float = 60.0,
        clip_lifetime: float = 86_400.0,
        open_timeout: float = 10.0,
        capture_timeout: float = 60.0,
        capture_settle: float = 5.0,
        drain: float = 8.0,
        scene_channel: Literal["scene_index", "visual_index"] = "scene_index",
        alert_shape: AlertShape = "full",
        push_understandings: bool = False,
        webhook_allow: Iterable[str] | None = None,
    ) -> None:
        """Keep how the server is to be; nothing happens before `start()`.

        Args:
            data_dir: Where everything is kept; a temporary directory, removed at the end, when
                not given.
            media_root: Files and `file://` URLs are read below it; none when not given.
            host: Address to bind to.
            port: Port to bind to; 0 takes a free one, see `url`.
            api_key: The key that clients must send; made at the first start and kept in the data
                directory when not given.
            control: Offer `server.control` and `/_local/`, for tests.
            vision: What describes frames: `offline` (when not given), `openai:URL#model` for an
                OpenAI-compatible endpoint, or a callable that makes an engine.
            speech: What turns sound into text; likewise.
            language: What summarises and judges text; likewise.
            embedding: What turns texts into vectors; likewise.
            allow_remote: Allow a `host` that other machines reach.
            allowed_hosts: More names that clients may reach the server by.
            strict_start: Refuse `start` of a running stream, as the service does.
            quota_bytes: The most that recordings may take; the oldest go first.
            socket_queue: Frames that wait for one slow socket before the oldest is dropped.
            socket_url_lifetime: Seconds for which a socket URL can be opened.
            clip_lifetime: Seconds for which an issued manifest URL plays.
            open_timeout: Seconds that connecting waits for a source.
            capture_timeout: Seconds that a capture session goes on while nobody publishes to it.
            capture_settle: Seconds that its first publisher waits for the others.
            scene_channel: What visual indexes are pushed as; the service's documents have both.
            alert_shape: How an alert looks on the socket: `full`, or one of the shapes of the
                service's documents: `reference`, `realtime`, `bare`, `callback`.
            push_understandings: Push records of understandings, too; the service's own frame for
                them is not known, so it is one of ours.
            drain: Seconds that recordings and indexes may take to finish at the end.
            webhook_allow: Hosts that webhooks may call: `host`, `host:port`, `*.example.com`, or a
                network such as `10.0.0.0/8`; all when not given.

        Raises:
            InvalidArgumentError: `host` is not a loopback address, or an engine or one of
                `webhook_allow` can't be used.
        """
        if not allow_remote and not is_loopback(host):
            raise InvalidArgumentError(
                "host",
                f"{host!r} can be reached by other machines; pass allow_remote=True if that is"
                " what you want",
            )
        self._data_dir = None if data_dir is None else Path(data_dir)
        self._host, self._port = host, port
        self._given_key = api_key
        self._with_control = control
        self._engines = choose_engines(
            vision=vision, speech=speech, language=language, embedding=embedding
        )
        self._names = _LOOPBACK_NAMES | {host.lower()} | {name.lower() for name in allowed_hosts}
        self._make_settings = partial(
            Settings,
            media_root=None if media_root is None else Path(media_root),
            strict_start=strict_start,
            scripted=control,
            quota_bytes=quota_bytes,
            clip_lifetime=clip_lifetime,
            open_timeout=open_timeout,
            capture_timeout=capture_timeout,
            capture_settle=capture_settle,
            drain=drain,
            webhook_allow=check_allow(webhook_allow),
            hub=HubSettings(
                queue=socket_queue,
                url_lifetime=socket_url_lifetime,
                scene_channel=scene_channel,
                alert_shape=alert_shape,
                pushes_understandings=push_understandings,
            ),
        )
        self._running: OneRun | None = None
        self._lock = anyio.Lock()

    @property
    def url(self) -> str:
        """Where clients connect: `http://host:port`."""
        return self._up.url

    @property
    def api_key(self) -> str:
        """The key that clients must send."""
        return self._up.data.api_key

    @property
    def data_dir(self) -> Path:
        """Where everything is kept."""
        return self._up.data.path

    @property
    def control(self) -> Control:
        """A test's hand on the server; needs `control=True`."""
        return self._scripted.control

    @property
    def chaos(self) -> Chaos:
        """What goes wrong on purpose, and what did; needs `control=True`."""
        return self._scripted.chaos

    async def start(self) -> None:
        """Start serving. Cancelling, or a failure, leaves nothing behind.

        Raises:
            LocalServerError: The data directory is in use or of a newer version, the address is
                taken, or the server runs already.
        """
        async with self._lock:
            if self._running is not None:
                raise LocalServerError("this server runs already")
            self._running = await self._start()

    async def aclose(self) -> None:
        """Finish recordings and indexes, say goodbye to all sockets, and stop; within bounds."""
        async with self._lock:
            running, self._running = self._running, None
            if running is not None:
                with anyio.CancelScope(shield=True):
                    await running.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.aclose()

    @property
    def _scripted(self) -> OneRun:
        if not self._with_control:
            raise LocalServerError("the server was made without control=True")
        return self._up

    @property
    def _up(self) -> OneRun:
        if self._running is None:
            raise LocalServerError("the server does not run; enter it with `async with`")
        return self._running

    async def _start(self) -> OneRun:
        listener = bind(self._host, self._port)
        try:
            # A handful of small files. In a thread, a cancelled start would lose sight of it.
            data = open_data_dir(self._data_dir, api_key=self._given_key)
        except BaseException:
            listener.close()
            raise
        running = OneRun(data, listener, self._make_settings(data_dir=data.path))
        try:
            await running.start(self._engines, self._is_host_allowed, self._with_control)
        except BaseException:
            with anyio.CancelScope(shield=True):
                await running.aclose()
            raise
        return running

    def _is_host_allowed(self, header: str) -> bool:
        """Whether the name in a Host header is ours.

        A page of another site can make a browser send any name that it owns (DNS rebinding), but
        no bare address.
        """
        name = _host_name(header)
        return name in self._names or is_address(name)


def _host_name(header: str) -> str:
    # URLs in answers are made of the header, so there must be nothing more in it.
    found = _HOST.fullmatch(header.lower())
    return "" if found is None else found["name"] or found["v6"]
