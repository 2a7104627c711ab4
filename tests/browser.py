"""A real browser for tests: headless Chromium (Debian: `chromium`), driven by its DevTools socket.

async with open_browser() as browser:
    page = await browser.open("http://127.0.0.1:8000/player?...")
    await page.wait_for("document.querySelector('video').currentTime > 1")
"""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import os
import signal
import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import attrs
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError

__all__ = ["Browser", "Page", "Request", "open_browser"]

PATIENCE = 45.0  # seconds until something that should happen counts as not happening
POLL = 0.05  # seconds

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-dev-shm-usage",
    "--disable-sync",
    "--lang=en-US",
    "--mute-audio",
    "--no-first-run",
    "--remote-debugging-port=0",
    "--window-size=1280,900",
)

Event = Callable[[str, dict[str, Any]], None]


@attrs.define(kw_only=True)
class Request:
    """What the page asked the network for."""

    url: str
    method: str
    kind: str  #: as DevTools names it: Document, Script, XHR, Media, ...
    status: int | None = None  #: `None` while there is no answer


class _Wire:
    """The DevTools socket: commands out, answers and events in."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.listeners: dict[str, Event] = {}  #: by session id
        self._reader = asyncio.create_task(self._read(), name="devtools")

    async def send(self, method: str, session: str | None = None, **params: Any) -> dict[str, Any]:
        number = next(self._ids)
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = answer
        message = {"id": number, "method": method, "params": params}
        if session is not None:
            message["sessionId"] = session
        await self._socket.send(json.dumps(message))
        async with asyncio.timeout(PATIENCE):
            return await answer

    async def aclose(self) -> None:
        await self._socket.close()
        await self._reader

    async def _read(self) -> None:
        try:
            async for text in self._socket:
                self._take(json.loads(text))
        except ConnectionClosedError:
            pass  # a browser that ends does not say goodbye; who still waits is told below
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ConnectionError("the browser has gone"))

    def _take(self, message: dict[str, Any]) -> None:
        if "id" not in message:
            listener = self.listeners.get(message.get("sessionId", ""))
            if listener is not None:
                listener(message["method"], message["params"])
            return
        answer = self._waiting.pop(message["id"])
        if answer.cancelled():
            return
        if "error" in message:
            answer.set_exception(RuntimeError(f"DevTools: {message['error']}"))
        else:
            answer.set_result(message["result"])


class Page:
    """An open page, in a profile of its own."""

    def __init__(self, wire: _Wire, session: str) -> None:
        self._wire = wire
        self._session = session
        self._by_id: dict[str, Request] = {}
        self._parsed: dict[str, asyncio.Event] = {}  # by loader id
        self.requests: list[Request] = []  #: oldest first; blob: and data: are not the network
        self.complaints: list[str] = []  #: console errors, exceptions, refusals by policy
        wire.listeners[session] = self._note

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Run a DevTools command of this page, and return its answer."""
        return await self._wire.send(method, self._session, **params)

    async def navigate(self, url: str) -> None:
        """Go to `url`; its document is parsed, and its deferred scripts have run, on return."""
        answer = await self.send("Page.navigate", url=url)
        if "errorText" in answer:
            raise AssertionError(f"{url}: {answer['errorText']}")
        async with asyncio.timeout(PATIENCE):
            await self._parsed.setdefault(answer["loaderId"], asyncio.Event()).wait()

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression; a promise is awaited."""
        answer = await self.send(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True
        )
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def wait_for(self, condition: str) -> Any:
        """Return the value of a JavaScript expression as soon as it is true."""
        try:
            async with asyncio.timeout(PATIENCE):
                # The condition lives in the page, which can't set an event of ours.
                while not (value := await self.evaluate(condition)):  # noqa: ASYNC110
                    await asyncio.sleep(POLL)
        except TimeoutError:
            text = await self.evaluate("document.body?.innerText")
            raise AssertionError(
                f"never true: {condition}\npage: {text}\n"
                f"complaints: {self.complaints}\nrequests: {self.requests[-10:]}"
            ) from None
        return value

    async def resize(self, width: int, height: int) -> None:
        """Give the page a window of this size, in pixels."""
        await self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )

    async def screenshot(self, path: Path) -> None:
        """Write what is seen into a PNG file."""
        answer = await self.send("Page.captureScreenshot", format="png")
        path.write_bytes(base64.b64decode(answer["data"]))  # noqa: ASYNC240 - a test may block

    def _note(self, method: str, params: dict[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                asked = params["request"]
                if asked["url"].startswith(("blob:", "data:")):
                    return
                request = Request(
                    url=asked["url"], method=asked["method"], kind=params.get("type", "Other")
                )
                self._by_id[params["requestId"]] = request
                self.requests.append(request)
            case "Network.responseReceived" if params["requestId"] in self._by_id:
                self._by_id[params["requestId"]].status = params["response"]["status"]
            case "Network.webSocketCreated":
                self.requests.append(Request(url=params["url"], method="GET", kind="WebSocket"))
            case "Page.lifecycleEvent" if params["name"] == "DOMContentLoaded":
                self._parsed.setdefault(params["loaderId"], asyncio.Event()).set()
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "assert"}:
                self.complaints.append(str(params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] == "error":
                entry = params["entry"]
                self.complaints.append(f"{entry['text']} {entry.get('url', '')}")
            case _:
                return


class Browser:
    """A running Chromium, with an empty profile."""

    def __init__(self, wire: _Wire) -> None:
        self._wire = wire
        self._contexts: list[str] = []

    async def open(self, url: str, *, before: str | None = None) -> Page:
        """Open `url` in a profile of its own and return the page, its document parsed.

        Args:
            url: What to open.
            before: JavaScript to run before any of the page's own.
        """
        context = (await self._wire.send("Target.createBrowserContext"))["browserContextId"]
        self._contexts.append(context)
        target = await self._wire.send(
            "Target.createTarget", url="about:blank", browserContextId=context
        )
        attached = await self._wire.send(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        page = Page(self._wire, attached["sessionId"])
        for domain in ("Log", "Network", "Page", "Runtime"):
            await page.send(f"{domain}.enable")
        await page.send("Page.setLifecycleEventsEnabled", enabled=True)
        if before is not None:
            await page.send("Page.addScriptToEvaluateOnNewDocument", source=before)
        await page.navigate(url)
        return page

    async def close_pages(self) -> None:
        """Close every page, so that no video of one test plays on during the next."""
        while self._contexts:
            context = self._contexts.pop()
            await self._wire.send("Target.disposeBrowserContext", browserContextId=context)


@asynccontextmanager
async def open_browser() -> AsyncGenerator[Browser]:
    """Run a Chromium for the length of the block.

    Its time zone is UTC and its language English. No task group is held across the block, so
    that a fixture may enter and leave it in different tasks.
    """
    with tempfile.TemporaryDirectory(prefix="browser-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        with (home / "stderr").open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                "chromium",
                *FLAGS,
                f"--user-data-dir={home / 'profile'}",
                "about:blank",
                stdin=asyncio.subprocess.DEVNULL,
                stdout=stderr,
                stderr=stderr,
                env={**os.environ, "HOME": folder, "LANGUAGE": "en", "TZ": "UTC"},
                start_new_session=True,
            )
        try:
            address = await _address(process, home)
            wire = _Wire(await connect(address, max_size=None, compression=None, proxy=None))
            try:
                yield Browser(wire)
                await wire.send("Browser.close")
                async with asyncio.timeout(PATIENCE):
                    await process.wait()
            finally:
                await wire.aclose()
        finally:
            # Its helpers outlive it for a moment, and all of them if the block failed.
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


async def _address(process: asyncio.subprocess.Process, home: Path) -> str:
    """Return the address of the DevTools socket, once the browser listens."""
    note = home / "profile" / "DevToolsActivePort"
    async with asyncio.timeout(PATIENCE):
        while process.returncode is None:
            lines = note.read_text().splitlines() if note.exists() else []
            if len(lines) > 1:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            await asyncio.sleep(POLL)
    said = (home / "stderr").read_text(errors="replace")
    raise RuntimeError(f"chromium ended with {process.returncode}:\n{said[-2000:]}")
