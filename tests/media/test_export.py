"""The MP4 made from recorded segments: every frame, in time, with its sound."""

from __future__ import annotations

from pathlib import Path

import attrs
import av
import numpy as np
import pytest

from rtstream_async.local.domain.assembly import File
from rtstream_async.local.media.export import NothingReadableError, assemble
from rtstream_async.local.media.export_order import Exported, Order
from tests.media.clips import Clip, append_ts, frame_index, make_clip
from tests.media.flashes import clicks_in, flashes_in, make_flashes
from tests.media.harness import Recording, record_file

WRAP = 2**33 / 90_000  # seconds after which MPEG-TS counts from zero


def files_of(recording: Recording) -> list[File]:
    return [
        File(path=one.path, start=one.start, end=one.end, discontinuity=one.discontinuity)
        for one in recording.segments
    ]


async def recorded(tmp_path: Path, clip: Clip, name: str = "clip.mp4", *, later: float = 0.0):
    """The segments of a recorded clip, as if that had happened `later` seconds later."""
    source = make_clip(tmp_path / name, clip)
    files = files_of(await record_file(source, tmp_path / f"{name}.rec"))
    return moved(files, later)


def moved(files: list[File], later: float) -> list[File]:
    return [attrs.evolve(file, start=file.start + later, end=file.end + later) for file in files]


def export(files: list[File], target: Path) -> Exported:
    shares: list[float] = []
    made = assemble(Order(files=tuple(files), target=str(target), title="door"), shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1
    return made


def frames_of(path: Path) -> list[tuple[float, int]]:
    with av.open(str(path)) as film:
        return [(frame.time, frame_index(frame)) for frame in film.decode(video=0)]


def is_even(frames: list[tuple[float, int]], fps: int = 25) -> bool:
    times = np.array([time for time, _ in frames])
    return bool(np.all(np.abs(times - np.arange(times.size) / fps) < 0.002))


def seconds_in(files: list[File]) -> float:
    return sum(file.end - file.start for file in files)


def duration_of(path: Path) -> float:
    with av.open(str(path)) as film:
        return film.duration / 1e6


def pixels(path: Path, *, last: bool = False) -> np.ndarray:
    with av.open(str(path)) as film:
        frames = list(film.decode(video=0))
    return frames[-1 if last else 0].to_ndarray(format="yuv420p")


@pytest.mark.parametrize("bframes", [0, 2, 5])
async def test_the_video_has_each_frame_of_the_recording_in_its_place(tmp_path, bframes):
    """Who looks for the moment something happened must find it where the clock says."""
    files = await recorded(tmp_path, Clip(seconds=7, bframes=bframes))
    target = tmp_path / "made"
    made = export(files, target)
    frames = frames_of(target)
    assert [index for _, index in frames] == list(range(175))
    assert is_even(frames)
    assert made.duration == pytest.approx(seconds_in(files), abs=0.1)
    assert duration_of(target) == pytest.approx(7, abs=0.1)
    assert (made.has_picture, made.has_sound) == (True, True)
    assert made.recoded_pictures == 0
    assert not made.recoded_sound


async def test_the_first_and_the_last_picture_are_those_that_were_recorded(tmp_path):
    """Nothing is encoded again, so nothing may look different."""
    files = await recorded(tmp_path, Clip(seconds=5, bframes=2))
    export(files, tmp_path / "made")
    assert np.array_equal(pixels(tmp_path / "made"), pixels(Path(files[0].path)))
    assert np.array_equal(
        pixels(tmp_path / "made", last=True), pixels(Path(files[-1].path), last=True)
    )


@pytest.mark.parametrize("codec", ["libx265", "mpeg4"])
async def test_what_was_transcoded_for_the_recording_is_exported_whole(tmp_path, codec):
    """Many cameras send H.265."""
    files = await recorded(tmp_path, Clip(seconds=4, video=codec, audio="libmp3lame"), "a.mkv")
    made = export(files, tmp_path / "made")
    assert [index for _, index in frames_of(tmp_path / "made")] == list(range(100))
    assert made.duration == pytest.approx(4, abs=0.1)


@pytest.mark.parametrize("bframes", [0, 3])
async def test_sound_is_in_step_with_its_pictures(tmp_path, bframes):
    """Lips and words must go together, from the first second to the last."""
    source = make_flashes(tmp_path / "f.mp4", seconds=8, bframes=bframes)
    files = files_of(await record_file(source, tmp_path / "rec"))
    made = export(files, tmp_path / "made")
    assert not made.recoded_sound
    flashes, clicks = flashes_in(tmp_path / "made"), clicks_in(tmp_path / "made")
    assert len(flashes) == len(clicks) == 8
    assert np.allclose(flashes, clicks, atol=0.045)


async def test_a_gap_is_closed_up_and_remembered(tmp_path):
    """A camera that was away for a minute must not leave a minute of nothing."""
    source = make_flashes(tmp_path / "f.mp4", seconds=4, bframes=2)
    first = files_of(await record_file(source, tmp_path / "one"))
    second = moved(files_of(await record_file(source, tmp_path / "two")), 64.0)
    made = export([*first, *second], tmp_path / "made")
    assert made.duration == pytest.approx(8, abs=0.1)
    flashes, clicks = flashes_in(tmp_path / "made"), clicks_in(tmp_path / "made")
    assert len(flashes) == len(clicks) == 8
    assert np.allclose(np.diff(flashes), 1.0, atol=0.02)
    assert np.allclose(flashes, clicks, atol=0.045)
    begin, later = made.pieces
    assert (begin.at, begin.start) == (0, first[0].start)
    assert later.at == pytest.approx(4, abs=0.05)
    assert later.start == second[0].start


@pytest.mark.parametrize("bframes", [0, 2])
async def test_pictures_of_another_size_are_fitted_in(tmp_path, bframes):
    """A camera that was reconfigured in the middle must not cost the recording."""
    common = {"gop": 1.0, "bframes": bframes}
    wide = await recorded(tmp_path, Clip(seconds=4, **common), "a.mp4")
    big = await recorded(
        tmp_path,
        Clip(seconds=2, size=(480, 480), first_index=100, **common),
        "b.mp4",
        later=4,
    )
    back = await recorded(tmp_path, Clip(seconds=3, first_index=200, **common), "c.mp4", later=6.2)
    made = export([*wide, *big, *back], tmp_path / "made")
    assert made.recoded_pictures == 50
    frames = frames_of(tmp_path / "made")
    with av.open(str(tmp_path / "made")) as film:
        sizes = {(frame.width, frame.height) for frame in film.decode(video=0)}
    assert sizes == {(320, 180)}
    assert len(frames) == 225
    assert [index for _, index in frames[:100]] == list(range(100))
    assert [index for _, index in frames[150:]] == list(range(200, 275))
    assert is_even(frames)
    assert made.duration == pytest.approx(9, abs=0.1)


async def test_each_part_of_a_mixed_video_can_be_jumped_to(tmp_path):
    """A player that begins in the middle has only the head of the file to go by."""
    wide = await recorded(tmp_path, Clip(seconds=4, gop=1, audio=None), "a.mp4")
    other = await recorded(
        tmp_path,
        Clip(seconds=3, gop=1, size=(640, 360), first_index=100, audio=None),
        "b.mp4",
        later=4,
    )
    export([*wide, *other], tmp_path / "made")
    with av.open(str(tmp_path / "made")) as film:
        film.seek(5_000_000)
        frame = next(film.decode(video=0))
        assert frame.time == pytest.approx(5, abs=1.1)
        assert frame_index(frame) == 100 + round((frame.time - 4) * 25)
        film.seek(1_000_000)
        frame = next(film.decode(video=0))
        assert frame_index(frame) == round(frame.time * 25)


async def test_a_part_without_sound_is_silent_and_the_rest_in_step(tmp_path):
    """Players play sound without a break: a hole in it would make all later sound early."""
    source = make_flashes(tmp_path / "f.mp4", seconds=3)
    first = files_of(await record_file(source, tmp_path / "one"))
    mute = await recorded(tmp_path, Clip(seconds=3, audio=None, gop=1), "mute.mp4", later=3.5)
    last = moved(files_of(await record_file(source, tmp_path / "two")), 7.0)
    made = export([*first, *mute, *last], tmp_path / "made")
    assert made.recoded_sound
    clicks = clicks_in(tmp_path / "made")
    assert np.allclose(clicks, [0.48, 1.48, 2.48, 6.48, 7.48, 8.48], atol=0.06)
    with av.open(str(tmp_path / "made")) as film:
        samples = sum(frame.samples for frame in film.decode(audio=0))
    assert samples / 48_000 == pytest.approx(9, abs=0.1)


async def test_sound_that_comes_at_another_rate_is_made_one(tmp_path):
    """A source may be replaced by another one under the same address."""
    first = await recorded(tmp_path, Clip(seconds=3), "a.mp4")
    source = tmp_path / "b.ts"
    with av.open(str(source), "w") as out:
        video = out.add_stream("libx264", 25, options={"preset": "ultrafast"})
        video.width, video.height, video.pix_fmt = 320, 180, "yuv420p"
        audio = out.add_stream("aac", 16_000, layout="stereo")
        for second in range(3):
            for number in range(25):
                frame = av.VideoFrame(320, 180, "yuv420p")
                frame.pts = second * 25 + number
                out.mux(video.encode(frame))
            silent = np.zeros((2, 16_000), np.float32)
            sound = av.AudioFrame.from_ndarray(silent, format="fltp", layout="stereo")
            sound.sample_rate, sound.pts = 16_000, second * 16_000
            out.mux(audio.encode(sound))
        out.mux(video.encode(None))
        out.mux(audio.encode(None))
    second = moved(files_of(await record_file(source, tmp_path / "b.rec")), 5.0)
    made = export([*first, *second], tmp_path / "made")
    assert made.recoded_sound
    with av.open(str(tmp_path / "made")) as film:
        heard = list(film.decode(audio=0))
    assert {frame.sample_rate for frame in heard} == {48_000}
    assert sum(frame.samples for frame in heard) / 48_000 == pytest.approx(6, abs=0.15)


async def test_sound_alone_becomes_an_audio_file(tmp_path):
    """A microphone is a stream too."""
    files = await recorded(tmp_path, Clip(seconds=5, video=None), "a.mp4")
    made = export(files, tmp_path / "made")
    assert (made.has_picture, made.has_sound) == (False, True)
    assert made.duration == pytest.approx(5, abs=0.1)
    with av.open(str(tmp_path / "made")) as film:
        assert not film.streams.video
        samples = sum(frame.samples for frame in film.decode(audio=0))
    assert samples / 48_000 == pytest.approx(5, abs=0.1)


async def test_pictures_alone_make_a_silent_video(tmp_path):
    """Most cameras have no microphone."""
    files = await recorded(tmp_path, Clip(seconds=3, audio=None), "a.mp4")
    made = export(files, tmp_path / "made")
    assert (made.has_picture, made.has_sound) == (True, False)
    assert len(frames_of(tmp_path / "made")) == 75


@pytest.mark.parametrize("shift", [WRAP - 2.0, 20 * 3600.0])
def test_timestamps_of_many_hours_are_understood(tmp_path, shift):
    """MPEG-TS counts to 26.5 hours and begins again, in the middle of a group of pictures."""
    path = make_clip(tmp_path / "a.ts", Clip(seconds=4, gop=4, bframes=2, shift=shift))
    files = [File(path=str(path), start=1_700_000_000.0, end=1_700_000_004.0, discontinuity=True)]
    export(files, tmp_path / "made")
    frames = frames_of(tmp_path / "made")
    assert [index for _, index in frames] == list(range(100))
    assert is_even(frames)


def damage(path: str) -> None:
    Path(path).write_bytes(b"\0" * 1000)


async def test_a_file_that_is_damaged_costs_only_itself(tmp_path):
    """After a power cut, one file may be rubbish."""
    files = await recorded(tmp_path, Clip(seconds=6, gop=2))
    assert len(files) == 3
    damage(files[1].path)
    made = export(files, tmp_path / "made")
    assert made.unreadable == (Path(files[1].path).name,)
    assert made.duration == pytest.approx(4, abs=0.1)
    indexes = [index for _, index in frames_of(tmp_path / "made")]
    assert indexes == [*range(50), *range(100, 150)]


def test_rubbish_alone_is_said_to_be_unreadable(tmp_path):
    """An empty video would look like a success."""
    path = tmp_path / "a.ts"
    path.write_bytes(b"x" * 5000)
    file = File(path=str(path), start=1.0, end=2.0, discontinuity=True)
    with pytest.raises(NothingReadableError):
        export([file], tmp_path / "made")


async def test_a_break_of_the_timestamps_leaves_no_hole(tmp_path):
    """A broadcast is cut together from parts with clocks of their own."""
    parts = [
        make_clip(tmp_path / "1.ts", Clip(seconds=3, bframes=2, shift=100)),
        make_clip(tmp_path / "2.ts", Clip(seconds=3, bframes=2, shift=7, first_index=75)),
    ]
    source = append_ts(tmp_path / "both.ts", parts)
    files = files_of(await record_file(source, tmp_path / "rec"))
    made = export(files, tmp_path / "made")
    frames = frames_of(tmp_path / "made")
    assert [index for _, index in frames] == list(range(150))
    assert made.duration == pytest.approx(seconds_in(files), abs=0.1)
    assert np.all(np.diff([time for time, _ in frames]) > 0.01)
