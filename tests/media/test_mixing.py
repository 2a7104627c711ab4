"""Pictures and sounds that were recorded apart, made into one film."""

from __future__ import annotations

from pathlib import Path

import attrs
import av
import numpy as np
import pytest

from rtstream_async.local.domain.assembly import File
from rtstream_async.local.domain.cutting import segment_name
from rtstream_async.local.media.export import NothingReadableError, assemble
from rtstream_async.local.media.export_order import Exported, Order
from tests.media.clips import Clip, make_clip
from tests.media.flashes import clicks_in, flashes_in, make_flashes
from tests.media.harness import record_file

BEGAN = 1_760_000_000.0  # when all recordings began, Unix time


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight seconds that flash and click at 0.5 s, 1.5 s, ..."""
    return make_flashes(tmp_path_factory.mktemp("film") / "both.mp4", seconds=8, bframes=2)


async def recorded(
    film: Path, folder: Path, kind: str | None = None, *, at: float = 0.0
) -> tuple[File, ...]:
    """The segments of a film, or of its `video` or `audio` alone, as if recorded at `at`."""
    source = film if kind is None else only(film, kind, folder.with_suffix(".mp4"))
    made = await record_file(source, folder)
    shift = BEGAN + at - made.segments[0].start
    return tuple(
        File(
            path=renamed(one.path, one.start + shift, one.end + shift),
            start=one.start + shift,
            end=one.end + shift,
            discontinuity=one.discontinuity,
        )
        for one in made.segments
    )


def renamed(path: str, start: float, end: float) -> str:
    """Name a segment after the time at which it is said to be recorded."""
    return str(Path(path).rename(Path(path).with_name(segment_name(start, end))))


def only(film: Path, kind: str, target: Path) -> Path:
    """Copy one track of a film."""
    with av.open(str(film)) as source, av.open(str(target), "w") as out:
        track = next(stream for stream in source.streams if stream.type == kind)
        stream = out.add_stream_from_template(track)
        for packet in source.demux(track):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    return target


def mixed(files: tuple[File, ...], folder: Path, *sounds: tuple[File, ...]) -> Exported:
    folder.mkdir()
    shares: list[float] = []
    order = Order(files=files, target=str(folder / "made"), title="screen", sounds=sounds)
    made = assemble(order, shares.append)
    assert shares == sorted(shares)
    assert 0 < shares[0] <= shares[-1] <= 1
    return made


def contents(files: tuple[File, ...]) -> list[bytes]:
    return [Path(file.path).read_bytes() for file in files]


def spoil(*files: File) -> None:
    for file in files:
        Path(file.path).write_bytes(b"rotten")


def heard(path: Path) -> np.ndarray:
    """All sound of a file, as a player without timestamps would play it."""
    with av.open(str(path)) as film:
        return np.concatenate([frame.to_ndarray()[0] for frame in film.decode(audio=0)])


async def test_lips_and_words_go_together(film: Path, tmp_path: Path) -> None:
    """Whoever shows a recording of his screen speaks about what is seen at that moment."""
    screen = await recorded(film, tmp_path / "screen", "video")
    mic = await recorded(film, tmp_path / "mic", "audio")
    made = mixed(screen, tmp_path / "out", mic)
    flashes, clicks = (find(tmp_path / "out" / "made") for find in (flashes_in, clicks_in))
    assert len(flashes) == len(clicks) == 8
    assert np.allclose(flashes, clicks, atol=0.045)
    assert (made.has_picture, made.has_sound, made.recoded_pictures) == (True, True, 0)
    assert not made.recoded_sound  # it was encoded once, for the segments
    assert made.duration == pytest.approx(8, abs=0.1)
    assert (made.pieces[0].start, made.unreadable) == (BEGAN, ())


async def test_the_segments_play_what_the_film_does(film: Path, tmp_path: Path) -> None:
    """The same video is watched as a file and in a player."""
    screen = await recorded(film, tmp_path / "screen", "video")
    mic = await recorded(film, tmp_path / "mic", "audio")
    before = contents(screen)
    mixed(screen, tmp_path / "out", mic)
    paths = [tmp_path / "out" / Path(file.path).name for file in screen]
    whole = tmp_path / "whole.ts"
    whole.write_bytes(b"".join(path.read_bytes() for path in paths))
    with av.open(str(whole)) as joined:
        first = min(stream.start_time for stream in joined.streams) / 90_000
    flashes, clicks = flashes_in(whole), clicks_in(whole)
    assert len(flashes) == len(clicks) == 8
    assert np.allclose(flashes, clicks, atol=0.045)
    assert first == pytest.approx(10, abs=0.2)  # timestamps count from there, and go on
    assert len(heard(whole)) / 48_000 == pytest.approx(8, abs=0.1)
    assert contents(screen) == before


async def test_all_sounds_are_heard_at_their_time(film: Path, tmp_path: Path) -> None:
    """One speaks into the microphone, the others come out of the machine."""
    screen = await recorded(film, tmp_path / "screen")  # it clicks itself
    mic = await recorded(film, tmp_path / "mic", "audio", at=0.25)
    machine = await recorded(film, tmp_path / "machine", "audio", at=2.6)
    mixed(screen, tmp_path / "out", mic, machine)
    clicks = clicks_in(tmp_path / "out" / "made")
    own = [0.48 + n for n in range(8)]
    late = [0.73 + n for n in range(8)]
    later = [3.08 + n for n in range(5)]
    assert np.allclose(clicks, sorted(own + late + later), atol=0.03)


async def test_where_nobody_speaks_it_is_silent(film: Path, tmp_path: Path) -> None:
    """A microphone that is switched on late, and off early, must not move what it heard."""
    screen = await recorded(film, tmp_path / "screen", "video")
    short = make_flashes(tmp_path / "short.mp4", seconds=2)
    mic = await recorded(short, tmp_path / "mic", "audio", at=3)
    made = mixed(screen, tmp_path / "out", mic)
    assert np.allclose(clicks_in(tmp_path / "out" / "made"), [3.48, 4.48], atol=0.03)
    assert made.duration == pytest.approx(8, abs=0.1)
    assert not made.recoded_sound


async def test_a_gap_of_the_screen_is_closed_for_the_sound_as_well(
    film: Path, tmp_path: Path
) -> None:
    """What was said while nothing was recorded of the screen has no picture to belong to."""
    first = await recorded(film, tmp_path / "first", "video")
    second = await recorded(film, tmp_path / "second", "video", at=20)
    second = (attrs.evolve(second[0], discontinuity=True), *second[1:])
    mic = await recorded(film, tmp_path / "mic", "audio", at=18)
    made = mixed((*first, *second), tmp_path / "out", mic)
    clicks = clicks_in(tmp_path / "out" / "made")
    assert np.allclose(clicks, [8.48 + n for n in range(6)], atol=0.06)
    assert len(flashes_in(tmp_path / "out" / "made")) == 16
    assert [round(piece.start - BEGAN) for piece in made.pieces] == [0, 20]


async def test_a_screen_without_any_sound_stays_as_it_is(film: Path, tmp_path: Path) -> None:
    """A silent track would say that there is something to hear."""
    screen = await recorded(film, tmp_path / "screen", "video")
    made = mixed(screen, tmp_path / "out", screen)
    assert not made.has_sound
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"made"}


async def test_what_can_not_be_read_is_left_out_and_told(film: Path, tmp_path: Path) -> None:
    """A bad sector in one file must not cost the meeting."""
    screen = await recorded(film, tmp_path / "screen", "video")
    mic = await recorded(film, tmp_path / "mic", "audio")
    assert len(screen) > 2
    spoil(screen[1], mic[0])
    made = mixed(screen, tmp_path / "out", mic)
    assert made.unreadable == (Path(screen[1].path).name,)
    assert (made.has_picture, made.has_sound) == (True, True)
    spoil(*screen)
    with pytest.raises(NothingReadableError):
        mixed(screen, tmp_path / "none", mic)


async def test_mixed_sound_is_never_louder_than_it_can_be(tmp_path: Path) -> None:
    """Two loud voices at once must not wrap around into noise."""
    loud = make_clip(tmp_path / "loud.mp4", Clip(seconds=3))
    screen = await recorded(loud, tmp_path / "screen")
    more = [await recorded(loud, tmp_path / f"mic{n}", "audio") for n in range(5)]
    mixed(screen, tmp_path / "out", *more)
    level = np.abs(heard(tmp_path / "out" / "made"))
    assert 0.5 < float(np.quantile(level, 0.99)) <= 1.1
