"""The overflow policies, against models."""

from __future__ import annotations

from collections import deque
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.protocol.overflow import OVERFLOWS, SLOW, Mark, Overflow, Queue

PUT, TAKE, MARK = "put", "take", "mark"
STEPS = st.lists(st.sampled_from([PUT, PUT, PUT, TAKE, MARK]), max_size=60)
SIZES = st.integers(1, 5)


def drained(queue: Queue[int]) -> list[object]:
    taken = []
    while not queue.is_empty:
        item = queue.take()
        taken.append(item.value if isinstance(item, Mark) else item)
    assert queue.take() is None
    return taken


def play(queue: Queue[int], steps: list[str]) -> tuple[int, list[object]]:
    """Put numbers, take, and mark with negative numbers; return how many went in, and all out."""
    sent, out = 0, []
    for step in steps:
        if step == PUT:
            queue.put(sent)
            sent += 1
        elif step == MARK:
            queue.mark(-sent - 1)
        else:
            item = queue.take()
            if item is not None:
                out.append(item.value if isinstance(item, Mark) else item)
    return sent, out


@given(steps=STEPS, maxsize=SIZES, policy=st.sampled_from(OVERFLOWS), tells=st.booleans())
def test_every_message_is_delivered_or_counted(
    steps: list[str], maxsize: int, policy: Overflow, tells: bool
):
    """A message that is neither is a loss that nobody can see."""
    queue: Queue[int] = Queue(maxsize=maxsize, policy=policy, key=lambda n: n % 3, tells=tells)
    sent, out = play(queue, steps)
    assert queue.received == sent
    out += drained(queue)
    messages = [item for item in out if isinstance(item, int) and item >= 0]
    assert len(messages) == queue.delivered
    assert queue.delivered + queue.dropped == sent
    assert len(messages) == len(set(messages))


@given(steps=STEPS, maxsize=SIZES, policy=st.sampled_from(OVERFLOWS))
def test_no_mark_is_lost_and_messages_stay_in_order(
    steps: list[str], maxsize: int, policy: Overflow
):
    """An announcement out of its place tells the consumer something false."""
    queue: Queue[int] = Queue(maxsize=maxsize, policy=policy, key=lambda n: n % 3)
    _, out = play(queue, steps)
    out += drained(queue)
    assert [x for x in out if isinstance(x, int) and x < 0] == [
        -steps[:i].count(PUT) - 1 for i, step in enumerate(steps) if step == MARK
    ]
    if policy != "latest":
        messages = [item for item in out if isinstance(item, int) and item >= 0]
        assert messages == sorted(messages)
        for position, item in enumerate(out):
            if isinstance(item, int) and item < 0:
                # What was put before the mark comes before it, and nothing else.
                assert all(x < -item - 1 for x in out[:position] if isinstance(x, int) and x >= 0)
                assert all(x >= -item - 1 for x in out[position:] if isinstance(x, int) and x >= 0)


@given(steps=STEPS, maxsize=SIZES, policy=st.sampled_from(["drop_oldest", "drop_newest", "latest"]))
def test_the_bound_holds(steps: list[str], maxsize: int, policy: Overflow):
    """A consumer that never reads must not take all the memory."""
    queue: Queue[int] = Queue(maxsize=maxsize, policy=policy, key=lambda n: n)
    for i, step in enumerate(steps):
        play(queue, [step])
        assert queue.depth <= maxsize, i
    assert queue.high_water <= maxsize


@given(steps=STEPS, maxsize=SIZES, policy=st.sampled_from(OVERFLOWS))
def test_an_ordinary_queue_may_be_read_without_take(
    steps: list[str], maxsize: int, policy: Overflow
):
    """The consumer's quick way must never hand out a mark, or skip one."""
    queue: Queue[int] = Queue(maxsize=maxsize, policy=policy, tells=True)
    for step in steps:
        play(queue, [step])
        if not queue.is_special and queue.items:
            expected = queue.items[0]
            assert not isinstance(expected, Mark)
            assert queue.oldest == expected
            assert queue.take() == expected


@given(st.lists(st.integers(0, 3)), SIZES)
def test_drop_oldest_keeps_the_newest(items: list[int], maxsize: int):
    """The default: who looks late sees the present."""
    queue: Queue[int] = Queue(maxsize=maxsize)
    model: deque[int] = deque(maxlen=maxsize)
    for item in items:
        fits = len(model) < maxsize
        assert queue.put(item) is fits
        model.append(item)
    assert drained(queue) == list(model)


@given(st.lists(st.integers(0, 3)), SIZES)
def test_drop_newest_keeps_the_oldest(items: list[int], maxsize: int):
    """Who needs the beginning gets the beginning."""
    queue: Queue[int] = Queue(maxsize=maxsize, policy="drop_newest")
    for item in items:
        queue.put(item)
    assert drained(queue) == items[:maxsize]


@given(st.lists(st.tuples(st.integers(0, 6), st.integers())), SIZES)
def test_latest_has_the_newest_of_each_key(items: list[tuple[int, int]], maxsize: int):
    """A dashboard must not show an old state of a stream as its present one."""
    queue: Queue[tuple[int, int]] = Queue(maxsize=maxsize, policy="latest", key=lambda i: i[0])
    model: dict[int, tuple[int, int]] = {}
    for item in items:
        if item[0] not in model and len(model) == maxsize:
            del model[next(iter(model))]
        model[item[0]] = item
        queue.put(item)
        assert queue.oldest == next(iter(model.values()))
    assert queue.depth == len(model)
    assert drained(queue) == list(model.values())


def test_latest_without_a_key_has_one_message():
    """For one stream, the newest message is all there is to see."""
    queue: Queue[int] = Queue(maxsize=8, policy="latest")
    for item in range(5):
        queue.put(item)
    assert drained(queue) == [4]
    assert queue.dropped == 4


def test_error_tells_after_what_is_queued_and_then_goes_on():
    """The consumer must learn where the hole is, and may decide to live with it."""
    queue: Queue[int] = Queue(maxsize=2, policy="error")
    assert [queue.put(i) for i in range(5)] == [True, True, False, False, False]
    assert queue.is_deaf
    assert [queue.take(), queue.take()] == [0, 1]
    # There is room, and still the hole must not get an island in it.
    assert queue.put(5) is False
    mark = queue.take()
    assert isinstance(mark, Mark)
    assert mark.value is SLOW
    assert queue.put(6) is True
    assert drained(queue) == [6]
    assert queue.dropped == 4


def test_block_keeps_all_and_asks_for_a_halt_until_half_empty():
    """What has been read off the socket already must not be lost while it is being stopped."""
    queue: Queue[int] = Queue(maxsize=4, policy="block")
    assert [queue.put(i) for i in range(6)] == [True] * 4 + [False] * 2
    assert queue.is_holding
    taken = [queue.take() for _ in range(3)]
    assert queue.is_holding
    assert queue.put(6) is True
    assert queue.is_holding
    taken += [queue.take(), queue.take()]
    assert not queue.is_holding
    assert taken + drained(queue) == list(range(7))
    assert queue.dropped == 0
    assert queue.high_water == 6


def test_a_block_that_was_given_up_drops_until_the_consumer_is_told():
    """One stuck consumer must not cost everybody the connection."""
    queue: Queue[int] = Queue(maxsize=2, policy="block")
    for i in range(3):
        queue.put(i)
    queue.give_up()
    assert not queue.is_holding
    assert queue.put(3) is False
    assert drained(queue) == [0, 1, 2, SLOW]
    assert queue.put(4) is True
    assert drained(queue) == [4]


@pytest.mark.parametrize("policy", OVERFLOWS)
def test_marks_are_bounded_too(policy: Overflow):
    """A link that comes and goes all night must not fill the queue of one who is asleep."""
    queue: Queue[int] = Queue(maxsize=2, policy=policy, tells=True)
    assert sum(queue.mark(i) for i in range(1000)) == 256
    assert queue.untold == 744
    assert len(drained(queue)) == 256
    assert queue.dropped == 0


def test_what_was_dropped_is_told_once():
    """A count that is told twice is a count that nobody can add up."""
    queue: Queue[int] = Queue(maxsize=1, tells=True)
    for i in range(4):
        queue.put(i)
    assert queue.is_special
    assert (queue.tell(), queue.tell()) == (3, 0)
    assert not queue.is_special
    queue.put(4)
    assert queue.tell() == 1


@given(steps=STEPS, policy=st.sampled_from(OVERFLOWS))
def test_a_closed_queue_stays_empty(steps: list[str], policy: Overflow):
    """Messages for a subscription that is gone must not be kept for nobody."""
    queue: Queue[int] = Queue(maxsize=2, policy=policy, tells=True)
    play(queue, steps)
    queue.close()
    assert queue.is_empty
    assert not queue.is_holding
    play(queue, [PUT] * 5)
    assert queue.is_empty
    assert queue.oldest is None


@given(
    queued=st.integers(0, 4),
    taken=st.integers(0, 4),
    policy=st.sampled_from([policy for policy in OVERFLOWS if policy != "latest"]),
)
def test_what_is_put_back_comes_again_first_and_in_order(queued: int, taken: int, policy: Overflow):
    """A consumer that was cancelled had taken more than it could handle."""
    queue: Queue[int] = Queue(maxsize=4, policy=policy)
    for i in range(queued):
        queue.put(i)
    first = [queue.take() for _ in range(min(taken, queued))]
    queue.put_back(cast("list[int]", first))
    assert (queue.delivered, queue.dropped, queue.received) == (0, 0, queued)
    assert drained(queue) == list(range(queued))


def test_more_than_fits_can_be_put_back():
    """Nothing is lost by it; what comes next finds the queue full."""
    queue: Queue[int] = Queue(maxsize=2)
    for i in range(4):
        queue.put(i)
        queue.take()
    queue.put_back([0, 1, 2, 3])
    assert queue.depth == queue.high_water == 4
    assert queue.put(4) is False
    assert drained(queue) == [1, 2, 3, 4]


def test_an_older_message_of_a_key_is_not_put_back_over_a_later_one():
    """Who asked for the latest gets the latest."""
    queue: Queue[tuple[str, int]] = Queue(maxsize=4, policy="latest", key=lambda item: item[0])
    queue.put(("a", 1))
    queue.put(("b", 1))
    taken = [queue.take(), queue.take()]
    queue.put(("a", 2))
    queue.put_back(cast("list[tuple[str, int]]", taken))
    assert queue.dropped == 1
    assert drained(queue) == [("b", 1), ("a", 2)]
    keyless: Queue[int] = Queue(maxsize=4, policy="latest")
    keyless.put(1)
    taken_one = keyless.take()
    keyless.put_back([cast("int", taken_one)])
    assert drained(keyless) == [1]


def test_nothing_is_put_back_into_a_closed_queue():
    """Nobody reads it any more."""
    queue: Queue[int] = Queue(maxsize=2)
    queue.put(1)
    queue.take()
    queue.close()
    queue.put_back([1])
    assert queue.is_empty
