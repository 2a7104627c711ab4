"""ONNX Runtime sessions, set up to be small: one thread, CPU only, quiet."""

from __future__ import annotations

import ctypes
import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from rtstream_async.local.engines.ports import EngineError

__all__ = ["Network", "keep_memory_small", "release_memory"]

_onnxruntime: Any = importlib.import_module("onnxruntime")  # it has no types to speak of

_M_MMAP_THRESHOLD = -3  # from malloc.h
_LARGE_BLOCK = 4 << 20  # bytes
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


class Network:
    """A loaded ONNX network with one input."""

    def __init__(self, path: Path) -> None:
        options = _onnxruntime.SessionOptions()
        # Measured on the detector: a second thread takes a third more CPU for the same frame.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = _onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except Exception as exc:  # its exceptions have no common base but this
            raise EngineError(f"the network {path.name} can't be loaded: {exc}") from exc
        self._input = cast("str", self._session.get_inputs()[0].name)

    def run(self, tensor: NDArray[np.float32]) -> Mapping[tuple[int, ...], NDArray[np.float32]]:
        """Return the outputs by their shape without the batch of one."""
        outputs = cast("list[NDArray[np.float32]]", self._session.run(None, {self._input: tensor}))
        return {output.shape[1:]: output[0] for output in outputs}


def keep_memory_small() -> None:
    """Let large blocks go back to the system as soon as they are freed; for a process's start.

    By default the C library learns from the first large block to keep blocks of that size. That
    costs 50 MB while words are read, and saves no time that could be measured.
    """
    option = getattr(_LIBC, "mallopt", None)  # glibc has it, musl does not
    if option is not None:
        option(_M_MMAP_THRESHOLD, _LARGE_BLOCK)


def release_memory() -> None:
    """Give freed memory back to the system, where the C library can.

    A reading frees some hundred megabytes in pieces that the allocator would keep for the next.
    """
    trim = getattr(_LIBC, "malloc_trim", None)
    if trim is not None:
        trim(0)
