"""`LocalServer`: a VideoDB-compatible RTStream service in this process."""

from __future__ import annotations

import logging
import os
import re
import socket
import sqlite3
from collections.abc import Callable, Coroutine, Iterable
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import anyio
import anyio.to_thread

from rtstream_async.errors import InvalidArgumentError, LocalServerError
from rtstream_async.local.app import build_app
from rtstream_async.local.asset_files import recover_assets
from rtstream_async.local.collections import Collections
from rtstream_async.local.control import Control
from rtstream_async.local.datadir import DATABASE, DataDir, open_data_dir
from rtstream_async.local.domain.targets import is_address, is_loopback
from rtstream_async.local.engines.choice import EngineChoices, choose_engines
from rtstream_async.local.engines.ports import (
    EmbeddingEngine,
    LanguageEngine,
    SpeechEngine,
    VisionEngine,
)
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.hub import Hub, HubSettings
from rtstream_async.local.outbound import Outbound, check_allow
from rtstream_async.local.pipelines.alerts import Alerts, Links
from rtstream_async.local.pipelines.attaching import Pipelines
from rtstream_async.local.pipelines.capture_export import CaptureExporter
from rtstream_async.local.pipelines.captures import Captures
from rtstream_async.local.pipelines.capturing import Capturing
from rtstream_async.local.pipelines.deciding import Decider
from rtstream_async.local.pipelines.director import Director
from rtstream_async.local.pipelines.export import Exporter
from rtstream_async.local.pipelines.jobs import Jobs
from rtstream_async.local.pipelines.publisher import Publisher
from rtstream_async.local.pipelines.running import Running
from rtstream_async.local.pipelines.spoken import Transcriber
from rtstream_async.local.pipelines.webhooks import Webhooks
from rtstream_async.local.recovery import note_clean_end, recover
from rtstream_async.local.retention import Retention
from rtstream_async.local.search.search import Search
from rtstream_async.local.services import Services
from rtstream_async.local.settings import Settings
from rtstream_async.local.store.schema import prepare
from rtstream_async.local.store.worker import Worker
from rtstream_async.local.tokens import Tokens
from rtstream_async.local.wire import QuietServer, make_server
from rtstream_async.protocol.codec.emit import AlertShape
from rtstream_async.supervisor import Supervisor

__all__ = ["LocalServer"]

logger = logging.getLogger(__name__)

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_HOST = re.compile(r"(?:(?P<name>[\w.-]+)|\[(?P<v6>[0-9a-f:.]+)\])(?::\d{1,5})?", re.ASCII)
_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - names no address, so links can't be made of it
_SHUTDOWN_GRACE = 3.0  # seconds for answers that are being written


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
        self._running: _Running | None = None
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
        if not self._with_control:
            raise LocalServerError("the server was made without control=True")
        return self._up.control

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
    def _up(self) -> _Running:
        if self._running is None:
            raise LocalServerError("the server does not run; enter it with `async with`")
        return self._running

    async def _start(self) -> _Running:
        listener = _bind(self._host, self._port)
        try:
            # A handful of small files. In a thread, a cancelled start would lose sight of it.
            data = open_data_dir(self._data_dir, api_key=self._given_key)
        except BaseException:
            listener.close()
            raise
        running = _Running(data, listener, self._make_settings(data_dir=data.path))
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


class _Running:
    """One run of a server: its parts, in the order of their making."""

    def __init__(self, data: DataDir, listener: socket.socket, settings: Settings) -> None:
        self.data = data
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        self._listener = listener
        self._settings = settings
        self._supervisor = Supervisor("rtstream-local-server")
        self._store = Worker(data.path / DATABASE, prepare)
        self._tokens = Tokens(data.secret)
        self._hub = Hub(self._tokens, settings.hub)
        self._outbound = Outbound(settings.webhook_allow)
        self._director: Director | None = None
        self._jobs: Jobs | None = None
        self._search: Search | None = None
        self._alerts: Alerts | None = None
        self._capturing: Capturing | None = None
        self.control: Control
        self._http: QuietServer | None = None
        self._served = anyio.Event()

    async def start(
        self,
        choices: EngineChoices,
        is_host_allowed: Callable[[str], bool],
        with_control: bool,
    ) -> None:
        """Bring everything up; streams that ran before come back in the background."""
        await self._open_store()
        await self._supervisor.start()
        engines = Engines(choices.makers(self._outbound))
        publisher = Publisher(self._store, self._hub)
        search = self._search = Search(self._store, engines)
        publisher.watch(search.wake)
        await search.open()
        running = Running()
        pipelines = Pipelines(running, publisher, engines, self._spawn)
        self._director = Director(
            self._settings, self._store, running, pipelines, engines, self._spawn
        )
        jobs = self._jobs = Jobs(self._store, self._outbound, self._supervisor)
        exporter = Exporter(self._settings, self._store, self._director, jobs)
        transcriber = Transcriber(
            self._settings, self._store, engines, self._director, self._outbound, jobs, search.wake
        )
        webhooks = Webhooks(self._store, self._outbound, self._supervisor)
        alerts = self._alerts = Alerts(
            store=self._store,
            hub=self._hub,
            decider=Decider(engines),
            webhooks=webhooks,
            links=self._links(),
            supervisor=self._supervisor,
        )
        publisher.watch(alerts.watch)
        captures = Captures(self._store, self._hub, self._outbound, self._supervisor)
        capture_exporter = CaptureExporter(
            self._store, captures, exporter, self._links(), self._supervisor
        )
        capturing = self._capturing = Capturing(
            self._settings,
            self._store,
            captures,
            self._director,
            capture_exporter,
            self._supervisor,
        )
        self.control = Control(publisher, self._director, pipelines, captures, exporter)
        services = Services(
            settings=self._settings,
            store=self._store,
            hub=self._hub,
            tokens=self._tokens,
            engines=engines,
            publisher=publisher,
            search=search,
            outbound=self._outbound,
            supervisor=self._supervisor,
            director=self._director,
            pipelines=pipelines,
            collections=await Collections.load(self._store),
            alerts=alerts,
            captures=captures,
            capturing=capturing,
            capture_exporter=capture_exporter,
            jobs=jobs,
            exporter=exporter,
            transcriber=transcriber,
        )
        await recover(self._store, self._settings.segments_dir)
        await recover_assets(self._store, self._settings.assets_dir)
        app = build_app(
            services,
            api_key=self.data.api_key,
            is_host_allowed=is_host_allowed,
            extra=self.control.endpoints() if with_control else (),
        )
        self._http = make_server(app, shutdown_grace=_SHUTDOWN_GRACE)
        self._supervisor.start_soon(self._serve, self._http, name="http")
        await self._http.is_up.wait()
        retention = Retention(self._settings, self._store)
        self._supervisor.start_soon(retention.run, name="retention")
        self._supervisor.start_soon(search.run, name="search")
        self._supervisor.start_soon(webhooks.run, name="webhooks")
        await alerts.open()
        self._supervisor.start_soon(self._resume, self._director, jobs, capturing, name="resume")

    async def aclose(self) -> None:
        """Take everything down, in the opposite order."""
        if self._capturing is not None:
            self._capturing.aclose()
        if self._alerts is not None:
            self._alerts.stop()  # before the engines go: what is not judged waits in the store
        if self._jobs is not None:
            await self._jobs.aclose()
        if self._search is not None:
            self._search.stop()
        if self._director is not None:
            await self._director.aclose()
        await self._hub.aclose()
        if self._http is not None:
            self._http.stop()
            await self._served.wait()
        self._listener.close()
        try:
            await self._supervisor.aclose()
            if self._director is not None:
                await note_clean_end(self._store)
        finally:
            await self._outbound.aclose()
            await self._store.aclose()
            await anyio.to_thread.run_sync(self.data.remove)

    async def _resume(self, director: Director, jobs: Jobs, capturing: Capturing) -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(director.resume)
            group.start_soon(jobs.resume)
        await capturing.resume()  # it stops some of these streams, and follows some of these jobs

    def _spawn(self, work: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._supervisor.start_soon(work, name=name)

    async def _serve(self, http: QuietServer) -> None:
        try:
            await http.serve(sockets=[self._listener])
        finally:
            self._served.set()

    def _links(self) -> Links:
        return Links(
            tokens=self._tokens,
            settings=self._settings,
            own_url=self.url,
            is_anywhere=self._listener.getsockname()[0] in _ANYWHERE,
        )

    async def _open_store(self) -> None:
        try:
            await self._store.start()
        except sqlite3.OperationalError as exc:
            problem = "is in use by another server" if "locked" in str(exc) else f"fails: {exc}"
            raise LocalServerError(f"the data directory {self.data.path} {problem}") from exc
        except sqlite3.DatabaseError as exc:
            raise LocalServerError(f"the database in {self.data.path} is damaged: {exc}") from exc


def _bind(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio turns Nagle's algorithm off: without, every answer waited
    # for the client's delayed acknowledgement, 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError as exc:
        listener.close()
        raise LocalServerError(f"can't listen at {host}:{port}: {exc.strerror}") from exc
    return listener


def _host_name(header: str) -> str:
    # URLs in answers are made of the header, so there must be nothing more in it.
    found = _HOST.fullmatch(header.lower())
    return "" if found is None else found["name"] or found["v6"]
