"""The end of a worker whose main thread hangs where no timeout reaches."""

from __future__ import annotations

import math
import os
import sys
import threading
import time

__all__ = ["STUCK", "Watchdog"]

STUCK = 86
"""Exit code of a worker that gave itself up."""

_CHECK_EVERY = 0.5  # seconds


class Watchdog:
    """Ends the process when what was expected takes too long.

    Native code can deadlock, and a thread in it can't be stopped. A process can; its parent
    starts another.
    """

    def __init__(self) -> None:
        self._deadline = math.inf
        threading.Thread(target=self._watch, name="watchdog", daemon=True).start()

    def expect(self, seconds: float) -> None:
        """The next call comes within `seconds`, or the process ends."""
        self._deadline = time.monotonic() + seconds

    def rest(self) -> None:
        """Nothing is expected."""
        self._deadline = math.inf

    def _watch(self) -> None:
        while time.monotonic() < self._deadline:
            time.sleep(_CHECK_EVERY)
        sys.stderr.write("it hung, and was ended\n")
        sys.stderr.flush()
        os._exit(STUCK)
