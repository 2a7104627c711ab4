import asyncio
import contextlib
import logging
import time
from email.utils import formatdate

import pytest

from rtstream_async.api.caller import Caller, CallSettings
from rtstream_async.errors import (
    AsyncResponseError,
    InvalidRequestError,
    NotFoundError,
    ProtocolError,
    RateLimitError,
    RequestTimeoutError,
    ServerError,
    TransportError,
)
from rtstream_async.protocol import routes
from rtstream_async.protocol.retry import RetryPolicy
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.http import HttpSettings, HttpTransport
from tests.loopback import answer, serve

OK = answer({"success": True, "data": {"ok": 1}})
BUSY = answer({"success": False, "message": "busy"}, status=503)
SILENCE = b""
RESET = None


def script(*answers):
    """Give these answers in turn, the last one for ever; None resets, b'' never answers."""
    left = list(answers)

    async def handler(seen, writer):
        following = left.pop(0) if len(left) > 1 else left[0]
        if following is RESET:
            writer.transport.abort()
        elif following == SILENCE:
            await asyncio.Event().wait()
        else:
            writer.write(following)

    return handler


@contextlib.asynccontextmanager
async def caller_to(url, naps=None, key="sk-x", **settings):
    """A caller whose sleeps are only noted."""

    async def nap(seconds):
        if naps is not None:
            naps.append(seconds)

    supervisor = Supervisor("test")
    transport = HttpTransport(HttpSettings(base_url=url, key=key, abandoned_after=0.05), supervisor)
    try:
        yield Caller(transport, CallSettings(**settings), sleep=nap, dice=lambda: 1.0)
    finally:
        await supervisor.aclose()
        await transport.aclose()


def get(caller, read=lambda data: data):
    return caller.call(routes.STREAM, read, stream_id="rts-1")


def post(caller):
    return caller.call(routes.STREAM_CREATE, lambda data: data, body={"url": "u"})


async def test_a_call_gives_the_data():
    """The path is quoted, what is None is not asked."""
    async with serve(script(OK)) as server, caller_to(server.url) as caller:
        found = await caller.call(
            routes.STREAM_PLAYBACK,
            lambda d: d["ok"],
            query={"start": 0, "end": None},
            stream_id="a/b",
        )
    assert found == 1
    assert server.seen[0].path == "/rtstream/a%2Fb/stream?start=0"


async def test_a_busy_service_is_asked_again_with_growing_patience():
    """Row 264; four attempts, and each wait up to twice the one before."""
    naps = []
    async with (
        serve(script(BUSY, RESET, BUSY, OK)) as server,
        caller_to(server.url, naps) as caller,
    ):
        assert await get(caller) == {"ok": 1}
    assert len(server.seen) == 4
    assert naps == [0.5, 1.0, 2.0]


async def test_an_error_says_what_was_tried():
    """Row 254: the official SDK loses the service's words when it has retried."""
    async with (
        serve(script(BUSY)) as server,
        caller_to(server.url, retries=RetryPolicy(attempts=3)) as caller,
    ):
        with pytest.raises(ServerError) as caught:
            await get(caller)
    assert str(caught.value) == "busy [GET /rtstream/rts-1] after 3 attempts"
    assert (caught.value.attempts, caught.value.status) == (3, 503)
    assert caught.value.is_retryable


@pytest.mark.parametrize(
    ("broken", "patience"),
    [(BUSY, 30.0), (RESET, 30.0), (SILENCE, 2.0)],
    ids=["503", "reset", "silence"],
)
async def test_a_post_that_was_sent_is_not_sent_again(broken, patience):
    """It makes something, and there is no key that makes it idempotent."""
    async with (
        serve(script(broken)) as server,
        caller_to(server.url, timeout=patience) as caller,
    ):
        with pytest.raises((ServerError, TransportError, RequestTimeoutError)) as caught:
            await post(caller)
    assert len(server.seen) == 1
    assert caught.value.attempts == 1
    assert caught.value.method == "POST"


async def test_a_post_that_could_not_connect_is_tried_again(unused_tcp_port):
    """Row 306: nothing was sent."""
    naps = []
    async with caller_to(f"http://127.0.0.1:{unused_tcp_port}", naps) as caller:
        with pytest.raises(TransportError) as caught:
            await post(caller)
    assert caught.value.attempts == 4
    assert len(naps) == 3


async def test_too_many_requests_are_repeated_when_the_service_wishes():
    """Rows 266, 268: also a POST; the service refused before it acted."""
    naps = []
    slow = answer({"success": False, "message": "slow"}, status=429, headers={"Retry-After": "3"})
    async with serve(script(slow, OK)) as server, caller_to(server.url, naps) as caller:
        assert await post(caller) == {"ok": 1}
    assert naps == [3.5]


async def test_a_long_wish_is_the_callers_to_fulfil():
    """A hidden sleep of an hour is a hang."""
    slow = answer({"message": "slow"}, status=429, headers={"Retry-After": "3600"})
    async with serve(script(slow)) as server, caller_to(server.url) as caller:
        with pytest.raises(RateLimitError) as caught:
            await get(caller)
    assert caught.value.retry_after == 3600
    assert len(server.seen) == 1


async def test_the_deadline_holds_for_all_attempts_together():
    """Not for each: four attempts of 30 s are two minutes."""
    policy = RetryPolicy(attempts=50, base=0.001, deadline=2.4)
    async with (
        serve(script(SILENCE)) as server,
        caller_to(server.url, timeout=1.0, retries=policy) as caller,
    ):
        with pytest.raises(RequestTimeoutError) as caught:
            await get(caller)
    assert caught.value.attempts == len(server.seen) <= 4


async def test_a_refusal_is_final():
    """What is not there is not there the second time."""
    missing = answer({"success": False, "message": "no such stream"}, status=404)
    async with serve(script(missing)) as server, caller_to(server.url) as caller:
        with pytest.raises(NotFoundError, match="no such stream"):
            await get(caller)
    assert len(server.seen) == 1


async def test_an_answer_that_can_not_be_read_names_its_call():
    """A person must find out which answer it was."""

    def read(data):
        raise ProtocolError("has no id")

    async with serve(script(OK)) as server, caller_to(server.url) as caller:
        with pytest.raises(ProtocolError, match=r"has no id \[GET /rtstream/rts-1\]"):
            await get(caller, read)


def job(status, **fields):
    return answer({"success": True, "status": status, **fields})


async def test_an_answer_that_comes_later_is_waited_for():
    """Rows 288, 296: also when the service stumbles in between."""
    naps = []
    async with (
        serve(
            script(
                job("processing", data={"output_url": "/async-response/job-1"}),
                job("queued"),
                BUSY,
                job("in progress", data={"percentage": 40}),
                job("done", data={"ok": 2}),
            )
        ) as server,
        caller_to(server.url, naps) as caller,
    ):
        assert await post(caller) == {"ok": 2}
    assert [seen.path for seen in server.seen] == ["/rtstream"] + ["/async-response/job-1"] * 4
    assert server.seen[1].method == "GET"
    assert server.seen[1].headers["x-access-token"] == "sk-x"
    assert naps == [0.75, 1.5, 0.5, 3.0]


async def test_who_waits_is_told_how_the_job_gets_on():
    """Row 296: a progress bar that stands still looks like a program that hangs."""
    told = []
    first = job("queued", data={"output_url": "/job"})
    looks = [job("processing", data={"percentage": 40}), job("done", data={"ok": 2})]
    async with serve(script(first, *looks)) as server, caller_to(server.url) as caller:
        answered = await caller.call(
            routes.STREAM_CREATE, lambda data: data, body={}, progress=told.append
        )
    assert answered == {"ok": 2}
    assert [(item.status, item.fraction) for item in told] == [
        ("queued", None),
        ("processing", 0.4),
    ]
    assert 0 <= told[0].elapsed <= told[1].elapsed


async def test_a_caller_may_have_more_patience_with_a_job():
    """Half an hour of speech takes longer to transcribe than most jobs take."""
    first = job("processing", data={"output_url": "/job"})
    looks = [job("processing")] * 3 + [job("done", data={"ok": 2})]
    async with (
        serve(script(first, *looks)) as server,
        caller_to(server.url, poll_deadline=0.0) as caller,
    ):
        answered = await caller.call(
            routes.STREAM_CREATE, lambda data: data, body={}, patience=3600.0
        )
    assert answered == {"ok": 2}


async def test_a_foreign_job_is_polled_without_the_key():
    """Row 302: the official SDK sends it along."""
    async with serve(script(job("done", data={"ok": 3}))) as elsewhere:
        pending = job("pending", data={"output_url": f"{elsewhere.url}/job?sig=s"})
        async with serve(script(pending)) as server, caller_to(server.url) as caller:
            assert await post(caller) == {"ok": 3}
    assert elsewhere.seen[0].path == "/job?sig=s"
    assert "x-access-token" not in elsewhere.seen[0].headers


@pytest.mark.parametrize(
    "last",
    [
        job("failed", message="engine died"),
        job("exploded"),
        answer({"success": False, "message": "engine died"}),
        answer({"status": "complete", "response": {"success": False, "message": "engine died"}}),
    ],
)
async def test_a_job_that_fails_is_an_error(last):
    """Rows 290 to 293: states that are not known count as success in the official SDK."""
    first = job("processing", data={"output_url": "/async-response/job-1"})
    async with serve(script(first, last)) as server, caller_to(server.url) as caller:
        with pytest.raises(AsyncResponseError) as caught:
            await post(caller)
    assert caught.value.path == "/async-response/job-1"


@pytest.mark.parametrize("url", [None, "", "file:///etc/passwd", "ftp://x/y"])
async def test_a_job_without_a_usable_address_is_an_error(url):
    """Row 297."""
    first = job("processing", data={"output_url": url})
    async with serve(script(first)) as server, caller_to(server.url) as caller:
        with pytest.raises(AsyncResponseError, match="output_url"):
            await post(caller)
    assert len(server.seen) == 1


async def test_a_job_without_end_is_a_timeout():
    """Row 303."""
    first = job("processing", data={"output_url": "/job"})
    async with (
        serve(script(first)) as server,
        caller_to(server.url, poll_deadline=0.05) as caller,
    ):
        with pytest.raises(RequestTimeoutError, match=r"0\.05 s"):
            await post(caller)


async def test_a_vanished_job_is_an_error():
    """Row 295: the official SDK does not look at the status of a poll."""
    first = job("processing", data={"output_url": "/job"})
    gone = answer(b"gone", status=404)
    async with serve(script(first, gone)) as server, caller_to(server.url) as caller:
        with pytest.raises(NotFoundError, match="gone"):
            await post(caller)


async def test_the_services_clock_is_noted():
    """Recovery asks for windows in the service's time; clocks differ by minutes."""
    ahead = answer({"success": True}, headers={"Date": formatdate(time.time() + 3600, usegmt=True)})
    async with serve(script(OK, ahead)) as server, caller_to(server.url) as caller:
        assert caller.clock_offset is None
        await get(caller)
        assert caller.clock_offset is None
        await get(caller)
        assert caller.clock_offset == pytest.approx(3600, abs=30)
        assert caller.now() == pytest.approx(time.time() + 3600, abs=30)


async def test_a_clock_in_whole_seconds_is_not_taken_for_another_clock():
    """What is announced as missing would begin and end a second beside what is missing."""
    behind = answer({"success": True}, headers={"Date": formatdate(time.time() - 1, usegmt=True)})
    async with serve(script(behind)) as server, caller_to(server.url) as caller:
        await get(caller)
        assert caller.clock_offset != 0
        before = time.time()
        assert before <= caller.now() <= time.time()


async def test_no_secret_is_logged(caplog):
    """Logs are sent to other companies."""
    caplog.set_level(logging.DEBUG, "rtstream_async")
    first = job("processing", data={"output_url": "/job?sig=very-secret"})
    async with (
        serve(script(BUSY, first, job("done", data=1))) as server,
        caller_to(server.url) as caller,
    ):
        await get(caller)
    assert len(caplog.records) >= 3
    assert "secret" not in caplog.text
    assert "sk-x" not in caplog.text


@pytest.mark.parametrize("written", ["sk/&x", "sk%2f%26x", "sk/%26x", "sk\\/&x", "sk/&amp;x"])
@pytest.mark.parametrize("before", [0, 296, 298])
@pytest.mark.parametrize("status", [200, 403])
async def test_no_refusal_quotes_the_key_however_it_is_written(written, before, status):
    """Errors go to logs and to others; half a key, where a long text is cut, is one too."""
    body = {
        "success": False,
        "message": "-" * before + written,
        "error_code": f"E {written}",
        "data": {"echo": written},
    }
    page = answer(body, status=status, headers={"x-request-id": "r sk/&x"})
    async with serve(script(page)) as server, caller_to(server.url, key="sk/&x") as caller:
        with pytest.raises(InvalidRequestError) as caught:
            await get(caller)
    error = caught.value
    told = f"{error!r} {error} {error.error_code} {error.request_id} {vars(error)}"
    assert "sk" not in told
    assert error.__cause__ is None
