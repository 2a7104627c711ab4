"""What a consumer remembers: nothing skipped after a crash, nothing committed done twice."""

from __future__ import annotations

import math
from collections import Counter

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from rtstream_async.models.messages import (
    AlertMessage,
    AudioMessage,
    Message,
    SceneMessage,
    TranscriptMessage,
)
from rtstream_async.protocol.checkpoint import Cursor, Handled, Position, historic, key_of

OVERLAP = 10.0
LATEST = 6.0  # seconds that a record comes after its end, at most
BEGIN = 1_700_000_000.0


@attrs.frozen
class Record:
    start: float
    end: float
    text: str = "a cat"
    id: int = 0


def in_ms(record):
    """Return a record as the socket has it."""
    return attrs.evolve(record, start=round(record.start, 3), end=round(record.end, 3))


def new_cursor(position=None, **options):
    return Cursor(
        position or Position(since=BEGIN),
        **{"overlap": OVERLAP, "is_saved": position is not None, "has_history": False, **options},
    )


def at(end, text="a cat", *, length=2.0):
    return Record(BEGIN + end - length, BEGIN + end, text)


class Crashes(RuleBasedStateMachine):
    """A stream, a consumer that dies at any moment, and the checkpoint that is left of it."""

    def __init__(self):
        super().__init__()
        self.now = BEGIN + LATEST + 0.0004567  # REST has microseconds
        self.stored = []  # what REST has
        self.saved = None  # what the checkpoint has
        self.cursor = None
        self.work = []  # records and tickets
        self.done = []  # handled by this process and not committed
        self.handled = Counter()  # handlings of what was made, over all processes
        self.committed = Counter()

    @initialize()
    def first(self):
        self.start()

    @precondition(lambda self: self.cursor is None)
    @rule()
    def start(self):
        self.cursor = new_cursor(self.saved, has_history=True)
        if self.saved is None:
            self.commit()
        self.sweep()

    @rule(late=st.integers(0, 4 * int(LATEST)), alike=st.booleans(), copies=st.integers(1, 2))
    def make(self, late, alike, copies):
        """The service makes a record, or two indexes the same, and pushes it to who is there."""
        self.now += 0.75
        end = self.now - late / 4
        if alike and self.stored:
            end = max(self.stored[-1].end, self.now - LATEST)  # the same times once more, perhaps
        record = Record(end - 2, end, "a cat" if alike else "a dog")
        for _ in range(copies):
            self.stored.append(record)
            if self.cursor is not None:
                self.take([(record, self.cursor.push(in_ms(record)))])

    @precondition(lambda self: self.cursor is not None)
    @rule()
    def sweep(self):
        """REST is read: after the start, or again."""
        self.take(self.cursor.read([r for r in self.stored if r.end > self.cursor.since]))

    @precondition(lambda self: self.work)
    @rule(which=st.integers(0, 1000))
    def finish(self, which):
        """The handler returns, of any message."""
        record, ticket = self.work.pop(which % len(self.work))
        self.cursor.done(ticket)
        self.done.append(record)
        self.handled[identity(record)] += 1

    @precondition(lambda self: self.cursor is not None)
    @rule()
    def commit(self):
        step = self.cursor.progress(self.now)
        if step is not None:
            self.saved = step.onto(self.saved)
        for record in self.done:
            self.committed[identity(record)] += 1
        self.done.clear()

    @precondition(lambda self: self.cursor is not None)
    @rule()
    def crash(self):
        self.cursor = None
        self.work.clear()
        self.done.clear()

    def take(self, records):
        self.work += [(record, ticket) for record, ticket in records if ticket is not None]

    @invariant()
    def nothing_committed_is_done_again(self):
        """Each is committed as often as it was made, at most."""
        made = Counter(map(identity, self.stored))
        assert all(count <= made[what] for what, count in self.committed.items())

    def teardown(self):
        """A process that lives long enough has handled everything."""
        if self.cursor is None:
            self.start()
        else:
            self.sweep()
        while self.work:
            self.finish(0)
        made = Counter(map(identity, self.stored))
        assert all(self.handled[what] >= count for what, count in made.items())


def identity(record):
    return round(record.start, 2), round(record.end, 2), record.text


TestCrashes = Crashes.TestCase


@given(
    st.lists(
        st.tuples(st.floats(BEGIN + 1, BEGIN + 60), st.sampled_from("ab")), min_size=1, max_size=30
    ),
    st.randoms(use_true_random=False),
)
def test_a_record_is_taken_once_by_whatever_way_it_comes(ends, chance):
    """A handler that sends mail sends it once, though the socket and REST both had the record."""
    records = [Record(end - 1, end, text) for end, text in ends]
    cursor = new_cursor()
    ways = [*(("push", record) for record in records), *(("read", None) for _ in range(3))]
    chance.shuffle(ways)
    taken = 0
    for way, record in ways:
        if way == "push":
            taken += cursor.push(in_ms(record)) is not None
        else:
            taken += len(cursor.read(records))
    assert taken == len(records)


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans(), st.booleans()), max_size=40))
def test_progress_on_progress_is_all_that_was_done(steps):
    """What a checkpoint adds up is what one commit at the end would have written."""
    cursor, position = new_cursor(), None
    done = Counter()
    for end, finishes, commits in steps:
        ticket = cursor.push(at(end + 1))
        if finishes:
            cursor.done(ticket)
            done[BEGIN + end + 1] += 1
        if commits and (step := cursor.progress(BEGIN + 100)) is not None:
            position = step.onto(position)
    if (step := cursor.progress(BEGIN + 100)) is not None:
        position = step.onto(position)
    kept = {one.end: one.count for one in position.handled}
    assert kept == {end: count for end, count in done.items() if end > position.since}


def test_what_is_in_work_holds_everything_back():
    """The slowest message decides where the next process begins."""
    cursor = new_cursor()
    slow = cursor.push(at(5))
    for end in range(6, 100):
        cursor.done(cursor.push(at(end)))
    assert cursor.progress(BEGIN + 200).since == BEGIN  # 5 - 10 is before the beginning
    cursor.done(slow)
    assert cursor.progress(BEGIN + 200).since == BEGIN + 99 - OVERLAP


def test_a_record_that_comes_very_late_is_owed_while_it_is_in_work():
    """It is older than all that is remembered, and the process may die over it."""
    cursor = new_cursor()
    cursor.done(cursor.push(at(100)))
    position = cursor.progress(BEGIN + 200).onto(None)
    assert position.since == BEGIN + 90
    late = cursor.push(at(20))
    position = cursor.progress(BEGIN + 200).onto(position)
    assert BEGIN + 19.9 < position.since < BEGIN + 20
    again = new_cursor(position, has_history=True)
    owed = again.read([at(20), at(100)])
    assert [record.end for record, _ in owed] == [BEGIN + 20]
    cursor.done(late)
    step = cursor.progress(BEGIN + 200)
    assert step == Position(since=BEGIN + 90)
    assert [one.end for one in step.onto(position).handled] == [BEGIN + 100]


def test_what_was_forgotten_is_not_read_again():
    """A long read ends after its beginning has been forgotten."""
    cursor = new_cursor()
    for end in (1, 50):
        cursor.done(cursor.push(at(end)))
    assert cursor.progress(BEGIN + 60) is not None
    assert cursor.since == BEGIN + 40
    assert cursor.read([at(1), at(50)]) == []


def test_nothing_is_forgotten_before_history_was_read():
    """What is pushed at once after the start is far ahead of what was missed."""
    cursor = new_cursor(Position(since=BEGIN), has_history=True)
    cursor.done(cursor.push(at(500)))
    assert cursor.progress(BEGIN + 600).since == BEGIN
    (owed,) = cursor.read([at(3), at(500)])
    cursor.done(owed[1])
    assert cursor.progress(BEGIN + 600).since == BEGIN + 490


def test_a_record_of_the_future_moves_nothing_beyond_now():
    """One wrong clock, and everything until the year 2100 would count as handled."""
    cursor = new_cursor()
    cursor.done(cursor.push(at(3e9)))
    assert cursor.progress(BEGIN + 50).since == BEGIN + 40


def test_a_new_position_is_told_at_once_and_an_old_one_only_when_it_moves():
    """A crash before the first message must find where it began."""
    fresh = new_cursor()
    assert fresh.progress(BEGIN) == Position(since=BEGIN)
    assert fresh.progress(BEGIN) is None
    assert new_cursor(Position(since=BEGIN)).progress(BEGIN + 100) is None


def test_done_twice_is_done_once():
    """A count too many would hide a record that is alike."""
    cursor = new_cursor()
    ticket = cursor.push(at(5))
    cursor.done(ticket)
    cursor.done(ticket)
    assert cursor.progress(BEGIN + 9).handled[0].count == 1


@pytest.mark.parametrize(("apart", "taken"), [(0.0014, 0), (-0.0014, 0), (0.0016, 1), (1.0, 1)])
def test_times_are_equal_within_what_the_socket_rounds(apart, taken):
    """The socket has milliseconds where REST has microseconds."""
    cursor = new_cursor()
    cursor.push(at(5))
    assert len(cursor.read([at(5 + apart, length=2.0)])) == taken


def test_of_two_that_are_near_the_nearest_is_meant():
    """Short words, spoken fast and twice."""
    cursor = new_cursor()
    for end in (5.0, 5.002):
        cursor.done(cursor.push(at(end)))
    ends = [one.end for one in cursor.progress(BEGIN + 9).handled]
    assert ends == [BEGIN + 5.0, BEGIN + 5.002]
    assert cursor.read([at(5.0011), at(5.0009)]) == []


def test_neighbours_are_forgotten_one_by_one():
    """The younger of two that are near each other is remembered for as long as all others."""
    cursor = new_cursor()
    for end in (5.0, 5.002, 15.001):
        cursor.done(cursor.push(at(end)))
    cursor.progress(BEGIN + 20)
    assert cursor.since == BEGIN + 15.001 - OVERLAP
    assert cursor.read([at(5.0), at(5.002), at(15.001)]) == []


def test_other_words_are_another_record():
    """Two indexes on one stream see different things."""
    cursor = new_cursor()
    cursor.push(at(5, "a cat"))
    assert [record.text for record, _ in cursor.read([at(5, "a cat"), at(5, "\ud800")])] == [
        "\ud800"
    ]


def test_history_is_handed_over_in_order_of_time():
    """The service lists the newest first."""
    cursor = new_cursor()
    assert [r.end for r, _ in cursor.read([at(9), at(5), at(7)])] == [
        BEGIN + 5,
        BEGIN + 7,
        BEGIN + 9,
    ]


def test_onto_forgets_adds_and_sorts():
    """A checkpoint of one's own has to do the same."""
    old = Position(since=1.0, handled=(one(2.0), one(5.0, count=2)))
    step = Position(since=3.0, handled=(one(6.0), one(5.0), one(2.5)))
    assert step.onto(old) == Position(since=3.0, handled=(one(5.0, count=3), one(6.0)))
    assert step.onto(None) == Position(since=3.0, handled=(one(5.0), one(6.0)))


def one(end, count=1):
    return Handled(start=end - 1, end=end, digest="d", count=count)


TIMED = {"rtstream_id": "rts-1", "start": 1.0, "end": 2.0}


@pytest.mark.parametrize(
    ("message", "key"),
    [
        (SceneMessage(channel="scene_index", **TIMED), ("rts-1", "scene_index")),
        (AudioMessage(channel="audio_index", **TIMED), ("rts-1", "audio_index")),
        (TranscriptMessage(channel="transcript", **TIMED), ("rts-1", "transcript")),
        (TranscriptMessage(channel="transcript", is_final=False, **TIMED), None),
        (SceneMessage(channel="understanding", **TIMED), None),
        (SceneMessage(channel="scene_index", start=1.0, end=2.0), None),
        (SceneMessage(channel="scene_index", **{**TIMED, "end": math.inf}), None),
        (AlertMessage(channel="alert", **TIMED), None),
        (Message(channel="scene_index", rtstream_id="rts-1"), None),
        ("anything", None),
    ],
)
def test_only_what_rest_can_tell_again_has_a_key(message, key):
    """Of all others no cursor can be kept."""
    assert key_of(message) == key


@pytest.mark.parametrize(
    ("keys", "meant"),
    [
        ([("a", "scene_index")], [("a", "scene_index")]),
        ([("a", None)], [("a", "scene_index"), ("a", "audio_index"), ("a", "transcript")]),
        ([("a", "alert"), (None, "alert")], []),
        ([(None, "transcript")], [("b", "transcript")]),
        ([(None, None)], [("b", "scene_index"), ("b", "transcript")]),
    ],
)
def test_the_keys_of_a_source_mean_streams_and_channels(keys, meant):
    """All streams are those that are known."""
    assert historic(keys, [("b", "scene_index"), ("b", "transcript"), ("b", "alert")]) == meant
