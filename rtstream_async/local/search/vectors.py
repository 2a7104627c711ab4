"""Vectors on their way from an engine to where they are kept: one byte for each number."""

from __future__ import annotations

import struct

import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.engines.ports import EngineError

__all__ = ["SCALE_BYTES", "Floats", "pack", "read"]

Floats = NDArray[np.float32]

SCALE_BYTES = 4
"""A kept vector begins with what its numbers are to be multiplied with: float32, little endian."""

_MOST = 127


def read(vector: bytes) -> Floats:
    """Return a vector of an engine, of length 1.

    Raises:
        EngineError: It is none.
    """
    if not vector or len(vector) % 4:
        raise EngineError(f"the embedding engine gave a vector of {len(vector)} bytes")
    numbers: Floats = np.frombuffer(vector, "<f4").astype(np.float32)
    length = float(np.linalg.norm(numbers))
    if not np.isfinite(length) or length == 0:
        raise EngineError(f"the embedding engine gave a vector of length {length}")
    return numbers / np.float32(length)


def pack(vector: bytes) -> bytes:
    """Return a vector of an engine as it is kept, in a quarter of the room.

    The cosine with any other vector is right to about 0.001.

    Raises:
        EngineError: It is none.
    """
    numbers = read(vector)
    scale = np.float32(np.abs(numbers).max() / _MOST)
    packed: NDArray[np.int8] = np.rint(numbers / scale).astype(np.int8)
    return struct.pack("<f", scale) + packed.tobytes()
