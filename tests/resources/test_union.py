"""The records of indexes that took each other's place, read as those of one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.models.records import Page, Scene
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.resources.union import UnionPlace, union_page


def scenes(*starts: int) -> list[Scene]:
    """Records, newest first."""
    return [Scene(start=at, end=at + 1, text=f"{at}") for at in sorted(starts, reverse=True)]


class Indexes:
    """What the service has, and what it was asked."""

    def __init__(self, **records: list[Scene]) -> None:
        self.records = records
        self.asked: list[tuple[str, int]] = []

    async def read(self, index_id: str, place: ByNumber) -> tuple[Page[Scene], ByNumber | None]:
        self.asked.append((index_id, place.page))
        begin = (place.page - 1) * place.page_size
        records = self.records[index_id]
        items = records[begin : begin + place.page_size]
        more = begin + place.page_size < len(records)
        page = Page(items=items, next_page=more, page=place.page, page_size=place.page_size)
        return page, place.after(spans=[(one.start, one.end) for one in items], more=more)


async def read_all(indexes: Indexes, lineage: list[str], page_size: int) -> list[Any]:
    place: UnionPlace | None = UnionPlace.of(lineage, ByNumber(page_size=page_size))
    pages: list[list[str]] = []
    while place is not None:
        page, place = await union_page(indexes.read, place)
        assert page.next_page == (place is not None)
        pages.append([scene.text for scene in page["scenes"]])
    return pages


async def test_the_order_is_that_of_one_index():
    """Newest first, across all that once were this index."""
    indexes = Indexes(a=scenes(1, 2, 3), b=scenes(4), c=scenes(5, 6))
    pages = await read_all(indexes, ["a", "b", "c"], 2)
    assert pages == [["6", "5"], ["4", "3"], ["2", "1"]]


async def test_an_old_index_is_read_when_it_is_its_turn():
    """A monitor that looks at the newest page must not read years."""
    indexes = Indexes(a=scenes(1, 2, 3), b=scenes(4, 5, 6))
    page, _ = await union_page(indexes.read, UnionPlace.of(["a", "b"], ByNumber(page_size=2)))
    assert [scene.text for scene in page] == ["6", "5"]
    assert indexes.asked == [("b", 1), ("b", 2)]


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=4),
    st.integers(1, 4),
    st.integers(1, 5),
)
async def test_every_page_is_where_it_is_when_all_are_read(
    counts: list[int], page_size: int, number: int
):
    """`await get_scenes(page=3)` must be the third page, whatever the index was before."""
    first = 0
    records: dict[str, list[Scene]] = {}
    for place, count in enumerate(counts):
        records[f"i{place}"] = scenes(*range(first, first + count))
        first += count
    every = [f"{at}" for at in reversed(range(first))]
    page, _ = await union_page(
        Indexes(**records).read,
        UnionPlace.of(list(records), ByNumber(page=number, page_size=page_size)),
    )
    begin = (number - 1) * page_size
    assert [scene.text for scene in page] == every[begin : begin + page_size]
    assert page.next_page == (begin + page_size < len(every))
    pages = await read_all(Indexes(**records), list(records), page_size)
    assert [text for texts in pages for text in texts] == every


@pytest.mark.parametrize("lineage", [["a"], ["b", "a"]])
async def test_nothing_at_all_is_one_empty_page(lineage: list[str]):
    """An index that was made anew before it saw anything has no records, and no error."""
    assert await read_all(Indexes(a=[], b=[]), lineage, 2) == [[]]
