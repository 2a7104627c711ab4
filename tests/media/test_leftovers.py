"""What a power cut or `kill -9` leaves is part of the recording again at the next start."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from rtstream_async.local.child import Child
from rtstream_async.local.domain.cutting import part_name
from rtstream_async.local.media import leftovers
from rtstream_async.local.media.leftovers import adopt_leftovers
from tests.media.clips import Clip, make_clip
from tests.media.harness import START, play_back, record_file


async def make_part(directory: Path, start: float, *, cut: int | None = None) -> Path:
    """An unfinished segment, as a killed recorder leaves it."""
    clip = make_clip(directory / "clip.mp4", Clip(seconds=2))
    made = await record_file(clip, directory / "whole")
    return move_as_part(Path(made.segments[0].path), directory / part_name(start), cut)


def move_as_part(segment: Path, part: Path, cut: int | None) -> Path:
    part.write_bytes(segment.read_bytes()[:cut])
    shutil.rmtree(segment.parent)
    (part.parent / "clip.mp4").unlink()
    return part


async def test_an_unfinished_segment_gets_its_real_length(tmp_path):
    """Only its frames know how long it is."""
    await make_part(tmp_path, START)
    (segment,) = await adopt_leftovers(tmp_path)
    assert segment.start == START
    assert segment.end == pytest.approx(START + 2, abs=0.1)
    assert segment.discontinuity
    (file,) = tmp_path.iterdir()
    assert (str(file), file.stat().st_size) == (segment.path, segment.size)


async def test_a_torn_segment_keeps_what_plays(tmp_path):
    """The last block of a file is lost in a crash; the rest is not."""
    await make_part(tmp_path, START, cut=30_001)
    (segment,) = await adopt_leftovers(tmp_path)
    assert START < segment.end < START + 2


async def test_what_does_not_play_is_deleted(tmp_path):
    """A file that is probed at each start for ever helps nobody."""
    (tmp_path / part_name(START)).write_bytes(b"")
    (tmp_path / part_name(START + 1)).write_bytes(b"\0" * 5000)
    (tmp_path / "strange.ts.part").write_bytes(b"")
    assert await adopt_leftovers(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


async def test_all_leftovers_are_adopted_in_order(tmp_path):
    """Thirty streams were recording when the power went."""
    later = await make_part(tmp_path, START + 10)
    shutil.copy(later, tmp_path / part_name(START))
    adopted = await adopt_leftovers(tmp_path)
    assert [segment.start for segment in adopted] == [START, START + 10]


async def test_nothing_left_starts_nothing(tmp_path, monkeypatch):
    """Every start of a stream looks here; a process each time would be slow."""

    async def never(*_: object) -> Child:
        raise AssertionError("a child was started")

    monkeypatch.setattr(Child, "start", never)
    assert await adopt_leftovers(tmp_path) == []


async def test_a_file_on_which_the_reader_dies_is_set_aside(tmp_path, monkeypatch):
    """A file that crashes native code must not stop the server from starting, ever again."""
    await make_part(tmp_path, START)
    deadly = tmp_path / part_name(START - 5)
    deadly.write_bytes(b"x" * 4000)
    module = tmp_path / "adopt_or_die.py"
    module.write_text(
        "import os, signal\n"
        "from rtstream_async.local.media import adopt\n"
        "real = adopt.adopt\n"
        "def die(path):\n"
        f"    if path.name == {deadly.name!r}:\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "    return real(path)\n"
        "adopt.adopt = die\n"
        "adopt.main()\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(leftovers, "_WORKER", "adopt_or_die")
    (segment,) = await adopt_leftovers(tmp_path)
    assert segment.start == START
    assert (tmp_path / (deadly.name + ".broken")).exists()
    assert not list(tmp_path.glob("*.part"))


async def test_a_new_ingest_adopts_and_goes_on_behind_it(tmp_path):
    """Times of a recording never overlap, whatever happened before."""
    out = tmp_path / "out"
    out.mkdir()
    part = await make_part(tmp_path, START + 100)
    part.rename(out / part.name)
    clip = make_clip(tmp_path / "a.mp4", Clip(seconds=2))
    made = await record_file(clip, out)
    assert made.segments[0].start == START + 100
    assert made.segments[1].start >= made.segments[0].end
    assert play_back(out, made.playlist()).pictures == [*range(50)] * 2
