"""What counts as the same record, and how often it is delivered."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.ledger import Found, Ledger, Memory, pack_row
from tests.protocol.recovery.world import Said

T0 = 1_700_000_000.0


def make(limit: int = 1000, rows: bytearray | None = None) -> Ledger:
    return Ledger(rows or bytearray(), tolerance=0.0015, limit=limit, forgotten=0.0)


def said(start: float, text: str = "a person") -> Said:
    return Said(start, start + 2, text)


def row(message: Said) -> bytes:
    return pack_row(message.start, message.end, hash(message.text))


@given(st.integers(0, 10**12), st.sampled_from([round, int]))
def test_milliseconds_and_microseconds_are_one_time(us, whole):
    """The socket has ms, cut off or rounded; REST has us: one record, not two."""
    exact = T0 + us / 1e6
    ledger = make()
    assert ledger.push(said(whole(exact * 1e3) / 1e3), sources=1)
    assert ledger.store([Found(source="a", message=said(exact))]) == []
    assert len(ledger) == 1


@pytest.mark.parametrize("other", [said(T0 + 0.01), Said(T0, T0 + 2.1, "a person"), said(T0, "x")])
def test_other_times_or_another_text_are_another_record(other):
    """A door that opens twice in a second opened twice."""
    ledger = make()
    assert ledger.push(said(T0), sources=1)
    assert ledger.push(other, sources=1)


EVENTS = st.lists(st.tuples(st.sampled_from(["push", "a", "b"]), st.integers(0, 4)), max_size=40)


@given(EVENTS)
def test_each_record_is_delivered_as_often_as_there_are(events):
    """Two indexes may say the same: the greater of pushed and stored, whatever comes first."""
    ledger = make()
    given_, pushed = Counter(), Counter()
    stored = {"a": Counter(), "b": Counter()}
    for kind, number in events:
        message = said(T0 + number * 2)
        if kind == "push":
            pushed[number] += 1
            given_[number] += ledger.push(message, sources=0)
        else:
            stored[kind][number] = 1
            given_[number] += len(ledger.store([Found(source=kind, message=message)]))
    assert +given_ == pushed | (stored["a"] + stored["b"])


def test_two_equal_records_of_one_source_are_two():
    """What a service lists twice on one page is twice there."""
    ledger = make()
    twice = [Found(source="a", message=said(T0))] * 2
    assert len(ledger.store(twice)) == 2
    assert ledger.store(twice[:1]) == ledger.store(twice) == []


def test_of_two_sources_the_one_that_was_not_given_yet_is_delivered():
    """Its index id tells the reader which index it was."""
    ledger = make()
    of_a, of_b = said(T0), said(T0)
    assert ledger.store([Found(source="a", message=of_a)])[0] is of_a
    both = [Found(source="b", message=of_b), Found(source="a", message=of_a)]
    assert [one is of_b for one in ledger.store(both)] == [True]


def test_a_repeated_frame_is_no_second_record():
    """One source pushes a record once, two push it twice at most."""
    for sources in (1, 2):
        ledger = make()
        pushes = [ledger.push(said(T0), sources=sources) for _ in range(4)]
        assert sum(pushes) == sources
    assert ledger.store([Found(source=name, message=said(T0)) for name in "abc"])
    assert not ledger.push(said(T0), sources=2)


def test_the_oldest_are_forgotten_and_not_taken_for_new():
    """What was delivered and forgotten must not come a second time out of a long history."""
    ledger = make(limit=3)
    for number in range(5):
        ledger.push(said(T0 + number), sources=1)
    ledger.prune(T0)
    assert len(ledger) == 3
    assert ledger.forgotten == T0 + 3
    assert ledger.store([Found(source="a", message=said(T0 + 1))]) == []
    ledger.prune(T0 + 6)
    assert len(ledger) == 1


def test_records_that_are_near_each_other_are_forgotten_one_by_one():
    """Two indexes that say the same within a moment: one is forgotten, the other is not."""
    ledger = make(limit=1)
    ledger.push(said(T0), sources=1)
    ledger.push(said(T0 + 0.004), sources=1)
    ledger.prune(T0)
    assert ledger.store([Found(source="a", message=said(T0 + 0.004))]) == []
    assert len(ledger) == 1


_TIMES = st.integers(0, 20)
_STEPS = st.one_of(
    st.tuples(st.just("push"), _TIMES),
    st.tuples(st.just("store"), st.lists(_TIMES, max_size=5)),
    st.tuples(st.just("prune"), _TIMES),
)


@given(st.lists(_STEPS, max_size=40))
def test_what_is_kept_small_counts_as_if_it_was_not(steps):
    """Memory is saved where nobody looks, and nothing else may tell."""
    plain, saving = make(), make()
    for what, given_ in steps:
        match what:
            case "push":
                message = said(T0 + given_)
                assert plain.push(message, sources=1) == saving.push(message, sources=1)
            case "store":
                found = [Found(source="a", message=said(T0 + at)) for at in given_]
                assert plain.store(found) == saving.store(found)
            case _:
                plain.prune(T0)
                saving.prune(T0, cold=T0 + given_)
                assert saving.counted <= plain.counted
        assert sorted(saving.rows()) == sorted(plain.rows())


def test_what_is_cold_is_not_counted_and_forgotten_like_the_rest():
    """Hundreds of streams are counted for as long as the link is bad."""
    ledger = make(limit=6)
    for number in range(6):
        ledger.push(said(T0 + number), sources=1)
    ledger.prune(T0, cold=T0 + 6)
    assert (len(ledger), ledger.counted) == (6, 2)
    ledger.push(said(T0 + 6), sources=1)
    ledger.prune(T0, cold=T0 + 6)
    assert (len(ledger), ledger.forgotten) == (6, T0 + 2)
    ledger.prune(T0 + 5)
    assert (len(ledger), ledger.forgotten) == (4, T0 + 4)
    assert ledger.store([Found(source="a", message=said(T0 + 3))]) == []


def test_a_cold_record_of_next_year_moves_nothing_when_it_is_forgotten():
    """All that is of now would be taken for what was forgotten."""
    memory: Memory = Memory(since=T0, span=10.0, limit=100)
    memory.rows += row(said(T0 + 1e8))
    memory.turn(T0)
    ledger = make(limit=0, rows=memory.take())
    ledger.now = T0
    ledger.prune(T0)
    assert (len(ledger), ledger.forgotten) == (0, 0.0)


def test_what_is_remembered_in_brief_counts_as_delivered():
    """Between two gaps, only numbers are kept."""
    memory: Memory = Memory(since=T0, span=10.0, limit=100)
    memory.rows += row(said(T0 + 1)) + row(said(T0 + 1)) + row(said(T0 + 2))
    assert len(memory) == 3
    assert memory.turn(T0 + 4) == 3
    assert memory.turn(T0 + 4) == 0
    assert len(memory) == 3
    ledger = make(rows=memory.take())
    assert len(memory) == 0
    found = [Found(source="a", message=said(T0 + n)) for n in (1, 2, 3)]
    assert ledger.store(found) == [said(T0 + 3)]
    memory.give_back(ledger.rows(), newest=T0 + 5, forgotten=ledger.forgotten)
    assert len(memory) == 4


def test_a_memory_forgets_by_the_lot():
    """What is older than any gap reaches is no use; some of it is kept, to be quick."""
    memory: Memory = Memory(since=T0, span=10.0, limit=100)
    for number in range(100):
        memory.rows += row(said(T0 + number))
        memory.turn(T0 + number + 2)
        assert memory.forgotten < T0 + max(1, number - 7)
    assert len(memory) < 30
