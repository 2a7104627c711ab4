"""Reads the words in a picture with RapidOCR, whose models are inside its package.

Only what is new is read: a line that looks the same as when it was read keeps its text.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import attrs
import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.domain.scene_text import Words
from rtstream_async.local.engines.offline import opencv
from rtstream_async.local.engines.offline.opencv import Corners, Gray, Picture
from rtstream_async.local.engines.offline.pixels import cell_means
from rtstream_async.local.engines.ports import EngineError

__all__ = ["READER", "Line", "Page", "Reader", "believable"]

READER = "rapidocr-ppocrv6"  #: as records name it

#: Pixels of the longer side when looking for lines: half of the picture's own, within these. The
#: finder sees letters down to 6 pixels; at half size that is print of 12, and costs a quarter.
_FIND_SIDES = (640, 960)
_LINE_HEIGHT = 48  # pixels, the recogniser's
_SHORTEST_LINE = 320  # pixels at that height; shorter ones are padded to it
_LONGEST_LINE = 80  # times its height; what is longer is a rule or a border
_UPRIGHT = 1.5  # times higher than wide is a line that is turned by a quarter
_MOST_LINES = 200  # on a page

_SCORE = 0.7  # below it the reader guesses
_SHORT, _SHORT_SCORE = 4, 0.9  # characters; short strings are what it sees in leaves and gravel

_PRINT_HEIGHT = 24  # pixels; what is kept of a line to see whether it is still the same
_PRINT_LENGTH = 960  # pixels
_PRINT_CELL = 6
#: Mean difference in a cell (0-255) that is another letter. H.264 makes up to 10 of a still line, a
#: 3 that becomes an 8 in print of 12 pixels makes 12.7. What is taken for new is only read again.
_PRINT_CHANGE = 12.0

_COVERED = 0.8  # share of a found line that known lines must cover to be that line


@attrs.frozen(kw_only=True, eq=False)
class Line:
    """A line that was read; its text is empty where there was nothing to believe."""

    text: str
    corners: Corners  #: fractions of the picture, 0-1
    print: Gray  #: what it looked like


@attrs.frozen(kw_only=True, eq=False)
class Page:
    """The lines that are known, and how many wait to be read."""

    lines: tuple[Line, ...] = ()
    unread: int = 0

    def words(self) -> Words:
        """Return the words in reading order."""
        told = [line for line in self.lines if line.text]
        return Words(lines=tuple(line.text for line in _in_order(told)), unread=self.unread)

    def texts(self) -> set[str]:
        """Return what the lines say."""
        return {line.text for line in self.lines if line.text}

    def as_seen_in(self, picture: Picture) -> Page:
        """Return the page with only the lines that look in `picture` as when they were read."""
        return attrs.evolve(
            self,
            lines=tuple(
                line for line in self.lines if _same(line.print, _print(picture, line.corners))
            ),
        )


class Reader:
    """RapidOCR, loaded and kept small."""

    def __init__(self) -> None:
        self._engine = _load()

    def warm_up(self) -> None:
        """Run both networks once."""
        picture = np.zeros((360, 640, 3), np.uint8)
        self._find(picture)
        self._recognise(picture[: _LINE_HEIGHT * 2, : _LINE_HEIGHT * 8])

    def read(self, picture: Picture, known: Page, *, pixels: int) -> Page:
        """Return the lines in a picture, reading up to `pixels` of width of lines not known yet.

        Args:
            picture: The picture.
            known: The lines that are known to be there, which need no reading.
            pixels: How much may be read, in pixels of width at the reader's line height. The
                highest lines come first: they are the titles and the signs.
        """
        found = [
            corners for corners in self._find(picture) if _coverage(corners, known.lines) < _COVERED
        ]
        found.sort(key=lambda corners: -_size(corners, picture)[1])
        fresh: list[Line] = []
        for corners in found[:_MOST_LINES]:
            width = _read_width(corners, picture)
            if width > pixels and fresh:
                break
            pixels -= width
            fresh.append(self._read_line(picture, corners))
        # A line that has grown is found anew; what was read of it before must not be told twice.
        kept = [line for line in known.lines if _coverage(line.corners, fresh) < _COVERED]
        return Page(lines=(*kept, *fresh), unread=len(found) - len(fresh))

    def _read_line(self, picture: Picture, corners: Corners) -> Line:
        width, height = _size(corners, picture)
        cut = opencv.straighten(picture, _scaled(corners, picture), width, height)
        # A line from top to bottom, or from bottom to top: the reader is surer of the right way.
        ways = (1, 3) if height >= _UPRIGHT * width else (0,)
        readings = [self._recognise(np.ascontiguousarray(np.rot90(cut, way))) for way in ways]
        text, score = max(readings, key=lambda reading: reading[1])
        return Line(
            text=text if believable(text, score) else "",
            corners=corners,
            print=_print(picture, corners),
        )

    def _find(self, picture: Picture) -> list[Corners]:
        """Return the corners of all lines of writing, in fractions of the picture."""
        height, width = picture.shape[:2]
        low, high = _FIND_SIDES
        scale = min(high, max(low, max(height, width) / 2)) / max(height, width)
        small = opencv.resize(picture, max(1, round(width * scale)), max(1, round(height * scale)))
        result = self._engine(small, use_det=True, use_cls=False, use_rec=False)
        boxes = cast("NDArray[np.float32] | None", result.boxes)
        if boxes is None:
            return []
        size = np.array([small.shape[1], small.shape[0]], np.float32)
        return [np.asarray(box / size, np.float32) for box in boxes]

    def _recognise(self, cut: Picture) -> tuple[str, float]:
        result = self._engine(cut, use_det=False, use_cls=False, use_rec=True)
        text = unicodedata.normalize("NFKC", str(result.txts[0]))
        return " ".join(text.split()), float(result.scores[0])


def believable(text: str, score: float) -> bool:
    """Whether what the reader made of a line is writing and not foliage."""
    letters = sum(character.isalnum() for character in text)
    return letters > 1 and score >= (_SHORT_SCORE if letters < _SHORT else _SCORE)


def _load() -> Any:
    import rapidocr

    models = Path(rapidocr.__file__).parent / "models"
    finder = models / "PP-OCRv6_det_small.onnx"
    recogniser = models / "PP-OCRv6_rec_small.onnx"
    for model in (finder, recogniser):
        if not model.exists():
            raise EngineError(f"rapidocr has no {model.name}; install rapidocr>=3.10,<4")
    params = {
        "Global.log_level": "critical",
        "Global.use_cls": False,  # it turns lines of small print upside down
        # Given paths are used as they are; without them the package would fetch what is missing.
        "Det.model_path": str(finder),
        "Rec.model_path": str(recogniser),
        "Det.limit_type": "max",
        "Det.limit_side_len": max(_FIND_SIDES),
        "Rec.rec_batch_num": 1,
        "EngineConfig.onnxruntime.intra_op_num_threads": 1,
        "EngineConfig.onnxruntime.inter_op_num_threads": 1,
        "EngineConfig.onnxruntime.enable_cpu_mem_arena": False,
    }
    return rapidocr.RapidOCR(params=params)


def _scaled(corners: Corners, picture: Picture) -> Corners:
    size = np.array([picture.shape[1], picture.shape[0]], np.float32)
    return np.asarray(corners * size, np.float32)


def _size(corners: Corners, picture: Picture) -> tuple[int, int]:
    """Return width and height of a line in pixels of the picture."""
    points = _scaled(corners, picture)
    edges = np.roll(points, -1, axis=0) - points
    top, right, bottom, left = np.hypot(edges[:, 0], edges[:, 1]).tolist()
    return max(1, round(max(top, bottom))), max(1, round(max(right, left)))


def _read_width(corners: Corners, picture: Picture) -> int:
    width, height = _size(corners, picture)
    return max(_SHORTEST_LINE, max(width, height) * _LINE_HEIGHT // min(width, height))


def _print(picture: Picture, corners: Corners) -> Gray:
    width, height = _size(corners, picture)
    scale = _PRINT_HEIGHT / min(width, height)
    columns, rows = (min(_PRINT_LENGTH, round(side * scale)) for side in (width, height))
    return opencv.luma(opencv.straighten(picture, _scaled(corners, picture), columns, rows))


def _same(before: Gray, after: Gray) -> bool:
    if before.shape != after.shape:
        return False
    difference = np.abs(before.astype(np.int16) - after.astype(np.int16))
    return bool(cell_means(difference, _PRINT_CELL).max() < _PRINT_CHANGE)


def _coverage(corners: Corners, lines: Sequence[Line]) -> float:
    """Return the share of a line's upright box that the boxes of `lines` cover, each alone."""
    left, top, right, bottom = _bounds(corners)
    area = max((right - left) * (bottom - top), 1e-9)
    best = 0.0
    for line in lines:
        bounds = _bounds(line.corners)
        across = min(right, bounds[2]) - max(left, bounds[0])
        down = min(bottom, bounds[3]) - max(top, bounds[1])
        best = max(best, max(0.0, across) * max(0.0, down) / area)
    return best


def _bounds(corners: Corners) -> tuple[float, float, float, float]:
    """Return left, top, right and bottom."""
    x, y = corners[:, 0], corners[:, 1]
    return float(x.min()), float(y.min()), float(x.max()), float(y.max())


def _in_order(lines: Sequence[Line]) -> list[Line]:
    """Return lines from top to bottom, and from left to right where they share a row."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda line: float(line.corners[:, 1].mean())):
        middle = float(line.corners[:, 1].mean())
        if rows and middle < rows[-1][0].corners[:, 1].max():
            rows[-1].append(line)
        else:
            rows.append([line])
    return [
        line for row in rows for line in sorted(row, key=lambda line: float(line.corners[0, 0]))
    ]
