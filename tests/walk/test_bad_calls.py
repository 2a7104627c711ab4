"""Wrong calls to sound, events, search and export: one typed error, and all else runs."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager

import attrs
import pytest
import pytest_asyncio

import rtstream_async as rts
from rtstream_async.local import LocalServer
from tests.engines.endpoints import drip, failing, flood, hang, hang_up
from tests.local.engines import BeepEngine, PixelEngine
from tests.local.harness import PATIENCE, until
from tests.loopback import serve
from tests.media.clips import Clip, make_clip

BATCH = {"type": "time", "value": 0.5, "frame_count": 1}
HUGE = "x" * 100_000


@attrs.define
class Walk:
    """A connection, and a stream whose index must go on whatever is done to others."""

    conn: rts.Connection
    coll: rts.Collection
    stream: rts.RTStream
    index: rts.RTStreamSceneIndex

    async def connect(self, url="beeps.mp4?loop=1", **options):
        return await self.coll.connect_rtstream(url, "other", **options)

    async def recorded(self, **options):
        """A stream that was recorded to its end."""
        stream = await self.connect("beeps.mp4", store=True, **options)

        async def is_stopped():
            await stream.refresh()
            return stream.status == "stopped"

        await until(is_stopped)
        return stream


@pytest_asyncio.fixture
async def walk(root):
    chirps = (0.3, 0.5, 0.7, 1.5)
    make_clip(root / "beeps.mp4", Clip(seconds=2.5, gop=0.5, chirps=chirps))
    make_clip(root / "mute.mp4", Clip(seconds=2.5, gop=0.5, audio=None))
    async with (
        LocalServer(media_root=root, vision=PixelEngine, speech=BeepEngine) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(
            "beeps.mp4?loop=1", "neighbour", media_types=["video", "audio"], store=True
        )
        index = await stream.index_visuals(batch_config=BATCH)
        made = Walk(conn, coll, stream, index)
        yield made
        async with goes_on(made):
            pass


@asynccontextmanager
async def goes_on(walk):
    """Whatever happens in the block, the neighbour's index makes records afterwards."""
    yield
    before = [scene.start async for scene in walk.index.get_scenes(page_size=1)][:1]

    async def is_further():
        (newest,) = (await walk.index.get_scenes(page=1, page_size=1)).items[:1] or [None]
        return newest is not None and [newest.start] > before

    await until(is_further)


async def check(calls):
    """Each call is refused with an error of ours that names what is wrong."""
    untold = []
    for call, told in calls:
        try:
            got = await call
        except rts.RTStreamError as exc:
            if told not in str(exc):
                untold.append(f"{told!r} is not in {str(exc)[:200]!r}")
            if len(str(exc)) > 1000:
                untold.append(f"{len(str(exc))} characters of error for {told!r}")
        except (TypeError, ValueError) as exc:
            untold.append(f"{type(exc).__name__} for {told!r}: {exc}")
        else:
            untold.append(f"{told!r} was accepted: {got!r}")
    assert not untold, "\n".join(untold)


async def test_wrong_arguments_are_named(walk):
    """A mistake in a call must be seen where it is made, not as an index that says nothing."""
    stream, index, conn = walk.stream, walk.index, walk.conn
    event = await conn.create_event(event_prompt="a person", label="someone")

    def hear(**config):
        return stream.index_audio(batch_config=config)

    await check(
        [
            (hear(type="shot", value=1), "type"),
            (hear(type="word", value=0), "value"),
            (hear(type="word", value=1.5), "value"),
            (hear(type="sentence", value=-1), "value"),
            (hear(type="time", value="x"), "value"),
            (hear(type="time", value=float("nan")), "value"),
            (hear(type="time", value=float("inf")), "value"),
            (hear(type="time", value=10**9), "value"),
            (hear(type="word"), "value"),
            (hear(value=5), "type"),
            (hear(type="word", value=5, frame_count=1), "frame_count"),
            (conn.create_event(event_prompt="", label="x"), "event_prompt"),
            (conn.create_event(event_prompt=HUGE, label="x"), "event_prompt"),
            (conn.create_event(event_prompt="a cat", label=""), "label"),
            (conn.create_event(event_prompt="a cat", label=HUGE), "label"),
            (index.create_alert("nothing"), "event"),
            (index.create_alert(""), "event_id"),
            (index.create_alert(event, callback_url="ftp://x/y"), "callback_url"),
            (index.create_alert(event, callback_url="nonsense"), "callback_url"),
            (index.create_alert(event, callback_url="http://" + HUGE), "callback_url"),
            (index.enable_alert("nothing"), "alert"),
            (index.disable_alert("nothing"), "alert"),
            (stream.search(""), "query"),
            (stream.search("  \n"), "query"),
            (stream.search(HUGE), "query"),
            (stream.search("x", index_id="nothing"), "index"),
            (stream.search("x", result_threshold=0), "result_threshold"),
            (stream.search("x", result_threshold=10**6), "result_threshold"),
            (stream.search("x", score_threshold=float("nan")), "score_threshold"),
            (stream.search("x", filter="person"), "filter"),
            (stream.search("x", filter=[1]), "filter"),
            (stream.search("x", filter=[{}]), "filter"),
            (walk.coll.get_video("m-nothing"), "m-nothing"),
            (walk.coll.delete_video("m-nothing"), "m-nothing"),
            (stream.export(), "stop"),
        ]
    )


@pytest.mark.parametrize(
    "text", ["日本語 ünïcödé 🦊", "'; DROP TABLE scenes; --", '"a" OR NEAR(b)']
)
async def test_odd_words_are_words(walk, text):
    """People write in their own words, and paste what they find."""
    event = await walk.conn.create_event(event_prompt=text, label=text)
    assert text in {event.label for event in await walk.conn.list_events()}
    await walk.index.create_alert(event)
    (alert,) = await walk.index.list_alerts()
    assert alert.label == text
    await walk.stream.search(text)
    await walk.coll.search(text, namespace="rtstream")
    index = await walk.stream.index_audio(prompt=text, batch_config={"type": "word", "value": 1})
    assert index.prompt == text
    await walk.stream.update(name=text)
    assert walk.stream.name == text


async def test_sound_is_not_asked_of_what_has_none(walk):
    """A transcript of nothing that says `running` is waited for until the meeting is over."""
    silent = await walk.connect(media_types=["video"])
    mute = await walk.connect("mute.mp4?loop=1", media_types=["video", "audio"])
    for stream, told in ((silent, "without 'audio'"), (mute, "no sound")):
        await check(
            [
                (stream.start_transcript(), told),
                (stream.index_audio(batch_config={"type": "word", "value": 1}), told),
            ]
        )
    film = await walk.connect("mute.mp4", store=True)

    async def is_stopped():
        await film.refresh()
        return film.status == "stopped"

    await until(is_stopped)
    made = await film.export()
    video = await walk.coll.get_video(made.video_id)
    await check([(video.index_spoken_words(), "sound"), (video.search("hello"), "spoken")])


async def test_a_transcript_is_started_and_stopped_as_often_as_one_likes(walk):
    """Two buttons, two tabs: the second press does what the first did."""
    stream = await walk.connect(media_types=["video", "audio"])
    for _ in range(2):
        await stream.stop_transcript()
    for ws_id in (None, "ws-nobody", None):
        await stream.start_transcript(ws_id)
    for _ in range(2):
        await stream.stop_transcript()
    assert (await stream.get_transcript_status()).status == "stopped"


async def test_an_export_of_nothing_is_refused(walk):
    """An empty video would be taken for a recording."""
    unstored = await walk.connect("beeps.mp4")
    await unstored.stop()
    await check([(unstored.export(), "store")])
    stream = await walk.recorded()
    made, again = await stream.export(), await stream.export()
    assert made.video_id == again.video_id
    video = await walk.coll.get_video(made.video_id)
    await check(
        [
            (video.generate_stream(timeline=[(5, 1)]), "timeline"),
            (video.generate_stream(timeline=[(100, 200)]), "timeline"),
            (video.generate_stream(timeline=[(-1, 1)]), "timeline"),
            (video.generate_stream(timeline=[(float("nan"), 1)]), "timeline"),
        ]
    )


async def test_webhooks_that_misbehave_keep_nobody_waiting(walk):
    """Somebody else's service is down, as it always is; the others must be told in time."""
    event = await walk.conn.create_event(event_prompt="0 1 2 3 4 5 6 7 8 9", label="any")
    handlers = [hang, drip, flood, hang_up, failing(500), failing(301, location="http://127.0.0.1")]
    async with contextlib.AsyncExitStack() as stack:
        for handler in handlers:
            server = await stack.enter_async_context(serve(handler))
            await walk.index.create_alert(event, callback_url=f"{server.url}/hook")
        async with goes_on(walk):
            assert len(await walk.index.list_alerts()) == len(handlers)


async def test_what_is_deleted_at_work_is_gone_and_quiet(walk):
    """Who tidies up does not ask first what is running."""
    stream = await walk.recorded(media_types=["video", "audio"])
    made = await stream.export()
    video = await walk.coll.get_video(made.video_id)
    hearing = asyncio.create_task(video.index_spoken_words())
    await asyncio.sleep(0)
    await video.delete()
    with contextlib.suppress(rts.RTStreamError):
        await hearing
    await check([(walk.coll.get_video(made.video_id), made.video_id)])
    other = await walk.recorded()
    exporting = asyncio.create_task(other.export())
    await asyncio.sleep(0)
    with contextlib.suppress(rts.RTStreamError):
        await exporting
    async with asyncio.timeout(PATIENCE):
        again = await other.export()
    assert (await walk.coll.get_video(again.video_id)).id == again.video_id


async def test_calls_that_are_cancelled_leave_the_connection_whole(walk):
    """A page that is closed while it loads must not hurt those that are open."""
    stream = await walk.recorded(media_types=["video", "audio"])
    event = await walk.conn.create_event(event_prompt="a person", label="someone")

    async def read():
        return [segment async for segment in stream.get_transcript()]

    calls = [
        stream.export,
        read,
        lambda: stream.search("x"),
        lambda: walk.index.create_alert(event),
        walk.stream.start_transcript,
        lambda: walk.conn.create_event(event_prompt="a cat", label="cat"),
    ]
    before = asyncio.all_tasks()
    for call in calls:
        for moments in (0, 1, 2, 3, 5, 8, 13, 21, 34, 55):
            task = asyncio.ensure_future(call())
            for _ in range(moments):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
    made = await stream.export()
    video = await walk.coll.get_video(made.video_id)
    for moments in (0, 3, 13, 55):
        task = asyncio.create_task(video.index_spoken_words(force=True))
        for _ in range(moments):
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await until(lambda: heard(video))
    await until(lambda: leaked(before), lambda tasks: not tasks)


async def heard(video):
    """Whether the words of a video can be had; what was cancelled here goes on in the server."""
    try:
        await video.index_spoken_words(force=True)
    except rts.ValidationError as exc:
        assert "is being made" in str(exc)  # noqa: PT017 - all else is a failure
        return False
    return True


async def leaked(before):
    """The client's tasks that were not there before."""
    names = {task.get_name() for task in asyncio.all_tasks() - before if not task.done()}
    return {name for name in names if name.startswith("rtstream-client")}
