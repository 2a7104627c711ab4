"""Finds people and things in a picture: NanoDet with the 80 COCO classes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import attrs
import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.domain.scene_text import Box, Sighting
from rtstream_async.local.engines.offline import opencv
from rtstream_async.local.engines.offline.classes import LABELS, threshold
from rtstream_async.local.engines.offline.opencv import Picture, Tensor
from rtstream_async.local.engines.offline.runtime import Network
from rtstream_async.local.engines.ports import EngineError

__all__ = ["DETECTOR", "Detector", "Fit", "candidates", "letterbox", "suppress"]

DETECTOR = "nanodet-coco80-416"  #: as records name it

_WEIGHTS = Path(__file__).parent.parent / "weights" / "nanodet-coco80-416-fp16.onnx"
_SIDE = 416  # pixels of the square input
_GRIDS = (52, 26, 13)  # cells on a side, one grid for each size of things
_BINS = 11  # the distance to each side of a box comes as a distribution over 0-10 strides
_MEAN = np.array([103.53, 116.28, 123.675], np.float32)  # BGR
_SPREAD = np.array([57.375, 57.12, 58.395], np.float32)
_FILL = 114  # grey of the bars beside the picture

#: Below this longer side, in pixels of the input, a thing is two cells of the finest grid and the
#: network guesses: traffic cones became people at up to 0.52.
_SMALL = 16
_SMALL_EXTRA = 0.15

_BARS = np.array([threshold(label) for label in LABELS], np.float32)

_SAME_KIND_OVERLAP = 0.5
#: Two kinds in nearly the same place are one thing seen twice (a van as car and truck). Not as
#: strict as within a kind: a rider and a motorcycle overlap and are two.
_ANY_KIND_OVERLAP = 0.75

Boxes: TypeAlias = NDArray[np.float32]  #: n x 4: left, top, right, bottom
Scores: TypeAlias = NDArray[np.float32]  #: n, 0-1
Kinds: TypeAlias = NDArray[np.intp]  #: n, indexes of LABELS
Outputs: TypeAlias = Mapping[tuple[int, ...], NDArray[np.float32]]


@attrs.frozen(kw_only=True)
class Fit:
    """How a picture lies in the network's square input."""

    scale: float  #: input pixels per picture pixel
    left: int  #: input pixels of grey before the picture
    top: int
    width: int  #: of the picture, in its own pixels
    height: int


class Detector:
    """The loaded network."""

    def __init__(self, weights: Path = _WEIGHTS) -> None:
        self._network = Network(weights)

    def find(self, picture: Picture) -> tuple[Sighting, ...]:
        """Return the people and things in the picture, the surest first."""
        tensor, fit = letterbox(picture)
        outputs = self._network.run(tensor)
        boxes, scores, kinds = candidates(outputs)
        kept = suppress(boxes, scores, kinds)
        return tuple(
            Sighting(
                label=LABELS[int(kinds[index])],
                score=float(scores[index]),
                box=_place(boxes[index], fit),
            )
            for index in kept
        )


def letterbox(picture: Picture) -> tuple[Tensor, Fit]:
    """Return the network's input for a picture, and how the picture lies in it.

    The proportions stay: a squeezed cat is a person at 0.60, the same cat unsqueezed is a cat.
    """
    height, width = picture.shape[:2]
    scale = _SIDE / max(width, height)
    fitted = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (_SIDE - fitted[0]) // 2, (_SIDE - fitted[1]) // 2
    square = np.full((_SIDE, _SIDE, 3), _FILL, np.uint8)
    square[top : top + fitted[1], left : left + fitted[0]] = opencv.resize(picture, *fitted)
    normal = (square.astype(np.float32) - _MEAN) / _SPREAD
    tensor = np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis])
    return tensor, Fit(scale=scale, left=left, top=top, width=width, height=height)


def candidates(outputs: Outputs) -> tuple[Boxes, Scores, Kinds]:
    """Return boxes in input pixels, their scores and kinds, of all cells sure enough of a kind.

    Raises:
        EngineError: The network's outputs don't have the shapes of this detector.
    """
    of_grids = [_of_grid(outputs, grid) for grid in _GRIDS]
    boxes, scores, kinds = zip(*of_grids, strict=True)
    return np.concatenate(boxes), np.concatenate(scores), np.concatenate(kinds)


def _of_grid(outputs: Outputs, grid: int) -> tuple[Boxes, Scores, Kinds]:
    try:
        of_cell = outputs[grid * grid, len(LABELS)]
        spread = outputs[grid * grid, 4 * _BINS]
    except KeyError:
        raise EngineError(f"the detector's network has no {grid}x{grid} grid") from None
    kind, score = of_cell.argmax(axis=1), of_cell.max(axis=1)
    cells = np.flatnonzero(score >= _BARS[kind])
    found = _decode(cells, spread[cells], grid)
    small = np.maximum(found[:, 2] - found[:, 0], found[:, 3] - found[:, 1]) < _SMALL
    sure = score[cells] >= _BARS[kind[cells]] + _SMALL_EXTRA * small
    return found[sure], score[cells][sure], kind[cells][sure]


def _decode(cells: NDArray[np.intp], spread: NDArray[np.float32], grid: int) -> Boxes:
    """Return the boxes of `cells`: the expected distance of each side from the cell's centre."""
    stride = _SIDE / grid
    bins = spread.reshape(-1, 4, _BINS)
    weights = np.exp(bins - bins.max(axis=2, keepdims=True))
    weights /= weights.sum(axis=2, keepdims=True)
    reach = weights @ np.arange(_BINS, dtype=np.float32) * stride
    x = (cells % grid + 0.5) * stride
    y = (cells // grid + 0.5) * stride
    sides = (x - reach[:, 0], y - reach[:, 1], x + reach[:, 2], y + reach[:, 3])
    return np.stack(sides, axis=1).astype(np.float32)


def suppress(boxes: Boxes, scores: NDArray[np.float32], kinds: NDArray[np.intp]) -> tuple[int, ...]:
    """Return the indexes of the boxes that are things of their own, the surest first."""
    waiting = np.argsort(-scores, kind="stable")
    kept: list[int] = []
    while waiting.size:
        best, rest = waiting[0], waiting[1:]
        kept.append(int(best))
        limit = np.where(kinds[rest] == kinds[best], _SAME_KIND_OVERLAP, _ANY_KIND_OVERLAP)
        waiting = rest[_overlap(boxes[best], boxes[rest]) <= limit]
    return tuple(kept)


def _overlap(one: NDArray[np.float32], others: Boxes) -> NDArray[np.float32]:
    """Return the intersection over union of one box with each other."""
    width = np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0])
    height = np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1])
    common = np.clip(width, 0, None) * np.clip(height, 0, None)
    areas = (others[:, 2] - others[:, 0]) * (others[:, 3] - others[:, 1])
    area = (one[2] - one[0]) * (one[3] - one[1])
    return np.asarray(common / np.maximum(area + areas - common, 1e-6), np.float32)


def _place(box: NDArray[np.float32], fit: Fit) -> Box:
    """Return a box in fractions of the picture."""
    x = np.clip((box[[0, 2]] - fit.left) / fit.scale / fit.width, 0, 1)
    y = np.clip((box[[1, 3]] - fit.top) / fit.scale / fit.height, 0, 1)
    return Box(left=float(x[0]), top=float(y[0]), right=float(x[1]), bottom=float(y[1]))
