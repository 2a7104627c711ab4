"""Every odd kind of media is recorded whole, plays, and is sampled where it was asked for."""

from __future__ import annotations

import itertools
import math

import attrs
import pytest

from rtstream_async.local.domain.cutting import parse_segment_name
from rtstream_async.local.media.events import Ended, Opened, Progress, Sampled
from tests.media.clips import Clip, append_ts, make_clip
from tests.media.harness import START, play_back, record_file

H264 = {
    "h264-aac.mp4": Clip(),
    "bframes.mp4": Clip(bframes=3),
    "long-gop.mp4": Clip(seconds=26, gop=25, fps=10),
    "no-audio.mp4": Clip(audio=None),
    "broadcast.ts": Clip(bframes=2),
    "flash.flv": Clip(bframes=2),
    "late-clock.ts": Clip(shift=5000),
}
ODD = {
    "old-camera.avi": Clip(video="mpeg4", audio="pcm_s16le"),
    "stills.mkv": Clip(video="mjpeg", audio="libmp3lame", pix_fmt="yuvj420p"),
    "browser.webm": Clip(video="libvpx", audio="libopus"),
    "odd-size.mkv": Clip(video="mpeg4", audio=None, size=(321, 181)),
    "ten-bit.mp4": Clip(pix_fmt="yuv422p10le", bframes=2),
    "h264-bframes.avi": Clip(bframes=2, audio=None),
    "broadcast-mpeg2.ts": Clip(video="mpeg2video", audio="mp2"),
}


def check_flow(recording):
    """Segments touch, never overlap, and carry their times in their names."""
    segments = recording.segments
    assert segments[0].start >= START
    for before, after in itertools.pairwise(segments):
        assert before.end <= after.start
        assert before.start < before.end
    for segment in segments:
        name = segment.path.rpartition("/")[2]
        assert parse_segment_name(name) == (segment.start, segment.end)
        assert segment.size > 0
    assert not list(recording.directory.glob("*.part"))


def check_pictures(played, clip, *, first=0):
    """All frames of the clip, in order, none twice, at their distances."""
    assert played.pictures == [first + n for n in range(clip.frames)]
    steps = [after - before for before, after in itertools.pairwise(played.picture_times)]
    assert all(step == pytest.approx(1 / clip.fps, abs=0.002) for step in steps)


@pytest.mark.parametrize("name", [*H264, *ODD])
async def test_every_frame_is_recorded_and_plays(name, tmp_path):
    """Whoever looks at a recording is hurt by a frame that is missing, doubled or displaced."""
    clip = (H264 | ODD)[name]
    period = clip.seconds / 5
    made = await record_file(make_clip(tmp_path / name, clip), tmp_path / "out", sample=period)
    check_flow(made)
    opened = made.all(Opened)[0]
    assert opened.video is not None
    assert opened.video.transcoded == (name in ODD)
    assert ("transcoded" in opened.note) == opened.transcoded
    playlist = made.playlist()
    assert playlist.duration == pytest.approx(clip.seconds, abs=0.25)
    assert [segment.discontinuity for segment in made.segments[1:]] == [False] * (
        len(made.segments) - 1
    )
    played = play_back(made.directory, playlist)
    check_pictures(played, clip)
    if clip.audio:
        assert played.sound == pytest.approx(clip.seconds, abs=0.25)
    check_samples(made, clip, period)
    assert isinstance(made.events[-1], Ended)


def check_samples(made, clip, period):
    """Each sampling time is answered by the first frame from there on."""
    samples = made.all(Sampled)
    indexes = made.sampled_indexes("k")
    first = made.segments[0].start
    assert [sample.due for sample in samples] == pytest.approx(
        [START + period * n for n in range(len(samples))], abs=1e-5
    )
    assert len(samples) >= math.floor(clip.seconds / period)
    for sample, index in zip(samples, indexes, strict=True):
        shown = first + index / clip.fps
        assert sample.frame.time == pytest.approx(shown, abs=0.002)
        assert sample.frame.time >= sample.due - 1e-5
        assert shown - sample.due < 1 / clip.fps + 0.1 or index == 0


async def test_segments_are_as_long_as_a_group_of_pictures(tmp_path):
    """A player can't start in a segment that does not begin with a key frame."""
    clip = Clip(seconds=26, gop=25, fps=10)
    made = await record_file(make_clip(tmp_path / "a.mp4", clip), tmp_path / "out")
    assert [round(s.end - s.start) for s in made.segments] == [25, 1]


async def test_short_groups_share_a_segment(tmp_path):
    """Half-second segments would mean four requests for every two seconds."""
    clip = Clip(seconds=6, gop=0.4)
    made = await record_file(make_clip(tmp_path / "a.mp4", clip), tmp_path / "out")
    assert [round(s.end - s.start, 1) for s in made.segments] == [2, 2, 2]


async def test_sound_alone_is_cut_by_time(tmp_path):
    """A radio or a microphone is a stream too."""
    clip = Clip(video=None, seconds=7)
    made = await record_file(make_clip(tmp_path / "a.mp4", clip), tmp_path / "out", sample=1)
    check_flow(made)
    assert [round(s.end - s.start) for s in made.segments] == [2, 2, 2, 1]
    played = play_back(made.directory, made.playlist())
    assert played.sound == pytest.approx(7, abs=0.1)
    assert not made.all(Sampled)
    assert made.all(Opened)[0].video is None


async def test_a_cover_image_is_no_video(tmp_path):
    """A song with a cover would wait for a second picture that never comes."""
    clip = Clip(video=None, audio="libmp3lame", seconds=3)
    made = await record_file(make_clip(tmp_path / "a.mp3", clip), tmp_path / "out")
    assert made.all(Opened)[0].audio.transcoded
    assert play_back(made.directory, made.playlist()).sound == pytest.approx(3, abs=0.2)


async def test_a_new_resolution_begins_a_new_segment(tmp_path):
    """Cameras switch resolution while running; decoders must be told to start over."""
    small, large = Clip(seconds=4), Clip(seconds=4, size=(640, 360), first_index=100, shift=4)
    path = append_ts(
        tmp_path / "a.ts",
        [make_clip(tmp_path / "1.ts", small), make_clip(tmp_path / "2.ts", large)],
    )
    made = await record_file(path, tmp_path / "out", sample=1)
    check_flow(made)
    assert [s.discontinuity for s in made.segments] == [True, False, True, False]
    played = play_back(made.directory, made.playlist())
    assert played.pictures == [*range(100), *range(100, 200)]
    assert played.sizes == [(320, 180)] * 100 + [(640, 360)] * 100
    sizes = {(event.frame.width, event.frame.height) for event in made.all(Sampled)}
    assert sizes == {(320, 180), (640, 360)}


async def test_a_new_resolution_of_what_is_transcoded_begins_a_new_segment(tmp_path):
    """The same for cameras whose pictures must be encoded again."""
    small = Clip(seconds=4, video="mpeg4", audio="mp2")
    large = attrs.evolve(small, size=(640, 360), first_index=100, shift=4)
    path = append_ts(
        tmp_path / "a.ts",
        [make_clip(tmp_path / "1.ts", small), make_clip(tmp_path / "2.ts", large)],
    )
    made = await record_file(path, tmp_path / "out")
    check_flow(made)
    assert sum(s.discontinuity for s in made.segments) == 2
    played = play_back(made.directory, made.playlist())
    assert played.pictures == [*range(200)]
    assert played.sizes == [(320, 180)] * 100 + [(640, 360)] * 100


@pytest.mark.parametrize(
    ("first", "second"),
    [(1000.0, 5000.0), (5000.0, 1000.0)],
    ids=["forward", "back"],
)
async def test_a_clock_that_jumps_does_not_tear_the_recording(first, second, tmp_path):
    """Encoders restart and 33-bit clocks wrap; times must stay near the truth and never go back."""
    before = Clip(seconds=4, shift=first)
    after = Clip(seconds=4, shift=second, first_index=100)
    path = append_ts(
        tmp_path / "a.ts",
        [make_clip(tmp_path / "1.ts", before), make_clip(tmp_path / "2.ts", after)],
    )
    made = await record_file(path, tmp_path / "out", sample=1)
    check_flow(made)
    assert made.segments[-1].end - made.segments[0].start == pytest.approx(8, abs=0.5)
    assert [s.discontinuity for s in made.segments] == [True, False, True, False]
    played = play_back(made.directory, made.playlist())
    assert played.pictures == [*range(200)]
    dues = [event.due - START for event in made.all(Sampled)]
    assert dues == pytest.approx([*range(len(dues))], abs=1e-5)
    assert len(dues) >= 8


async def test_a_clock_that_wraps_goes_on(tmp_path):
    """MPEG-TS clocks start over every 26.5 hours, in the middle of whatever runs."""
    wrap = 2**33 / 90_000
    before = Clip(seconds=4, shift=wrap - 4)
    path = append_ts(
        tmp_path / "a.ts",
        [
            make_clip(tmp_path / "1.ts", before),
            make_clip(tmp_path / "2.ts", Clip(seconds=4, first_index=100)),
        ],
    )
    made = await record_file(path, tmp_path / "out")
    check_flow(made)
    assert [s.discontinuity for s in made.segments] == [True, False, False, False]
    assert play_back(made.directory, made.playlist()).pictures == [*range(200)]


async def test_every_frame_of_what_is_transcoded_can_be_sampled(tmp_path):
    """Sampler and encoder share the decoded frames; once they also shared a scaler, and hung."""
    clip = Clip(seconds=4, bframes=2, pix_fmt="yuv422p10le", audio=None)
    period = 1 / clip.fps
    made = await record_file(make_clip(tmp_path / "a.mp4", clip), tmp_path / "out", sample=period)
    assert made.sampled_indexes("k") == [*range(clip.frames)]
    assert all(event.dropped_frames == 0 for event in made.all(Progress))
