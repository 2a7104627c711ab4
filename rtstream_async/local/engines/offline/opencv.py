"""What the engine asks of OpenCV, with types: this module is the only one that imports it."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = [
    "Corners",
    "Gray",
    "Picture",
    "Tensor",
    "decode",
    "hue_saturation_value",
    "luma",
    "resize",
    "straighten",
    "use_one_thread",
]

Picture: TypeAlias = NDArray[np.uint8]  #: height x width x 3, BGR
Gray: TypeAlias = NDArray[np.uint8]  #: height x width
Corners: TypeAlias = NDArray[np.float32]  #: 4 x 2: top left, top right, bottom right, bottom left
Tensor: TypeAlias = NDArray[np.float32]

#: How much smaller the decoder makes a picture, and its flag for that. Shrinking inside the JPEG
#: decoder costs a third of decoding and resizing.
_SHRINK = {
    1: cv2.IMREAD_COLOR,
    2: cv2.IMREAD_REDUCED_COLOR_2,
    4: cv2.IMREAD_REDUCED_COLOR_4,
    8: cv2.IMREAD_REDUCED_COLOR_8,
}
_START, _END = b"\xff\xd8", b"\xff\xd9"


def use_one_thread() -> None:
    """Keep OpenCV from starting threads of its own: the cores belong to the ingests too."""
    cv2.setNumThreads(1)


def decode(jpeg: bytes, *, shrink: int = 1) -> Picture | None:
    """Return the picture, `shrink` (1, 2, 4 or 8) times smaller, or `None` if it is damaged."""
    # The decoder fills what a cut-off file lacks with grey and says nothing, so look for the end.
    if not (jpeg.startswith(_START) and jpeg.rstrip(b"\0").endswith(_END)):
        return None
    try:
        picture = cv2.imdecode(
            np.frombuffer(jpeg, np.uint8), _SHRINK[shrink] | cv2.IMREAD_IGNORE_ORIENTATION
        )
    except cv2.error:  # such as a header that asks for more memory than there is
        return None
    return None if picture is None else np.asarray(picture, np.uint8)


def resize(picture: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """Return the picture in another size, in pixels, every source pixel taken into account."""
    shrinks = width < picture.shape[1] and height < picture.shape[0]
    how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(picture, (width, height), interpolation=how), np.uint8)


def luma(picture: Picture) -> Gray:
    """Return the brightness of each pixel, 0-255."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)


def hue_saturation_value(picture: Picture) -> Picture:
    """Return hue (0-179, two degrees each), saturation and value (0-255) of each pixel."""
    return np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2HSV), np.uint8)


def straighten(
    picture: NDArray[np.uint8], corners: Corners, width: int, height: int
) -> NDArray[np.uint8]:
    """Return what lies between four corners as an upright picture of `width` x `height` pixels."""
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(np.asarray(corners, np.float32), target)
    warped = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    return np.asarray(warped, np.uint8)
