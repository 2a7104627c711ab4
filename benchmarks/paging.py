"""All scenes of an index, page by page: ours, and the official SDK in threads.

One sequential reader on each side, the same size of page, the same server: one with answers made
beforehand, directly and over a link that takes 10 ms each way, and then the local server
with its database. Of the official SDK's records the text is read, as dictionaries; ours are typed,
and each comes once.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

import attrs
import videodb  # type: ignore[import-untyped]  # it has no types
from videodb.rtstream import (  # type: ignore[import-untyped]  # likewise
    RTStreamSceneIndex as OfficialIndex,
)

from benchmarks.answering import INDEX, STREAM, answering
from benchmarks.stored import stored
from rtstream_async import connect

__all__ = ["measure"]

_DELAY = 0.010  # seconds each way

Read = Callable[["Place", int], Awaitable[int]]


@attrs.frozen(kw_only=True)
class Place:
    """Where the records are."""

    url: str
    key: str = "k"
    stream: str = STREAM
    index: str = INDEX


def measure(
    *, records: int = 100_000, page_size: int = 100, rounds: int = 2
) -> Sequence[Mapping[str, object]]:
    """Return how long it takes to read them all, and how that compares to the official SDK."""
    with answering(records=records, page_size=page_size, delay=_DELAY) as server:
        rows = [
            row
            for link, url in (("loopback", server.url), ("20 ms", server.slow_url))
            for row in asyncio.run(_measure(link, Place(url=url), records, page_size, rounds))
        ]
    with stored(records) as at:
        place = Place(url=at.url, key=at.key, stream=at.stream, index=at.index)
        rows += asyncio.run(_measure("the local server", place, records, page_size, rounds))
    return rows


async def _measure(
    link: str, place: Place, records: int, page_size: int, rounds: int
) -> Sequence[Mapping[str, object]]:
    sides: dict[str, Read] = {
        "official SDK, a thread a page": _official_threads,
        "official SDK, one thread": _official_sequential,
        "ours, prefetch=0": lambda place, size: _ours(place, size, 0),
        "ours, prefetch=4": lambda place, size: _ours(place, size, 4),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for _ in range(rounds):
        for name, read in sides.items():
            wall, cpu = time.perf_counter(), time.process_time()
            found = await read(place, page_size)
            taken[name].append((time.perf_counter() - wall, time.process_time() - cpu))
            if found != records:
                raise RuntimeError(f"{name} read {found} of {records} records")
    medians = {
        name: (statistics.median(w for w, _ in values), statistics.median(c for _, c in values))
        for name, values in taken.items()
    }
    official = medians["official SDK, a thread a page"][0]
    return [
        {
            "link": link,
            "page size": page_size,
            "who": name,
            "seconds": wall,
            "records a second": records / wall,
            "CPU a record, us": cpu / records * 1e6,
            "times the official SDK": official / wall,
        }
        for name, (wall, cpu) in medians.items()
    ]


async def _ours(place: Place, page_size: int, prefetch: int) -> int:
    found = 0
    async with connect(place.key, base_url=place.url, proxy=False) as connection:
        collection = await connection.get_collection()
        stream = await collection.get_rtstream(place.stream)
        index = await stream.get_scene_index(place.index)
        async for scene in index.get_scenes(page_size=page_size, prefetch=prefetch):
            found += bool(scene.text)
    return found


def _official(place: Place) -> OfficialIndex:
    connection = videodb.connect(api_key=place.key, base_url=place.url)
    return OfficialIndex(connection, place.index, place.stream)


async def _official_threads(place: Place, page_size: int) -> int:
    index, found, page = _official(place), 0, 1
    while True:
        answer = await asyncio.to_thread(index.get_scenes, page=page, page_size=page_size)
        found += _count(answer["scenes"])
        if not answer["next_page"]:
            return found
        page += 1


async def _official_sequential(place: Place, page_size: int) -> int:
    return await asyncio.to_thread(_read_all, _official(place), page_size)


def _read_all(index: OfficialIndex, page_size: int) -> int:
    found, page = 0, 1
    while True:
        answer = index.get_scenes(page=page, page_size=page_size)
        found += _count(answer["scenes"])
        if not answer["next_page"]:
            return found
        page += 1


def _count(scenes: Sequence[Mapping[str, object]]) -> int:
    return sum(bool(scene["description"]) for scene in scenes)
