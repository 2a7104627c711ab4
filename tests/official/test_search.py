"""Search in what streams showed, and the shots that are found, by the official SDK."""

from __future__ import annotations

import time
import webbrowser

import pytest
from videodb.exceptions import InvalidRequestError

from tests.official.driving import drives, is_id, until

BATCH = {"type": "time", "value": 1, "frame_count": 1}


@pytest.fixture(scope="module")
def index(stream):
    """An index of a recorded stream, searchable."""
    made = stream.index_visuals(prompt="Who is there?", batch_config=BATCH, name="people")
    until(lambda: len(made.get_scenes()["scenes"]) >= 3)
    return made


@pytest.fixture
def opened(monkeypatch):
    """What the SDK opens in the browser."""
    pages = []
    monkeypatch.setattr(webbrowser, "open", lambda url: pages.append(url) or True)
    return pages


@drives("RTStream.search", "RTStreamSearchResult.get_shots")
def test_a_stream_is_searched(stream, index):
    """By meaning; each shot with its moment, its score and its index."""
    found = until(lambda: stream.search("somebody waits at the door").get_shots())
    shot = found[0]
    assert (shot.rtstream_id, shot.rtstream_name) == (stream.id, "door")
    assert (shot.scene_index_id, shot.scene_index_name) == (index.rtstream_index_id, "people")
    assert shot.text.startswith("A person waits at the door")
    assert 0 < shot.search_score <= 1
    assert shot.start < shot.end < time.time() + 1
    assert shot.metadata["people"] == 1
    scores = [one.search_score for one in found]
    assert scores == sorted(scores, reverse=True)
    one = stream.search(
        "door",
        index_id=index.rtstream_index_id,
        result_threshold=1,
        score_threshold=0.1,
        dynamic_score_percentage=50,
        filter=[{"people": 1}],
    )
    assert len(one.shots) == 1
    assert stream.search("xylophone", score_threshold=0.99).shots == []
    with pytest.raises(InvalidRequestError, match="no index"):
        stream.search("door", index_id="0123456789abcdef")
    with pytest.raises(InvalidRequestError, match="query"):
        stream.search("")


@drives("Collection.legacy_search", "Collection.search")
def test_all_streams_of_a_collection_are_searched(conn, coll, stream, index):
    """By the name of the space, as the older method and as the newer one."""
    for ask in (coll.search, coll.legacy_search):
        result = ask("somebody waits at the door", namespace="rtstream", result_threshold=2)
        assert result.collection_id == coll.id
        assert [shot.rtstream_id for shot in result.shots] == [stream.id, stream.id]
        assert result.shots[0].rtstream_name == "door"
    other = conn.create_collection("empty", "nothing")
    assert other.search("door", namespace="rtstream").shots == []
    other.delete()


@drives(
    "RTStreamShot.generate_stream",
    "RTStreamShot.play",
    "RTStreamShot.get_embed_code",
)
def test_a_shot_is_played(site, stream, index, opened):
    """Wherever it was found."""
    shot = stream.search("door", result_threshold=1).shots[0]
    url = shot.generate_stream()
    assert url == shot.stream_url
    assert is_id("rts", url.removeprefix(f"{site.url}/manifests/").partition("/")[0])
    assert "/embed?v=" in shot.get_embed_code()
    assert shot.play() == f"https://console.videodb.io/player?url={url}"
    assert opened == [f"https://console.videodb.io/player?url={url}"]
