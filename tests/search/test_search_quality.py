"""Search with the real engine, on the labelled questions of the benchmark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from benchmarks.search_questions import Labelled, at_five, labelled
from rtstream_async.local import LocalServer
from tests.local.harness import Api, api_of, until


async def names(api: Api, stream: str, data: Labelled, query: str, **body: Any) -> list[str]:
    """Return the scenes that are found, the best first."""
    by_text = {text: name for name, text in data.scenes.items()}
    path = f"/rtstream/{stream}/search"
    answer = await api.call("POST", path, json={"query": query, **body})
    assert answer["warnings"] == []
    return [by_text[hit["text"]] for hit in answer["results"]]


@pytest.fixture(scope="module")
def data() -> Labelled:
    return labelled()


async def test_search_finds_what_is_meant(tmp_path: Path, data: Labelled) -> None:
    """Nobody remembers the words of a hundred descriptions."""
    assert len(data.scenes) >= 100
    assert len(data.paraphrased) >= 24
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        stream = await api.connect()
        await api.index(stream)
        for second, text in enumerate(data.scenes.values()):
            await server.control.add_scene(stream, text, start=second, end=second + 1)
        path = f"/rtstream/{stream}/search"
        await until(
            lambda: api.call("POST", path, json={"query": "people"}),
            lambda answer: not answer["warnings"],
        )
        found = [await names(api, stream, data, each.query) for each in data.paraphrased]
        assert at_five(data.paraphrased, found)["recall@5"] >= 0.8
        exact = [await names(api, stream, data, each.query) for each in data.exact]
        assert at_five(data.exact, exact)["hit@1"] == 1
        nothing = [
            await names(api, stream, data, query, score_threshold=0.2)
            for query in data.unanswerable
        ]
        assert sum(map(bool, nothing)) <= len(nothing) / 2
