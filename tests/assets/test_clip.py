"""The demo clip is what its script and its README say."""

from __future__ import annotations

import re
from itertools import pairwise

import av
import numpy as np
import pytest

from rtstream_async.local.assets import PARTS, clip_path

SCREENS = [part for part in PARTS if part.reads]


@pytest.fixture
def clip():
    with av.open(str(clip_path()), "r") as container:
        yield container


def test_the_clip_is_small_and_can_be_read_from_its_beginning():
    """It is in every install, and a server without range requests must be able to send it."""
    content = clip_path().read_bytes()
    assert len(content) < 2_000_000
    assert content.index(b"moov") < content.index(b"mdat")


def test_the_tracks_are_what_every_player_and_recorder_takes(clip):
    """The demo must record without transcoding and play in every browser."""
    video, audio = clip.streams
    context = video.codec_context
    assert (context.name, context.profile, context.pix_fmt) == ("h264", "High", "yuv420p")
    assert (video.width, video.height, video.average_rate, video.frames) == (1280, 720, 25, 750)
    assert not context.has_b_frames
    assert (audio.codec_context.name, audio.codec_context.profile) == ("aac", "LC")
    assert (audio.rate, audio.codec_context.layout.name) == (48_000, "mono")


def test_there_is_a_key_frame_every_two_seconds(clip):
    """Recorders cut at key frames: uneven ones would make uneven segments."""
    packets = list(clip.demux(video=0))
    times = [float(p.pts * p.time_base) for p in packets if p.pts is not None and p.is_keyframe]
    assert times == [2.0 * number for number in range(15)]


def test_sound_and_picture_lie_side_by_side_in_the_file(clip):
    """A reader that plays the file as a live source would hear the sound seconds late."""
    previous = {"video": 0.0, "audio": 0.0}
    for packet in clip.demux():
        if packet.dts is not None:
            previous[packet.stream.type] = float(packet.dts * packet.time_base)
            assert abs(previous["video"] - previous["audio"]) < 1.0


def test_the_parts_follow_each_other_without_a_gap(clip):
    """Tests and demos look things up in the script by time."""
    assert PARTS[0].start == 0
    assert all(part.end == following.start for part, following in pairwise(PARTS))
    assert clip.duration / av.time_base == pytest.approx(PARTS[-1].end, abs=0.05)


def test_every_part_speaks_and_then_is_silent(clip):
    """Sentences that run into the next part could not be told apart by a transcriber."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    heard = [out for frame in clip.decode(audio=0) for out in resampler.resample(frame)]
    sound = np.abs(np.concatenate([frame.to_ndarray()[0] for frame in heard]).astype(int))
    for part in PARTS:
        first, last = round(part.start * 16_000), round(part.end * 16_000)
        assert sound[first:last].max() > 5_000
        assert sound[last - 1_600 : last].max() < 100  # the last tenth of a second


@pytest.mark.parametrize("part", SCREENS, ids=[part.shows for part in SCREENS])
def test_what_is_on_a_screen_can_be_read(clip, part):
    """The demo's text recognition has nothing else to find; compression must leave it legible."""
    from rapidocr import RapidOCR  # each process of the tests would wait a second for it

    clip.seek(round((part.end - 1) * av.time_base))
    frame = next(frame for frame in clip.decode(video=0) if frame.time >= part.end - 1)
    read = RapidOCR()(frame.to_ndarray(format="bgr24")).txts
    found = squeeze("".join(read))
    assert [line for line in part.reads if squeeze(line) not in found] == []


def test_the_readme_tells_the_same_as_the_script():
    """Who writes a demo reads the README."""
    text = clip_path().with_name("README.md").read_text()
    rows = re.findall(r"^\| (\d+) s \| (\d+) s \| (.*?) \| (.*?) ?\| (.*?) \|$", text, re.MULTILINE)
    assert [(float(start), float(end), shows, says) for start, end, shows, _, says in rows] == [
        (part.start, part.end, part.shows, part.says) for part in PARTS
    ]
    for part, (*_, reads, _) in zip(PARTS, rows, strict=True):
        assert all(line in reads for line in part.reads)


def squeeze(text: str) -> str:
    return re.sub(r"\W", "", text).lower()
