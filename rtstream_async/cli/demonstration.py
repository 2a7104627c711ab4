"""The demo: a clip published over RTMP, watched, searched, exported, all through the SDK."""

from __future__ import annotations

import socket
import time
import urllib.request
from contextlib import AsyncExitStack
from typing import Any

import anyio
import anyio.to_thread
import attrs

import rtstream_async as rts
from rtstream_async.cli.events import Happening, Note
from rtstream_async.cli.failure import CommandError
from rtstream_async.cli.logs import quiet_local_server
from rtstream_async.cli.outcome import Hit, Outcome, played_seconds
from rtstream_async.cli.render.panels import Steps, steps_header
from rtstream_async.cli.reports import Report
from rtstream_async.cli.tally import Tally
from rtstream_async.local import LocalServer
from rtstream_async.local.assets import PARTS, clip_path
from rtstream_async.local.media.publishing import publishing

__all__ = ["Demonstration"]

_WINDOW = 4  # seconds
_FRAMES = 3
_LENGTH = PARTS[-1].end
_SAID = " ".join(part.says for part in PARTS)
_EVENTS = {
    "person_seen": "A person is in the picture",
    "test_failed": 'The text "FAILED" is on the screen',
}
_LOOK_FOR = "a cat"
_LISTEN_FOR = "what is wrong with the payments?"
_DRAW_EVERY = 0.25  # seconds
_LATE = 3.0  # seconds for which messages may still be on their way when all has stopped...
_LATEST = 30.0  # ...and those of scenes that are stored already
_PATIENCE = 120.0  # seconds; the first index waits until the models are loaded
_PAGE = 5  # few enough that the demo's scenes are more than one page


@attrs.define(eq=False)
class Demonstration:
    """Runs the demo and tells each step; the server stays up until `stack` is left."""

    report: Report
    stack: AsyncExitStack
    _tally: Tally = attrs.field(factory=Tally, init=False)
    _steps: Steps = attrs.field(factory=Steps, init=False)
    _begun: float = attrs.field(factory=time.monotonic, init=False)
    _published: float | None = attrs.field(default=None, init=False)

    async def run(self) -> Outcome:
        """Return what was seen, when all of it is done.

        Raises:
            CommandError: Nothing was seen.
        """
        outcome: Outcome | None = None
        async with anyio.create_task_group() as group:
            group.start_soon(self._redraw)
            outcome = await self._run()
            group.cancel_scope.cancel()
        if outcome is None:
            raise CommandError("the demo was cut short")
        return outcome

    async def _run(self) -> Outcome:
        conn = await self._open()
        coll = await conn.get_collection()
        address = f"rtmp://127.0.0.1:{_free_port()}/live/demo"
        self._begin(f"opening a listener at {address}")
        stream = await coll.connect_rtstream(
            url=f"{address}?listen=1",
            name="Demo",
            media_types=["video", "audio"],
            store=True,
            enable_transcript=False,
        )
        self._begin("loading the models", done=f"listening at {address}")
        index = await self._arm(conn, stream)
        await self._watch(stream, index, address)
        return await self._look_back(coll, stream, index)

    async def _open(self) -> rts.Connection:
        self._begin("starting a local server")
        quiet_local_server()
        server = await self.stack.enter_async_context(LocalServer())
        # No proxy stands between a process and itself, whatever the environment says.
        connection = rts.connect(
            api_key=server.api_key, base_url=server.url, proxy=False, timeout=_PATIENCE
        )
        self._begin("connecting", done=f"local server at {server.url}")
        return await self.stack.enter_async_context(connection)

    async def _arm(self, conn: rts.Connection, stream: rts.RTStream) -> rts.RTStreamSceneIndex:
        """Start all that works on the stream; return its visual index."""
        index = await stream.index_visuals(
            prompt="Describe what is seen.",
            batch_config={"type": "time", "value": _WINDOW, "frame_count": _FRAMES},
            name="Demo",
        )
        await stream.start_transcript()
        await stream.index_audio(
            prompt="Summarise what is said.", batch_config={"type": "sentence", "value": 2}
        )
        for label, prompt in _EVENTS.items():
            await index.create_alert(await conn.create_event(event_prompt=prompt, label=label))
        return index

    async def _watch(
        self, stream: rts.RTStream, index: rts.RTStreamSceneIndex, address: str
    ) -> None:
        """Publish the clip and tell what is seen and said in it, until its end."""
        channels = ("scene_index", "transcript", "audio_index", "alert")
        async with (
            stream.events(*channels, control=True, where=_is_news) as happenings,
            anyio.create_task_group() as group,
        ):
            group.start_soon(self._tell_all, happenings)
            self._begin("starting an encoder", done="models for pictures and speech loaded")
            async with publishing(clip_path(), address, encode=True) as publication:
                self._published = time.monotonic()
                self._begin(
                    f"watching, a scene every {_WINDOW} s",
                    done=f"a clip of {_LENGTH:g} s is encoded and published over RTMP",
                )
                await publication.wait()
            self._begin("describing what came last", done="the clip was played")
            await stream.stop()
            await self._settle(happenings, index)
            group.cancel_scope.cancel()

    async def _tell_all(self, happenings: rts.Subscription[Any]) -> None:
        async for value in happenings:
            self._tell(value)

    async def _settle(
        self, happenings: rts.Subscription[Any], index: rts.RTStreamSceneIndex
    ) -> None:
        """Wait for what is on its way; most was pushed by the time the stream had stopped."""
        stored = [scene async for scene in index.get_scenes()]
        with anyio.move_on_after(_LATEST):
            while self._tally.messages["scene_index"] < len(stored):  # noqa: ASYNC110 - told by nobody
                await anyio.sleep(_LATE / 30)
        with anyio.move_on_after(_LATE):
            before = -1
            while before != happenings.stats.received:
                before = happenings.stats.received
                await anyio.sleep(_LATE / 6)

    async def _look_back(
        self, coll: rts.Collection, stream: rts.RTStream, index: rts.RTStreamSceneIndex
    ) -> Outcome:
        """Page what was stored, search it, and ask for the recording."""
        self._begin("paging the records over REST", done="all messages are here")
        scenes: list[rts.Scene] = []
        async for scene in index.get_scenes(page_size=_PAGE):
            self._tally.add_scene(scene)
            scenes.append(scene)
        if not scenes or not self._tally.total:
            raise CommandError("nothing was seen: no scene was described and delivered")
        segments = [segment async for segment in stream.get_transcript(page_size=_PAGE)]
        await stream.refresh()
        first, last = float(stream.raw["recorded_from"]), float(stream.raw["recorded_to"])
        told = f"{len(scenes)} scenes and {len(segments)} pieces of speech paged"
        self._begin("searching", done=told)
        seen = await self._search_stream(stream)
        self._begin("asking for the recording", done=f"searched for {_LOOK_FOR!r}")
        stream_url = await stream.generate_stream(start=first, end=last)
        manifest = await anyio.to_thread.run_sync(_fetch, stream_url)
        exported, heard = await self._export(coll, stream)
        return Outcome(
            tally=self._tally,
            scenes=scenes,
            segments=segments,
            said=_SAID,
            seen=seen,
            heard=heard,
            exported=exported,
            rtstream_id=stream.id,
            stream_url=stream_url,
            player_url=stream.player_url or "",
            recorded=float(stream.raw["recorded_seconds"]),
            asked=last - first,
            played=played_seconds(manifest),
        )

    async def _search_stream(self, stream: rts.RTStream) -> Hit | None:
        results = await stream.search(_LOOK_FOR, result_threshold=1)
        for shot in results.shots:
            return Hit(query=_LOOK_FOR, text=shot.text, url=await shot.generate_stream())
        return None

    async def _export(
        self, coll: rts.Collection, stream: rts.RTStream
    ) -> tuple[rts.RTStreamExportResult, Hit | None]:
        """Make a video of the recording, and search what is said in it."""
        self._begin("exporting a video", done="the recording plays")
        exported = await stream.export(name="Demo")
        self._begin("writing down what is said in it", done=f"exported {exported.video_id}")
        video = await coll.get_video(exported.video_id)
        await video.index_spoken_words(force=True)
        self._begin("searching the video", done="its words can be searched")
        try:
            results = await video.search(_LISTEN_FOR)
        except rts.SearchError:
            return exported, None
        best = results.shots[0]
        url = await results.compile()
        return exported, Hit(query=_LISTEN_FOR, text=best.text, url=url)

    def _begin(self, doing: str, *, done: str | None = None) -> None:
        """Tell the next step, and that the one before is done."""
        finished = self._steps.done if done is None else (*self._steps.done, done)
        self._steps = attrs.evolve(self._steps, done=finished, doing=doing)
        self._tell(Note(at=time.time(), text=doing))

    def _tell(self, value: Happening) -> None:
        self._tally.add(value)
        self.report.tell(value)
        self._draw()

    async def _redraw(self) -> None:
        while True:
            self._draw()
            await anyio.sleep(_DRAW_EVERY)

    def _draw(self) -> None:
        now = time.monotonic()
        share = None if self._published is None else (now - self._published) / _LENGTH
        steps = attrs.evolve(self._steps, share=share, elapsed=now - self._begun)
        self.report.show(steps_header(steps, self._tally))


def _is_news(value: object) -> bool:
    """What a partial transcript says comes again, final."""
    return not isinstance(value, rts.TranscriptMessage) or value.is_final


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _fetch(url: str) -> str:
    """The manifest, as a player would get it: without the key, and from this machine alone."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=10) as answer:
        text: str = answer.read().decode()
    return text
