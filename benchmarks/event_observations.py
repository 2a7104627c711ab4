"""Run the offline engines over real clips and keep what they observed.

Needs the `ai` extra, Pillow, scikit-image, and from Debian `opencv-doc` (footage of a street,
photographs) and `pocketsphinx-testdata` (speech). Rules and thresholds are judged by the result,
so it is kept with the project; run this again when an engine has changed:

    python -m benchmarks.event_observations
"""

from __future__ import annotations

import asyncio
import gzip
import importlib.util
import json
import wave
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.events import OBSERVATIONS
from rtstream_async.local.assets import PARTS, clip_path
from rtstream_async.local.engines.defaults import speech
from rtstream_async.local.engines.offline.vision import OfflineVision
from rtstream_async.local.engines.ports import Frame, Sound, SpeechEngine

__all__ = ["main"]

_EXAMPLES = Path("/usr/share/doc/opencv-doc/examples/data")
_SPEECH = Path("/usr/share/pocketsphinx/test/data")
_BEGIN = 1_700_000_000.0  # Unix time, seconds, of each clip's first frame
_WINDOW = 2.0  # seconds
_FRAMES = 5  # of a window
_RATE = 16_000
_PIECE = _RATE  # bytes: half a second of sound
_FACTS = (
    *("objects", "people", "sightings", "words", "words_unread", "brightness", "contrast"),
    *("colors", "change", "frames", "frames_looked_at"),
)

Window = Sequence[np.ndarray]
Observation = Mapping[str, Any]

_SCREENS: Mapping[str, Sequence[str]] = {
    "screen-build": (
        "$ make test",
        "collected 214 items",
        "Error 503: upstream service unavailable",
        "FAILED tests/test_export.py::test_export_window_exact",
        "1 failed, 213 passed in 3.21s",
    ),
    "screen-green": (
        "$ make test",
        "collected 214 items",
        "214 passed in 3.02s",
        "Build succeeded",
    ),
    "screen-login": ("Sign in to Acme", "User name", "Password", "Access denied. Try again."),
    "screen-invoice": ("INVOICE 2024-117", "Total due: 1,250.00 EUR", "Due date: 30 June"),
    "screen-slack": ("Slack", "# general", "Dana: the release is out", "3 unread messages"),
}


def main() -> None:
    """Look at everything, listen to everything, and keep what was observed."""
    observed = {name: _look(name, windows) for name, windows in _clips()}
    observed |= asyncio.run(_listen())
    lines = [
        f"{json.dumps(name)}: [\n  " + ",\n  ".join(map(json.dumps, observations)) + "\n]"
        for name, observations in observed.items()
    ]
    OBSERVATIONS.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{sum(map(len, observed.values()))} observations of {len(observed)} clips")


def _clips() -> Iterator[tuple[str, list[Window]]]:
    street = _street()
    yield "street-quiet", [street(at) for at in (0, 2)]
    yield "street-red", [street(at) for at in (46, 48, 50, 52)]
    yield "street-busy", [street(at) for at in (66, 68, 70, 72)]
    yield "street-dark", [street(0), _dimmed(street(2)), _dimmed(street(4)), street(6)]
    yield "demo", _demo()
    yield "door", [_still("brick.png"), _still("astronaut.png"), _still("brick.png")]
    yield "cat-comes", [_still("grass.png"), _still("chelsea.png"), _still("gravel.png")]
    for name in ("coffee.png", "rocket.jpg", "motorcycle_left.png", "page.png", "moon.png"):
        yield name.split(".")[0], [_still(name)]
    for name in ("messi5.jpg", "apple.jpg", "building.jpg", "home.jpg", "fruits.jpg"):
        yield name.split(".")[0], [_still(name)]
    for name, lines in _SCREENS.items():
        yield name, [[_screen(lines[:1])] * _FRAMES, [_screen(lines)] * _FRAMES]
    yield "blue-screen", [[_screen(())] * _FRAMES, [_screen((), paper=(10, 20, 200))] * _FRAMES]


def _look(name: str, windows: Sequence[Window]) -> list[Observation]:
    engine = OfflineVision()
    engine.warm_up()
    found: list[Observation] = []
    for number, window in enumerate(windows):
        begin = _BEGIN + number * _WINDOW
        frames = [
            _frame(picture, begin + (index + 0.5) * _WINDOW / len(window))
            for index, picture in enumerate(window)
        ]
        seen = engine.describe(frames, key=name)
        facts = {key: seen.metadata[key] for key in _FACTS}
        found.append({"text": seen.text, "metadata": facts})
    return found


def _street() -> Any:
    with av.open(str(_EXAMPLES / "vtest.avi")) as clip:
        pictures = [frame.to_ndarray(format="bgr24") for frame in clip.decode(video=0)]

    def window(at: int) -> Window:
        return pictures[at * 10 + 2 : (at + 2) * 10 : 4]

    return window


def _demo() -> list[Window]:
    with av.open(str(clip_path())) as clip:
        pictures = [frame.to_ndarray(format="bgr24") for frame in clip.decode(video=0)]
    length = round(25 * _WINDOW)
    return [pictures[at + 5 : at + length : 10] for at in range(0, len(pictures), length)]


def _dimmed(window: Window) -> Window:
    return [(picture * 0.06).astype(np.uint8) for picture in window]


def _still(name: str) -> Window:
    package = importlib.util.find_spec("skimage")
    assert package is not None
    assert package.origin is not None
    inside = Path(package.origin).parent / "data" / name
    path = inside if inside.exists() else _EXAMPLES / name
    if path.exists():
        content = path.read_bytes()
    else:
        content = gzip.decompress(path.with_name(f"{name}.gz").read_bytes())
    picture = cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)
    return [np.asarray(picture)] * _FRAMES


def _screen(lines: Sequence[str], *, paper: tuple[int, int, int] = (25, 25, 25)) -> np.ndarray:
    image = Image.new("RGB", (1280, 720), paper)
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((64, 60 + number * 62), line, font=ImageFont.load_default(34), fill=(225,) * 3)
    return np.ascontiguousarray(np.asarray(image)[..., ::-1])


def _frame(picture: np.ndarray, time: float) -> Frame:
    jpeg = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, 85])[1].tobytes()
    return Frame(time=time, jpeg=jpeg, width=picture.shape[1], height=picture.shape[0])


async def _listen() -> dict[str, list[Observation]]:
    engine = speech()
    await engine.warm_up()
    try:
        return {name: await _hear(engine, name, pieces) for name, pieces in _sounds()}
    finally:
        await engine.aclose()


def _sounds() -> Iterator[tuple[str, list[bytes]]]:
    for path in sorted((_SPEECH / "librivox").glob("*.wav")):
        with wave.open(str(path)) as file:
            yield f"book-{path.stem[-4:]}", [file.readframes(file.getnframes())]
    for name in ("goforward", "something", "numbers"):
        yield f"said-{name}", [(_SPEECH / f"{name}.raw").read_bytes()]
    samples = _demo_sound()
    parts = [(round(part.start * _RATE) * 2, round(part.end * _RATE) * 2) for part in PARTS]
    yield "demo-said", [samples[begin:end] for begin, end in parts]


def _demo_sound() -> bytes:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=_RATE)
    with av.open(str(clip_path())) as clip:
        frames = [out for frame in clip.decode(audio=0) for out in resampler.resample(frame)]
    return b"".join(frame.to_ndarray().tobytes() for frame in frames)


async def _hear(engine: SpeechEngine, name: str, pieces: Sequence[bytes]) -> list[Observation]:
    """Return what is heard in each piece, as an audio index with one batch a piece would."""
    found: list[Observation] = []
    for number, samples in enumerate(pieces):
        key = f"{name}-{number}"
        quiet = bytes(_RATE * 2)
        said: list[str] = []
        whole = samples + quiet
        for begin in range(0, len(whole), _PIECE):
            sound = Sound(time=_BEGIN + begin / (2 * _RATE), samples=whole[begin : begin + _PIECE])
            heard = await engine.hear(sound, key=key)
            said += [utterance.text for utterance in heard if utterance.is_final]
        said += [utterance.text for utterance in await engine.finish(key=key)]
        spoken = " ".join(said)
        found.append({"text": spoken, "metadata": {"spoken": spoken}})
    return found


if __name__ == "__main__":
    main()
