from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.timeline import (
    DtsRepair,
    Stamp,
    Timeline,
    TimelineRules,
    complete_start,
    sent_times,
)

NOW = 1_700_000_000.0
STEP = 0.04


def play(timeline, *, stamps, arrivals=None, track=0):
    """Place packets of 40 ms; return (their Unix times, which of them were discontinuities)."""
    times, breaks = [], []
    for n, stamp in enumerate(stamps):
        arrival = None if arrivals is None else arrivals[n]
        placed = timeline.place(track, dts=stamp, end=stamp + STEP, duration=STEP, arrival=arrival)
        times.append(stamp + placed.offset)
        if placed.discontinuity:
            breaks.append(n)
    return times, breaks


def steady(count, start=0.0):
    return [start + n * STEP for n in range(count)]


def test_the_first_packet_stands_where_it_arrived():
    """A recording whose times begin at the camera's boot can't be asked for "ten minutes ago"."""
    times, breaks = play(Timeline(not_before=0), stamps=steady(3, 5000), arrivals=steady(3, NOW))
    assert times == pytest.approx(steady(3, NOW))
    assert breaks == [0]


def test_network_jitter_does_not_move_frames():
    """Frames that are late on the wire were not late in front of the camera."""
    arrivals = [NOW + n * STEP + (0.2 if n % 3 else 0) for n in range(30)]
    times, _ = play(Timeline(not_before=0), stamps=steady(30), arrivals=arrivals)
    assert times == pytest.approx(steady(30, NOW))


def test_nothing_is_placed_into_what_is_recorded_already():
    """Two recordings of one moment would make a window ambiguous."""
    times, _ = play(Timeline(not_before=NOW + 9), stamps=steady(2), arrivals=steady(2, NOW))
    assert times[0] == NOW + 9


def test_without_a_wall_clock_it_starts_where_told():
    """A file read as fast as possible has no time of its own."""
    times, _ = play(Timeline(not_before=NOW), stamps=steady(4, 77))
    assert times == pytest.approx(steady(4, NOW))


@pytest.mark.parametrize("jump", [-4000.0, -1.0, 4000.0])
def test_a_jump_of_the_stream_clock_is_no_jump_in_time(jump):
    """An encoder that restarts its clock must not tear the recording or send it to next week."""
    stamps = [*steady(50), *steady(50, 2 + jump)]
    times, breaks = play(Timeline(not_before=0), stamps=stamps, arrivals=steady(100, NOW))
    assert breaks == [0, 50]
    assert times == pytest.approx(steady(100, NOW), abs=0.01)


@pytest.mark.parametrize("jump", [-4000.0, 4000.0])
def test_a_jump_without_a_wall_clock_goes_on_at_the_end(jump):
    """The same for files."""
    times, breaks = play(Timeline(not_before=NOW), stamps=[*steady(50), *steady(50, 2 + jump)])
    assert breaks == [0, 50]
    assert times == pytest.approx(steady(100, NOW), abs=0.01)


def test_both_tracks_of_a_jump_stay_together():
    """Sound jumps a little before the picture; they must not end up apart, or jump twice."""
    timeline = Timeline(not_before=0)
    found = []
    for n in range(100):
        for track, lead in ((0, 0), (1, 2)):
            stamp = n * STEP + (9000 if n + lead >= 50 else 0)
            placed = timeline.place(
                track, dts=stamp, end=stamp + STEP, duration=STEP, arrival=NOW + n * STEP
            )
            found.append((track, n, stamp + placed.offset, placed.discontinuity))
    assert [(track, n) for track, n, _, broke in found if broke] == [(0, 0), (1, 48)]
    for track, n, time, _ in found:
        assert time == pytest.approx(NOW + n * STEP, abs=0.1), track


def test_a_track_with_a_clock_of_its_own_gets_an_anchor_of_its_own():
    """Some containers start picture and sound at unrelated times."""
    timeline = Timeline(not_before=0)
    play(timeline, stamps=steady(10), arrivals=steady(10, NOW))
    times, breaks = play(
        timeline, stamps=steady(10, 80_000), arrivals=steady(10, NOW + 0.4), track=1
    )
    assert breaks == [0]
    assert times == pytest.approx(steady(10, NOW + 0.4), abs=0.05)


def test_a_pause_with_a_clock_that_went_on_is_a_gap():
    """A camera that was unplugged for a minute leaves a minute out."""
    stamps = [*steady(10), *steady(10, 60)]
    times, breaks = play(
        Timeline(not_before=0), stamps=stamps, arrivals=[NOW + stamp for stamp in stamps]
    )
    assert breaks == [0]
    assert times == pytest.approx([NOW + stamp for stamp in stamps])


def test_a_pause_with_a_clock_that_stood_still_gets_a_new_anchor():
    """Else everything after a pause would be filed under the past for ever."""
    stamps = steady(300)
    arrivals = [*steady(100, NOW), *steady(200, NOW + 64)]
    times, breaks = play(Timeline(not_before=0), stamps=stamps, arrivals=arrivals)
    assert len(breaks) == 2
    assert times[-1] == pytest.approx(arrivals[-1])


def test_a_stall_that_is_caught_up_moves_nothing():
    """A network that hangs for eight seconds delivers what it held back; it all has its time."""
    arrivals = [max(NOW + n * STEP, NOW + 12) if n > 100 else NOW + n * STEP for n in range(400)]
    times, breaks = play(Timeline(not_before=0), stamps=steady(400), arrivals=arrivals)
    assert breaks == [0]
    assert times == pytest.approx(steady(400, NOW), abs=0.05)


@pytest.mark.parametrize("rate", [0.999, 1.001])
def test_a_clock_that_runs_wrong_is_followed_without_a_break(rate):
    """Camera clocks drift; after a day the times would be minutes off."""
    count = 100_000
    arrivals = [NOW + n * STEP * rate for n in range(count)]
    times, breaks = play(Timeline(not_before=0), stamps=steady(count), arrivals=arrivals)
    assert breaks == [0]
    assert abs(times[-1] - arrivals[-1]) < 0.5


def test_a_slow_sequence_of_pictures_is_no_series_of_jumps():
    """A time-lapse has half a minute between its frames."""
    timeline = Timeline(not_before=NOW)
    breaks = [
        timeline.place(0, dts=n * 30.0, end=n * 30.0 + 30, duration=30, arrival=None).discontinuity
        for n in range(5)
    ]
    assert breaks == [True, False, False, False, False]


def test_lag_says_how_far_behind_the_wall_clock():
    """The status shows it; a machine that is too slow is seen there first."""
    timeline = Timeline(not_before=0)
    timeline.place(0, dts=0, end=STEP, duration=STEP, arrival=NOW)
    placed = timeline.place(0, dts=STEP, end=2 * STEP, duration=STEP, arrival=NOW + 1)
    assert placed.lag == pytest.approx(1 - STEP, abs=0.01)
    assert timeline.high == pytest.approx(NOW + 2 * STEP, abs=0.01)


def test_the_next_timestamp_can_be_guessed():
    """RTSP sends packets without any."""
    timeline = Timeline(not_before=0)
    assert timeline.expected(0) is None
    timeline.place(0, dts=7.0, end=7 + STEP, duration=STEP, arrival=NOW)
    assert timeline.expected(0) == pytest.approx(7 + STEP)


stamps_of_any_kind = st.lists(
    st.tuples(
        st.sampled_from([0, 1]),
        st.one_of(
            st.floats(0, 0.5),
            st.floats(-1e5, 1e5),
            st.sampled_from([0.0, STEP, -(2.0**33) / 90_000, 2.0**33 / 90_000]),
        ),
        st.floats(0, 20),
    ),
    max_size=60,
)


@given(stamps_of_any_kind, st.booleans())
def test_whatever_the_clock_does_anchors_never_go_back(steps, has_wall_clock):
    """Segments that overlap or run backwards can't be found by time."""
    timeline = Timeline(not_before=NOW, rules=TimelineRules())
    clock = {0: 0.0, 1: 0.0}
    arrival = NOW
    high = NOW
    for track, step, wait in steps:
        clock[track] += step
        arrival += wait
        placed = timeline.place(
            track,
            dts=clock[track],
            end=clock[track] + STEP,
            duration=STEP,
            arrival=arrival if has_wall_clock else None,
        )
        time = clock[track] + placed.offset
        if placed.discontinuity:
            assert time >= high - 1e-3
        assert timeline.high >= high
        assert placed.lag >= 0
        high = timeline.high


@given(st.lists(st.tuples(st.integers(-100, 100), st.integers(-100, 100))))
def test_repaired_decoding_times_always_rise(steps):
    """A muxer refuses a packet that does not, and the recording would end there."""
    repair = DtsRepair()
    dts, fixed = 0, []
    for step, ahead in steps:
        dts += step
        fixed.append(repair.fix(dts + ahead, dts))
    assert all(a[1] < b[1] for a, b in itertools.pairwise(fixed))
    assert all(pts >= dts for pts, dts in fixed)


def test_good_timestamps_are_left_alone():
    """Repairing what is right would shake the picture."""
    repair = DtsRepair()
    good = [(10, 0), (2, 1), (4, 3)]
    assert [repair.fix(*stamp) for stamp in good] == good


def test_the_first_packets_get_the_times_that_later_ones_tell():
    """As recorded from an RTSP camera with B-frames: without it, three frames fall on one time."""
    came = [
        Stamp(None, None),
        Stamp(13860, None),
        Stamp(6660, None),
        Stamp(10260, 6660),
        Stamp(24660, 10260),
    ]
    assert complete_start(came, duration=3600) == [
        Stamp(3060, -4140),
        Stamp(13860, -540),
        Stamp(6660, 3060),
        Stamp(10260, 6660),
        Stamp(24660, 10260),
    ]


@pytest.mark.parametrize(
    "stamps", [[], [Stamp(None, None)] * 3, [Stamp(4, None)], [Stamp(5, 5), Stamp(None, None)]]
)
def test_nothing_is_made_up_where_nothing_is_known(stamps):
    """A guess would only hide that the source has no clock."""
    assert complete_start(stamps, duration=3600) == stamps


def test_what_lay_ready_belongs_to_the_time_before():
    """Two seconds that were kept for newcomers come at once; dated now, all would be too late."""
    kept = [(9000 + n * STEP, NOW + 0.001 * n) for n in range(50)]
    live = [(9002 + n * STEP, NOW + 0.05 + n * STEP) for n in range(5)]
    expected = [NOW + 0.05 - 2 + n * STEP for n in range(55)]
    assert sent_times([0] * 55, [*kept, *live]) == pytest.approx(expected, abs=1e-6)


def test_tracks_with_unrelated_clocks_do_not_move_each_other():
    """Over RTSP each track may count from anywhere."""
    stamps = [(10.0, NOW), (5000.0, NOW), (10.5, NOW), (5000.5, NOW)]
    assert sent_times([0, 1, 0, 1], stamps) == [NOW - 0.5, NOW - 0.5, NOW, NOW]


def test_nothing_was_sent_longer_ago_than_any_server_keeps():
    """A clock that jumps among the first packets must not send the stream to the last century."""
    assert sent_times([0, 0], [(0.0, NOW), (1e6, NOW)]) == [NOW - 60, NOW]
    assert sent_times([], []) == []
