"""How a job stands is told in several shapes, flat and wrapped."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import ProtocolError
from rtstream_async.protocol.codec import jobs


def _states(found):
    return found.success, found.status, found.is_running, found.is_failed


@pytest.mark.parametrize(
    ("wire", "states"),
    [
        ({"success": True, "status": "done", "data": {"id": "m-1"}}, (True, "done", False, False)),
        ({"success": True, "status": "processing"}, (True, "processing", True, False)),  # row 42
        ({"success": False, "status": "failed"}, (False, "failed", False, True)),  # row 43
        ({"success": False, "status": "processing"}, (False, "processing", False, True)),
        ({"success": True, "data": {"status": "Queued"}}, (True, "Queued", True, False)),
        ({"success": True, "data": None}, (True, "done", False, False)),
        ({"success": False}, (False, "failed", False, True)),
        ({"data": {"id": "m-1"}}, (False, "done", False, False)),
        ({"success": True, "status": "cancelled"}, (True, "cancelled", False, True)),
        (
            {"status": "complete", "response": {"success": True, "data": {"id": "m-1"}}},
            (True, "complete", False, False),
        ),
        (
            {"status": "complete", "response": {"success": False, "message": "bad"}},
            (False, "complete", False, True),
        ),
    ],
)
def test_a_job_goes_on_or_has_come_to_something_or_has_failed(wire, states):
    """Who asks in a loop must know when to stop, and whether there is a result."""
    assert _states(jobs.job_status(wire)) == states
    assert _states(jobs.async_response(wire)) == states


def test_an_answer_is_read_by_the_keys_of_its_data():
    """Row 41: the synchronous SDK gives nothing but the data."""
    found = jobs.async_response({"success": True, "status": "done", "data": {"id": "m-1"}})
    assert (found["id"], found.data, found["status"]) == ("m-1", {"id": "m-1"}, "done")
    wrapped = {"status": "done", "response": {"success": True, "data": {"id": "m-2"}}}
    assert jobs.async_response(wrapped)["id"] == "m-2"


def test_without_data_it_is_read_by_the_keys_of_the_answer():
    """Row 42: the synchronous SDK gives the whole envelope then."""
    found = jobs.async_response({"success": True, "status": "processing", "eta": 3})
    assert (found["eta"], found.data) == (3, None)


@pytest.mark.parametrize(
    ("percentage", "fraction"),
    [(40, 0.4), ("12.5", 0.125), (250, 1.0), (-3, 0.0), (None, None), ("most", None)],
)
def test_how_much_is_done_is_a_fraction(percentage, fraction):
    """A progress bar must not run over its end."""
    wire = {"success": True, "status": "processing", "data": {"percentage": percentage}}
    assert jobs.job_status(wire).fraction == fraction


@pytest.mark.parametrize("wire", [None, [], "done", {}, {"message": "hello"}])
def test_an_answer_that_tells_nothing_is_a_protocol_error(wire):
    """AttributeError in the official SDK."""
    with pytest.raises(ProtocolError):
        jobs.job_status(wire)
    with pytest.raises(ProtocolError):
        jobs.async_response(wire)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
KEYS = st.sampled_from(["success", "status", "data", "response", "message", "percentage"])


@given(st.dictionaries(KEYS, JSON | st.dictionaries(KEYS, JSON)))
def test_no_answer_raises_a_builtin_error(wire):
    """What the service may say one day must not end a program's loop with a KeyError."""
    for read in (jobs.job_status, jobs.async_response):
        try:
            found = read(wire)
        except ProtocolError:
            continue
        assert not (found.is_running and found.is_failed)
