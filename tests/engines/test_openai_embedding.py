"""Vectors from an endpoint: a scripted one, and a real model server."""

from __future__ import annotations

import struct

import pytest

from rtstream_async.local.engines.openai.embedding import OpenAIEmbedding
from rtstream_async.local.engines.ports import EngineError
from tests.engines.endpoints import endpoint_to, failing, real_embeddings, stub, usage


def to(server, **fields):
    return endpoint_to(server.url, kind="embedding", **fields)


def numbers(vector):
    return struct.unpack(f"<{len(vector) // 4}f", vector)


async def test_each_text_has_its_vector_of_length_one():
    """The endpoint answers in another order than it was asked."""
    async with stub() as server, to(server) as endpoint:
        engine = OpenAIEmbedding(endpoint)
        await engine.warm_up()
        vectors = await engine.embed(["four", "sixsix"], kind="passage")
    assert numbers(vectors[0]) == pytest.approx([3 / 41**0.5, 4 / 41**0.5, 4 / 41**0.5])
    assert numbers(vectors[1]) == pytest.approx([3 / 61**0.5, 4 / 61**0.5, 6 / 61**0.5])
    assert server.bodies[0]["input"] == ["four", "sixsix"]
    assert "input_type" not in server.bodies[0]
    assert usage(endpoint)["texts"] == 2
    assert usage(endpoint)["total_tokens"] == 2
    assert engine.usage is endpoint.usage


async def test_many_texts_go_in_batches_and_stay_in_order():
    """Endpoints take so many at a time, and no more."""
    texts = ["x" * (number + 1) for number in range(7)]
    async with stub() as server, to(server, options="?batch=3") as endpoint:
        vectors = await OpenAIEmbedding(endpoint).embed(texts, kind="passage")
    assert [len(body["input"]) for body in server.bodies] == [3, 3, 1]
    third = [numbers(vector)[2] for vector in vectors]
    assert third == sorted(third)


async def test_queries_and_passages_may_be_told_apart():
    """Many models need to know, and each server is told in another way."""
    options = "?query_prefix=query:%20&passage_prefix=passage:%20&input_type=yes"
    async with stub() as server, to(server, options=options, model="query=q,passage=p") as endpoint:
        engine = OpenAIEmbedding(endpoint)
        await engine.embed(["red door"], kind="query")
        await engine.embed(["a door", " "], kind="passage")
        assert engine.name.startswith("openai:p@127.0.0.1:")
    query, passage = server.bodies
    assert (query["model"], query["input"], query["input_type"]) == (
        "q",
        ["query: red door"],
        "query",
    )
    assert (passage["model"], passage["input"]) == ("p", ["passage: a door", "passage: ."])


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ([], "answers with 0 vectors for 2 texts"),
        ([{"index": 0, "embedding": [1]}], "1 vectors for 2 texts"),
        ([{"index": 0, "embedding": [1]}] * 2, "not numbered by text"),
        ([{"index": 0, "embedding": [1]}, {"index": 2, "embedding": [1]}], "not numbered by text"),
        ([{"index": 0, "embedding": [1]}, {"index": 1, "embedding": [1, 1]}], "different lengths"),
        ([{"embedding": [0, 0]}, {"embedding": [1, 1]}], "without a direction"),
        ([{"embedding": []}, {"embedding": []}], "without a direction"),
        ([{"embedding": ["a"]}, {"embedding": []}], "not of OpenAI's kind"),
        ([{"embedding": "AAAA"}, {"embedding": []}], "not of OpenAI's kind"),
        (None, "not of OpenAI's kind"),
    ],
)
async def test_vectors_that_are_not_those_of_the_texts_are_refused(data, problem):
    """Search would find something else for good, and nobody would know why."""
    async with stub() as server, to(server) as endpoint:
        server.next.append(failing(200, {"data": data}))
        with pytest.raises(EngineError, match=problem):
            await OpenAIEmbedding(endpoint).embed(["a", "b"], kind="passage")
    assert usage(endpoint)["failures"] == 1


async def test_vectors_without_numbers_are_taken_in_their_order():
    """Some servers leave them out."""
    data = [{"embedding": [1, 0]}, {"embedding": [0, 1]}]
    async with stub() as server, to(server) as endpoint:
        server.next.append(failing(200, {"data": data}))
        vectors = await OpenAIEmbedding(endpoint).embed(["a", "b"], kind="passage")
    assert [numbers(vector) for vector in vectors] == [(1.0, 0.0), (0.0, 1.0)]


async def test_a_closed_engine_embeds_nothing():
    async with stub() as server, to(server) as endpoint:
        engine = OpenAIEmbedding(endpoint)
        await engine.aclose()
        with pytest.raises(EngineError, match="was closed"):
            await engine.embed(["a"], kind="query")


@pytest.fixture
async def real():
    async with real_embeddings() as url:
        yield url


async def test_a_real_server_finds_what_means_the_same(real):
    """What the others only play."""
    scenes = [
        "a red car is parked in front of the garage",
        "two people are talking in the kitchen",
        "the screen shows a failing unit test in an editor",
    ]
    queries = {"an automobile near a house": 0, "a conversation": 1, "broken build": 2}
    model = "query=e5-query,passage=e5-passage"
    async with endpoint_to(real, kind="embedding", key=None, model=model) as endpoint:
        engine = OpenAIEmbedding(endpoint)
        passages = [numbers(vector) for vector in await engine.embed(scenes, kind="passage")]
        assert {len(vector) for vector in passages} == {384}
        assert all(
            sum(x * x for x in vector) == pytest.approx(1.0, abs=1e-5) for vector in passages
        )
        for query, best in queries.items():
            (asked,) = map(numbers, await engine.embed([query], kind="query"))
            scores = [sum(x * y for x, y in zip(asked, v, strict=True)) for v in passages]
            assert scores.index(max(scores)) == best, query
    assert usage(endpoint)["total_tokens"] > 20
