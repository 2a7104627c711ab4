"""Reading a list page by page, while it changes, and while the pages come."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

import rtstream_async as rts
from rtstream_async.models.records import Page
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.supervisor import Supervisor
from tests.protocol.listing import Listing

T0 = 1_700_000_000.0


def by_words(record):
    return (record.start, record.end, record.text)


class Service:
    """Pages of a `Listing`; `held` lets a test hold answers back."""

    def __init__(self, listing, between=lambda: None):
        self.listing = listing
        self.between = between
        self.held = asyncio.Event()
        self.held.set()
        self.under_way = 0
        self.most_under_way = 0

    async def fetch(self, place):
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.held.wait()
            items, more = self.listing.page(place)
        finally:
            self.under_way -= 1
        self.between()
        page = Page(items=items, next_page=more, page=place.page, page_size=place.page_size)
        return page, place.after(spans=[(r.start, r.end) for r in items], more=more)

    async def is_idle(self):
        """Wait until nothing is asked for any more, as the loop gets round to it."""
        for _ in range(100):
            await asyncio.sleep(0)
        assert self.under_way == 0

    def pages(self, size, **kwargs):
        return rts.Pages(
            self.fetch, ByNumber(page_size=size), key=by_words, is_timed=True, **kwargs
        )


@pytest.fixture
async def spawn():
    """What starts tasks; none of them may be left at the end."""
    supervisor = Supervisor("test")
    await supervisor.start()
    yield supervisor.start_soon
    async with asyncio.timeout(10):
        while left := [t for t in asyncio.all_tasks() if t.get_name() == "rtstream-async page"]:
            await asyncio.wait(left)
    await supervisor.aclose()


def listed(count, **kwargs):
    listing = Listing(**kwargs)
    for n in range(count):
        listing.add(T0 + n, T0 + n + 1, f"{n}")
    return listing


@given(
    texts=st.lists(st.sampled_from("ab"), max_size=20),
    moments=st.lists(st.integers(0, 1), max_size=20),
    size=st.integers(1, 5),
    newest_first=st.booleans(),
    changes=st.lists(st.sampled_from(["", "", "new", "late", "gone"]), max_size=20),
)
def test_what_is_there_all_the_time_is_given_once(texts, moments, size, newest_first, changes):
    """A list that changes under the reader: in front, in the middle, at the end.

    Of a list that is oldest first, nothing is deleted here: that would move all that is not read
    yet onto pages that were. `follow=True` is for those.
    """
    listing, at = Listing(newest_first=newest_first), T0
    for text, gap in zip(texts, moments, strict=False):
        at += gap
        listing.add(at, at + 1, text)
    there = {record.number: record for record in listing.records}
    coming = iter(changes)

    def change():
        match next(coming, ""):
            case "new":
                newest = max((r.start for r in listing.records), default=T0)
                listing.add(newest + 2, newest + 3, "new")
            case "late" if newest_first:
                listing.add(T0 + 0.5, T0 + 0.6, f"late{len(listing.asked)}")
            case "gone" if newest_first and listing.records:
                oldest = min(listing.records, key=lambda r: (r.start, r.number))
                listing.records.remove(oldest)
                there.pop(oldest.number, None)

    async def read():
        return [record async for record in Service(listing, change).pages(size)]

    seen = asyncio.run(read())
    found = Counter(by_words(record) for record in seen)
    wanted = Counter(by_words(record) for record in there.values())
    assert wanted <= found <= Counter(by_words(record) for record in listing.ever)


@pytest.mark.parametrize("prefetch", [0, 1, 4])
async def test_pages_that_are_asked_for_ahead_come_in_order(spawn, prefetch):
    """What is faster must not be another list."""
    service = Service(listed(50))
    pages = service.pages(7, prefetch=prefetch, spawn=spawn)
    assert [record.text async for record in pages] == [f"{n}" for n in range(49, -1, -1)]
    assert service.under_way == 0


async def test_several_pages_are_under_way_and_no_more(spawn):
    """Four at a time on a slow link; and not the whole list, which may be a year."""
    service = Service(listed(100))
    reader = aiter(service.pages(5, prefetch=4, spawn=spawn))
    await anext(reader)
    assert service.most_under_way == 1  # who wants one record pays for one page
    service.held.clear()
    assert (await anext(reader)).text == "98"
    for _ in range(3):
        await anext(reader)  # a task starts when its turn comes
        await asyncio.sleep(0)
    assert service.under_way == 4
    service.held.set()
    assert len([record async for record in reader]) == 95


@pytest.mark.parametrize("prefetch", [1, 4])
async def test_who_waits_for_a_page_has_all_those_ahead_under_way_besides(spawn, prefetch):
    """On a slow link each request that is missing then costs its share of the speed."""
    service = Service(listed(100))
    reader = aiter(service.pages(5, prefetch=prefetch, spawn=spawn))
    await anext(reader)
    service.held.clear()
    rest = asyncio.create_task(_collect(reader))
    for _ in range(100):
        await asyncio.sleep(0)  # until nothing moves but what is held back
    assert service.under_way == prefetch + 1
    service.held.set()
    assert len(await rest) == 99
    assert service.most_under_way == prefetch + 1


async def _collect(reader):
    return [record async for record in reader]


async def test_a_cancelled_wait_loses_nothing(spawn):
    """`wait_for(anext(reader), 1)` in a loop is how many programs look around."""
    service = Service(listed(30))
    reader = aiter(service.pages(5, prefetch=2, spawn=spawn))
    read = [await anext(reader) for _ in range(5)]
    service.held.clear()
    for _ in range(3):
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                await anext(reader)
    service.held.set()
    read += [record async for record in reader]
    assert [record.text for record in read] == [f"{n}" for n in range(29, -1, -1)]


async def test_after_an_error_the_same_page_is_asked_for_again(spawn):
    """A service that is ill for a second must not cost the rest of the list."""
    service, errors = Service(listed(30)), [rts.ServerError("ill"), rts.ServerError("ill")]
    whole = service.fetch

    async def fetch(place):
        if place.page == 3 and errors:
            raise errors.pop()
        return await whole(place)

    reader = aiter(rts.Pages(fetch, ByNumber(page_size=5), key=by_words, prefetch=2, spawn=spawn))
    read, failures = [], 0
    while len(read) < 30:
        try:
            read.append(await anext(reader))
        except rts.ServerError:
            failures += 1
    assert failures == 2
    assert [record.text for record in read] == [f"{n}" for n in range(29, -1, -1)]


async def test_leaving_the_loop_gives_up_what_was_asked_for(spawn):
    """`break` is all that most programs do."""
    service = Service(listed(100))
    async for record in service.pages(5, prefetch=4, spawn=spawn):
        if record.text == "98":
            service.held.clear()
        elif record.text == "96":
            break
    gc.collect()
    await service.is_idle()


async def test_closing_ends_every_iteration(spawn):
    """`async with` ends it at a moment that can be pointed at."""
    service = Service(listed(100))
    async with service.pages(5, prefetch=4, spawn=spawn) as pages:
        one, other = aiter(pages), aiter(pages)
        assert (await anext(one)).text == (await anext(other)).text == "99"
        await anext(one)
        service.held.clear()
        await asyncio.sleep(0)
    for reader in (one, other):
        with pytest.raises(StopAsyncIteration):
            await anext(reader)
    await service.is_idle()


async def test_several_tasks_may_read_one_list(spawn):
    """Each record goes to one of them."""
    reader = aiter(Service(listed(40)).pages(3, prefetch=2, spawn=spawn))

    async def read():
        return [record.text async for record in reader]

    several = await asyncio.gather(*(read() for _ in range(3)))
    assert Counter(text for one in several for text in one) == Counter(f"{n}" for n in range(40))


async def test_a_reader_whose_connection_is_gone_says_so():
    """It must not wait for a page that nobody asks for any more."""
    supervisor = Supervisor("test")
    await supervisor.start()
    service = Service(listed(40))
    reader = aiter(service.pages(5, prefetch=1, spawn=supervisor.start_soon))
    await anext(reader)
    service.held.clear()
    read = [await anext(reader) for _ in range(4)]
    await supervisor.aclose()
    with pytest.raises(rts.ConnectionClosedError):
        await anext(reader)
    assert len(read) == 4


def test_twins_on_two_pages_are_both_given():
    """Two people who said the same are two people, also where a page ends between them."""

    async def read(size, **kwargs):
        listing = listed(3, **kwargs)
        for _ in range(3):
            listing.add(T0 + 2, T0 + 3, "2")
        return Counter([record.text async for record in Service(listing).pages(size)])

    for size in range(1, 7):
        for newest_first in (True, False):
            found = asyncio.run(read(size, newest_first=newest_first))
            assert found == {"0": 1, "1": 1, "2": 4}
