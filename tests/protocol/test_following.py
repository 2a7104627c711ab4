from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rtstream_async.protocol.following import Following, Reading, Stage
from tests.protocol.listing import MEANINGS, Listing

T0 = 1_700_000_000.0
OVERLAP = 60.0

spans = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.001, 0.5, 2.0, 7.0, 1000.0, 90_000.0]),  # since the one before
        st.sampled_from([0.0, 0.001, 2.0, 2.0, 30.0]),  # length
        st.sampled_from("aab"),
    ),
    max_size=60,
)


def identities(records):
    return Counter((r.start, r.end, r.text) for r in records)


def follow(listing, following, *, now, limit=2000, between=lambda: None):
    """Read until all is read that was there; return what was given."""
    given = []
    for _ in range(limit):
        place = following.place(now)
        given += following.take(listing.read(place, following.most, between), now)
        if following.is_caught_up:
            return given
    raise AssertionError("it does not come to an end")


def filled(steps, **kwargs):
    listing, at = Listing(**kwargs), T0
    for gap, any_length, text in steps:
        at += gap
        # If a record had to lie in the window, one much longer than all around it can't be found.
        length = 2.0 if kwargs.get("meaning") == "inside" else any_length
        listing.add(at, at + length, text)
    return listing, max((r.end for r in listing.records), default=at)


@given(
    steps=spans,
    size=st.integers(1, 12),
    newest_first=st.booleans(),
    meaning=st.sampled_from(sorted(MEANINGS)),
)
@example(steps=[(0.0, 0.0, "a")] * 40, size=3, newest_first=True, meaning="overlap")
@example(steps=[(0.0, 0.0, "a")] * 40, size=3, newest_first=False, meaning="overlap")
def test_history_is_given_whole_once_and_in_order(steps, size, newest_first, meaning):
    """A report of last night must have every person who came in, and count nobody twice."""
    listing, at = filled(
        ((gap, length, f"{text}{n}") for n, (gap, length, text) in enumerate(steps)),
        newest_first=newest_first,
        meaning=meaning,
    )
    following = Following(start=None, page_size=size, overlap=OVERLAP)
    read = follow(listing, following, now=at + 1)
    assert identities(read) == identities(listing.records)
    if meaning in ("overlap", "starts", "exclusive"):
        assert [r.start for r in read] == sorted(r.start for r in read)
    assert follow(listing, following, now=at + 3) == []
    assert follow(listing, following, now=at + 500) == []


@given(steps=spans, size=st.integers(1, 12), newest_first=st.booleans())
def test_the_same_said_twice_at_the_same_time_is_given_twice(steps, size, newest_first):
    """Two people who say the same are two people; a page may end between them."""
    listing, at = filled(steps, newest_first=newest_first)
    following = Following(start=None, page_size=max(size, len(steps)), overlap=OVERLAP)
    assert identities(follow(listing, following, now=at)) == identities(listing.records)


@given(
    steps=spans,
    more=st.lists(st.tuples(spans, st.floats(0, OVERLAP - 10)), max_size=5),
    size=st.integers(1, 12),
    newest_first=st.booleans(),
    meaning=st.sampled_from(sorted(MEANINGS)),
)
def test_what_comes_then_is_given_once_also_when_it_comes_late(
    steps, more, size, newest_first, meaning
):
    """A description that took a while is of the moment that mattered."""
    texts = iter(range(10_000))
    listing, at = filled(
        ((gap, length, f"{text}{next(texts)}") for gap, length, text in steps),
        newest_first=newest_first,
        meaning=meaning,
    )
    following = Following(start=None, page_size=size, overlap=OVERLAP)
    read = follow(listing, following, now=at)
    for later, late in more:
        newest = max((r.end for r in listing.records), default=at)
        for gap, _, text in later:
            at = max(at, newest) + gap
            listing.add(at - 2, at, f"{text}{next(texts)}")
            if newest > T0 + OVERLAP:
                listing.add(newest - late - 2, newest - late, f"late{next(texts)}")
        read += follow(listing, following, now=at)
    read += follow(listing, following, now=at + OVERLAP)
    assert identities(read) == identities(listing.records)


@given(
    steps=spans,
    arriving=st.lists(st.booleans(), max_size=60),
    size=st.integers(2, 6),
    newest_first=st.booleans(),
)
def test_a_list_that_grows_while_it_is_read_is_given_whole_and_once(
    steps, arriving, size, newest_first
):
    """History takes minutes to read; the door does not stay shut meanwhile."""
    listing, at = filled(
        ((gap, length, f"{text}{n}") for n, (gap, length, text) in enumerate(steps)),
        newest_first=newest_first,
    )
    arrivals = iter(arriving)
    number = iter(range(10_000))

    def grow():
        if next(arrivals, False):
            newest = max((r.end for r in listing.records), default=at)
            listing.add(newest + 1, newest + 2, f"new{next(number)}")

    following = Following(start=None, page_size=size, overlap=OVERLAP)
    now = at + 200
    read = follow(listing, following, now=now, between=grow)
    read += follow(listing, following, now=now + 100)
    read += follow(listing, following, now=now + 200)
    assert identities(read) == identities(listing.records)


@given(steps=spans, size=st.integers(1, 6), gone=st.integers(1, 5), newest_first=st.booleans())
def test_what_the_service_deletes_meanwhile_takes_nothing_else_along(
    steps, size, gone, newest_first
):
    """Retention deletes the oldest, and moves all others to earlier pages.

    Only of more than a page of one moment some may be missed.
    """
    listing, at = filled(
        ((gap + 0.1, 0.1, f"{text}{n}") for n, (gap, _, text) in enumerate(steps)),
        newest_first=newest_first,
    )
    everything = identities(listing.records)
    following = Following(start=None, page_size=size, overlap=OVERLAP)
    deleted = []

    def shrink():
        if len(deleted) < gone and listing.records:
            deleted.append(listing.records.pop(0))

    read = identities(follow(listing, following, now=at, between=shrink))
    assert read <= everything
    assert everything - read <= identities(deleted)


def test_nothing_before_the_start_is_given():
    """Who asks for today does not want yesterday, nor wait for it."""
    listing, at = filled([(10.0, 2.0, f"{n}") for n in range(200)])
    following = Following(start=T0 + 1000, page_size=10, overlap=OVERLAP)
    read = follow(listing, following, now=at)
    assert [r.text for r in read] == [f"{n}" for n in range(99, 200)]
    assert all(place.start >= T0 + 990 for place in listing.asked)


def test_a_short_history_is_one_request():
    """A dashboard of a hundred doors makes a hundred requests, not a thousand."""
    listing, at = filled([(10.0, 2.0, f"{n}") for n in range(5)])
    follow(listing, Following(start=None, page_size=10, overlap=OVERLAP), now=at)
    assert len(listing.asked) == 1


@pytest.mark.parametrize("newest_first", [True, False])
@pytest.mark.parametrize("gap", [0.002, 2.0, 3600.0])
def test_a_long_history_costs_little_more_than_its_pages(newest_first, gap):
    """The service limits how often it may be asked."""
    listing, at = filled(
        [(gap, min(gap, 2.0), f"{n}") for n in range(2000)], newest_first=newest_first
    )
    follow(listing, Following(start=None, page_size=50, overlap=OVERLAP), now=at)
    assert len(listing.asked) < 120  # 40 pages


def test_a_pause_of_a_year_is_skipped():
    """A camera that was off over the winter has nothing to be asked for."""
    steps = [(2.0, 2.0, f"{n}") for n in range(300)]
    listing, at = filled([*steps, (3e7, 2.0, "spring"), *steps])
    follow(listing, Following(start=None, page_size=50, overlap=OVERLAP), now=at)
    assert len(listing.asked) < 100


@pytest.mark.parametrize("meaning", sorted(MEANINGS))
def test_long_records_one_above_the_other_are_read_too(meaning):
    """Windows of 200 seconds, begun each second: 200 of them cover any moment."""
    listing, at = filled([(1.0, 200.0, f"{n}") for n in range(500)], meaning=meaning)
    following = Following(start=None, page_size=20, overlap=OVERLAP)
    assert identities(follow(listing, following, now=at)) == identities(listing.records)


def test_a_dense_list_is_read_at_its_end_and_now_and_then_further_back():
    """500 records a second for a minute are 30,000: nobody reads those for each push."""
    listing, at = filled([(0.02, 0.02, f"{n}") for n in range(5000)])
    following = Following(start=None, page_size=100, overlap=OVERLAP)
    read = follow(listing, following, now=at)
    read += follow(listing, following, now=at)  # and so it is known to be dense
    before = len(listing.asked)
    listing.add(at + 0.02, at + 0.04, "new")
    listing.add(at - 20, at - 20, "late")
    read += follow(listing, following, now=at + 1)
    assert len(listing.asked) - before < 10
    assert read[-1].text == "new"
    assert [r.text for r in follow(listing, following, now=at + 20)] == ["late"]


def test_what_is_remembered_does_not_grow_with_what_is_read():
    """A follower runs for a year."""
    listing = Listing()
    following = Following(start=None, page_size=100, overlap=OVERLAP)
    listing.add(T0, T0 + 1e9, "a record with a broken clock")
    for n in range(2500):
        listing.add(T0 + n, T0 + n + 1, f"{n}")
        del listing.records[1:-200]
        follow(listing, following, now=T0 + n)
    assert following.remembered < 1500


def test_what_was_forgotten_is_not_given_again():
    """A record of an hour has the hour before it read once more."""
    listing, at = filled([(1.0, 0.0, f"{n}") for n in range(2500)], meaning="inside")
    following = Following(start=None, page_size=500, overlap=OVERLAP)
    assert len(follow(listing, following, now=at)) == 2500
    assert following.remembered < 1500
    listing.add(at - 3600, at + 1, "the hour")
    assert [r.text for r in follow(listing, following, now=at + 1)] == []
    listing.add(at + 1, at + 3600, "the next hour")
    read = follow(listing, following, now=at + 3600)
    read += follow(listing, following, now=at + 3700)
    assert [r.text for r in read] == ["the next hour", "the hour"]


def test_pages_that_repeat_say_so():
    """A late record moves one onto the next page; it is not a second one."""
    first, second = Listing().add(1, 2, "a"), Listing().add(2, 3, "b")
    assert Reading(pages=[[second, first], [first]]).repeats
    assert not Reading(pages=[[second, second], [first]]).repeats


def test_a_window_that_goes_on_moving_is_read_all_the_same():
    """A list that never stands still must not hold its reader for ever."""
    following = Following(start=T0, page_size=2, overlap=OVERLAP)
    items = [Listing().add(T0 + n, T0 + n + 1, f"{n}") for n in range(4)]
    following.place(T0 + 4)
    following.take(Reading(pages=[[items[3], items[2]]], has_more=True), T0 + 4)
    assert following.stage is Stage.UP
    read = []
    for _ in range(3):
        following.place(T0 + 4)
        read += following.take(Reading(pages=[items[1:0:-1], items[1::-1]]), T0 + 4)
    assert [r.text for r in read] == ["0", "1"]
