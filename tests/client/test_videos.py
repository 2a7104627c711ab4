"""Exported videos and sounds, searches in them, and what is played of it, over the whole client."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import rtstream_async as rts
from rtstream_async.api.caller import CallSettings
from rtstream_async.errors import InvalidRequestError
from tests.client.scripted import Service, scripted_service

VIDEO = {
    "id": "m-1",
    "collection_id": "c-1",
    "name": "Standup",
    "description": "weekly",
    "length": "123.45",
    "stream_url": "https://s.test/whole.m3u8",
    "player_url": "https://p.test/watch?v=whole",
    "thumbnail_url": "https://t.test/1.jpg",
    "size": "1048576",
}
PART = {"stream_url": "https://s.test/part.m3u8", "player_url": "https://p.test/watch?v=part"}
DOCS = [
    {"start": 1.25, "end": 1.75, "text": "action", "score": 0.9, "stream_link": "https://s.test/1"},
    {"start": 60, "end": 62.5, "text": "item", "score": 0.5},
]
RESULTS = [
    {"video_id": "m-1", "collection_id": "c-1", "title": "Standup", "length": 5, "docs": DOCS[:1]},
    {"video_id": "m-2", "collection_id": "c-2", "docs": DOCS[1:]},
]
GET, DELETE = "GET /video/m-1", "DELETE /video/m-1"
INDEX, SEARCH = "POST /video/m-1/index", "POST /video/m-1/search"
STREAM, TRANSCRIPT = "POST /video/m-1/stream", "GET /video/m-1/transcription"
COMPILE = "POST /compile"


@pytest.fixture
async def service():
    async with scripted_service() as running:
        running.conn._context.caller._settings = CallSettings(
            poll_first=0.001, poll_interval=0.001, poll_deadline=0.0
        )
        running.says(GET, VIDEO)
        running.says(SEARCH, {"results": RESULTS})
        running.says(STREAM, PART)
        running.says(COMPILE, PART)
        yield running


@pytest.fixture
async def video(service: Service) -> rts.Video:
    return await service.collection().get_video("m-1")


async def test_a_video_is_found_by_the_id_of_an_export(service, video):
    """Reference, step 4: `coll.get_video(export_result.video_id)`."""
    assert service.query(GET) == {"collection_id": "c-1"}
    assert (video.id, video.collection_id, video.name) == ("m-1", "c-1", "Standup")
    assert (video.length, video.description) == (123.45, "weekly")
    assert (video.stream_url, video.player_url) == (VIDEO["stream_url"], VIDEO["player_url"])
    assert video.thumbnail_url == "https://t.test/1.jpg"
    assert (video["length"], video["size"], video.raw) == (123.45, "1048576", VIDEO)
    assert (video.transcript, video.transcript_text) == (None, None)
    assert {"name", "transcript", "transcript_text"} <= set(video.keys())
    assert "m-1" in repr(video)


async def test_videos_are_listed_and_deleted(service, video):
    """A collection fills up."""
    service.says("GET /video", {"videos": [VIDEO, {"id": "m-2"}]})
    service.says(DELETE, {"success": True, "message": "deleted"})
    listed = await service.collection().get_videos()
    assert [(item.id, item.collection_id) for item in listed] == [("m-1", "c-1"), ("m-2", "c-1")]
    await service.collection().delete_video("m-1")
    assert service.query(DELETE) == {"collection_id": "c-1"}
    await video.delete()
    assert len(service.asked(DELETE)) == 2


@pytest.mark.parametrize("method", ["get_video", "delete_video", "get_audio", "delete_audio"])
async def test_an_empty_id_asks_for_nothing(service, method):
    """`GET /video/` would be the list."""
    with pytest.raises(rts.InvalidArgumentError):
        await getattr(service.collection(), method)("")
    assert service.loopback.seen == []


async def test_speech_is_indexed_while_its_user_watches_it_come(service, video):
    """Reference, step 4; half an hour of speech takes longer than most jobs do."""
    url = f"{service.loopback.url}/async-response/job-1"
    service.says(
        INDEX, {"success": True, "status": "queued", "data": {"id": "job-1", "output_url": url}}
    )
    looks = [{"success": True, "status": "processing", "data": {"percentage": n}} for n in (5, 90)]
    service.says("GET /async-response/job-1", *looks, {"success": True, "status": "done"})
    told: list[rts.JobProgress] = []
    # As the fixture has it, a job is waited for 0 s; a video of this length has its own patience.
    long = rts.Video(video._context, rts_record(length=3600.0))
    await long.index_spoken_words(force=True, progress=told.append)
    assert service.body(INDEX)["force"] is True
    assert [(item.status, item.fraction) for item in told] == [
        ("queued", None),
        ("processing", 0.05),
        ("processing", 0.9),
    ]


def rts_record(**fields: Any) -> Any:
    from rtstream_async.models.videos import VideoRecord

    return VideoRecord(id="m-1", **fields)


async def test_patience_ends_when_its_user_says(service, video):
    """A batch job has a night; a web page has not."""
    pending = {"success": True, "status": "processing", "data": {"output_url": "/job"}}
    service.says(INDEX, pending)
    service.says("GET /job", pending, {"success": True, "status": "done"})
    with pytest.raises(rts.RequestTimeoutError, match="0 s"):
        await video.index_spoken_words()  # as the fixture has it
    service.says("GET /job", pending, pending, {"success": True, "status": "done"})
    await video.index_spoken_words(patience=60.0)


async def test_an_index_that_fails_is_an_error(service, video):
    """And one that exists already is another."""
    service.says(INDEX, {"success": True, "status": "processing", "data": {"output_url": "/job"}})
    service.says("GET /job", {"success": False, "status": "failed", "message": "no sound"})
    with pytest.raises(rts.AsyncResponseError, match="no sound"):
        await video.index_spoken_words()
    service.says(INDEX, {"success": False, "message": "already exists", "http": 400})
    with pytest.raises(InvalidRequestError, match="already exists"):
        await video.index_spoken_words()


async def test_with_a_callback_nothing_is_waited_for(service, video):
    """Row 202."""
    service.says(INDEX, {"success": True, "status": "processing", "request_type": "async"})
    await video.index_spoken_words(callback_url="https://example.com/cb")
    assert service.body(INDEX)["callback_url"] == "https://example.com/cb"


async def test_a_search_gives_shots_with_their_own_videos(service, video):
    """Reference, step 5."""
    found = await video.search("action items")
    assert service.body(SEARCH)["query"] == "action items"
    assert isinstance(found, rts.SearchResult)
    assert [shot.text for shot in found] == ["action", "item"]
    assert found.shots == found.get_shots() == found[:]
    assert (len(found), found.collection_id, found.warnings) == (2, "c-1", [])
    assert found.raw["results"] == RESULTS
    one, two = found
    assert (one.video_id, one.collection_id, one.video_title) == ("m-1", "c-1", "Standup")
    assert (one.start, one.end, one.search_score, one.video_length) == (1.25, 1.75, 0.9, 5.0)
    assert (one["start"], one["score"], one.metadata) == (1.25, 0.9, None)
    assert (two.video_id, two.collection_id, two.video_title) == ("m-2", "c-2", None)
    assert (one.scene_index_id, one.scene_index_name) == (None, None)
    assert "action" in repr(one)
    assert "shots=2" in repr(found)
    again = await video.legacy_search("action items", "semantic", "scene", index_id="i-1")
    assert service.body(SEARCH)["scene_index_id"] == "i-1"
    assert len(again) == 2


@pytest.mark.parametrize("nothing", ["refused", "empty"])
async def test_nothing_found_is_what_the_reference_expects(service, video, nothing):
    """Its `except InvalidRequestError` with `"No results found" in str(exc)` must go on to work."""
    refusal = {"success": False, "message": "No results found", "http": 400}
    service.says(SEARCH, refusal if nothing == "refused" else {"results": []})

    async def clip() -> str:
        results = await video.search("action items and next steps")
        return await results.compile()

    with pytest.raises(InvalidRequestError) as caught:
        await clip()
    assert "No results found" in str(caught.value)
    assert type(caught.value) is rts.NoResultsError
    assert isinstance(caught.value, rts.SearchError)
    assert service.asked(COMPILE) == []


async def test_another_refusal_of_a_search_stays_what_it_is(service, video):
    """A video that was never indexed is a mistake, and not an empty result."""
    service.says(SEARCH, {"success": False, "message": "no spoken index", "http": 400})
    with pytest.raises(rts.ValidationError, match="no spoken index") as caught:
        await video.search("x")
    assert not isinstance(caught.value, rts.SearchError)


async def test_shots_are_compiled_each_from_its_own_collection(service, video):
    """Defect 13 of the official SDK sends the last one for all; and the cut is not rounded."""
    found = await video.search("action items")
    assert (found.stream_url, found.player_url) == (None, None)
    assert await found.compile() == PART["stream_url"] == found.stream_url
    assert service.body(COMPILE) == [
        {"video_id": "m-1", "collection_id": "c-1", "shots": [[1.25, 1.75]]},
        {"video_id": "m-2", "collection_id": "c-2", "shots": [[60, 62.5]]},
    ]
    assert await found.compile() == PART["stream_url"]
    assert found.player_url == PART["player_url"]
    assert len(service.asked(COMPILE)) == 1


async def test_a_shot_is_played_from_its_first_to_its_last_moment(service, video):
    """Half a second is half a second; a URL that came with it is not asked for again."""
    one, two = await video.search("action items")
    assert await one.generate_stream() == "https://s.test/1"
    assert service.asked(STREAM) == []
    service.says("POST /video/m-2/stream", PART)
    assert await two.generate_stream() == PART["stream_url"]
    assert await two.generate_stream() == PART["stream_url"] == two["stream_url"]
    assert service.body("POST /video/m-2/stream") == {"timeline": [[60, 62.5]], "length": None}
    assert two.player_url == PART["player_url"]
    assert len(service.asked("POST /video/m-2/stream")) == 1


async def test_a_part_of_a_video_does_not_take_the_place_of_all_of_it(service, video):
    """Row 223: the official SDK gives the last part for the whole."""
    assert await video.generate_stream() == VIDEO["stream_url"]
    assert service.asked(STREAM) == []
    assert await video.generate_stream([(0, 5), (10, 12.5)]) == PART["stream_url"]
    assert service.body(STREAM) == {"timeline": [[0, 5], [10, 12.5]], "length": 123.45}
    assert (video.stream_url, video.player_url) == (PART["stream_url"], PART["player_url"])
    assert await video.generate_stream() == VIDEO["stream_url"] == video.stream_url
    assert video.player_url == VIDEO["player_url"]
    with pytest.raises(rts.InvalidArgumentError):
        await video.generate_stream([(5, 5)])
    await video.generate_stream([(0, 5)])
    await video.refresh()
    assert video.stream_url == VIDEO["stream_url"]
    assert len(service.asked(STREAM)) == 2


async def test_a_video_without_an_address_asks_for_one(service):
    """Row 224."""
    service.says(GET, {"id": "m-1", "length": 2.0})
    video = await service.collection().get_video("m-1")
    assert video.stream_url is None
    assert await video.generate_stream() == PART["stream_url"]
    assert service.body(STREAM) == {"timeline": None, "length": 2.0}
    assert await video.generate_stream() == PART["stream_url"] == video.stream_url
    assert len(service.asked(STREAM)) == 1


async def test_what_is_said_is_read_piece_by_piece_and_whole(service, video):
    """Rows 225 and 226."""
    said = {"word_timestamps": [{"start": 0.1, "end": 0.5, "text": "hi", "sure": 1}], "text": "hi"}
    service.says(TRANSCRIPT, said)
    (word,) = await video.get_transcript()
    assert service.query(TRANSCRIPT) == {"segmenter": "word", "length": "1", "force": "false"}
    assert isinstance(word, rts.VideoSegment)
    assert (word.start, word.end, word["text"], word["sure"]) == (0.1, 0.5, "hi", 1)
    assert (video.transcript, video.transcript_text) == ([word], "hi")
    assert await video.get_transcript_text(0, 10) == "hi"
    assert service.query(TRANSCRIPT)["end"] == "10"
    with pytest.raises(rts.InvalidArgumentError):
        await video.get_transcript(segmenter="letter")
    assert len(service.asked(TRANSCRIPT)) == 2


async def test_a_video_gets_another_name(service, video):
    """What it is called then is what the service says."""
    service.says("PATCH /video/m-1", {"success": True, "message": "done"})
    service.says(GET, {**VIDEO, "name": "Weekly standup"})
    await video.update("weekly standup")
    assert service.body("PATCH /video/m-1") == {"name": "weekly standup"}
    assert video.name == "Weekly standup"
    await video.update()
    with pytest.raises(rts.InvalidArgumentError, match="name"):
        await video.update(" ")
    assert len(service.asked("PATCH /video/m-1")) == 1


async def test_what_is_said_is_written_down_on_request(service, video):
    """As in the official SDK, for videos and for sound alone."""
    done = {"success": True, "data": {"word_timestamps": [], "text": "hi"}}
    service.says("POST /video/m-1/transcription", done)
    service.says(TRANSCRIPT, done)
    assert await video.generate_transcript(language_code="en_us") == "hi"
    assert service.body("POST /video/m-1/transcription") == {
        "force": False,
        "language_code": "en_us",
    }
    service.says("GET /audio/a-1", {"id": "a-1"})
    service.says("POST /audio/a-1/transcription", done)
    service.says("GET /audio/a-1/transcription", done)
    audio = await service.collection().get_audio("a-1")
    assert await audio.generate_transcript(True) == "hi"
    assert service.body("POST /audio/a-1/transcription")["force"] is True


async def test_a_transcript_may_take_a_while(service, video):
    """The service may have to listen first."""
    said = {"transcript": [], "text": "hi"}
    service.says(
        TRANSCRIPT, {"success": True, "status": "processing", "data": {"output_url": "/job"}}
    )
    service.says("GET /job", {"success": True, "status": "done", "data": said})
    told: list[rts.JobProgress] = []
    assert await video.get_transcript_text(progress=told.append) == "hi"
    assert len(told) == 1


async def test_sound_alone_has_what_sound_has(service):
    """An export of a stream without a picture gives `a-...`, which no video is."""
    sound = {"id": "a-1", "collection_id": "c-1", "name": "Radio", "length": 5}
    service.says("GET /audio/a-1", sound)
    service.says("GET /audio", {"audios": [sound]})
    service.says("POST /audio/a-1/generate_url", {"signed_url": "https://s.test/a.mp4?t=1"})
    service.says("GET /audio/a-1/transcription", {"word_timestamps": [], "text": "hello"})
    service.says("DELETE /audio/a-1", {"success": True})
    coll = service.collection()
    audio = await coll.get_audio("a-1")
    assert (audio.id, audio.name, audio.length, audio.collection_id) == ("a-1", "Radio", 5.0, "c-1")
    assert "a-1" in repr(audio)
    assert [item.id for item in await coll.get_audios()] == ["a-1"]
    assert await audio.generate_url() == "https://s.test/a.mp4?t=1"
    assert service.query("POST /audio/a-1/generate_url") == {"collection_id": "c-1"}
    assert await audio.get_transcript_text() == "hello"
    await audio.refresh()
    await audio.delete()
    await coll.delete_audio("a-1")
    assert [item.path for item in service.asked("DELETE /audio/a-1")] == [
        "/audio/a-1",
        "/audio/a-1?collection_id=c-1",
    ]


@pytest.fixture
def opened(monkeypatch) -> list[str]:
    pages: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: pages.append(url) or True)
    return pages


async def test_what_was_found_is_opened_in_a_browser(video, opened):
    """`play()` is for a person in front of a screen."""
    found = await video.search("action items")
    assert await video.play() == VIDEO["player_url"]
    assert await found.play() == PART["player_url"]
    # Of this shot the service gave a manifest alone: the service's own player takes any.
    page = "https://console.videodb.io/player?url=https://s.test/1"
    assert await found[0].play() == page
    assert opened == [VIDEO["player_url"], PART["player_url"], page]


async def test_no_file_of_this_machine_is_opened(service, opened):
    """The service names the address; it must not be able to open what it likes."""
    service.says(GET, {**VIDEO, "player_url": "file:///etc/passwd"})
    video = await service.collection().get_video("m-1")
    with pytest.raises(rts.ProtocolError, match="file"):
        await video.play()
    assert opened == []


async def test_what_was_found_is_embedded(service, video):
    """The page is asked for when it is needed, unless that is not wanted."""
    found = await video.search("action items")
    with pytest.raises(rts.InvalidArgumentError, match="player_url"):
        await found.get_embed_code(auto_generate=False)
    assert 'src="https://p.test/embed?v=part"' in await found.get_embed_code()
    assert 'src="https://p.test/embed?v=whole"' in await video.get_embed_code(height=200)
    service.says("POST /video/m-2/stream", PART)
    assert 'src="https://p.test/embed?v=part"' in await found[1].get_embed_code()
    with pytest.raises(rts.InvalidArgumentError, match="height"):
        await video.get_embed_code(height=0)


async def test_a_cancelled_index_leaves_the_connection_usable(service, video):
    """Whoever closes the page must not take the others' calls with him."""
    service.says(INDEX, {"success": True, "status": "processing", "data": {"output_url": "/job"}})
    service.says("GET /job", {"success": True, "status": "processing"})
    started = asyncio.Event()
    waiting = asyncio.create_task(
        video.index_spoken_words(progress=lambda _: started.set(), patience=60.0)
    )
    await started.wait()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await video.refresh()
