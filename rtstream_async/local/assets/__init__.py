"""The demo clip that ships with the package, and what is in it.

`PARTS` is the script: `tools/make_clip.py` draws and speaks from it, and a reader of the clip
(text recognition, transcription) can be judged by it.
"""

from __future__ import annotations

from pathlib import Path

import attrs

__all__ = ["PARTS", "Part", "clip_path"]


@attrs.frozen(kw_only=True)
class Part:
    """A stretch of the clip: what it shows, what can be read in it, what is said."""

    start: float  #: seconds after the first frame
    end: float  #: seconds after the first frame
    shows: str
    reads: tuple[str, ...] = ()  #: the lines on the screen, top to bottom, left to right
    says: str  #: English, spoken from `start` on, over before `end`


PARTS = (
    Part(
        start=0,
        end=6,
        shows="a team chat with two messages",
        reads=(
            "# incidents",
            "Maria Lopez",
            "The payment service is down",
            "Ken Adams",
            "Restarting it now",
        ),
        says="Good morning. The payment service is down. We are restarting it now.",
    ),
    Part(
        start=6,
        end=10,
        shows="a photograph of a woman in an orange space suit",
        says="We see a smiling woman in a space suit.",
    ),
    Part(
        start=10,
        end=16,
        shows="a terminal with a build log, one test failed",
        reads=(
            "$ pytest -q",
            "test_codec.py: 14 passed",
            "test_paging.py: 19 passed",
            "test_export.py: 8 passed, 1 failed",
            "FAILED test_window_is_exact",
            "AssertionError: 252 != 251",
            "1 failed, 41 passed in 12.8s",
        ),
        says="One test failed last night. Please look at the export module.",
    ),
    Part(
        start=16,
        end=20,
        shows="a black-and-white photograph of a man with a camera on a tripod",
        says="A man is looking through his camera.",
    ),
    Part(
        start=20,
        end=26,
        shows="a dashboard with three numbers and a bar chart",
        reads=("Shop dashboard", "Orders today", "1,284", "Errors", "37", "CPU load", "92 %"),
        says="There are thirty seven errors, and the processor load is ninety two percent.",
    ),
    Part(
        start=26,
        end=30,
        shows="a photograph of a ginger cat",
        says="The cat is looking at you. Thank you for watching.",
    ),
)


def clip_path() -> Path:
    """Return where the demo clip is: 30 s of H.264 and AAC in an MP4 file."""
    return Path(__file__).with_name("clip.mp4")
