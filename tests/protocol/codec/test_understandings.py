"""Answers about understandings, whatever they look like."""

import pytest

from rtstream_async.errors import ProtocolError
from rtstream_async.models.understandings import UnderstandingRecord
from rtstream_async.protocol.codec import understandings
from rtstream_async.protocol.codec.fields import real
from rtstream_async.protocol.paging import ByNumber


def test_an_answer_that_leaves_something_out_changes_nothing_of_it():
    """The official SDK resets what a partial answer does not name."""
    known = {"understanding_id": "und-1", "store": False, "analyzers": [{"type": "vlm"}]}
    found = understandings.understanding({"status": "stopped"}, rtstream_id="rts-1", known=known)
    assert (found.id, found.status, found.store) == ("und-1", "stopped", False)
    assert found.analyzers == [{"type": "vlm"}]
    index = understandings.stream_index(
        {"status": "stopped"}, rtstream_id="rts-1", known={"id": "idx-1", "name": "scene"}
    )
    assert (index.id, index.name, index.is_running) == ("idx-1", "scene", False)


def test_what_has_no_id_can_not_be_used():
    """A handle without one would ask for the list."""
    with pytest.raises(ProtocolError, match="understanding_id"):
        understandings.understanding({}, rtstream_id="rts-1")
    with pytest.raises(ProtocolError, match="index_id"):
        understandings.stream_index({}, rtstream_id="rts-1")


def test_no_list_at_all_is_an_empty_one():
    """The service answers null where nothing was made."""
    assert understandings.understandings(None, rtstream_id="rts-1") == []
    assert understandings.stream_indexes(None, rtstream_id="rts-1") == []


def test_lists_name_their_stream():
    """What a list leaves out is what was asked for."""
    (one,) = understandings.understandings(
        {"understandings": [{"id": "und-1", "status": "running", "segmentation": 7}]},
        rtstream_id="rts-1",
    )
    assert (one.rtstream_id, one.is_running, one.segmentation) == ("rts-1", True, {})
    (index,) = understandings.stream_indexes({"indexes": [{"id": "i"}]}, rtstream_id="rts-1")
    assert (index.rtstream_id, index.use_for) == ("rts-1", ("semantic",))


def test_a_record_has_its_words_at_either_place():
    """Where they stand in a record is not documented."""
    data = {
        "records": [
            {"start": 3, "end": 4, "data": {"text": "water"}},
            {"start": 1, "end": 2, "description": "dry"},
        ],
        "next_page": True,
    }
    page, after = understandings.record_page(data, place=ByNumber())
    assert [record.text for record in page["records"]] == ["water", "dry"]
    assert page.items[0].data == {"text": "water"}
    assert page.items[0].start_time < page.items[0].end_time
    assert after is not None


def test_a_record_without_times_is_refused():
    """It could be put nowhere."""
    with pytest.raises(ProtocolError, match="start"):
        understandings.record_page({"records": [{"end": 4}]}, place=ByNumber())


def test_an_understanding_that_is_hardly_described_analyses_nothing():
    """A list of analyzers that is none must not be iterated as one."""
    record = UnderstandingRecord(id="und-1", rtstream_id="rts-1")
    assert (tuple(record.analyzers), dict(record.outputs)) == ((), {})
    found = understandings.understanding({"id": "u", "analyzers": "vlm"}, rtstream_id="rts-1")
    assert tuple(found.analyzers) == ()


def test_a_number_beyond_all_measure_is_none():
    """JSON's whole numbers have no bound; a float's have."""
    assert real({"score": 10**400}, "score") is None
    assert real({"score": 1e400}, "score") is None
    assert real({"score": "0.5"}, "score") == 0.5
