"""Light, colours, change and the colour of clothes, from the pixels alone."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.domain.scene_text import Box, Look, Sighting
from rtstream_async.local.engines.offline import opencv
from rtstream_async.local.engines.offline.opencv import Gray, Picture

__all__ = ["changed_share", "clothes", "color_shares", "is_monochrome", "look", "sketch"]

_LOOK_SIZE = (160, 90)  # pixels, enough for light and colours
_SKETCH_SIZE = (320, 180)  # pixels; what is kept of a frame to compare the next one with
_CELL = 4  # sketch pixels on a side of a cell that changes or does not
#: Mean difference in a cell (0-255) that is a change. Encoder noise on still pictures stays below
#: 4; one letter of 16 pixels' height in a 720p picture that becomes another makes 10 and more.
_CELL_CHANGE = 6.0

_BLACK, _GREY, _WHITE = 0, 1, 2
_NAMES = (
    *("black", "grey", "white", "red", "orange", "brown", "yellow"),
    *("green", "turquoise", "blue", "purple", "pink"),
)
#: Lower bound of the hue in degrees and the colour that begins there.
_HUES = (
    *((0, "red"), (16, "orange"), (42, "yellow"), (68, "green"), (165, "turquoise")),
    *((190, "blue"), (258, "purple"), (295, "pink"), (340, "red")),
)
_DARK = 46  # value (0-255) up to which everything is black
_DARK_GREY_BLACK = 64  # and up to which a colourless pixel is
_LIGHT = 215  # value from which a colourless pixel is white
_COLORLESS = 26  # chroma (0-255) below which a pixel has no colour
_BROWN_VALUE = 165  # below it, orange is brown
_PALE_RED = (110, 190)  # saturation below and value above which red is pink

_MONOCHROME_CHROMA = 8.0  # 95th percentile, 0-255: an infrared or black-and-white picture

_CLOTHES_SCORE = 0.6  # below it the person is half hidden, and the colour somebody else's
_CLOTHES_PIXELS = 40  # of the torso, in the picture that is looked at
_CLOTHES_SHARE = 0.6  # of the torso that has the one colour
#: The torso in a person's box, in fractions of the box: below the head, above the hips, and
#: clear of the sides, where the background is.
_TORSO = Box(left=0.3, top=0.2, right=0.7, bottom=0.48)


def look(picture: Picture) -> Look:
    """Return the light and the colours of a picture."""
    small = opencv.resize(picture, *_LOOK_SIZE)
    light = opencv.luma(small)
    return Look(
        brightness=float(light.mean()) / 255,
        contrast=float(light.std()) / 255,
        colors=color_shares(small),
    )


def color_shares(picture: Picture) -> Mapping[str, float]:
    """Return the share (0-1) of the pixels that each colour has, of the colours that are there."""
    hsv = opencv.hue_saturation_value(picture).reshape(-1, 3).astype(np.int32)
    hue, saturation, value = hsv[:, 0] * 2, hsv[:, 1], hsv[:, 2]
    bounds = np.array([bound for bound, _ in _HUES])
    by_hue = np.array([_NAMES.index(name) for _, name in _HUES])
    names = by_hue[np.searchsorted(bounds, hue, side="right") - 1]
    orange, brown = _NAMES.index("orange"), _NAMES.index("brown")
    names[(names == orange) & (value < _BROWN_VALUE)] = brown
    pale = (saturation < _PALE_RED[0]) & (value > _PALE_RED[1])
    names[(names == _NAMES.index("red")) & pale] = _NAMES.index("pink")
    colorless = saturation * value // 255 < _COLORLESS
    names[colorless] = _GREY
    names[colorless & (value >= _LIGHT)] = _WHITE
    names[colorless & (value < _DARK_GREY_BLACK)] = _BLACK
    names[value < _DARK] = _BLACK
    counts = np.bincount(names, minlength=len(_NAMES))
    return {
        name: float(count) / len(names) for name, count in zip(_NAMES, counts, strict=True) if count
    }


def sketch(picture: Picture) -> Gray:
    """Return the small grey picture that is kept to compare the next frame with."""
    return opencv.luma(opencv.resize(picture, *_SKETCH_SIZE))


def changed_share(before: Gray, after: Gray) -> float:
    """Return the share (0-1) of the picture that differs between two sketches."""
    difference = np.abs(before.astype(np.int16) - after.astype(np.int16))
    return float((cell_means(difference, _CELL) > _CELL_CHANGE).mean())


def cell_means(values: NDArray[np.int16], cell: int) -> NDArray[np.float64]:
    """Return the means of square cells; what is left over at the right and below is left out."""
    rows, columns = values.shape[0] // cell, values.shape[1] // cell
    whole = values[: rows * cell, : columns * cell]
    return np.asarray(whole.reshape(rows, cell, columns, cell).mean(axis=(1, 3)), np.float64)


def is_monochrome(picture: Picture) -> bool:
    """Whether the picture has no colours to speak of, as from a camera at night."""
    small = opencv.resize(picture, *_LOOK_SIZE).astype(np.int16)
    chroma = small.max(axis=2) - small.min(axis=2)
    return bool(np.percentile(chroma, 95) < _MONOCHROME_CHROMA)


def clothes(picture: Picture, person: Sighting) -> str | None:
    """Return the colour that a person wears, or `None` where it can't be told honestly.

    It can't for people who are small or half hidden, or dressed in several colours.
    """
    if person.score < _CLOTHES_SCORE:
        return None
    height, width = picture.shape[:2]
    across, down = person.box.right - person.box.left, person.box.bottom - person.box.top
    left = int((person.box.left + _TORSO.left * across) * width)
    right = int((person.box.left + _TORSO.right * across) * width)
    top = int((person.box.top + _TORSO.top * down) * height)
    bottom = int((person.box.top + _TORSO.bottom * down) * height)
    torso = picture[top:bottom, left:right]
    if torso.shape[0] * torso.shape[1] < _CLOTHES_PIXELS:
        return None
    name, share = max(color_shares(torso).items(), key=lambda item: item[1])
    return name if share >= _CLOTHES_SHARE else None
