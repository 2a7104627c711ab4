"""The sound of a stream as speech engines get it: where it was, in time, to the millisecond."""

from __future__ import annotations

import itertools
import os
import signal

import attrs
import numpy as np
import pytest

from rtstream_async.local.media.events import Ended, Heard, Lost, Progress, Sampled, SegmentClosed
from rtstream_async.local.media.publishing import publishing
from tests.media.clips import Clip, append_ts, chirp, make_clip
from tests.media.harness import START, record_file, recording
from tests.media.servers import free_port, nginx_rtmp, rtsp_server

RATE = 16_000
CHIRPS = (0.3, 1.25, 2.5, 3.8, 4.4)
CLIP = Clip(seconds=5, chirps=CHIRPS)
SOUNDS = {
    "aac.mp4": CLIP,
    "stereo.mp4": attrs.evolve(CLIP, rate=44_100, layout="stereo"),
    "low.mp4": attrs.evolve(CLIP, rate=22_050),
    "same.mp4": attrs.evolve(CLIP, rate=16_000),
    "surround.mp4": attrs.evolve(CLIP, layout="5.1"),
    "bframes.ts": attrs.evolve(CLIP, bframes=2),
    "flash.flv": attrs.evolve(CLIP, rate=44_100),
    "mp3.mkv": attrs.evolve(CLIP, audio="libmp3lame", rate=44_100, layout="stereo"),
    "opus.webm": attrs.evolve(CLIP, video="libvpx", audio="libopus"),
    "opus.mkv": attrs.evolve(CLIP, audio="libopus", layout="stereo"),
    "mp2.ts": attrs.evolve(CLIP, audio="mp2"),
    "pcm.avi": attrs.evolve(CLIP, video="mpeg4", audio="pcm_s16le", rate=16_000),
    "flac.mkv": attrs.evolve(CLIP, audio="flac", rate=8_000),
}


def pieces(made):
    return [event.sound for event in made.all(Heard)]


def heard_chirps(sounds):
    """When each chirp was heard, in Unix seconds: where the sound is most like one."""
    pattern = chirp(RATE)
    found = []
    for run in runs(sounds):
        samples = np.concatenate([np.frombuffer(sound.samples, "<i2") for sound in run])
        likeness = np.correlate(samples / 8000, pattern, mode="valid") / np.dot(pattern, pattern)
        while len(likeness) and (best := int(np.argmax(likeness))) >= 0 and likeness[best] > 0.4:
            found.append(place(run, best))
            likeness[max(0, best - RATE // 10) : best + RATE // 10] = 0
    return sorted(found)


def place(run, sample):
    """The Unix time of a sample, by the piece that it is in."""
    for sound in run:
        count = len(sound.samples) // 2
        if sample < count:
            return sound.time + sample / RATE
        sample -= count
    raise AssertionError("beyond the end")


def zeros(made):
    """When the source's own clock was zero, by each frame that was sampled."""
    sampled, indexes = made.all(Sampled), made.sampled_indexes("k")
    return [event.frame.time - index / 25 for event, index in zip(sampled, indexes, strict=True)]


def runs(sounds):
    """Pieces that follow each other."""
    together = []
    for sound in sounds:
        if not together or abs(sound.time - together[-1][-1].end) > 0.1:
            together.append([])
        together[-1].append(sound)
    return together


def check_pieces(sounds):
    """About half a second each, in order, never one over another."""
    assert all(0 < len(sound.samples) <= RATE and len(sound.samples) % 2 == 0 for sound in sounds)
    for before, after in itertools.pairwise(sounds):
        assert before.end <= after.time + 1e-5


async def listen_to(path, directory, **settings):
    made = await record_file(path, directory, sample=0.2, listen=True, **settings)
    check_pieces(pieces(made))
    return made


@pytest.mark.parametrize("name", SOUNDS)
async def test_sound_is_heard_where_the_picture_shows_it(name, tmp_path):
    """A clip of a word that shows another moment is useless; codecs shift sound in many ways."""
    made = await listen_to(make_clip(tmp_path / name, SOUNDS[name]), tmp_path / "out")
    zero = zeros(made)[0]
    heard = [time - zero for time in heard_chirps(pieces(made))]
    assert heard == pytest.approx(CHIRPS, abs=0.004)
    sounds = pieces(made)
    assert len(runs(sounds)) == 1
    assert sounds[-1].end - sounds[0].time == pytest.approx(5, abs=0.15)


async def test_a_piece_is_half_a_second(tmp_path):
    """Larger ones delay every word; smaller ones cost a call each."""
    made = await listen_to(make_clip(tmp_path / "a.mp4", CLIP), tmp_path / "out")
    assert {len(sound.samples) for sound in pieces(made)[:-1]} == {RATE}
    assert all(progress.dropped_sound == 0 for progress in made.all(Progress))


async def test_sound_alone_is_heard(tmp_path):
    """A radio and a microphone have no picture to go by."""
    clip = Clip(video=None, audio="libmp3lame", seconds=5, rate=44_100, chirps=CHIRPS)
    made = await listen_to(make_clip(tmp_path / "a.mp3", clip), tmp_path / "out")
    heard = heard_chirps(pieces(made))
    steps = [after - before for before, after in itertools.pairwise(heard)]
    wanted = [after - before for before, after in itertools.pairwise(CHIRPS)]
    assert steps == pytest.approx(wanted, abs=0.002)
    # An MP3 encoder puts 1105 samples before the sound.
    assert heard[0] - pieces(made)[0].time == pytest.approx(0.3 + 1105 / 44_100, abs=0.004)


async def test_sound_that_starts_late_is_late(tmp_path):
    """A microphone that is switched on in the middle does not move what is said to the front."""
    clip = attrs.evolve(CLIP, gap=(0, 2))
    made = await listen_to(make_clip(tmp_path / "a.mkv", clip), tmp_path / "out")
    zero = zeros(made)[0]
    heard = [time - zero for time in heard_chirps(pieces(made))]
    assert heard == pytest.approx([2.5, 3.8, 4.4], abs=0.004)
    assert pieces(made)[0].time - zero == pytest.approx(2, abs=0.1)


async def test_a_gap_is_left_as_a_gap(tmp_path):
    """Words from before and after it must not become one sentence, nor move together."""
    clip = attrs.evolve(CLIP, gap=(2, 3))
    made = await listen_to(make_clip(tmp_path / "a.mkv", clip), tmp_path / "out")
    zero = zeros(made)[0]
    heard = [time - zero for time in heard_chirps(pieces(made))]
    assert heard == pytest.approx([0.3, 1.25, 3.8, 4.4], abs=0.004)
    before, after = runs(pieces(made))
    assert before[-1].end - zero == pytest.approx(2, abs=0.1)
    assert after[0].time - zero == pytest.approx(3, abs=0.1)


async def test_a_clock_that_jumps_moves_no_word(tmp_path):
    """Encoders restart; what is said after that must be at the time of its picture."""
    path = append_ts(
        tmp_path / "a.ts",
        [
            make_clip(tmp_path / "1.ts", attrs.evolve(CLIP, shift=1000.0)),
            make_clip(tmp_path / "2.ts", attrs.evolve(CLIP, shift=5000.0, first_index=125)),
        ],
    )
    made = await listen_to(path, tmp_path / "out")
    first, *_, last = zeros(made)
    heard = heard_chirps(pieces(made))
    wanted = [first + at for at in CHIRPS] + [last + 5 + at for at in CHIRPS]
    assert heard == pytest.approx(wanted, abs=0.004)


async def test_damaged_sound_does_not_move_what_follows(tmp_path):
    """Networks lose packets."""
    path = make_clip(tmp_path / "a.ts", CLIP)
    broken = bytearray(path.read_bytes())
    packets = [at for at in range(0, len(broken), 188) if _pid(broken, at) == 0x101]
    for at in packets[len(packets) // 3 : len(packets) // 3 + 6]:
        broken[at + 40 : at + 188] = bytes(148)
    path.write_bytes(broken)
    made = await listen_to(path, tmp_path / "out")
    zero = zeros(made)[0]
    heard = [time - zero for time in heard_chirps(pieces(made))]
    assert heard[-2:] == pytest.approx(CHIRPS[-2:], abs=0.01)
    assert all(min(abs(time - at) for at in CHIRPS) < 0.06 for time in heard)


def _pid(data, at):
    return (data[at + 1] & 0x1F) << 8 | data[at + 2]


async def test_nothing_is_decoded_that_nobody_asked_for(tmp_path):
    """Sound costs CPU and memory for each stream; most are only recorded."""
    path = make_clip(tmp_path / "a.mp4", CLIP)
    made = await record_file(path, tmp_path / "1")
    assert not made.all(Heard)
    watched = await record_file(path, tmp_path / "2", listen=True, media_types=("video",))
    assert not watched.all(Heard)
    silent = await record_file(
        make_clip(tmp_path / "b.mp4", Clip(seconds=2, audio=None)), tmp_path / "3", listen=True
    )
    assert not silent.all(Heard)
    for recorded in (made, watched, silent):
        assert isinstance(recorded.events[-1], Ended)
        assert all(progress.heard_to == progress.time for progress in recorded.all(Progress))


async def test_progress_says_how_far_the_sound_is(tmp_path):
    """A batch that is closed before its last word came tells half of what was said."""
    path = make_clip(tmp_path / "a.mkv", attrs.evolve(CLIP, gap=(2, 5)))
    async with recording(str(path) + "?loop=1", tmp_path / "out") as made:
        await made.ingest.listen()
        await made.wait_for(SegmentClosed, count=4)
    for at, event in enumerate(made.events):
        if isinstance(event, Progress):
            later = [item for item in made.events[at:] if isinstance(item, Heard)]
            assert all(item.sound.time >= event.heard_to - 1e-5 for item in later)
            assert event.heard_to <= event.time + 1
            assert event.time - event.heard_to < 4
    assert made.all(Heard)


async def test_sound_comes_and_goes_as_it_is_asked_for(tmp_path):
    """A transcript that is stopped gets its last words; one that is started again goes on."""
    path = make_clip(tmp_path / "a.mp4", Clip(seconds=20, fps=10, audio="aac"))
    async with recording(str(path), tmp_path / "out") as made:
        await made.wait_for(Progress)
        await made.ingest.unlisten()
        assert not made.all(Heard)
        await made.ingest.listen()
        await made.wait_for(Heard, count=2)
        await made.ingest.unlisten()
        stopped = pieces(made)
        last = (await made.wait_for(Progress, count=len(made.all(Progress)) + 1)).time
        assert last - stopped[-1].end < 1.5
        await made.wait_for(Progress, count=len(made.all(Progress)) + 2)
        assert pieces(made) == stopped
        await made.ingest.listen()
        await made.wait_for(Heard, count=len(stopped) + 2)
    check_pieces(pieces(made))
    assert len(runs(pieces(made))) == 2
    assert all(sound.samples for sound in pieces(made))


async def test_a_new_worker_goes_on_listening(tmp_path):
    """A crash in native code must not end a transcript."""
    path = make_clip(tmp_path / "a.mp4", attrs.evolve(CLIP, seconds=8))
    async with recording(str(path), tmp_path / "out") as made:
        await made.ingest.listen()
        await made.wait_for(Heard)
        os.kill(made.worker, signal.SIGKILL)
        await made.wait_for(Lost)
        seen = len(made.all(Heard))
        await made.wait_for(Heard, count=seen + 2)
    check_pieces(pieces(made))
    assert len(runs(pieces(made))) == 2


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    clip = Clip(seconds=12, gop=1, bframes=2, chirps=tuple(n + 0.2 for n in range(12)))
    return make_clip(tmp_path_factory.mktemp("camera") / "camera.mp4", clip)


def check_beat(made, tolerance=0.006):
    """A chirp a second, 0.2 s after the frame whose number is a multiple of 25."""
    heard = heard_chirps(pieces(made))
    assert len(heard) >= 3
    for time in heard:
        assert min(abs((time - zero) % 1 - 0.2) for zero in zeros(made)) < tolerance


@pytest.mark.parametrize("encode", [False, True], ids=["copied", "encoded"])
async def test_a_publisher_is_heard(encode, camera, tmp_path):
    """The usual live source: an encoder that pushes to us."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    async with recording(url + "?listen=1", tmp_path / "out") as made:
        await made.ingest.sample("k", origin=0, period=0.5)
        await made.ingest.listen()
        async with publishing(camera, url, encode=encode):
            await made.wait_for(Heard, count=10)
        await made.wait_for(Lost)
        async with publishing(camera, url):
            await made.wait_for(Heard, count=18)
    check_pieces(pieces(made))
    check_beat(made)
    assert pieces(made)[0].time > START


async def test_an_rtmp_server_and_a_camera_are_heard(camera, tmp_path):
    """What pulls is heard like what pushes, with the clocks that each of them has."""
    async with (
        nginx_rtmp(tmp_path / "nginx") as rtmp,
        rtsp_server(camera.parent) as rtsp,
        publishing(camera, f"{rtmp}/a", loop=True),
        recording(f"{rtmp}/a", tmp_path / "rtmp") as first,
        recording(f"{rtsp}/{camera.name}", tmp_path / "rtsp") as second,
    ):
        for made in (first, second):
            await made.ingest.sample("k", origin=0, period=0.5)
            await made.ingest.listen()
        for made in (first, second):
            await made.wait_for(Heard, count=10)
            await made.wait_for(Sampled, count=4)
    for made in (first, second):
        check_pieces(pieces(made))
    check_beat(first)
    # This server plays what the encoder put before the sound: one packet of 1024 samples.
    check_beat(second, 1024 / 48_000 + 0.006)
