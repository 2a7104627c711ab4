from __future__ import annotations

import math
import re
from datetime import datetime

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rtstream_async.local.domain.playlist import (
    NotRecorded,
    Playlist,
    Segment,
    Shot,
    join_shots,
    make_playlist,
    select,
)

T0 = 1_700_000_000.0


def segment(start, end, **more):
    return Segment(start=T0 + start, end=T0 + end, name=f"{start}-{end}.ts", **more)


FLOW = [segment(0, 2, discontinuity=True), segment(2, 4), segment(4, 6)]


def made(segments, start, end, **more):
    playlist = make_playlist(
        segments, start=T0 + start, end=T0 + end, uri=lambda s: f"/seg/{s.name}?t=x", **more
    )
    assert isinstance(playlist, Playlist)
    return playlist


def test_a_window_plays_from_its_start_to_the_end_of_a_segment():
    """What RFC 8216 asks for, and what hls.js and ffprobe were seen to honour."""
    assert made(FLOW, 1.5, 5).text == (
        "#EXTM3U\n"
        "#EXT-X-VERSION:6\n"
        "#EXT-X-TARGETDURATION:2\n"
        "#EXT-X-MEDIA-SEQUENCE:0\n"
        "#EXT-X-PLAYLIST-TYPE:VOD\n"
        "#EXT-X-INDEPENDENT-SEGMENTS\n"
        "#EXT-X-START:TIME-OFFSET=1.500000,PRECISE=YES\n"
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z\n"
        "#EXTINF:2.000000,\n"
        "/seg/0-2.ts?t=x\n"
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:22.000Z\n"
        "#EXTINF:2.000000,\n"
        "/seg/2-4.ts?t=x\n"
        "#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:24.000Z\n"
        "#EXTINF:2.000000,\n"
        "/seg/4-6.ts?t=x\n"
        "#EXT-X-ENDLIST\n"
    )


def test_a_window_never_recorded_is_said_to_be_empty():
    """An empty playlist makes a player spin for ever."""
    assert make_playlist(FLOW, start=T0 + 6, end=T0 + 9, uri=str) == NotRecorded(
        start=T0 + 6, end=T0 + 9
    )
    assert isinstance(make_playlist([], start=0, end=9e9, uri=str), NotRecorded)


def test_the_edges_of_a_window_belong_to_one_side():
    """Two windows side by side show nothing twice."""
    assert [s.name for s in select(FLOW, start=T0 + 2, end=T0 + 4)] == ["2-4.ts"]


def test_a_window_that_begins_in_a_gap_starts_with_the_first_picture():
    """A negative offset would count from the end."""
    playlist = made([segment(10, 12), segment(12, 14)], 5, 13)
    assert "EXT-X-START" not in playlist.text
    assert playlist.start == T0 + 10


def test_a_gap_is_a_discontinuity():
    """Players would wait for what was never recorded."""
    playlist = made([segment(0, 2), segment(30, 32)], 1, 31)
    assert playlist.text.count("#EXT-X-DISCONTINUITY\n") == 1
    assert playlist.duration == 4
    assert "2023-11-14T22:13:50.000Z" in playlist.text


def test_a_flagged_segment_is_a_discontinuity_unless_it_is_the_first():
    """The first segment has nothing to continue."""
    flagged = [attrs.evolve(item, discontinuity=True) for item in FLOW]
    assert made(flagged, 0, 6).text.count("#EXT-X-DISCONTINUITY\n") == 2


def test_a_window_that_still_grows_has_no_end():
    """A player asks again for what comes next."""
    text = made(FLOW, 0, 100, complete=False).text
    assert "ENDLIST" not in text
    assert "#EXT-X-PLAYLIST-TYPE:EVENT\n" in text


segments_strategy = st.lists(
    st.tuples(st.floats(0, 30), st.floats(0.001, 40), st.booleans()), max_size=20
)


@given(segments_strategy, st.floats(0, 300), st.floats(0.001, 300), st.randoms())
def test_every_playlist_says_what_it_plays(pieces, start, length, random):
    """Durations, order and dates of any recording, whatever order the index gives it in."""
    recorded, at = [], 0.0
    for gap, duration, flag in pieces:
        at += gap
        recorded.append(segment(at, at + duration, discontinuity=flag))
        at += duration
    shuffled = list(recorded)
    random.shuffle(shuffled)
    playlist = make_playlist(
        shuffled, start=T0 + start, end=T0 + start + length, uri=lambda item: item.name
    )
    if isinstance(playlist, NotRecorded):
        assert select(recorded, start=T0 + start, end=T0 + start + length) == []
        return
    lines = playlist.text.splitlines()
    lengths = [float(line[8:-1]) for line in lines if line.startswith("#EXTINF:")]
    target = int(re.search(r"TARGETDURATION:(\d+)", playlist.text)[1])
    assert all(math.floor(item + 0.5) <= target for item in lengths)
    assert sum(lengths) == pytest.approx(playlist.duration, abs=1e-3)
    dates = [
        datetime.fromisoformat(line.partition(":")[2]).timestamp()
        for line in lines
        if "DATE-TIME" in line
    ]
    assert dates == pytest.approx([item.start for item in playlist.segments], abs=0.002)
    assert dates == sorted(dates)
    offset = re.search(r"TIME-OFFSET=([\d.]+)", playlist.text)
    if offset:
        assert playlist.start + float(offset[1]) == pytest.approx(T0 + start, abs=1e-5)
        assert 0 < float(offset[1]) <= lengths[0] + 1e-5
    assert lines[0] == "#EXTM3U"
    assert lines[-1] == "#EXT-X-ENDLIST"


@pytest.mark.parametrize("count", [1, 3])
def test_a_playlist_knows_what_it_covers(count):
    """The answer to a stream request says so."""
    playlist = made(FLOW[:count], 0, 2 * count)
    assert (playlist.start, playlist.end) == (T0, T0 + 2 * count)
    assert playlist.segments == FLOW[:count]


def shot(segments, start):
    return Shot(segments=segments, start=T0 + start, uri=lambda s: f"/seg/{s.name}")


def test_shots_play_one_after_the_other():
    """Each begins with a clock of its own, whatever its segments say."""
    text = join_shots([shot(FLOW[1:], 2.5), shot([], 9), shot(FLOW[1:2], 2)])
    assert text is not None
    assert "#EXT-X-START:TIME-OFFSET=0.500000,PRECISE=YES" in text
    lines = [line for line in text.splitlines() if line.startswith(("/", "#EXT-X-DISC"))]
    assert lines == [
        "/seg/2-4.ts",
        "/seg/4-6.ts",
        "#EXT-X-DISCONTINUITY",
        "/seg/2-4.ts",
    ]
    assert text.endswith("#EXT-X-ENDLIST\n")


def test_no_shots_make_no_playlist():
    """A player would spin for ever."""
    assert join_shots([]) is None
    assert join_shots([shot([], 0)]) is None
