"""Exported videos: the client and the local server, one against the other, on real media."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence

import attrs
import httpx
import pytest
import pytest_asyncio

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.engines.ports import EngineError, Sound, Utterance
from tests.local.harness import PATIENCE
from tests.local.recordings import play
from tests.media.clips import Clip, make_clip

pytestmark = pytest.mark.asyncio(loop_scope="module")

SAID = ((0.5, 1.5, "The action items are clear."), (2.0, 3.0, "We ship the boat on Monday."))
ALL_SAID = " ".join(text for _, _, text in SAID)


@attrs.define(eq=False)
class Prompter:
    """A speech engine that hears the same two sentences in whatever it is given."""

    name: str = "prompter"
    language: str | None = "en"
    illness: str | None = None  #: why it can't hear
    gate: asyncio.Event = attrs.field(factory=asyncio.Event)  #: set: it works
    _begins: dict[str, float] = attrs.field(factory=dict[str, float])

    def __attrs_post_init__(self) -> None:
        self.gate.set()

    async def warm_up(self) -> None:
        """Have nothing to load."""

    async def hear(self, sound: Sound, *, key: str) -> Sequence[Utterance]:
        await self.gate.wait()
        if self.illness is not None:
            raise EngineError(self.illness)
        self._begins.setdefault(key, sound.time)
        return ()

    async def finish(self, *, key: str) -> Sequence[Utterance]:
        begin = self._begins.pop(key, None)
        if begin is None:
            return ()
        return tuple(
            Utterance(
                start=begin + start, end=begin + end, text=text, is_final=True, engine=self.name
            )
            for start, end, text in SAID
        )

    async def aclose(self) -> None:
        """Have nothing to free."""


@attrs.frozen
class Studio:
    """A server, a connection to it, the engine that it listens with, and what was recorded."""

    server: LocalServer
    conn: rts.Connection
    coll: rts.Collection
    ears: Prompter
    assets: dict[str, str] = attrs.field(factory=dict[str, str])

    async def record(self, clip: str, kinds: Sequence[str] = ("video",)) -> str:
        """Record a clip to its end, export it, and return the id of what it became."""
        stream = await self.coll.connect_rtstream(
            f"{clip}.mp4", "Standup", kinds, store=True, enable_transcript=False
        )
        async with asyncio.timeout(PATIENCE):
            while stream.status != "stopped":
                await asyncio.sleep(0.05)
                await stream.refresh()
        self.assets[clip] = (await stream.export("Weekly Standup")).video_id
        return self.assets[clip]

    async def video(self, clip: str) -> rts.Video:
        """Return the video that a clip became."""
        return await self.coll.get_video(self.assets[clip])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def studio(tmp_path_factory) -> AsyncIterator[Studio]:
    """One for all: a recording takes as long as what is recorded."""
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "talk.mp4", Clip(seconds=4, gop=1))
    make_clip(folder / "silent.mp4", Clip(seconds=1, gop=1, audio=None))
    make_clip(folder / "room.mp4", Clip(seconds=1, gop=1, audio=None))
    make_clip(folder / "radio.mp4", Clip(seconds=4, video=None))
    ears = Prompter()
    async with (
        LocalServer(media_root=folder, speech=lambda: ears) as server,
        rts.connect(server.api_key, base_url=server.url) as conn,
    ):
        made = Studio(server, conn, await conn.get_collection(), ears)
        async with asyncio.TaskGroup() as group:
            for clip in ("talk", "silent", "room"):
                group.create_task(made.record(clip))
            group.create_task(made.record("radio", ["audio"]))
        yield made


async def test_a_video_is_indexed_searched_cut_and_played(studio):
    """Reference, steps 4 and 5, and what becomes of it."""
    video = await studio.video("talk")
    assert (video.name, video.collection_id) == ("Weekly Standup", studio.coll.id)
    assert abs(video.length - 4) < 0.1
    await video.index_spoken_words(force=True)
    with pytest.raises(rts.ValidationError, match="already exists"):
        await video.index_spoken_words()

    found = await video.search("action items", result_threshold=1)
    (shot,) = found
    assert (shot.video_id, shot.video_title) == (video.id, "Weekly Standup")
    assert shot.text == "The action items are clear."
    assert (shot.start, shot.end) == pytest.approx((0.5, 1.5), abs=0.05)
    assert shot.collection_id == studio.coll.id
    # A manifest has whole segments, and these have two seconds.
    clip = await play(await found.compile())
    assert clip.frames == [*range(50)]
    assert (await play(await shot.generate_stream())).frames == clip.frames
    by_word = await video.search("Monday", "keyword")
    assert by_word[0].text == "We ship the boat on Monday."

    whole = await play(await video.generate_stream())
    assert whole.frames == [*range(100)]
    parts = await play(await video.generate_stream([(3.1, 3.4), (0.0, 0.4)]))
    assert parts.frames == [*range(50, 100), *range(50)]
    assert video.player_url is not None
    async with httpx.AsyncClient() as http:
        assert (await http.get(video.player_url)).status_code == 200


async def test_nothing_found_ends_as_in_the_reference(studio):
    """`except InvalidRequestError` with "No results found" in its text."""
    video = await studio.video("talk")
    await video.index_spoken_words(force=True)
    with pytest.raises(rts.InvalidRequestError, match="No results found") as caught:
        await video.search("zebra", "keyword")
    assert isinstance(caught.value, rts.NoResultsError)


async def test_the_newer_searches_find_what_is_said_and_compile_it(studio):
    """Rows 204, 205 and 67, 68: there, the answers are written by hand; these are a server's."""
    video = await studio.video("talk")
    await video.index_spoken_words(force=True)
    said = "The action items are clear."
    for door in (video, studio.coll):
        answer = await door.search_v2(said, top_k=1, include_clip=True, session_id="s-1")
        meant = await door.semantic_search(said, top_k=1)
        assert (answer.response_type, answer.session_id) == ("shots", "s-1")
        assert answer.get_shot_results().shots == answer.get_shots()
        for (shot,) in (answer, meant):
            assert (shot.text, shot.video_id, shot.video_title) == (said, video.id, video.name)
            assert (shot.start, shot.end) == pytest.approx((0.5, 1.5), abs=0.05)
            assert shot.collection_id == studio.coll.id
            assert abs(shot.video_length - 4) < 0.1
        clip = await play(await answer.compile())
        assert clip.frames == [*range(50)]  # whole segments, of two seconds
        assert (await play(await meant[0].generate_stream())).frames == clip.frames
        assert "<iframe" in await answer.get_embed_code()
    named = await video.semantic_search(said, "spoken_words", index_ids=["spoken_words"])
    assert named[0].text == said


async def test_the_newer_searches_tell_of_what_they_can_not_do(studio):
    """Finding nothing is no error there; what an option does not do is said, not guessed."""
    video = await studio.video("talk")
    await video.index_spoken_words(force=True)
    for door in (video, studio.coll):
        nothing = await door.search_v2("zebra", score_threshold=0.99)
        assert (len(nothing), nothing.shots) == (0, [])
        assert len(await door.semantic_search("zebra", score_threshold=0.99)) == 0
        with pytest.raises(rts.SearchError):
            await nothing.compile()
        with pytest.raises(rts.NotFoundError):
            await door.semantic_search("boat", index_names="faces")
        with pytest.raises(rts.ValidationError, match="filter"):
            await door.semantic_search("boat", filter=[{"speaker": "ann"}])
        with pytest.raises(rts.ValidationError, match="filter"):
            await door.search_v2("boat", filter=[{"speaker": "ann"}])
    odd = await video.search_v2("boat", mode="deep", config={"x": 1}, return_fields=["text"])
    assert len(odd.warnings) >= 2
    mute = await studio.video("silent")
    unheard = await mute.search_v2("action items")
    assert (len(unheard), "index_spoken_words" in str(unheard.warnings)) == (0, True)
    assert "index_spoken_words" in str((await mute.semantic_search("action items")).warnings)


async def test_what_is_said_is_read_in_words_sentences_and_stretches(studio):
    """Seconds from the video's start, as the official SDK has them."""
    video = await studio.video("talk")
    assert await video.generate_transcript(force=True) == ALL_SAID
    sentences = await video.get_transcript(segmenter="sentence")
    assert [piece.text for piece in sentences] == [text for _, _, text in SAID]
    assert [piece.start for piece in sentences] == pytest.approx([0.5, 2.0], abs=0.05)
    words = await video.get_transcript()
    assert [piece.text for piece in words][:3] == ["The", "action", "items"]
    assert all(0.4 < piece.start <= piece.end < 3.1 for piece in words)
    later = await video.get_transcript(start=1.8, segmenter="sentence")
    assert [piece.text for piece in later] == ["We ship the boat on Monday."]
    assert await video.get_transcript_text(end=1.8) == "The action items are clear."
    stretches = await video.get_transcript(segmenter="time", length=2)
    assert len(stretches) == 2
    assert (video.transcript, video.transcript_text) == (stretches, ALL_SAID)


async def test_a_long_index_tells_how_far_it_is(studio):
    """A server that takes longer than a request answers later; its user sees it come."""
    video = await studio.video("talk")
    told: list[rts.JobProgress] = []
    studio.ears.gate.clear()
    settings = studio.server._up._settings
    usual = settings.job_patience
    object.__setattr__(settings, "job_patience", 0.5)  # seconds, of which each would be waited for

    def tell(progress: rts.JobProgress) -> None:
        told.append(progress)
        studio.ears.gate.set()

    await video.index_spoken_words(force=True, progress=tell)
    object.__setattr__(settings, "job_patience", usual)
    assert told
    assert all(item.status == "processing" for item in told)
    assert all(item.fraction is not None and 0 <= item.fraction <= 1 for item in told)
    assert await video.search("boat", "keyword")


async def test_what_is_called_back_can_be_asked_for_as_well(studio):
    """Who has but the id of a job, by a log or from another program, must find its result."""
    video = await studio.video("talk")
    studio.ears.gate.clear()
    http = studio.conn._http
    async with httpx.AsyncClient(base_url=http.base_url) as client:
        started = await client.post(
            f"/video/{video.id}/index",
            headers={"x-access-token": http.key},
            json={"callback_url": "http://127.0.0.1:9/nobody", "force": True},
        )
    job = started.json()["data"]["id"]
    begun = await studio.conn.get_async_response(job)
    assert (begun.status, begun.is_running, begun.is_failed) == ("processing", True, False)
    assert (await studio.conn.get_job_status(job)).is_running
    studio.ears.gate.set()
    status = await studio.conn.get_job_status(job)
    async with asyncio.timeout(PATIENCE):
        while status.is_running:
            await asyncio.sleep(0.05)
            status = await studio.conn.get_job_status(job)
    assert (status.status, status.fraction, status.data["video_id"]) == ("done", 1.0, video.id)
    done = await studio.conn.get_async_response(job)
    assert (done.is_running, done["video_id"]) == (False, video.id)
    for look in (studio.conn.get_async_response, studio.conn.get_job_status):
        with pytest.raises(rts.NotFoundError):
            await look("job-nobody")
        with pytest.raises(rts.InvalidArgumentError):
            await look("")


async def test_what_can_not_be_heard_is_an_error_and_not_silence(studio):
    """No sound, and an engine that fails, are two things; neither stops anything else."""
    mute = await studio.video("silent")
    with pytest.raises(rts.ValidationError, match="index_spoken_words"):
        await mute.search("action items")
    with pytest.raises(rts.ValidationError, match="no sound"):
        await mute.index_spoken_words()
    video = await studio.video("talk")
    studio.ears.illness = "out of memory"
    with pytest.raises(rts.APIError, match="out of memory"):
        await video.index_spoken_words(force=True)
    studio.ears.illness = None
    await video.index_spoken_words(force=True)
    with pytest.raises(rts.ValidationError, match="language"):
        await video.index_spoken_words("hi", force=True)


async def test_videos_are_listed_renamed_and_deleted(studio):
    """And what is deleted is gone."""
    video = await studio.video("room")
    assert video.id in {item.id for item in await studio.coll.get_videos()}
    assert studio.assets["radio"] not in {item.id for item in await studio.coll.get_videos()}
    await video.update("Empty room")
    assert (await studio.video("room")).name == video.name == "Empty room"
    await video.delete()
    assert video.id not in {item.id for item in await studio.coll.get_videos()}
    with pytest.raises(rts.NotFoundError):
        await studio.video("room")
    with pytest.raises(rts.NotFoundError):
        await studio.coll.delete_video(video.id)


async def test_sound_alone_is_an_audio(studio):
    """A stream without a picture is exported too: to `a-...`, which has no player."""
    id_ = studio.assets["radio"]
    assert id_.startswith("a-")
    audio = await studio.coll.get_audio(id_)
    assert isinstance(audio, rts.Audio)
    assert abs(audio.length - 4) < 0.2
    assert [item.id for item in await studio.coll.get_audios()] == [id_]
    assert await audio.generate_transcript() == ALL_SAID
    async with httpx.AsyncClient() as http:
        answer = await http.get(await audio.generate_url())
    assert answer.status_code == 200
    assert len(answer.content) > 1000
    await audio.delete()
    with pytest.raises(rts.NotFoundError):
        await audio.refresh()
