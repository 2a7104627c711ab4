import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.errors import (
    APIError,
    AsyncResponseError,
    AuthenticationError,
    ConflictError,
    InvalidRequestError,
    NotFoundError,
    OutOfCreditsError,
    PermissionDeniedError,
    ProtocolError,
    RateLimitError,
    ServerError,
    ValidationError,
)
from rtstream_async.protocol.envelope import Pending, Reply, http_date, read, retry_after

NOW = 1_700_000_000.0


def answer(status=200, body=b"", headers=None, **options):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read(status, headers or {}, content, now=NOW, **options)


@pytest.mark.parametrize(
    ("body", "data"),
    [
        ({"success": True, "data": {"id": "x"}}, {"id": "x"}),
        ({"data": {"id": "x"}}, {"id": "x"}),  # row 272: the official SDK refuses it
        ({"data": None}, None),
        ({"success": True, "message": "ok"}, None),  # row 274: PATCH and DELETE
        ({"success": True, "status": "done", "data": 1}, 1),
        ({"success": True, "status": "Completed", "data": 1}, 1),
        ({"success": True, "status": 200, "data": 1}, 1),
        ({"status": "complete", "response": {"success": True, "data": {"ok": 1}}}, {"ok": 1}),
        ({"status": "done"}, None),
        (b"", None),
        (b"  \r\n", None),
    ],
)
def test_a_success_gives_its_data(body, data):
    """Whoever calls an endpoint gets what it answered, in whatever dress."""
    assert answer(body=body) == Reply(data)


def test_no_content_is_a_success():
    """Row 277: the official SDK reports a DELETE that worked as failed."""
    assert answer(204, b"<ignored>") == Reply(None)


@pytest.mark.parametrize("status", ["processing", "in progress", "pending", "queued", " QUEUED "])
def test_an_unfinished_job_is_pending(status):
    """Rows 292 and 293: the official SDK takes `pending` and `queued` for success."""
    body = {"success": True, "status": status, "data": {"output_url": "https://x/job"}}
    assert answer(body=body) == Pending("https://x/job", status=status)


@pytest.mark.parametrize(
    ("percentage", "done"),
    [(0, 0.0), (1, 0.01), (40, 0.4), ("40", 0.4), (100, 1.0), (250, 1.0), (-1, 0.0), ("x", None)],
)
def test_an_unfinished_job_may_say_how_far_it_is(percentage, done):
    """Row 296: progress bars show it; a bar beyond its end is a broken bar."""
    body = {"success": True, "status": "processing", "data": {"percentage": percentage}}
    assert answer(body=body, polled=True) == Pending(None, done=done)


@pytest.mark.parametrize("data", [None, {}, {"output_url": ""}, {"output_url": 5}, [], "text"])
def test_an_unfinished_job_may_not_say_where(data):
    """The caller must then raise, and not poll nonsense."""
    assert answer(body={"success": True, "status": "pending", "data": data}) == Pending(
        None, status="pending"
    )


@pytest.mark.parametrize(
    "body", [{"success": True, "status": "processing"}, {"success": False, "status": "failed"}, {}]
)
def test_the_whole_envelope_can_be_asked_for(body):
    """Rows 42 and 43: who looks at a job wants to know how it is, also when it has failed."""
    assert answer(body=body, whole=True) == Reply(body)
    assert isinstance(answer(404, body, whole=True), APIError)
    assert isinstance(answer(body=b"not json", whole=True), ProtocolError)  # row 282


def test_a_job_with_a_callback_is_answered_at_once():
    """Row 298: its result goes to the callback; waiting would be for ever."""
    body = {"success": True, "status": "processing", "request_type": "async", "data": {"id": "j"}}
    assert answer(body=body) == Reply({"id": "j"})
    assert answer(body=body, polled=True) == Pending(None)


@pytest.mark.parametrize("status", ["failed", "error", "exploded", ""])
def test_a_state_that_is_not_known_is_no_success(status):
    """A job that broke must not look like one that worked."""
    found = answer(body={"success": True, "message": "Fine", "status": status, "data": {"a": 1}})
    assert isinstance(found, AsyncResponseError)
    assert repr(status) in found.message


@pytest.mark.parametrize(
    "body",
    [
        {"success": False, "status": "failed", "message": "engine died"},
        {"status": "failed", "message": "engine died"},
        {"status": "complete", "response": {"success": False, "message": "engine died"}},
    ],
)
def test_a_failed_job_says_why(body):
    """Rows 290, 291: flat and wrapped."""
    found = answer(body=body, polled=True)
    assert isinstance(found, AsyncResponseError)
    assert found.message == "engine died"


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ValidationError),
        (401, AuthenticationError),
        (402, OutOfCreditsError),
        (403, PermissionDeniedError),
        (404, NotFoundError),
        (409, ConflictError),
        (410, NotFoundError),
        (418, InvalidRequestError),
        (422, ValidationError),
        (429, RateLimitError),
        (500, ServerError),
        (503, ServerError),
        (599, ServerError),
    ],
)
def test_each_status_is_an_error_of_its_kind(status, kind):
    """The official SDK has one class for all of these; nobody can tell credits from a typo."""
    found = answer(
        status,
        {"success": False, "message": "no", "error_code": "E_X"},
        {"x-request-id": "req-1", "retry-after": "7"},
    )
    assert type(found) is kind
    assert (found.message, found.status, found.error_code) == ("no", status, "E_X")
    assert (found.request_id, found.retry_after) == ("req-1", 7.0)


def test_a_refusal_with_status_200_is_a_validation_error():
    """Row 270."""
    found = answer(body={"success": False, "message": "No such thing", "error_code": 12})
    assert type(found) is ValidationError
    assert (found.message, found.status, found.error_code) == ("No such thing", 200, "12")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"success": False}, '{"success": false}'),  # row 247: "Unknown error"
        ({"message": {"field": ["bad"]}}, '{"field":["bad"]}'),  # row 248
        ({"error": "elsewhere", "detail": "x"}, "elsewhere"),  # row 249
        ({"error": {"message": "inside"}}, "inside"),
        ({"detail": ["a", "b"]}, '["a","b"]'),
        ({"status": "error"}, "the job's state is 'error'"),
        (b"<html>\n  not found</html>", "<html> not found</html>"),  # row 250
        (b"", "HTTP status 404"),  # row 251
        (["a", "list"], '["a", "list"]'),  # row 252: AttributeError
        ("just a string", '"just a string"'),  # row 253: AttributeError
        (None, "null"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ({"message": "long " * 200}, ("long " * 60) + "..."),
    ],
)
def test_a_refusal_is_told_in_the_services_words(body, message):
    """The words are what a person reads in a log at night; builtin errors must not replace them."""
    found = answer(404, body)
    assert isinstance(found, NotFoundError)
    assert found.message == message


@pytest.mark.parametrize(
    "body",
    [
        b"<html>hi</html>",
        [1, 2],
        "text",
        None,
        5,
        b"{broken",
        b"\xff",
        {"id": "flat"},
        {"id": "flat", "status": "connected"},
        {},
        b"[" * 200_000,
        b'{"data":' * 5_000,
        b"[" * 600 + b"]" * 600 + b"}",
        b'{"response":' * 980 + b"{}" + b"}" * 980,
    ],
)
def test_what_is_no_envelope_is_a_protocol_error(body):
    """Rows 273 to 279: proxies answer with pages, and the official SDK with AttributeError."""
    assert isinstance(answer(body=body), ProtocolError)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 200_000,
        b'{"data":' * 5_000,
        *(b'{"message":' + b"[" * depth + b"]" * depth + b"}" for depth in range(800, 1_000)),
    ],
)
def test_a_refusal_that_is_nested_too_deeply_is_that_refusal(body):
    """A hostile proxy must not turn a 500, which is repeated, into a crash of the caller."""
    assert type(answer(500, body)) is ServerError


def test_what_is_just_not_nested_too_deeply_never_raises():
    """What the decoder lets pass can still be too deep for the one that looks at it."""
    for depth in range(800, 1_000):
        body = b'{"success":false,"error":' + b"[" * depth + b"]" * depth + b"}"
        assert isinstance(answer(body=body), ValidationError | ProtocolError)
    assert answer(204, b"[" * 200_000) == Reply(None)


@pytest.mark.parametrize(
    ("location", "named"),
    [
        ("https://evil.example/steal?token=t", "https://evil.example"),
        ("https://user:secret@evil.example:8443/x", "https://evil.example:8443"),
        ("/rtstream/x/", "the same origin"),
        (None, "the same origin"),
        ("//evil.example/steal?token=t", "evil.example (with the same scheme)"),
        ("http://[::1]:80/", "http://[::1]:80;"),
        ("http://[::1/token", "can't be read"),
        ("http://[secret]/", "can't be read"),
        ("https:///secret", "can't be read"),
        ("http:@secret/", "can't be read"),
        ("http:\\\\secret", "can't be read"),
        ("\\\\secret", "can't be read"),
        ("//user:secret@", "can't be read"),
        ("https://evil.example:secret/", "can't be read"),
    ],
)
def test_a_redirect_is_an_error_that_names_the_origin_only(location, named):
    """Row 287: the official SDK takes the key along to wherever it is sent."""
    found = answer(302, b"", {} if location is None else {"location": location})
    assert isinstance(found, ProtocolError)
    assert named in found.message
    assert "secret" not in found.message
    assert "token" not in found.message


def date(seconds):
    return format_datetime(datetime.fromtimestamp(seconds, tz=UTC), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "soon", "retry-after": "1"}, 1.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": date(NOW + 30)}, 30.0),
        ({"retry-after": date(NOW - 30)}, 0.0),
        ({"retry-after": date(NOW + 30), "date": date(NOW + 20)}, 10.0),
        ({"retry-after": date(NOW + 30), "date": "yesterday"}, 30.0),
        ({"retry-after": "Wed, 14 Nov 2023 22:13:50 -0000"}, None),
    ],
)
def test_the_wish_to_wait_has_three_spellings(headers, seconds):
    """A client that misreads it hammers a service that asked for peace."""
    if seconds is None and "2023" in headers.get("retry-after", ""):
        seconds = 30.0  # a zone that is not known is taken for UTC
    assert retry_after(headers, now=NOW) == seconds


@given(st.dictionaries(st.sampled_from(["retry-after", "retry-after-ms", "date"]), st.text()))
def test_no_header_is_too_odd(headers):
    """Headers come from anywhere; a parser that raises takes the error's place."""
    wish = retry_after(headers, now=NOW)
    assert wish is None or wish >= 0


@given(st.integers(0, 253_000_000_000))
def test_a_date_comes_back(seconds):
    """The clock offset, and with it recovery, rests on this."""
    assert http_date(date(seconds)) == seconds


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["success", "status", "data", "response", "message", "output_url"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(
    status=st.integers(200, 599),
    body=json_values.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=40),
    polled=st.booleans(),
)
def test_every_answer_means_something(status, body, polled):
    """No answer of any server makes a builtin error leak (defect 19 of the official SDK)."""
    found = read(status, {}, body, now=NOW, polled=polled)
    assert isinstance(found, Reply | Pending | APIError | ProtocolError)
    if status >= 300:
        assert isinstance(found, APIError | ProtocolError)
