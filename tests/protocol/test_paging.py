from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.paging import (
    ByCursor,
    ByNumber,
    ByOffset,
    Given,
    direction_of,
    next_but_one,
)


def spans(*ends):
    """A second each, in the service's order."""
    return [(end - 1, end) for end in ends]


def read_all(pages):
    """Sift pages of keys as the shell does; return what is given."""
    given_so_far, memory = [], Given()
    for keys in pages:
        if memory is None:
            break
        fresh, memory = memory.sift(keys)
        given_so_far += [keys[place] for place in fresh]
    return given_so_far


@given(
    size=st.integers(1, 5),
    count=st.integers(0, 30),
    growth=st.lists(st.integers(0, 4), max_size=60),
)
def test_every_record_of_the_beginning_is_given_once_while_the_list_grows(size, count, growth):
    """An application that counts people counts nobody twice, and misses nobody."""
    records = list(range(count))  # newest last; the service lists newest first
    total, added = count, iter(growth)
    seen, memory, page = [], Given(), 1
    while memory is not None:
        listing = list(range(total - 1, -1, -1))
        keys = listing[(page - 1) * size : page * size]
        if not keys:
            break
        fresh, memory = memory.sift(keys)
        seen += [keys[place] for place in fresh]
        page += 1
        total += next(added, 0) % (size + 1)  # at most a page of growth per request
        if page > 200:
            break
    old = [key for key in seen if key < count]
    assert len(old) == len(set(old))
    if all(step % (size + 1) < size for step in growth):
        assert sorted(old) == records


@given(st.lists(st.integers(), min_size=1, max_size=5))
def test_a_page_that_comes_again_and_again_ends_it(keys):
    """A service that ignores `page` must not hold a loop for ever."""
    memory, asked = Given(), 0
    while memory is not None:
        _, memory = memory.sift(keys)
        asked += 1
    assert asked == 4


def test_one_page_that_comes_again_does_not_end_it():
    """One new record moves a page of one by a whole page; that is growth, not the end."""
    assert read_all([["c"], ["c"], ["b"], ["a"]]) == ["c", "b", "a"]


def test_equal_records_of_one_page_are_all_given():
    """Two indexes may say the same at the same time."""
    assert read_all([["a", "a"], ["a", "b"]]) == ["a", "a", "b"]


def test_the_memory_is_bounded():
    """Whoever pages through a year of records does not keep a year of keys."""
    memory = Given()
    for number in range(1000):
        _, memory = memory.sift([number])
    assert sum(len(page.given) for page in memory.pages) <= 256
    for number in range(20):
        _, memory = memory.sift(range(1000 * number, 1000 * (number + 1)))
    assert len(memory.pages) == 8


@given(st.lists(st.sampled_from("aab"), max_size=12), st.integers(1, 4))
def test_what_is_stored_twice_is_given_twice(keys, size):
    """A page may end between two people who said the same."""
    stored, memory, seen = Counter(keys), Given(), []
    for first in range(0, len(keys), size):
        page = keys[first : first + size]
        is_doubted = memory.doubted(page) != []
        fresh, memory = memory.sift(page, stored=stored if is_doubted else None)
        seen += [page[place] for place in fresh]
    assert Counter(seen) == stored


def test_a_moment_is_asked_for_with_a_margin():
    """Whether bounds are inclusive is not documented."""
    place = ByNumber(page=7, page_size=5, end=30.0).moment(10.0, 12.0)
    assert place == ByNumber(page=1, page_size=100, start=9.999, end=12.001)


def test_the_place_after_an_unread_page_is_guessed():
    """Pages are asked for ahead; which, must be known before they are read."""
    assert next_but_one(ByNumber(page=2, end=9.0)) == ByNumber(page=3, end=9.0)
    assert next_but_one(ByOffset(limit=10)) == ByOffset(limit=10, offset=10)
    assert next_but_one(ByOffset()) is None  # the service's own limit is not known
    assert next_but_one(ByCursor()) is None


def test_a_numbered_list_is_asked_for_page_by_page():
    """Bounds that were given stay as they are; zero is a bound."""
    place = ByNumber(page=2, page_size=5, start=0, end=9.5)
    assert place.query() == {"page": 2, "page_size": 5, "start": 0, "end": 9.5}
    assert place.after(spans=spans(9.0, 8.0), more=True) == ByNumber(
        page=3, page_size=5, start=0, end=9.5
    )
    assert place.after(spans=spans(9.0), more=False) is None
    assert place.after(spans=spans(), more=True) is None


def test_a_list_that_is_newest_first_stands_still_after_its_first_page():
    """A slow reader of a fast stream is pushed back as far as it reads, and never arrives."""
    after = ByNumber().after(spans=spans(20.5, 10.0), more=True)
    assert after.query() == {"page": 2, "page_size": 100, "end": 20.501}


def test_other_lists_are_left_as_they_are():
    """In a list that is oldest first, the newest record of a page is not the list's."""
    assert ByNumber().after(spans=spans(10.0, 20.5), more=True).end is None
    assert ByNumber().after(spans=spans(10.0), more=True).end is None
    assert ByNumber(page=2).after(spans=spans(20.5, 10.0), more=True).end is None


def test_an_offset_list_follows_what_the_service_says():
    """Row 57: `next` is a relative URL, and the official SDK drops it."""
    place = ByOffset(limit=10)
    assert place.query() == {"limit": 10}
    after = place.after(count=10, next_url="/rtstream/?limit=10&offset=10", total=25)
    assert after == ByOffset(limit=10, offset=10)
    assert (place.number, after.number) == (1, 2)
    assert after.after(count=10, next_url=None, total=25) == ByOffset(limit=10, offset=20)
    assert ByOffset(offset=20).after(count=5, next_url=None, total=25) is None
    assert ByOffset().after(count=5, next_url=None, total=None) is None
    assert ByOffset().after(count=0, next_url="/rtstream/?offset=10", total=25) is None
    assert ByOffset().number == 1


@given(next_url=st.none() | st.text() | st.integers().map(lambda n: f"/x?offset={n}"))
def test_an_offset_always_moves_on(next_url):
    """A `next` that leads back, or nowhere, must not hold a loop for ever."""
    after = ByOffset(limit=5, offset=10).after(count=5, next_url=next_url, total=100)
    assert after.offset > 10


def test_a_cursor_is_handed_back_as_it_came():
    """Row 36: the official SDK drops it."""
    first = ByCursor(limit=2)
    assert first.query() == {"limit": 2}
    second = first.after(count=2, cursor="tok")
    assert second == ByCursor(limit=2, cursor="tok", number=2)
    assert second.query() == {"limit": 2, "cursor": "tok"}
    assert ByCursor().query() == {}
    assert second.after(count=2, cursor="tok") is None  # it would lead back for ever
    assert second.after(count=0, cursor="more") is None
    assert second.after(count=2, cursor=None) is None


def test_which_way_a_list_goes_is_told_by_starts_and_ends_alike():
    """A wrong guess fixes a bound that cuts off the rest of the list."""
    assert direction_of([]) == 0
    assert direction_of([(0, 1)]) == 0
    assert direction_of([(0, 1), (1, 2)]) == 1
    assert direction_of([(1, 2), (0, 1)]) == -1
    assert direction_of([(0, 9), (1, 2)]) == 0
