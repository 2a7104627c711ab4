"""One run of a local server: its parts, made in order and taken down in the opposite one."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Coroutine
from typing import Any

import anyio
import anyio.to_thread

from rtstream_async.errors import LocalServerError
from rtstream_async.local.app import build_app
from rtstream_async.local.asset_files import recover_assets
from rtstream_async.local.chaos import Chaos
from rtstream_async.local.collections import Collections
from rtstream_async.local.control import Control
from rtstream_async.local.datadir import DATABASE, DataDir
from rtstream_async.local.engines.choice import EngineChoices
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.handlers import chaos as chaos_calls
from rtstream_async.local.hub import Hub
from rtstream_async.local.outbound import Outbound
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
from rtstream_async.supervisor import Supervisor

__all__ = ["OneRun", "bind"]

_ANYWHERE = ("0.0.0.0", "::")  # noqa: S104 - names no address, so links can't be made of it
_SHUTDOWN_GRACE = 3.0  # seconds for answers that are being written


class OneRun:
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
        self.chaos = Chaos(self._hub, self._store)
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
            live=self._director.live,
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
        self.control = Control(publisher, self._director, pipelines, captures, exporter, self.chaos)
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
            chaos=self.chaos,
        )
        await recover(self._store, self._settings.segments_dir)
        await recover_assets(self._store, self._settings.assets_dir)
        app = build_app(
            services,
            api_key=self.data.api_key,
            is_host_allowed=is_host_allowed,
            extra=(*self.control.endpoints(), *chaos_calls.ENDPOINTS) if with_control else (),
        )
        if with_control:
            self.chaos.watch()
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
        self.chaos.aclose()
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


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket, which does not listen yet.

    Raises:
        LocalServerError: The address is taken, or not ours.
    """
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
