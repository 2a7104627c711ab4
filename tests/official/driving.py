"""The official SDK at the wheel: a server in a thread, and proof of which methods were called."""

from __future__ import annotations

import functools
import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import attrs
import requests
import videodb
from anyio.abc import TaskStatus
from anyio.from_thread import BlockingPortal, start_blocking_portal

from rtstream_async.local import LocalServer
from rtstream_async.local.control import Control

__all__ = ["PATIENCE", "Ear", "Site", "drives", "hooks", "is_id", "listening", "serving", "until"]

PATIENCE = 60.0  # seconds until something that should happen counts as not happening

_SDK = str(Path(videodb.__file__).parent)
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
_FORMS = {
    **{prefix: re.compile(f"{prefix}-{_UUID}") for prefix in ("rts", "c", "m", "a", "cap")},
    **{prefix: re.compile(rf"{prefix}-\S{{8,}}") for prefix in ("und", "idx", "sk", "st")},
    "hex": re.compile("[0-9a-f]{16}"),
}


def is_id(form: str, value: object) -> bool:
    """Whether `value` has the true form of an id: `rts`, `m`, `hex`, ..."""
    return isinstance(value, str) and _FORMS[form].fullmatch(value) is not None


def drives(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Declare which methods of the SDK a test calls; it fails when it does not.

    What all tests declare together is held against the SDK's classes by `test_surface.py`.
    """

    def mark(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def checked(*args: Any, **kwargs: Any) -> None:
            called: set[str] = set()

            def note(frame: FrameType, event: str, _: object) -> None:
                code = frame.f_code
                if event == "call" and code.co_filename.startswith(_SDK):
                    called.add(code.co_qualname)

            sys.setprofile(note)
            try:
                test(*args, **kwargs)
            finally:
                sys.setprofile(None)
            assert set(names) <= called, f"never called: {sorted(set(names) - called)}"

        checked.drives = frozenset(names)  # type: ignore[attr-defined]  # read by test_surface.py
        return checked

    return mark


@attrs.frozen
class Site:
    """A server that runs in a thread of its own, as it would in a process of its own."""

    portal: BlockingPortal
    server: LocalServer
    connections: list[Any] = attrs.field(factory=list)

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def control(self) -> Control:
        return self.server.control

    def connect(self, **options: Any) -> Any:
        """What every program of the SDK begins with."""
        options = {"api_key": self.server.api_key, "base_url": self.url, **options}
        self.connections.append(videodb.connect(**options))
        return self.connections[-1]

    def raw(self, method: str, path: str, **options: Any) -> requests.Response:
        """A request of no SDK."""
        headers = {"x-access-token": self.server.api_key}
        return requests.request(
            method,
            f"{self.url}{path}",
            headers=headers,
            timeout=PATIENCE,
            allow_redirects=False,
            **options,
        )

    def do(self, work: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call something of the server's in the server's thread."""
        return self.portal.call(functools.partial(work, *args, **kwargs))


@contextmanager
def serving(**options: Any) -> Iterator[Site]:
    """Run a server while the block does."""
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(LocalServer(**options)) as server,
    ):
        site = Site(portal, server)
        yield site
        for conn in site.connections:
            conn.session.close()  # the SDK leaves that to the end of the process


def until(look: Callable[[], Any], accept: Callable[[Any], bool] = bool) -> Any:
    """Look again and again, until what is seen is accepted; return it."""
    deadline = time.monotonic() + PATIENCE
    while not accept(seen := look()):
        assert time.monotonic() < deadline, f"not enough: {seen}"
        time.sleep(0.05)
    return seen


@attrs.frozen
class Ear:
    """An open `WebSocketConnection`, and all that it has received."""

    id: str
    frames: list[dict[str, Any]]

    def of(self, channel: str) -> list[dict[str, Any]]:
        """The frames of one channel, so far."""
        return [frame for frame in self.frames if frame.get("channel") == channel]

    def first(self, channel: str) -> dict[str, Any]:
        """The first frame of a channel, as soon as it is there."""
        return until(lambda: self.of(channel))[0]


@contextmanager
def listening(conn: Any) -> Iterator[Ear]:
    """Listen with the SDK's own socket, beside the test."""
    frames: list[dict[str, Any]] = []

    async def listen(*, task_status: TaskStatus[Any]) -> None:
        async with conn.connect_websocket() as socket:
            task_status.started(socket)
            async for frame in socket.receive():
                frames.append(frame)  # noqa: PERF401 - others look while it grows

    with start_blocking_portal() as portal:
        task, socket = portal.start_task(listen)
        try:
            yield Ear(socket.connection_id, frames)
        finally:
            portal.call(socket.close)
            task.result(PATIENCE)


@contextmanager
def hooks() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """A web server that takes webhooks: its address, and the bodies that came."""
    heard: list[dict[str, Any]] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.append(json.loads(body))
            self.send_response(200)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/hook", heard
        finally:
            server.shutdown()
            thread.join()
