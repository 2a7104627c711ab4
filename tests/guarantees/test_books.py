"""The accounts themselves: each way to cheat is seen, or no promise is proved by them."""

from __future__ import annotations

import attrs
import pytest

import rtstream_async as rts
from tests.guarantees.books import Account, Books, Closed, Frame, Said, faults

T0 = 1_790_000_000.0
HALL = "rts-hall"
CHANNELS = frozenset({"transcript", "scene_index", "alert"})


def at(seconds):
    return T0 + seconds


def said(number, **others):
    return Said(
        **{
            "stream": HALL,
            "channel": "transcript",
            "text": f"#{number}",
            "begun": at(number),
            "ended": at(number) + 0.1,
            **others,
        }
    )


def heard(number, origin="push", **others):
    return rts.TranscriptMessage(
        channel="transcript",
        rtstream_id=HALL,
        origin=origin,
        start=at(number) - 1,
        end=at(number),
        text=f"#{number}",
        **others,
    )


def alert(number):
    return rts.AlertMessage(channel="alert", rtstream_id=HALL, end=at(number))


def alert_frame(number, connection="conn-1"):
    return Frame(
        connection=connection,
        channel="alert",
        subject=HALL,
        identity=f"{at(number):.3f}",
        at=at(number),
    )


def account(*items, **others):
    count = sum(isinstance(item, rts.Message) for item in items)
    return Account(
        **{
            "name": "main",
            "policy": "drop_oldest",
            "streams": None,
            "channels": CHANNELS,
            "opened_at": 0.0,
            "items": items,
            "received": count + others.get("dropped", 0),
            "delivered": count,
            "dropped": 0,
            **others,
        }
    )


def books(*items, lines=3, frames=(), others=None, **kept):
    lines = [said(number) for number in range(lines)] if isinstance(lines, int) else lines
    return Books(said=lines, frames=frames, accounts=[account(*items, **(others or {}))], **kept)


def gap(since, **others):
    return rts.Gap(at=at(since), since=at(since), cause="link lost: cut", **others)


def closed(since, until, **others):
    return rts.GapClosed(at=at(until), since=at(since), until=at(until), recovered=0, **others)


def gone(since, until, **others):
    return rts.GapUnrecoverable(
        at=at(until), since=at(since), until=at(until), reason="gone", **others
    )


def test_what_came_as_it_was_sent_is_well():
    """Accounts that find fault with everything prove nothing either."""
    assert faults(books(heard(0), heard(1), heard(2), is_calm=True)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        books(heard(0), heard(2)),
        books(heard(0), heard(1), heard(2), heard(2)),
        books(heard(0), heard(1), heard(2), heard(9)),
        books(heard(0), heard(2), heard(1)),
        books(heard(0), heard(2), heard(1, "backfill"), is_calm=True),
        books(heard(0), gap(0.5), closed(0.5, 3), heard(2)),
        books(heard(0), gap(0.5), gone(0.5, 3), heard(2)),
        books(heard(0), heard(1), heard(2), gap(3)),
    ],
    ids=[
        "a record is missing",
        "one comes twice",
        "one was never sent",
        "a push comes late",
        "a find comes late",
        "a record is missing in a gap that was closed",
        "a record is missing in a gap although it is stored",
        "a gap has no end",
    ],
)
def test_a_record_is_owed_once_and_in_order(wrong):
    """It has a history, so that no gap is an excuse."""
    assert len(faults(wrong)) == 1


def test_a_find_may_come_late_where_the_history_is_slow():
    """There the order of time is not promised."""
    assert faults(books(heard(0), heard(2), heard(1, "backfill"))) == []


def test_what_two_indexes_say_is_owed_twice():
    """A set would pass for it."""
    lines = [said(0, stored=2)]
    assert faults(books(heard(0), heard(0), lines=lines)) == []
    assert len(faults(books(heard(0), lines=lines))) == 1
    assert len(faults(books(heard(0), heard(0), heard(0), lines=lines))) == 1


@pytest.mark.parametrize(
    ("announced", "count"),
    [
        ([gap(8), gone(8, 12)], 0),
        ([], 1),
        ([gone(8, 12)], 1),
        ([gap(8), closed(8, 12)], 1),
        ([gap(13), gone(8, 12)], 1),
        ([gap(1), gone(1, 8)], 1),
        ([gap(8, rtstream_id="rts-yard"), gone(8, 12, rtstream_id="rts-yard")], 1),
        ([gap(8, channel="transcript"), gone(8, 12, channel="transcript")], 1),
        ([rts.NotArmed(at=at(9), channel="alert", rtstream_id=HALL)], 0),
    ],
)
def test_an_alert_may_be_missing_where_that_was_announced(announced, count):
    """Of this stream and channel, and of this time."""
    assert len(faults(books(*announced, lines=0, frames=[alert_frame(10)]))) == count


def test_an_alert_is_not_missing_before_one_that_came_on_the_same_connection():
    """An interval that is announced generously must not hide a loss on a socket that was well."""
    announced = [gap(8), gone(8, 14)]
    frames = [alert_frame(10), alert_frame(11)]
    found = faults(books(*announced, alert(11), lines=0, frames=frames))
    assert ["later one of its connection" in fault for fault in found] == [True]
    for elsewhere in ([alert_frame(11, "conn-2")], [alert_frame(11), alert_frame(11, "conn-2")]):
        frames = [alert_frame(10), *elsewhere]
        assert faults(books(*announced, alert(11), lines=0, frames=frames)) == []


def test_a_partial_transcript_may_be_missing_in_a_gap():
    """It has no history; and that the gap is closed says nothing of it."""
    lines = [said(10, is_record=False)]
    assert faults(books(gap(8), closed(8, 12), lines=lines)) == []
    assert len(faults(books(lines=lines))) == 1


def test_what_nobody_watched_is_missing_where_that_was_announced():
    """While an index was made anew."""
    lines = [said(10, stored=0, is_moving=True)]
    rearm = rts.Gap(at=at(9), since=at(9), cause="rearm", rtstream_id=HALL, channel="transcript")
    assert faults(books(rearm, gone(9, 11), lines=lines)) == []
    assert len(faults(books(gap(9), gone(9, 11), lines=lines))) == 1


def test_what_was_stopped_by_hand_owes_nothing():
    """And what came all the same is no fault."""
    by_hand = Closed(stream=HALL, channel="transcript", since=at(0.5), until=at(1.5))
    assert faults(books(heard(0), heard(2), closed=[by_hand])) == []
    assert faults(books(heard(0), heard(1), heard(2), closed=[by_hand])) == []


def test_what_was_dropped_was_counted_and_told():
    """As many as are missing, and no fewer."""
    told = rts.Dropped(at=at(3), count=1, policy="drop_oldest")
    assert faults(books(heard(0), heard(2), told, others={"dropped": 1})) == []
    assert len(faults(books(heard(0), heard(2), others={"dropped": 1}))) == 1
    assert len(faults(books(heard(0), told, others={"dropped": 1}))) == 2
    slow = rts.SlowConsumerError(maxsize=1, dropped=1)
    others = {"dropped": 1, "policy": "error"}
    assert faults(books(heard(0), slow, heard(2), others=others)) == []
    assert len(faults(books(heard(0), told, heard(2), others=others))) == 1


def test_the_counters_add_up():
    """Who alarms by them must be able to."""
    assert len(faults(books(heard(0), heard(1), heard(2), others={"received": 4}))) == 1
    assert len(faults(books(heard(0), heard(1), heard(2), others={"delivered": 2}))) == 2


def test_who_left_is_owed_nothing_more():
    """But what he got was well."""
    left = {"is_closed": True, "dropped": 0}
    assert faults(books(heard(0), gap(1), others=left)) == []
    assert len(faults(books(heard(1), heard(0), others=left))) == 1


def test_who_came_later_is_owed_what_was_sent_since():
    """And only of the streams and channels that he asked for."""
    assert faults(books(heard(2), others={"opened_at": at(1.5)})) == []
    assert len(faults(books(others={"opened_at": at(1.5)}))) == 1
    assert faults(books(others={"channels": frozenset({"alert"})})) == []
    assert faults(books(others={"streams": frozenset({"rts-yard"})})) == []


def test_frames_that_were_doubled_may_come_twice_where_nothing_tells_them_apart():
    """An alert that the network doubled, and not a record of one index."""
    doubled = {"lines": 0, "frames": [alert_frame(1)], "has_duplicates": True}
    assert faults(books(alert(1), alert(1), **doubled)) == []
    assert len(faults(books(alert(1), alert(1), **(doubled | {"has_duplicates": False})))) == 1
    assert len(faults(books(heard(0), heard(0), lines=1, has_duplicates=True))) == 1


def test_frames_that_were_put_out_of_order_may_come_so():
    """And only then."""
    mixed = books(heard(1), heard(0), lines=2)
    assert len(faults(mixed)) == 1
    assert faults(attrs.evolve(mixed, has_reordered=True)) == []
