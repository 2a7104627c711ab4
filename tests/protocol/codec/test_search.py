import pytest

from rtstream_async.errors import ProtocolError
from rtstream_async.models.search import ShotRecord
from rtstream_async.protocol.codec import search

HIT = {
    "start": 1748483434.2,
    "end": 1748483439.9,
    "text": "water",
    "score": 0.91,
    "scene_index_id": "318f52d1a4524559",
    "scene_index_name": "s",
    "metadata": {"k": 1},
}


def test_a_hit_in_a_stream_is_of_this_stream():
    """Row 129: the service leaves out what was asked for."""
    (shot,) = search.shots({"results": [HIT]}, rtstream_id="rts-1", rtstream_name="Flood").shots
    assert shot == ShotRecord(
        rtstream_id="rts-1",
        rtstream_name="Flood",
        start=1748483434.2,
        end=1748483439.9,
        text="water",
        search_score=0.91,
        scene_index_id="318f52d1a4524559",
        scene_index_name="s",
        metadata={"k": 1},
    )
    assert shot["score"] == 0.91


def test_hits_in_a_collection_name_their_streams():
    """Row 61: under either of two names."""
    hits = [
        {**HIT, "rtstream_id": "rts-1", "rtstream_name": "Flood"},
        {"id": "rts-2", "start": 1, "end": 2, "description": "uses id", "score": "0.5"},
    ]
    one, two = search.shots({"results": hits}).shots
    assert (one.rtstream_id, one.rtstream_name) == ("rts-1", "Flood")
    assert (two.rtstream_id, two.rtstream_name, two.text) == ("rts-2", None, "uses id")
    assert (two.search_score, two.metadata, two.scene_index_id) == (0.5, None, None)


def test_nothing_found_is_nothing():
    """Row 132."""
    assert search.shots({}).shots == search.shots({"results": []}).shots == ()


def test_what_the_service_warns_of_is_kept():
    """A search without meanings, by words alone, finds less: its user should know."""
    found = search.shots({"results": [], "warnings": [{"code": "W", "message": "by words"}]})
    assert found.warnings == ({"code": "W", "message": "by words"},)
    assert found["warnings"] is found.warnings
    assert search.shots({"results": [], "warnings": "odd"}).warnings == ()


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"results": 1},
        {"results": [None]},
        {"results": [{**HIT, "start": None}]},
        {"results": [{**HIT, "end": "x"}]},
        {"results": [HIT]},
    ],
)
def test_a_hit_that_is_nowhere_is_a_protocol_error(data):
    """Row 133: AttributeError in the official SDK; and a shot without times can't be played."""
    with pytest.raises(ProtocolError):
        search.shots(data)
