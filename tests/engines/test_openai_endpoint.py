"""Requests to an endpoint that misbehaves in every way that we could think of."""

from __future__ import annotations

import asyncio
import logging

import msgspec
import pytest

from rtstream_async.local.engines.openai.endpoint import Question, RefusedError
from rtstream_async.local.engines.ports import EngineError
from tests.engines.endpoints import (
    KEY,
    drip,
    endpoint_to,
    failing,
    flood,
    hang,
    hang_up,
    stub,
    usage,
)
from tests.loopback import answer, serve


class Spoken(msgspec.Struct):
    model: str


def question(**fields):
    body = {"model": "vl", "messages": [{"role": "user", "content": "Hello"}]}
    return Question(
        path="/chat/completions",
        body={**body, **fields},
        model=fields.get("model", "vl"),
        type_=Spoken,
        count=lambda usage: None,
    )


async def test_a_question_is_answered_and_counted():
    """The bill comes at the end of the month; the counters come before."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        reply = await endpoint.ask(question())
    assert reply.content.model == "vl-2"
    assert reply.seconds > 0
    counters = usage(endpoint)
    assert counters["requests"] == 1
    assert not counters.keys() & {"failures", "retries", "last_error"}
    assert server.server.seen[0].headers["authorization"] == f"Bearer {KEY}"


async def test_without_a_key_none_is_sent():
    """Servers on the own machine want none."""
    async with stub(key=None) as server, endpoint_to(server.url, key=None) as endpoint:
        await endpoint.ask(question())
    assert "authorization" not in server.server.seen[0].headers


@pytest.mark.parametrize("failure", [failing(500), failing(503, b"<html>"), failing(429), hang_up])
async def test_what_may_help_is_repeated(failure):
    """A window is lost to a hiccup else."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        server.next.extend([failure, failure])
        await endpoint.ask(question())
        assert endpoint._pause.seconds == [0.5, 1.0]
        assert not endpoint.is_down
    counters = usage(endpoint)
    assert (counters["requests"], counters["retries"]) == (3, 2)
    assert "failures" not in counters


async def test_a_wait_that_is_asked_for_is_waited():
    """Who comes back before is locked out for longer."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        server.next.append(failing(429, Retry_After="7"))
        await endpoint.ask(question())
        assert endpoint._pause.seconds == [7.0]


async def test_a_long_wait_is_not_waited_and_nothing_is_sent_meanwhile():
    """The window is old by then; and every further request would be counted against us."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        server.next.append(failing(429, {"error": {"message": "slow down"}}, Retry_After="120"))
        with pytest.raises(
            RefusedError, match=r"takes no more requests for now \(429\): slow down"
        ):
            await endpoint.ask(question())
        with pytest.raises(EngineError, match=r"asks to wait 1\d\d s more"):
            await endpoint.ask(question())
        assert len(server.server.seen) == 1
    assert usage(endpoint)["failures"] == 2


@pytest.mark.parametrize(
    ("failure", "said"),
    [
        (failing(400, {"error": {"message": "too many images"}}), r"\(400\): too many images"),
        (failing(404, {"detail": "Not Found"}), "has no model 'vl', or is not at this address"),
        (failing(413), "use fewer frames"),
        (failing(200, b"<html>Sign in"), "answers with HTML"),
        (failing(200, b'{"model": "v'), "what is not JSON"),
        (failing(200, b""), "what is not JSON"),
        (failing(200, {"model": 7}), "not of OpenAI's kind: Expected `str`, got `int`"),
        (failing(200, {"error": {"message": "upstream died"}}), "upstream died"),
        (failing(307, Location="http://127.0.0.1:1/v1"), "redirect, which is not followed"),
        (flood, "more than is read"),
    ],
)
async def test_what_does_not_help_is_told_at_once(failure, said):
    """A wrong address that is asked three times is still wrong, and costs three times."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        server.next.append(failure)
        with pytest.raises(EngineError, match=said) as caught:
            await endpoint.ask(question())
        assert str(caught.value).startswith(f"{server.url}/v1 ")
        assert len(server.server.seen) == 1
    assert usage(endpoint)["last_error"] == str(caught.value)


@pytest.mark.parametrize("failure", [hang, drip])
async def test_an_answer_that_does_not_come_ends_the_call(failure):
    """An index would stand still behind it."""
    async with stub() as server, endpoint_to(server.url, options="?timeout=2") as endpoint:
        server.next.append(failure)
        with pytest.raises(EngineError, match=r"has not answered within 2 s"):
            await endpoint.ask(question())
        assert len(server.server.seen) == 1
        await endpoint.ask(question())


async def test_nobody_there_is_said_so_and_found_when_he_is():
    """The endpoint is started after the server, or again."""
    async with stub() as server:
        url = server.url
    async with endpoint_to(url) as endpoint:
        with pytest.raises(EngineError, match=f"{url} can't be reached"):
            await endpoint.ask(question())
        assert len(endpoint._pause.seconds) == 2
        assert endpoint.is_down


@pytest.mark.parametrize("status", [401, 500])
async def test_the_key_is_told_nobody(status, caplog):
    """Errors stand in the status of an index, which every client reads; some services quote."""
    caplog.set_level(logging.DEBUG)
    async with stub() as server, endpoint_to(server.url, options="?retries=0") as endpoint:
        server.next.append(failing(status, {"error": {"message": f"bad key {KEY}!"}}))
        with pytest.raises(EngineError, match=r"bad key \*\*\*!") as caught:
            await endpoint.ask(question())
    chain = [caught.value, caught.value.__cause__, caught.value.__context__]
    shown = [repr(vars(part)) + str(part) for part in chain if part is not None]
    shown += [repr(endpoint), repr(endpoint._key), str(usage(endpoint)), caplog.text]
    assert KEY not in "".join(shown)


async def test_a_wrong_key_says_where_it_is_read_from():
    """The first thing that goes wrong for everybody."""
    async with stub() as server:
        async with endpoint_to(server.url, key="wrong") as endpoint:
            with pytest.raises(EngineError, match="refuses the key in RTSTREAM_VISION_API_KEY"):
                await endpoint.ask(question())
        async with endpoint_to(server.url, key=None) as endpoint:
            with pytest.raises(EngineError, match="wants a key, in RTSTREAM_VISION_API_KEY"):
                await endpoint.ask(question())


async def test_a_key_does_not_follow_a_redirect():
    """Whoever answers in the place of the endpoint would collect keys."""

    async def collect(seen, writer):
        writer.write(answer({"model": "thief"}))

    async with serve(collect) as thief, stub() as server, endpoint_to(server.url) as endpoint:
        for status in (301, 302, 307, 308):
            server.next.append(failing(status, Location=f"{thief.url}/v1/chat/completions"))
            with pytest.raises(EngineError, match="redirect"):
                await endpoint.ask(question())
        assert thief.seen == []


async def test_no_more_is_asked_at_a_time_than_was_configured():
    """A model on one graphics card does one thing after the other; the rest would time out."""
    running, most = 0, 0
    gate = asyncio.Event()

    async def work(seen, writer):
        nonlocal running, most
        running += 1
        most = max(most, running)
        await gate.wait()
        running -= 1
        writer.write(answer({"model": "vl"}))

    async with stub(always=work) as server, endpoint_to(server.url, options="?concurrency=3") as e:
        calls = [asyncio.create_task(e.ask(question())) for _ in range(9)]
        await server.server.saw(3)
        gate.set()
        await asyncio.gather(*calls)
    assert most == 3


async def test_a_dead_endpoint_is_asked_by_one_and_the_others_wait_for_what_comes_of_it():
    """Fifty indexes would storm it; and each would stand still for its whole time-out."""
    async with stub() as server, endpoint_to(server.url, options="?retries=0") as endpoint:
        server.next.append(failing(503, b"overloaded"))
        with pytest.raises(EngineError):
            await endpoint.ask(question())
        gate = asyncio.Event()

        async def slowly_fail(seen, writer):
            await gate.wait()
            writer.write(answer(b"still down", status=503))

        server.next.append(slowly_fail)
        calls = [asyncio.create_task(endpoint.ask(question())) for _ in range(20)]
        await server.server.saw(2)
        gate.set()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(outcome) for outcome in outcomes} == {EngineError, RefusedError}
        assert all("still down" in str(outcome) for outcome in outcomes)
        assert len(server.server.seen) == 2
        # The first one after its return finds it, and all the others go on.
        calls = [asyncio.create_task(endpoint.ask(question())) for _ in range(20)]
        await asyncio.gather(*calls)
        assert len(server.server.seen) == 22
    assert usage(endpoint)["failures"] == 21


async def test_those_in_line_for_a_place_learn_that_it_went_down():
    """They were let in while it was up; each would try for itself, one after the other."""
    async with stub() as server, endpoint_to(server.url, options="?retries=0&concurrency=1") as end:
        gate = asyncio.Event()

        async def slowly_fail(seen, writer):
            await gate.wait()
            writer.write(answer(b"down", status=503))

        server.always = slowly_fail
        calls = [asyncio.create_task(end.ask(question())) for _ in range(10)]
        await server.server.saw(1)
        gate.set()
        outcomes = await asyncio.gather(*calls, return_exceptions=True)
        assert all("down" in str(outcome) for outcome in outcomes)
        assert len(server.server.seen) == 2


async def test_one_who_tries_and_is_cancelled_leaves_it_to_the_next():
    """Else all wait for somebody who has gone."""
    async with stub() as server, endpoint_to(server.url, options="?retries=0") as endpoint:
        server.next.extend([failing(503), hang])
        with pytest.raises(EngineError):
            await endpoint.ask(question())
        first = asyncio.create_task(endpoint.ask(question()))
        await server.server.saw(2)
        second = asyncio.create_task(endpoint.ask(question()))
        await asyncio.sleep(0)
        first.cancel()
        assert (await second).content.model == "vl-2"
        assert first.cancelled() or await asyncio.gather(first, return_exceptions=True)


async def test_a_request_that_is_wrong_does_not_take_the_endpoint_down():
    """One index with a bad setting must not slow the others."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        server.next.append(failing(400, {"error": {"message": "temperature"}}))
        with pytest.raises(EngineError):
            await endpoint.ask(question())
        assert not endpoint.is_down


async def test_a_closed_endpoint_sends_nothing():
    """A server that ends pays for nothing more."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        endpoint.close()
        with pytest.raises(EngineError, match="was closed"):
            await endpoint.ask(question())
        assert server.server.seen == []
