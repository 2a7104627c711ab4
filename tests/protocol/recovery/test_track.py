"""One track, step by step."""

from __future__ import annotations

import math

import pytest

from rtstream_async.protocol.recovery import Found, Push, RecoverySettings, Track, Window
from tests.protocol.recovery.world import Said

T0 = 1_700_000_000.0
CHOSEN = RecoverySettings(overlap=5.0, sweep_delay=4.0)


def said(at: float, text: str = "a person", origin: str = "push") -> Said:
    return Said(T0 + at, T0 + at + 1, text, origin)


def found(at: float, text: str = "a person", source: str = "a") -> Found[Said]:
    return Found(source=source, message=said(at, text, "backfill"))


def make(settings: RecoverySettings = CHOSEN, **arguments) -> Track[Said]:
    return Track(since=T0, settings=settings, **arguments)


def push(track: Track[Said], *ats: float, late: float = 1.0) -> list[Push]:
    return [track.push(said(at), late) for at in ats]


def lose(track: Track[Said], at: float) -> None:
    track.lost(T0 + at)
    track.begin()


def merge(track: Track[Said], found: list[Found[Said]], at: float = 50.0) -> list[Said]:
    return track.merge(found, track.window(T0 + at, 0.0)[0])


def late(track: Track[Said], found: list[Found[Said]], at: float = 51.0) -> list[Said]:
    return track.late(found, track.window(T0 + at, 0.0)[0])


def test_what_is_pushed_is_delivered_as_long_as_nothing_is_missing():
    """Recovery must not be in the way of a link that is well."""
    track = make()
    assert push(track, 1, 3, 2) == [Push.DELIVER] * 3
    assert track.last_end == T0 + 4
    assert track.gap_since is None
    assert not track.is_holding


def test_a_frame_that_comes_twice_in_a_row_is_delivered_once():
    """The service repeats a frame now and then: a visitor is not two."""
    track = make()
    assert push(track, 1, 1, 2) == [Push.DELIVER, Push.REPEAT, Push.DELIVER]
    assert track.push(Said(T0 + 2, T0 + 9, "a person"), 0.0) is Push.DELIVER
    assert track.push(Said(T0 + 2, T0 + 9, "a parcel"), 0.0) is Push.DELIVER
    assert track.repeats == 1


@pytest.mark.parametrize("sources", [0, 2])
def test_with_more_than_one_source_two_equal_frames_may_be_two_records(sources):
    """Two indexes may say the same: who counts them must count two."""
    track = make(sources=sources)
    assert push(track, 1, 1) == [Push.DELIVER] * 2


def test_another_source_is_told_to_the_track():
    """An index that is added later may be slower: what was learned is not trusted then."""
    track = make(RecoverySettings())
    push(track, *range(200))
    assert track.overlap() == 30.0
    track.sources = 1
    assert track.overlap() == 30.0
    track.sources = 2
    assert track.sources == 2
    assert track.overlap() == 120.0


def test_what_was_missed_and_what_was_held_come_in_order_of_time():
    """A transcript that jumps back is a wrong transcript."""
    track = make()
    push(track, 0, 1)
    lose(track, 2.5)
    assert track.gap_since == T0 + 2.5
    assert push(track, 4) == [Push.HOLD]
    merged = merge(track, [found(at) for at in (4, 3, 2, 1, 0)])
    assert [(one.start - T0, one.origin) for one in merged] == [
        (2, "backfill"),
        (3, "backfill"),
        (4, "push"),
    ]
    assert track.gap_since is None
    assert not track.is_holding
    assert push(track, 5) == [Push.DELIVER]


def test_what_rest_showed_first_is_not_delivered_when_it_is_pushed():
    """REST may be ahead of the socket: also after the recovery is long over."""
    track = make()
    lose(track, 2)
    assert len(merge(track, [found(1)], at=3)) == 1
    assert late(track, [], at=8) == []
    assert track.settle(T0 + 9, 0.0) == 0.0
    assert push(track, 1, 2, 3) == [Push.REPEAT, Push.DELIVER, Push.DELIVER]
    assert push(track, 20, 20) == [Push.DELIVER, Push.REPEAT]  # counting has ended here
    assert track.repeats == 2


def test_two_indexes_that_say_the_same_are_counted():
    """One of two records must not stand for both, whichever way each comes."""
    track = make(sources=2)
    push(track, 1)  # of one of the two; the other's is missed
    lose(track, 2)
    assert len(merge(track, [found(1), found(1, source="b"), found(2)])) == 2
    assert late(track, [found(2), found(2, source="b")]) == [found(2).message]
    assert push(track, 2, 2, 2) == [Push.REPEAT] * 3


def test_a_partial_transcript_is_held_and_not_counted():
    """It is replaced by what follows, and must stay before it."""
    track = make()
    partial, final = said(3, "a per"), said(3, "a person")
    assert not track.hold(partial)
    lose(track, 2)
    assert track.hold(partial)
    assert track.hold(partial)
    assert track.push(final, 1.0) is Push.HOLD
    assert merge(track, [found(2)]) == [found(2).message, partial, partial, final]


def test_no_more_is_held_than_may_be():
    """REST may be slow while a busy stream goes on."""
    track = make(RecoverySettings(held=2))
    lose(track, 0)
    assert push(track, 1) == [Push.HOLD]
    assert track.hold(said(1, "a per"))
    assert not track.hold(said(2, "a per"))
    assert push(track, 3) == [Push.DELIVER]
    assert [one.start - T0 for one in merge(track, [found(2), found(3)])] == [1, 1, 2]


def test_what_is_held_can_be_let_go_while_the_gap_stays_open():
    """While REST fails, what is pushed need not wait for it."""
    track = make()
    lose(track, 1)
    push(track, 3)
    assert track.let_go() == [said(3)]
    assert push(track, 4) == [Push.DELIVER]
    assert track.gap_since == T0 + 1
    assert [one.start - T0 for one in merge(track, [found(2), found(3), found(4)])] == [2]


def test_a_gap_that_is_given_up_is_closed():
    """What can't be read is said to be lost, once; the next gap is another."""
    track = make()
    push(track, 0)
    lose(track, 1)
    push(track, 8)
    assert track.give_up() == [said(8)]
    assert track.gap_since is None
    assert track.settle(T0 + 9, 0.0) == 0.0
    window, given_up = track.window(T0 + 10, 0.0)
    assert given_up is None
    assert window.until == T0 + 10


def test_a_loss_during_the_recovery_keeps_the_gap_open():
    """The first sweep says nothing of what was lost after it."""
    track = make()
    push(track, 0)
    lose(track, 1)
    push(track, 2)
    track.lost(T0 + 3)
    assert merge(track, []) == [said(2)]
    assert track.gap_since == T0 + 1
    assert track.settle(T0 + 4, 0.0) == 0.0  # that is for the next recovery to say
    assert track.window(T0 + 5, 0.0)[0].since == T0 - 1.5
    track.begin()
    assert [one.start - T0 for one in merge(track, [found(3)])] == [3]
    assert track.gap_since is None


def test_the_window_stays_where_the_loss_was():
    """What is pushed, or found, after a loss says nothing of what came before it."""
    track = make()
    push(track, *range(20))
    lose(track, 21)
    assert track.window(T0 + 30, 0.0) == (Window(since=T0 + 15, until=T0 + 30), None)
    merge(track, [found(at) for at in range(18, 30)])
    push(track, 40)
    assert track.window(T0 + 41, 0.0)[0].since == T0 + 15


def test_a_channel_that_was_deaf_while_others_of_its_stream_were_not_is_read_from_then_on():
    """One of two indexes has been silent for a minute: the other's records are no sign of it."""
    track = make(sources=2)
    push(track, *range(100), late=3.0)
    lose(track, 40)
    assert track.window(T0 + 101, 1.0)[0].since == T0 + 40 - (3 + 1) - 5


def test_nothing_before_it_was_armed_is_asked_for():
    """A stream's records of yesterday are none of a new subscription's."""
    track = make()
    lose(track, 0)
    assert track.window(T0 + 1, 0.0)[0].since == T0 - 1.5
    assert merge(track, [found(-10)]) == []


def test_a_gap_that_is_too_long_is_given_up_in_part_and_that_is_said():
    """An outage of a night is not fetched whole, unless that was asked for."""
    track = make(RecoverySettings(overlap=5.0, window=60.0))
    push(track, 0)
    lose(track, 2)
    window, given_up = track.window(T0 + 162, 0.0)
    assert window == Window(since=T0 - 1.5 + 100, until=T0 + 162)
    assert given_up == Window(since=T0 - 1.5, until=T0 + 102)


def test_many_losses_in_a_row_do_not_make_the_window_grow():
    """A link that is cut every few seconds for an hour costs the same each time."""
    track = make(RecoverySettings(window=600.0))
    widths = []
    at = 0
    for _ in range(400):
        push(track, *range(at, at + 8))
        lose(track, at + 9)
        window, given_up = track.window(T0 + at + 10, 0.0)
        assert given_up is None
        widths.append(window.until - window.since)
        track.merge([found(n) for n in range(at, at + 10)], window)
        at += 10
    assert max(widths) < 200
    assert widths[-1] < 60
    assert track.remembered < 1000


def test_polls_reach_back_to_the_one_before():
    """A slow index beside a quick one: what is shown after a poll was still late by then."""
    track = make()
    push(track, 0)
    first, _ = track.window(T0 + 10, 0.0)
    push(track, *range(1, 60))
    assert track.late([found(2), found(5)], first) == []
    second, given_up = track.window(T0 + 60, 0.0)
    assert (first.since - T0, second.since - T0, given_up) == (-1.5, -1.5, None)
    assert track.late([found(-1)], second) == [found(-1).message]
    assert track.window(T0 + 70, 0.0)[0].since == T0 + 60 - 5


def test_what_is_polled_besides_is_read_from_the_last_poll_on():
    """One index is polled, one is pushed: pushes say nothing of what was not polled yet."""
    track = make(sources=2)
    track.is_polled = True
    push(track, *range(10))
    late(track, [], at=11)
    push(track, *range(10, 40))
    lose(track, 41)
    assert track.window(T0 + 42, 0.0)[0].since == T0 + 10 - 5


def poll(track: Track[Said], at: float, *shown: float) -> None:
    late(track, [found(one) for one in shown], at=at)


def test_polls_teach_how_late_results_come():
    """A monitor of hundreds would read two minutes of each, every two seconds."""
    track = make(RecoverySettings(), sources=0)
    track.is_polled = True
    for at in range(0, 200, 2):
        poll(track, at + 6, at, at + 1)
    assert track.overlap() == 30.0
    assert track.sweep_delay(0.0) == pytest.approx(1.5 * 5 + 3)


def test_polls_of_a_slow_index_reach_back_as_far_as_it_is_uneven():
    """What comes seventy seconds late now and then is as good as lost to who reads thirty."""
    track = make(RecoverySettings(), sources=0)
    track.is_polled = True
    for at in range(0, 200, 2):
        poll(track, at + 6, at, at + 1)
    late(track, [found(136, "a slow one")], at=207)
    assert track.overlap() == pytest.approx(2 * 66 + 10)


@pytest.mark.parametrize("is_polled", [True, False])
def test_a_poll_after_a_pause_teaches_nothing_nor_does_another_look(is_polled):
    """It would look as if results came as late as the pause was long."""
    track = make(RecoverySettings(), sources=0)
    track.is_polled = is_polled
    for at in range(0, 2_000, 21 if is_polled else 2):
        poll(track, at + 6, at, at + 1)
    assert track.overlap() == 120.0
    assert track.sweep_delay(0.0) == 30.0


def test_of_two_readings_at_once_each_counts_from_its_own_beginning():
    """A poll overtakes a sweep: the sweep must not vouch for what was shown after it began."""
    track = make()
    push(track, *range(10))
    lose(track, 11)
    first, _ = track.window(T0 + 12, 0.0)
    track.merge([], first)
    slow, _ = track.window(T0 + 15, 0.0)
    push(track, *range(10, 30))
    assert late(track, [], at=30) == []  # it is late enough: no doubt from here on
    assert track.late([], slow) == []
    push(track, 99)
    assert track.window(T0 + 100, 0.0)[0].since == T0 + 30 - 5


def test_what_was_given_up_is_not_what_was_read():
    """A mix-up of the two would close a gap that nobody looked into."""
    track = make()
    with pytest.raises(ValueError, match="given up"):
        track.late([], Window(since=T0, until=T0 + 1))


def test_it_asks_for_another_look_until_it_is_late_enough():
    """What was still in work at the first look would be lost."""
    track = make()
    lose(track, 2)
    merge(track, [], at=3)
    assert track.sweep_delay(0.0) == 4.0
    assert track.settle(T0 + 4, 0.0) == 3.0
    late(track, [], at=7)
    assert track.settle(T0 + 7, 0.0) == 0.0
    assert track.settle(T0 + 7, 0.0) == 0.0


def test_a_poll_reads_what_is_new_and_the_whole_gap_only_when_that_is_late_enough():
    """After an hour's outage, each poll of hundreds of streams would read that hour once more."""
    track = make()
    push(track, *range(10))
    lose(track, 11)
    assert track.poll_window(T0 + 3_000, 0.0).since == T0 - 1.5  # nothing was read yet
    merge(track, [found(at) for at in range(10, 2_999)], at=3_000)
    early = track.poll_window(T0 + 3_002, 0.0)
    assert early.since == T0 + 10 - 5  # the last reading began when no more was known
    track.late([], early)
    for at in (3_003, 3_003.5):
        assert track.poll_window(T0 + at, 0.0).since == T0 + 2_999 - 5
        late(track, [], at=3_002.5)
    due = track.poll_window(T0 + 3_004, 0.0)
    assert due.since < T0 + 11
    assert track.late([found(12, "late")], due) == [found(12, "late").message]
    assert track.settle(T0 + 3_005, 0.0) == 0.0
    assert track.poll_window(T0 + 3_006, 0.0).since == T0 + 2_999 - 5


def test_polls_end_a_doubt_too():
    """Nothing looks again where a loop polls: it must not read back to the loss for ever."""
    track = make()
    push(track, *range(10))
    lose(track, 11)
    merge(track, [], at=12)
    for at in range(14, 40, 2):
        late(track, [found(at - 1)], at=at)
    assert track.settle(T0 + 40, 0.0) == 0.0
    assert track.window(T0 + 41, 0.0)[0].since == T0 + 36 - 5


def test_a_busy_track_remembers_no_more_than_it_may():
    """A monitor runs for months, with thousands of these."""
    track = make(RecoverySettings(records=100))
    for at in range(1000):
        push(track, at / 10)
        assert track.remembered <= 2 * (100 + 16)
    lose(track, 200)
    window, given_up = track.window(T0 + 201, 0.0)
    assert given_up is not None
    assert given_up.until >= window.since
    assert merge(track, [found(at / 10) for at in range(1000)]) == []


def test_an_idle_track_remembers_for_a_long_while_and_not_for_ever():
    """An hour ago is before any gap that could be closed."""
    track = make()
    push(track, *range(0, 5000, 5))
    assert 60 < track.remembered < 250


def test_what_came_late_in_a_second_look_is_learned():
    """Next time, it is waited for."""
    track = make(RecoverySettings())
    push(track, *range(200))
    assert (track.overlap(), track.sweep_delay(0.0)) == (30.0, 5.0)
    assert len(late(track, [found(140, "late")])) == 1
    assert track.overlap() == pytest.approx(2 * 59 + 10)
    assert track.sweep_delay(0.0) == pytest.approx(1.5 * 59)
    assert math.isfinite(track.last_end)
