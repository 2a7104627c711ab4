"""Sources as they are in the world: cameras, servers, networks, and what goes wrong with them."""

from __future__ import annotations

import asyncio
import gzip
import itertools
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import av
import pytest

from rtstream_async.local.media.events import (
    Ended,
    Lost,
    Opened,
    Progress,
    Refused,
    Sampled,
    SegmentClosed,
)
from rtstream_async.local.media.publishing import PublishError, publishing
from tests.media.clips import Clip, make_clip
from tests.media.harness import play_back, record_file, recording
from tests.media.servers import free_port, http_server, nginx_rtmp, rtsp_server

_REORDERED = 3


@pytest.fixture(scope="module")
def camera(tmp_path_factory):
    """Twelve seconds of H.264 with B-frames and AAC, a key frame a second."""
    clip = Clip(seconds=12, gop=1, bframes=2)
    return make_clip(tmp_path_factory.mktemp("camera") / "camera.mp4", clip)


def check_continuous(pictures):
    """No picture is missing or doubled within each run between the source's own breaks.

    Where a source broke off, B-frames may refer to pictures that never came.
    """
    breaks = [n for n in range(1, len(pictures)) if pictures[n] < pictures[n - 1]]
    for begin, end in itertools.pairwise([0, *breaks, len(pictures)]):
        whole = pictures[begin : end - _REORDERED]
        assert whole == [*range(whole[0], whole[0] + len(whole))]


async def test_a_publisher_finds_our_listener_again_and_again(camera, tmp_path):
    """Encoders are restarted at any moment and expect the same address to take them."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    async with recording(url + "?listen=1", tmp_path / "out") as made:
        await made.ingest.sample("k", origin=0, period=0.5)
        async with publishing(camera, url, encode=True):
            await made.wait_for(SegmentClosed)
            await made.wait_for(Sampled, count=3)
        await made.wait_for(Lost)
        async with publishing(camera, url) as second:
            await made.wait_for(Opened, count=2)
            opened_at = len(made.events)
            await made.wait_for(SegmentClosed, lambda e: made.events.index(e) > opened_at)
            second.kill()
            await made.wait_for(Lost, count=2)
    assert made.all(Lost)[0].retry_in == 0
    opened = made.all(Opened)[0]
    assert (opened.video.codec, opened.audio.codec, opened.live) == ("h264", "aac", True)
    segments = made.segments
    assert sum(segment.discontinuity for segment in segments) == 2
    assert all(a.end <= b.start for a, b in itertools.pairwise(segments))
    played = play_back(made.directory, made.playlist())
    assert len(played.pictures) > 50
    check_continuous(played.pictures)
    assert not made.all(Refused)


async def test_a_stream_is_pulled_from_an_rtmp_server(camera, tmp_path):
    """The usual way: a media server stands between the camera and us."""
    async with (
        nginx_rtmp(tmp_path / "nginx") as base,
        publishing(camera, f"{base}/a", loop=True),
        recording(f"{base}/a", tmp_path / "out") as made,
    ):
        await made.ingest.sample("k", origin=0, period=1)
        await made.wait_for(Sampled, count=2)
        await made.wait_for(SegmentClosed, count=2)
    assert made.all(Opened)[0].video is not None
    played = play_back(made.directory, made.playlist())
    check_continuous(played.pictures)
    assert played.sound > 1


async def test_a_camera_is_read_over_rtsp(camera, tmp_path):
    """Most cameras speak nothing else."""
    async with (
        rtsp_server(camera.parent) as base,
        recording(f"{base}/{camera.name}", tmp_path / "out") as made,
    ):
        await made.ingest.sample("k", origin=0, period=1)
        await made.wait_for(Sampled, count=2)
        await made.wait_for(SegmentClosed, count=2)
    opened = made.all(Opened)[0]
    assert (opened.format, opened.live, opened.transcoded) == ("rtsp", True, False)
    check_continuous(play_back(made.directory, made.playlist()).pictures)


async def test_a_camera_may_push_over_rtsp(camera, tmp_path):
    """An encoder behind a firewall can only push."""
    url = f"rtsp://127.0.0.1:{free_port()}/live"
    async with recording(url + "?listen=1", tmp_path / "out") as made, publishing(camera, url):
        await made.wait_for(SegmentClosed, count=2)
    check_continuous(play_back(made.directory, made.playlist()).pictures)


@pytest.mark.parametrize("name", ["camera.mp4", "index.m3u8"])
async def test_a_recording_on_a_web_server_is_played_once(name, camera, tmp_path):
    """A finite source that were retried for ever would fill the disk with copies of itself."""
    site = tmp_path / "site"
    await make_site(camera, site)
    async with (
        http_server(site) as base,
        recording(f"{base}/{name}", tmp_path / "out", realtime=False) as made,
    ):
        await made.wait_for(Ended)
    assert not made.all(Opened)[0].live
    assert play_back(made.directory, made.playlist()).pictures == [*range(300)]


async def test_a_live_playlist_that_stalls_is_lost_and_tried_again(camera, tmp_path):
    """A dead origin behind a CDN still serves its last playlist."""
    site = tmp_path / "site"
    await make_site(camera, site)
    playlist = (site / "index.m3u8").read_text()
    live = playlist.replace("#EXT-X-ENDLIST\n", "").replace("#EXT-X-PLAYLIST-TYPE:VOD\n", "")
    (site / "live.m3u8").write_text(live)
    async with http_server(site) as base:
        made = recording(f"{base}/live.m3u8", tmp_path / "out", read_timeout=1.0)
        async with made as ingest:
            await ingest.wait_for(Progress)
            lost = await ingest.wait_for(Lost)
    assert ingest.all(Opened)[0].live
    assert "closed" in lost.reason
    assert lost.retry_in > 0


async def make_site(camera, site):
    """The camera's file, and HLS made of it by our own recorder."""
    site.mkdir()
    made = await record_file(camera, site)
    names = made.playlist().text.replace(f"{site}/", "")
    (site / "index.m3u8").write_text(names)
    (site / "camera.mp4").write_bytes(camera.read_bytes())


async def test_a_file_is_played_in_real_time_and_starts_over(camera, tmp_path):
    """A demo camera made from a file must behave like a camera."""
    clip = make_clip(tmp_path / "short.mp4", Clip(seconds=1.2, gop=1.2))
    async with recording(f"{clip}?loop=1", tmp_path / "out") as made:
        await made.wait_for(SegmentClosed, count=3)
    segments = made.segments
    assert [segment.discontinuity for segment in segments[:3]] == [True] * 3
    assert all(b.start - a.end < 0.1 for a, b in itertools.pairwise(segments))
    pictures = play_back(made.directory, made.playlist()).pictures
    assert pictures[:90] == [*range(30)] * 3
    assert not made.all(Ended)


async def test_the_open_segment_plays_while_it_grows(camera, tmp_path):
    """With 25 s between key frames nobody wants to wait for the end of the segment."""
    async with recording(f"{camera}?loop=1", tmp_path / "out", segment=30.0) as made:
        progress = await made.wait_for(Progress, lambda e: e.time - e.open_segment.start > 1.5)
        playlist = made.playlist(open_segment=True)
        assert playlist.end >= progress.time
        pictures = play_back(made.directory, playlist).pictures
        check_continuous(pictures)
        assert len(pictures) >= 30


async def test_sampling_can_start_in_the_middle_of_a_long_group(tmp_path):
    """An index started between two key frames of a 25 s GOP must see something at once."""
    clip = make_clip(tmp_path / "a.mp4", Clip(seconds=30, gop=30, fps=10))
    async with recording(str(clip), tmp_path / "out") as made:
        begun = await made.wait_for(Progress, lambda e: e.time - e.open_segment.start > 1)
        start = begun.open_segment.start
        await made.ingest.sample("k", origin=begun.time, period=0.4)
        await made.ingest.sample("other", origin=begun.time, period=0.6)
        await made.wait_for(Sampled, lambda e: e.key == "k", count=3)
        await made.ingest.unsample("k")
        await made.wait_for(Sampled, lambda e: e.key == "other", count=4)
    samples = [event for event in made.all(Sampled) if event.key == "k"]
    for sample, index in zip(samples, made.sampled_indexes("k"), strict=True):
        assert sample.frame.time == pytest.approx(start + index / 10, abs=0.002)
        assert 0 <= sample.frame.time - sample.due + 1e-5 < 0.11
    assert len(samples) < len(made.all(Sampled)) - len(samples) + 3


async def test_a_killed_worker_loses_nothing_that_was_recorded(camera, tmp_path):
    """Native code crashes; the recording up to that moment is what the user paid for."""
    async with recording(f"{camera}?loop=1", tmp_path / "out", segment=30.0) as made:
        progress = await made.wait_for(Progress, lambda e: e.time - e.open_segment.start > 2)
        os.kill(made.worker, signal.SIGKILL)
        lost = await made.wait_for(Lost)
        adopted = made.segments[0]
        await made.wait_for(Opened, count=2)
        await made.wait_for(Progress, lambda e: e.time > adopted.end)
    assert "signal 9" in lost.reason
    assert adopted.start == progress.open_segment.start
    assert adopted.end >= progress.time - 2e-6  # file names have whole microseconds
    assert made.segments[1].start >= adopted.end
    pictures = play_back(made.directory, made.playlist()).pictures
    check_continuous(pictures)
    assert len(pictures) >= 50


async def test_a_worker_ends_with_its_parent(camera, tmp_path):
    """A server killed by the system must not leave thirty recorders running."""
    (tmp_path / "out").mkdir()
    program = (
        "import asyncio, sys\n"
        "from tests.media.harness import recording, Progress\n"
        "from pathlib import Path\n"
        "async def main():\n"
        "    async with recording(sys.argv[1], Path(sys.argv[2])) as made:\n"
        "        await made.wait_for(Progress)\n"
        "        print(made.worker, flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program, f"{camera}?loop=1", str(tmp_path / "out")),
        stdout=asyncio.subprocess.PIPE,
    )
    worker = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    async with asyncio.timeout(30):
        await asyncio.to_thread(wait_for_end, worker)
    assert not list((tmp_path / "out").glob("*.part"))


def wait_for_end(pid):
    while is_running(pid):
        time.sleep(0.05)


def is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


async def test_stopping_does_not_wait_for_a_silent_source(camera, tmp_path):
    """`stop()` must answer, and keep the open segment, also while a read hangs."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    made = recording(url + "?listen=1", tmp_path / "out", read_timeout=600.0, segment=30.0)
    async with made as ingest, publishing(camera, url) as publication:
        await ingest.wait_for(Progress, lambda e: e.time - e.open_segment.start > 1)
        publication.freeze()
        last = ingest.all(Progress)[-1]
        await ingest.ingest.stop()
    assert ingest.segments[-1].end >= last.time
    # The worker closed it itself; what is adopted from a killed one is flagged.
    assert len(ingest.segments) == 1
    assert not ingest.all(Lost)


async def test_a_slow_parent_loses_frames_but_no_recording(tmp_path):
    """A server busy with a large request must not make the cameras stall."""
    clip = make_clip(tmp_path / "a.mp4", Clip(seconds=4, gop=0.2, size=(1280, 720), audio=None))
    directory = tmp_path / "out"
    async with recording(str(clip), directory, segment=0.2) as made:
        await made.ingest.sample("k", origin=0, period=0.04)
        await made.wait_for(Sampled)
        wait_for_segments(directory, 14)
        await made.wait_for(Ended)
    assert len(made.segments) == 20
    assert play_back(made.directory, made.playlist()).pictures == [*range(100)]
    assert made.all(Progress)[-1].dropped_frames > 0


def wait_for_segments(directory, count):
    """Keep the event loop busy, so that the parent reads nothing meanwhile; not for ever."""
    give_up = time.monotonic() + 60
    while sum(1 for _ in directory.glob("*-*.ts")) < count:
        assert time.monotonic() < give_up, "the worker records nothing while nobody reads"
        time.sleep(0.01)


async def test_nobody_listens_is_said_in_words(camera):
    """A demo that hangs on a wrong port explains nothing."""
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    with pytest.raises(PublishError, match="connection refused") as caught:
        async with publishing(camera, url, patience=0.2):
            pass
    assert caught.value.url == url


async def test_a_publication_ends_with_its_file(tmp_path):
    """A program that publishes a file wants to know when it is over."""
    clip = make_clip(tmp_path / "a.mp4", Clip(seconds=2, gop=1))
    url = f"rtmp://127.0.0.1:{free_port()}/live/key"
    async with recording(url + "?listen=1", tmp_path / "out") as made:
        async with publishing(clip, url) as publication:
            await publication.wait()
        await made.wait_for(Lost)
    assert play_back(made.directory, made.playlist()).pictures == [*range(50)]


async def test_a_directory_that_is_gone_is_said_and_survived(camera, tmp_path):
    """A full or unmounted disk must not look like a broken camera."""
    out = tmp_path / "out"
    async with recording(f"{camera}?loop=1", out) as made:
        await made.wait_for(Progress)
        await asyncio.to_thread(shutil.rmtree, out)
        lost = await made.wait_for(Lost)
        await asyncio.to_thread(out.mkdir)
        gone = len(made.events)
        await made.wait_for(SegmentClosed, lambda e: made.events.index(e) > gone)
    assert lost.reason.startswith(f"can't write to {out}: ")


async def test_a_listener_on_a_taken_port_says_so(tmp_path):
    """Two streams with one address is a common slip of the pen."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"rtmp://127.0.0.1:{port}/live/key?listen=1"
        async with recording(url, tmp_path / "out") as made:
            refused = await made.wait_for(Refused)
    assert (refused.code, refused.reason) == ("busy", "the address is in use by another program")
    assert refused.retry_in > 0


async def test_real_footage_in_an_old_format_is_recorded(tmp_path):
    """Not what an encoder of ours makes: a surveillance camera's file of 2005."""
    clip = await asyncio.to_thread(first_frames_of_footage, tmp_path / "vtest.avi", 60)
    made = await record_file(clip, tmp_path / "out", sample=2)
    opened = made.all(Opened)[0]
    assert (opened.video.width, opened.video.height, opened.transcoded) == (768, 576, True)
    assert made.playlist().duration == pytest.approx(6, abs=0.05)
    assert len(play_back(made.directory, made.playlist()).sizes) == 60
    assert [event.frame.width for event in made.all(Sampled)] == [768] * 3


def first_frames_of_footage(target, count):
    """Copy the first frames out of Debian's `opencv-doc`."""
    folder = Path("/usr/share/doc/opencv-doc/examples/data")
    source = folder / "vtest.avi"
    if not source.exists():
        source = target.with_name("whole.avi")
        source.write_bytes(gzip.decompress((folder / "vtest.avi.gz").read_bytes()))
    with av.open(str(source)) as whole, av.open(str(target), "w") as part:
        stream = part.add_stream_from_template(whole.streams.video[0], opaque=True)
        for packet in itertools.islice(whole.demux(video=0), count):
            packet.stream = stream
            part.mux(packet)
    return target


async def test_progress_never_runs_ahead_of_the_sampled_frames(camera, tmp_path):
    """Who closes a window by it must not miss a frame that was still being decoded."""
    async with recording(str(camera), tmp_path / "out") as made:
        await made.ingest.sample("k", origin=0, period=0.2)
        await made.wait_for(Progress, count=8)
    reached = 0.0
    for event in made.events:
        if isinstance(event, Progress):
            assert reached <= event.sampled_to <= event.time
            reached = event.sampled_to
        elif isinstance(event, Sampled):
            assert event.due >= reached - 0.2
            assert event.frame.time >= reached
    assert reached > made.segments[0].start + 1
