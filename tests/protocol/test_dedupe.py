"""Which records count as seen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.models.messages import AlertMessage, CaptureMessage, SceneMessage
from rtstream_async.protocol.dedupe import Seen, identity


def scene(start: float, text: str = "a door") -> SceneMessage:
    return SceneMessage(channel="scene_index", start=start, end=start + 2, text=text)


RECORDS = st.lists(st.tuples(st.integers(0, 5), st.sampled_from("ab"), st.sampled_from("xy")))


@given(RECORDS)
def test_each_record_of_each_index_is_new_once(records):
    """A watcher who polls must see every record, and none twice."""
    seen = Seen()
    new = [record for record in records if seen.add(scene(record[0], record[1]), record[2])]
    assert len(new) == len(set(new))
    assert set(new) == set(records)


@given(RECORDS, st.integers(1, 4))
def test_it_remembers_no_more_than_it_may(records, maxsize):
    """A monitor runs for months."""
    seen = Seen(maxsize=maxsize)
    for start, text, index_id in records:
        seen.add(scene(start, text), index_id)
    kept = {record[:2] for record in records if seen.has(scene(*record[:2]))}
    assert len(kept) <= maxsize


def test_the_socket_and_rest_may_differ_below_a_millisecond():
    """The socket has milliseconds where REST has microseconds: one record, not two."""
    seen = Seen()
    assert seen.add(scene(1_700_000_000.123), None)
    assert seen.has(scene(1_700_000_000.1231))
    assert not seen.has(scene(1_700_000_000.124))


def test_it_is_empty_until_something_was_seen():
    """The first poll must not be taken for news."""
    seen = Seen()
    assert seen.is_empty
    seen.add(scene(1.0), "index")
    assert not seen.is_empty


def test_what_has_no_time_is_always_new():
    """A message that can't be told from another must not be taken for it."""
    message = CaptureMessage(channel="capture_session", event="capture_session.active")
    alert = AlertMessage(channel="alert", label="door")
    assert identity(message) is identity(alert) is None
    seen = Seen()
    assert seen.add(message, None)
    assert seen.add(message, None)
    assert not seen.has(message)
