"""Search: whether it finds what is asked for in other words, and how long it takes.

The second part searches many records over REST. It is compared with the least that a search by
meaning can do, measured in the same run: the question's vector, and numpy over all vectors.
"""

from __future__ import annotations

import itertools
import sqlite3
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray

from benchmarks.search_questions import Labelled, Question, at_five, labelled
from benchmarks.search_store import fill
from rtstream_async.local import LocalServer
from rtstream_async.local.datadir import DATABASE
from rtstream_async.local.engines.embedding_process import EmbeddingProcess

__all__ = ["measure_quality", "measure_speed"]

_THRESHOLD = 0.2  # what the official SDK sends with a search in a video
_STREAMS = 10  # that the many records are of
_PATH = "/rtstream/collection/default/search"
_HITS = 20
_TURN = 9  # questions in a row; one by one, each would find the other's data in the cache
_RANK = 60  # what reciprocal rank fusion adds to every rank
_TIMEOUT = 120.0  # seconds
_SEARCH = "a search over REST"
_AGAIN = "the same question again"
_VECTOR = "the question's vector"
_NUMPY = "numpy, all vectors as float32"
_CALL = "a REST call that does nothing"
_SPREAD = 0.02  # of the numbers of a made-up vector around those of a real one

Floats = NDArray[np.float32]


async def measure_quality() -> Sequence[Mapping[str, object]]:
    """Return how good search is by meaning, by words, and by both, as a client sees it."""
    data = labelled()
    meant = await _by_meaning(data)
    rows = [_row("meaning alone", data.paraphrased, meant)]
    names = {text: name for name, text in data.scenes.items()}
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), list(names), owners=1)
        found = [_by_words(Path(folder), question.query, data) for question in data.paraphrased]
        rows.append(_row("words alone (FTS5, BM25)", data.paraphrased, found))
        for weight in (0.2, 0.5):
            mixed = [_mix(*orders, weight) for orders in zip(meant, found, strict=True)]
            rows.append(_row(f"ranks mixed (RRF), words at {weight}", data.paraphrased, mixed))
        async with LocalServer(folder) as server, _client(server) as http:
            await _settled(http)
            for title, questions, options in (
                ("search", data.paraphrased, {}),
                ("search from 0.2", data.paraphrased, {"score_threshold": _THRESHOLD}),
                ("search for codes, phrases", data.exact, {}),
            ):
                hits = [await _ask(http, each.query, **options) for each in questions]
                rows.append(_row(title, questions, [[names[text] for text in x] for x in hits]))
            nothing = [
                not await _ask(http, query, score_threshold=_THRESHOLD)
                for query in data.unanswerable
            ]
    rejected = {"how": "search from 0.2, nothing there", "questions": len(nothing)}
    marks: dict[str, object] = dict.fromkeys(("recall@5", "hit@1", "MRR"), "-")
    share = statistics.fmean(map(float, nothing))
    return [
        *({**row, "finds nothing": "-"} for row in rows),
        rejected | marks | {"finds nothing": share},
    ]


async def measure_speed(*, records: int) -> Sequence[Mapping[str, object]]:
    """Return how long a search in `records` records takes over REST, and its parts alone.

    They take turns: what else the machine does at a time slows all of them down.
    """
    data = labelled()
    queries = [each.query for each in data.paraphrased]
    engine = EmbeddingProcess()
    texts, matrix = await _many(engine, list(data.scenes.values()), records)
    questions = _matrix(await engine.embed(queries, kind="query"))
    times: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        fill(Path(folder), texts, owners=_STREAMS, vectors=matrix, engine=engine.name)
        async with LocalServer(folder) as server, _client(server) as http:
            first = await _timed(partial(_settled, http))
            works: dict[str, Callable[[str, Floats], Awaitable[object]]] = {
                _SEARCH: lambda query, _: _ask(http, query),
                _AGAIN: lambda query, _: _ask(http, query),
                _VECTOR: lambda query, _: engine.embed([query], kind="query"),
                _NUMPY: lambda _, question: _nearest(matrix, question),
                _CALL: lambda _, __: http.get("/collection"),
            }
            asked = list(zip(queries, questions, strict=True))
            for begin in range(0, len(asked), _TURN):
                for what, work in works.items():
                    times.setdefault(what, []).extend(
                        [
                            await _timed(partial(work, *each))
                            for each in asked[begin : begin + _TURN]
                        ]
                    )
    await engine.aclose()
    floor = statistics.median(times[_VECTOR]) + statistics.median(times[_NUMPY])
    return [
        {
            "records": f"{records:,}",
            "what": what,
            "least ms": min(taken) * 1e3,
            "median ms": statistics.median(taken) * 1e3,
            "p95 ms": sorted(taken)[int(0.95 * len(taken))] * 1e3,
            "against vector + numpy": statistics.median(taken) / floor,
        }
        for what, taken in {**times, "the first search": [first]}.items()
    ]


def _row(
    how: str, questions: Sequence[Question], found: Sequence[Sequence[str]]
) -> dict[str, object]:
    return {"how": how, "questions": len(questions), **at_five(questions, found)}


async def _by_meaning(data: Labelled) -> list[list[str]]:
    names = list(data.scenes)
    engine = EmbeddingProcess()
    passages = _matrix(await engine.embed(list(data.scenes.values()), kind="passage"))
    queries = [question.query for question in data.paraphrased]
    questions = _matrix(await engine.embed(queries, kind="query"))
    await engine.aclose()
    return [[names[place] for place in np.argsort(-row)] for row in questions @ passages.T]


def _by_words(folder: Path, query: str, data: Labelled) -> list[str]:
    """Return what a search engine without a model finds: any of the words, by BM25."""
    names = list(data.scenes)
    words = " OR ".join(f'"{word}"' for word in query.replace('"', " ").split())
    with closing(sqlite3.connect(folder / DATABASE)) as db:
        rows = db.execute(
            "SELECT rowid FROM document_words WHERE document_words MATCH ? ORDER BY rank", (words,)
        )
        return [names[number - 1] for (number,) in rows]


def _mix(meant: Sequence[str], said: Sequence[str], weight: float) -> list[str]:
    """Return two orders as one, by reciprocal ranks: what could be done instead."""
    scores = {name: 1 / (_RANK + place) for place, name in enumerate(meant)}
    for place, name in enumerate(said):
        scores[name] += weight / (_RANK + place)
    return sorted(scores, key=lambda name: -scores[name])


async def _many(
    engine: EmbeddingProcess, texts: Sequence[str], count: int
) -> tuple[list[str], Floats]:
    """Return many texts, and a vector for each.

    The real vectors of a few texts are scattered a little: to embed them all takes half an hour.
    """
    real = _matrix(await engine.embed(texts, kind="passage"))
    chance = np.random.default_rng(0)
    matrix = np.resize(real, (count, real.shape[1]))
    matrix += chance.normal(0, _SPREAD, matrix.shape).astype(np.float32)
    matrix /= np.linalg.norm(matrix, axis=1, keepdims=True)
    made = [
        f"{text} Camera {number % 97}, shift {number % 31}, record {number}."
        for number, text in zip(range(count), itertools.cycle(texts), strict=False)
    ]
    return made, matrix


def _client(server: LocalServer) -> httpx.AsyncClient:
    headers = {"x-access-token": server.api_key}
    return httpx.AsyncClient(base_url=server.url, headers=headers, timeout=_TIMEOUT)


async def _settled(http: httpx.AsyncClient) -> None:
    """Search until the answer has no reservations."""
    while (await _post(http, {"query": "people"}))["warnings"]:
        pass


async def _ask(http: httpx.AsyncClient, query: str, **options: object) -> list[str]:
    answer = await _post(http, {"query": query, "result_threshold": _HITS, **options})
    return [hit["text"] for hit in answer["results"]]


async def _post(http: httpx.AsyncClient, body: Mapping[str, object]) -> dict[str, Any]:
    answer = (await http.post(_PATH, json=body)).json()
    data: dict[str, Any] = answer["data"]
    return data


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def _nearest(matrix: Floats, question: Floats) -> list[int]:
    nearest: list[int] = np.argpartition(-(matrix @ question), _HITS)[:_HITS].tolist()
    return nearest


def _matrix(vectors: Sequence[bytes]) -> Floats:
    return np.stack([np.frombuffer(vector, "<f4") for vector in vectors])
