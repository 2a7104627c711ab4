"""One MP4 from recorded segments: `python -m rtstream_async.local.media.export`.

What was recorded is copied, not encoded again. Its first picture is the video's first, gaps are
closed up, and sound stays with its pictures. Where the source changed how it codes (another
size, another encoder) what is in the minority is encoded again, because one track of an MP4 file
is coded in one way; and sound with holes in it is encoded again with silence in them.
"""

# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false
# PyAV's stubs leave the packets' type parameter open.
from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import attrs
import av
import msgspec
from av.container import OutputContainer
from av.error import FFmpegError

from rtstream_async.local.domain.assembly import (
    TICKS,
    Drift,
    File,
    Place,
    belongs,
    lay_out,
    longest,
)
from rtstream_async.local.domain.pieces import length
from rtstream_async.local.media.export_order import Exported, Order
from rtstream_async.local.media.mixing import has_sound, mix
from rtstream_async.local.media.pictures import Pictures
from rtstream_async.local.media.segments import (
    Contents,
    SoundFormat,
    open_segment,
    scan,
    timed_packets,
)
from rtstream_async.local.media.sounds import CopiedSound, RecodedSound, Sounds
from rtstream_async.local.parent import Parent, serve_parent

__all__ = ["NothingReadableError", "assemble", "main"]

_IN_STEP = 0.08  # seconds that a player may get out of step with sound that is copied
_SCANNED, _WRITTEN = 0.2, 0.95  # shares of the work...
_MIXED = 0.6  # ...and of what is mixed first
_TELL_EVERY = 0.25  # seconds
_NICENESS = 10  # recordings come first

_Tell = Callable[[float], None]


class NothingReadableError(Exception):
    """None of the recorded files holds anything that plays."""


def assemble(order: Order, tell: _Tell) -> Exported:
    """Write the video; `tell` gets the share that is done, from 0 to 1.

    Raises:
        NothingReadableError: Nothing in the files plays.
        av.error.FFmpegError: It can't be written, or a file changed meanwhile.
    """
    if order.sounds and has_sound(
        [file for files in (order.files, *order.sounds) for file in files]
    ):
        return _assemble_mixed(order, tell)
    scanned = _scan(order.files, tell)
    found = [contents for contents in scanned if contents is not None]
    if not found:
        raise NothingReadableError("nothing that was recorded can be read")
    places, pieces = lay_out([contents.file for contents in found])
    plan = _plan(found, places)
    writer = _Writer(order, plan)
    writer.write(found, places, lambda share: tell(_SCANNED + (_WRITTEN - _SCANNED) * share))
    kept = {contents.file for contents in found}
    return Exported(
        has_picture=plan.picture is not None,
        has_sound=plan.sound is not None,
        duration=_duration(order.target, length(pieces)),
        pieces=tuple(pieces),
        unreadable=tuple(Path(file.path).name for file in order.files if file not in kept),
        recoded_pictures=writer.recoded_pictures,
        recoded_sound=plan.sound is not None and not plan.copies_sound,
    )


def _assemble_mixed(order: Order, tell: _Tell) -> Exported:
    folder = Path(order.target).parent
    mixed = mix(order.files, order.sounds, folder, lambda share: tell(_MIXED * share))
    if not mixed:
        raise NothingReadableError("nothing that was recorded can be read")
    plain = attrs.evolve(order, files=mixed, sounds=())
    made = assemble(plain, lambda share: tell(_MIXED + (1 - _MIXED) * share))
    names = [Path(file.path).name for file in order.files]
    lost = set(names) - {Path(file.path).name for file in mixed} | set(made.unreadable)
    return attrs.evolve(made, unreadable=tuple(name for name in names if name in lost))


def _scan(files: Sequence[File], tell: _Tell) -> list[Contents | None]:
    scanned: list[Contents | None] = []
    for number, file in enumerate(files):
        scanned.append(scan(file))
        tell(_SCANNED * (number + 1) / len(files))
    return scanned


@attrs.frozen(kw_only=True)
class _Plan:
    picture: str | None
    recodes_pictures: bool
    sound: SoundFormat | None
    copies_sound: bool


def _plan(found: Sequence[Contents], places: Sequence[Place]) -> _Plan:
    picture = longest((one.picture, one.file.end - one.file.start) for one in found)
    sounds = {str(one.sound): one.sound for one in found if one.sound is not None}
    sound = longest(
        (str(one.sound), len(one.sound_at) * one.sound_duration) for one in found if one.sound
    )
    return _Plan(
        picture=picture,
        recodes_pictures=any(one.picture not in {None, picture} for one in found),
        sound=None if sound is None else sounds[sound],
        copies_sound=len(sounds) == 1 and _is_in_step(found, places),
    )


def _is_in_step(found: Sequence[Contents], places: Sequence[Place]) -> bool:
    drift = Drift()
    for contents, place in zip(found, places, strict=True):
        for at in contents.sound_at:
            moment = at + place.at
            if belongs(place, at=moment, duration=contents.sound_duration):
                drift.feed(moment, duration=contents.sound_duration)
    return drift.first is not None and max(drift.first / TICKS, drift.worst) <= _IN_STEP


class _Writer:
    def __init__(self, order: Order, plan: _Plan) -> None:
        self._order = order
        self._plan = plan
        self._pictures: Pictures | None = None
        self._sounds: Sounds | None = None

    @property
    def recoded_pictures(self) -> int:
        return 0 if self._pictures is None else self._pictures.recoded

    def write(self, found: Sequence[Contents], places: Sequence[Place], tell: _Tell) -> None:
        options = {"movflags": "+faststart"}
        target = f"file:{self._order.target}"
        kind = "ipod" if self._plan.picture is None else "mp4"
        with av.open(target, "w", format=kind, options=options) as out:
            out.metadata["title"] = self._order.title
            out.metadata["creation_time"] = _iso(found[0].file.start)
            self._add_tracks(out, found)
            for number, (contents, place) in enumerate(zip(found, places, strict=True)):
                self._add(contents, place)
                tell((number + 1) / len(found))
            if self._pictures is not None:
                self._pictures.drain()
            if self._sounds is not None:
                self._sounds.finish()

    def _add_tracks(self, out: OutputContainer, found: Sequence[Contents]) -> None:
        plan = self._plan
        with ExitStack() as stack:
            if plan.picture is not None:
                first = next(one for one in found if one.picture == plan.picture)
                source = stack.enter_context(open_segment(first.file))
                self._pictures = Pictures(
                    out,
                    source.streams.video[0],
                    main=plan.picture,
                    recodes=plan.recodes_pictures,
                )
            if plan.sound is not None and plan.copies_sound:
                first = next(one for one in found if one.sound is not None)
                source = stack.enter_context(open_segment(first.file))
                self._sounds = CopiedSound(out, source.streams.audio[0])
            elif plan.sound is not None:
                self._sounds = RecodedSound(out, plan.sound)
            out.start_encoding()

    def _add(self, contents: Contents, place: Place) -> None:
        with open_segment(contents.file) as container:
            for timed in timed_packets(container, place):
                if timed.is_video and self._pictures is not None:
                    if self._sounds is not None:
                        self._sounds.advance(timed.dts)
                    self._pictures.feed(timed, contents, place)
                elif not timed.is_video and self._sounds is not None:
                    self._sounds.feed(timed, place)


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds")


def _duration(path: str, expected: float) -> float:
    """Open what was written, as a player would, and return how long it is."""
    with av.open(f"file:{path}", "r", format="mp4") as made:
        return expected if made.duration is None else made.duration / 1_000_000


class _Teller:
    def __init__(self, parent: Parent) -> None:
        self._parent = parent
        self._next = 0.0

    def __call__(self, share: float) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _TELL_EVERY
            self._parent.send(["progress", share])


def _end_with(parent: Parent) -> None:
    """End this process as soon as the parent closes the pipe, or is gone."""
    while parent.receive() is not None:
        continue
    os._exit(0)


def main() -> None:
    """Make one video; the first message is the order."""
    # Ctrl-C and a service manager's stop reach all processes; the server ends us in good order.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(_NICENESS)
    parent = serve_parent()
    order = msgspec.convert(parent.receive(), Order)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    try:
        made = assemble(order, _Teller(parent))
    except (FFmpegError, OSError, NothingReadableError) as exc:
        parent.send(["failed", str(exc)])
    else:
        parent.send(["made", made])


if __name__ == "__main__":
    main()
