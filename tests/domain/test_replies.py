from __future__ import annotations

import json

import msgspec
import pytest

from rtstream_async.local.domain.replies import Failure, decode, failure_of, retry_delay


def failure(status, body=b"", headers=None, *, has_key=True):
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return failure_of(
        status,
        headers or {},
        content,
        model="vl",
        key_name="RTSTREAM_VISION_API_KEY",
        has_key=has_key,
        now=0.0,
    )


@pytest.mark.parametrize(
    "body",
    [
        {"choices": [], "error": None},
        {"data": [], "message": "x"},
        {"text": "", "error": "x"},
        [],
        b"<html>",
        {"error": None},
    ],
)
def test_a_success_is_none(body):
    """Whether it can be understood is another question."""
    assert failure(200, body) is None


@pytest.mark.parametrize(
    ("status", "body", "has_key", "text"),
    [
        (
            401,
            {"error": {"message": "bad key"}},
            True,
            "refuses the key in RTSTREAM_VISION_API_KEY (401): bad key",
        ),
        (401, b"", False, "wants a key, in RTSTREAM_VISION_API_KEY (401)"),
        (403, {"error": "no"}, True, "forbids the use of 'vl' to this key (403): no"),
        (
            404,
            {"detail": "Not Found"},
            True,
            "has no model 'vl', or is not at this address (404): Not Found",
        ),
        (
            302,
            b"<html>",
            True,
            "answers with a redirect, which is not followed; give its target's address (302)",
        ),
        (
            413,
            {"message": "big"},
            True,
            "takes no request as large as this; use fewer frames (413): big",
        ),
        (400, {"detail": [{"loc": ["x"]}]}, True, 'answers with an error (400): [{"loc":["x"]}]'),
        (400, {"error": {"type": "t"}}, True, "answers with an error (400): t"),
        (400, {"error": {"message": 7}}, True, "answers with an error (400)"),
        (500, b"line one\n\tline\x00 two", True, "answers with an error (500): line one line two"),
        (500, b"<html><h1>Oops", True, "answers with an error (500)"),
        (500, b'"x"', True, 'answers with an error (500): "x"'),
        (
            200,
            {"error": {"message": "upstream died"}},
            True,
            "answers with an error (200): upstream died",
        ),
    ],
)
def test_a_failure_tells_what_to_mend(status, body, has_key, text):
    """It stands in the status of an index, and nobody has more to go by."""
    found = failure(status, body, has_key=has_key)
    assert found is not None
    assert found.text == text
    assert found.status == status


def test_what_an_endpoint_says_is_cut():
    """Some answer with a page of text."""
    found = failure(500, b"word " * 500)
    assert found is not None
    assert len(found.text) < 300
    assert found.text.endswith("...")


@pytest.mark.parametrize(
    ("status", "body", "transient", "general"),
    [
        (500, b"", True, True),
        (503, b"", True, True),
        (429, b"", True, True),
        (429, {"error": {"message": "pay", "code": "insufficient_quota"}}, False, False),
        (400, b"", False, False),
        (401, b"", False, True),
        (404, b"", False, True),
        (501, b"", False, False),
    ],
)
def test_what_may_help_is_repeated_and_nothing_else(status, body, transient, general):
    """Repeating a wrong key, or a wrong request, only costs."""
    found = failure(status, body)
    assert found is not None
    assert (found.is_transient, found.is_general) == (transient, general)


def test_a_wait_is_taken_from_the_answer():
    """Who ignores it is locked out for longer."""
    assert failure(429, headers={"retry-after": "7"}).retry_after == 7.0
    assert failure(429).retry_after is None
    assert failure(400, headers={"retry-after": "7"}).retry_after is None


@pytest.mark.parametrize(
    ("status", "said", "blamed"),
    [
        (400, "'response_format' of type 'json_schema' is not supported", True),
        (422, "guided decoding is off", True),
        (400, "Unknown parameter: timestamp_granularities[]", True),
        (400, "the image is too small", False),
        (503, "response_format", False),
    ],
)
def test_an_endpoint_that_has_no_such_format_is_understood(status, said, blamed):
    """It gets the same request without."""
    assert failure(status, {"error": {"message": said}}).blames_format is blamed


class Answer(msgspec.Struct):
    n: int
    t: str = ""


def test_an_answer_is_read():
    assert decode(b'{"n": 1, "more": 2}', Answer) == Answer(1)


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b'{"n": "geheim"}', "not of OpenAI's kind: Expected `int`"),
        (b"  <html>geheim", "answers with HTML"),
        (b'{"n": 1', "what is not JSON"),
        (b"", "what is not JSON"),
        (b'{"n": 1, "t": "\xff"}', "what is not JSON"),
    ],
)
def test_an_answer_that_can_not_be_read_is_not_guessed_at(body, problem):
    with pytest.raises(ValueError, match=problem) as caught:
        decode(body, Answer)
    assert "geheim" not in str(caught.value)


def delay(*, after=None, attempt=1, attempts=3, left=60.0, jitter=1.0, transient=True):
    found = Failure(text="x", status=503, is_transient=transient, retry_after=after)
    return retry_delay(found, attempt=attempt, attempts=attempts, left=left, jitter=jitter)


def test_delays_grow_are_spread_and_heed_what_is_asked():
    """Clients that failed together must not come back together, or before their time."""
    assert [delay(attempt=n, attempts=20) for n in (1, 2, 3, 9)] == [0.5, 1.0, 2.0, 8.0]
    assert delay(jitter=0.0) == 0.25
    assert delay(after=5.0) == 5.0
    assert delay(after=0.0) == 0.5


def test_there_is_an_end_to_it():
    """The next window comes, and the status of the index waits for the end of this one."""
    assert delay(attempt=3) is None
    assert delay(transient=False) is None
    assert delay(left=0.4) is None
    assert delay(after=31.0) is None
