"""Real pictures to look at, and rendered ones of which every word is known.

The footage and some photographs come from Debian's `opencv-doc`, other photographs from inside
the scikit-image wheel.
"""

from __future__ import annotations

import functools
import gzip
import importlib.util
import io
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import av
import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from rtstream_async.local.engines.ports import Frame

__all__ = [
    "BLANKS",
    "TERMINAL",
    "as_h264",
    "example",
    "frame",
    "jpeg",
    "photograph",
    "recall",
    "screen",
    "surveillance",
]

_OPENCV_DOC = Path("/usr/share/doc/opencv-doc/examples/data")

TERMINAL = (
    "$ make test",
    "collected 214 items",
    "Error 503: upstream service unavailable",
    "def test_export_window_exact(tmp_path):",
    "clip = export(tmp_path, start=11.5, end=32.25)",
    "AssertionError: assert 20.71 == 20.75",
    "FAILED tests/test_export.py::test_export_window_exact",
    "1 failed, 213 passed in 3.21s",
)


def photograph(name: str) -> np.ndarray:
    """A picture by file name, BGR."""
    inside = importlib.util.find_spec("skimage").origin
    path = Path(inside).parent / "data" / name
    content = path.read_bytes() if path.exists() else example(name)
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)


def example(name: str) -> bytes:
    """The content of one of the example files of Debian's `opencv-doc`."""
    for path in (_OPENCV_DOC / name, _OPENCV_DOC / f"{name}.gz"):
        if path.exists():
            content = path.read_bytes()
            return gzip.decompress(content) if path.suffix == ".gz" else content
    raise FileNotFoundError(f"{name}: run 'apt-get install opencv-doc'")


@functools.cache
def surveillance(index: int) -> np.ndarray:
    """One of the 795 frames of `vtest.avi`, real surveillance footage with people in it, BGR."""
    with av.open(io.BytesIO(example("vtest.avi"))) as clip:
        stream = clip.streams.video[0]
        clip.seek(int(index / stream.average_rate / stream.time_base), stream=stream)
        for shown in clip.decode(stream):
            if shown.pts >= index:
                return shown.to_ndarray(format="bgr24")
    raise IndexError(index)


def as_h264(pictures: Sequence[np.ndarray], *, crf: int = 23) -> list[np.ndarray]:
    """What a camera's or a screen recorder's encoder leaves of the pictures."""
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as out:
        stream = out.add_stream(
            "libx264", rate=25, options={"crf": str(crf), "preset": "veryfast", "g": "12"}
        )
        stream.height, stream.width = pictures[0].shape[:2]
        stream.pix_fmt = "yuv420p"
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        out.mux(stream.encode(None))
    buffer.seek(0)
    with av.open(buffer) as clip:
        return [shown.to_ndarray(format="bgr24") for shown in clip.decode(video=0)]


def screen(
    lines: Sequence[str], *, size: int = 24, ink: int = 225, paper: int = 25, width: int = 1280
) -> np.ndarray:
    """A screen with lines of text, `size` pixels high, BGR."""
    image = Image.new("RGB", (width, width * 9 // 16), (paper, paper, paper))
    draw = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        at = (size * 2, size + number * size * 1.7)
        draw.text(at, line, font=ImageFont.load_default(size), fill=(ink, ink, ink))
    return np.ascontiguousarray(np.asarray(image)[..., ::-1])


def jpeg(picture: np.ndarray, quality: int = 85) -> bytes:
    return cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def frame(picture: np.ndarray, time: float) -> Frame:
    height, width = picture.shape[:2]
    return Frame(time=time, jpeg=jpeg(picture), width=width, height=height)


def recall(truth: str, read: str) -> float:
    """The share of the words of `truth` that are in `read`; the reader loses narrow spaces."""
    joined = re.sub(r"[^a-z0-9]", "", read.lower())
    words = re.findall(r"[a-z0-9]+", truth.lower())
    return sum(word in joined for word in words) / len(words)


def _blanks() -> Mapping[str, np.ndarray]:
    rng = np.random.default_rng(0)
    rows, columns = np.mgrid[0:720, 0:1280]
    wall = np.full((720, 1280, 3), (200, 205, 210)) + rng.normal(0, 4, (720, 1280, 3))
    bricks = np.full((720, 1280, 3), (60, 70, 140), np.uint8)
    for row in range(0, 720, 40):
        bricks[row : row + 4] = 180
        for column in range((row // 40 % 2) * 60, 1280, 120):
            bricks[row : row + 40, column : column + 4] = 180

    def grey(values: np.ndarray) -> np.ndarray:
        return np.repeat(values.astype(np.uint8)[..., np.newaxis], 3, axis=2)

    return {
        "black": np.zeros((720, 1280, 3), np.uint8),
        "white": np.full((720, 1280, 3), 255, np.uint8),
        "blue": np.full((720, 1280, 3), (255, 0, 0), np.uint8),
        "colour noise": rng.integers(0, 256, (720, 1280, 3), dtype=np.uint8),
        "grey noise": grey(rng.integers(0, 256, (720, 1280))),
        "gradient": grey(columns / 1280 * 255),
        "vignette": grey(255 - np.hypot(columns - 640, rows - 360) / 735 * 255),
        "chessboard": grey((columns // 80 + rows // 80) % 2 * 255),
        "wall": np.clip(wall + (rows / 720 * 30 - 15)[..., np.newaxis], 0, 255).astype(np.uint8),
        "bricks": bricks,
    }


BLANKS = _blanks()
