"""Search in streams, and its shots, over the whole client."""

from __future__ import annotations

import pytest

import rtstream_async as rts
from tests.client.scripted import scripted_service

STREAM = "POST /rtstream/rts-1/search"
COLLECTION = "POST /rtstream/collection/c-1/search"
PLAYBACK = "GET /rtstream/rts-1/stream"
HIT = {"start": 1748483434.9, "end": 1748483435.2, "text": "water", "score": 0.9, "rank": 1}


@pytest.fixture
async def service():
    async with scripted_service() as running:
        running.says(STREAM, {"results": [HIT, {**HIT, "text": "more water"}]})
        running.says(
            PLAYBACK,
            {"stream_url": "https://s.test/1.m3u8", "player_url": "https://p.test/watch?v=1"},
        )
        yield running


async def test_a_search_gives_shots(service):
    """As a list, by `shots`, and by `get_shots()`, as the reference has it."""
    result = await service.stream().search("water", result_threshold=2)
    assert service.body(STREAM) == {"query": "water", "result_threshold": 2}
    assert [shot.text for shot in result] == ["water", "more water"]
    assert result.shots == result.get_shots() == result[:]
    assert (len(result), result.collection_id) == (2, "c-1")
    shot = result[0]
    assert (shot.rtstream_id, shot.rtstream_name) == ("rts-1", "Door")
    assert (shot["start"], shot["search_score"], shot["rank"]) == (1748483434.9, 0.9, 1)
    assert (shot.scene_index_id, shot.scene_index_name, shot.metadata) == (None, None, None)
    assert {"text", "stream_url", "player_url"} <= set(shot.keys())
    assert "water" in repr(shot)
    assert "shots=2" in repr(result)


async def test_nothing_found_is_no_error(service):
    """The service has an error for it where videos are searched; here it has not."""
    service.says(STREAM, {"results": [], "warnings": [{"code": "W"}]})
    result = await service.stream().search("gold")
    assert result.warnings == result.raw["warnings"] == [{"code": "W"}]
    assert not result
    assert list(result) == []


async def test_a_shot_is_played_from_its_first_to_its_last_moment(service):
    """Rows 188-190: cut to whole seconds, this one would be empty."""
    (shot, _) = await service.stream().search("water")
    assert shot.stream_url is shot.player_url is None
    assert await shot.generate_stream() == "https://s.test/1.m3u8"
    assert service.query(PLAYBACK) == {"start": "1748483434.9", "end": "1748483435.2"}
    assert shot["stream_url"] == await shot.generate_stream()
    assert shot.player_url == "https://p.test/watch?v=1"
    assert len(service.asked(PLAYBACK)) == 1


async def test_a_shot_is_opened_in_a_browser(service, monkeypatch):
    """`play()` is for a person in front of a screen."""
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", lambda url: opened.append(url) or True)
    (shot, _) = await service.stream().search("water")
    assert await shot.play() == "https://p.test/watch?v=1"
    assert opened == ["https://p.test/watch?v=1"]


async def test_no_file_of_this_machine_is_opened(service, monkeypatch):
    """The service names the address; it must not be able to open what it likes."""
    monkeypatch.setattr("webbrowser.open", lambda url: pytest.fail(f"opened {url}"))
    service.says(PLAYBACK, {"stream_url": "https://x", "player_url": "file:///etc/passwd"})
    (shot, _) = await service.stream().search("water")
    with pytest.raises(rts.ProtocolError, match="file"):
        await shot.play()


async def test_a_shot_is_embedded(service):
    """The page is asked for when it is needed, unless that is not wanted."""
    (shot, other) = await service.stream().search("water")
    assert 'src="https://p.test/embed?v=1"' in await shot.get_embed_code(title="Flood")
    with pytest.raises(rts.InvalidArgumentError, match="player_url"):
        await other.get_embed_code(auto_generate=False)
    assert len(service.asked(PLAYBACK)) == 1


async def test_a_collection_is_searched_for_streams(service):
    """`coll.search(query, namespace="rtstream")`, as the reference has it."""
    service.says(COLLECTION, {"results": [{**HIT, "rtstream_id": "rts-7", "rtstream_name": "S"}]})
    collection = service.collection()
    result = await collection.search(
        "water", namespace="rtstream", index_id="i-1", filter=[{"a": 1}]
    )
    assert service.body(COLLECTION) == {
        "query": "water",
        "scene_index_id": "i-1",
        "filter": [{"a": 1}],
    }
    assert isinstance(result, rts.RTStreamSearchResult)
    assert (result[0].rtstream_id, result[0].rtstream_name) == ("rts-7", "S")
    assert result.collection_id == "c-1"
    again = await collection.legacy_search("water", namespace="rtstream", scene_index_id="i-2")
    assert service.body(COLLECTION) == {"query": "water", "scene_index_id": "i-2"}
    assert len(again) == 1


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [
        ({"search_type": "keyword"}, "search_type"),
        ({"namespace": "video"}, "namespace"),
        ({"namespace": "rtstream", "search_type": "semantic"}, "search_type"),
        ({"namespace": "rtstream", "index_type": "scene"}, "index_type"),
        ({"namespace": "rtstream", "sort_docs_on": "score"}, "sort_docs_on"),
        ({"namespace": "rtstream", "result_threshold": 0}, "result_threshold"),
    ],
)
async def test_what_streams_have_not_is_refused_by_name(service, arguments, argument):
    """The official SDK leaves it out in silence."""
    with pytest.raises(rts.InvalidArgumentError) as caught:
        await service.collection().search("water", **arguments)
    assert caught.value.argument == argument
    assert service.loopback.seen == []
