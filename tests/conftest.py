"""What all tests share."""

from __future__ import annotations

import os
import signal

import pytest
from hypothesis import settings

# A run that decides whether a change lands must give the same verdict twice; the search for new
# counterexamples goes on wherever people work, with more examples and others each time.
settings.register_profile("ci", derandomize=True, deadline=None, max_examples=60)
settings.register_profile("people", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "people")

# What a shell starts in the background ignores Ctrl-C, and so does all that it starts in turn.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Files that take most of a minute or more, longest first: begun last, one of them would go on alone
# when all others are done.
_LONGEST = (
    "tests/test_examples.py",
    "tests/test_docs.py",
    "tests/local/test_fuzz.py",
    "tests/local/test_capturing.py",
    "tests/media/test_live.py",
    "tests/media/test_listening.py",
    "tests/walk/test_footage.py",
    "tests/cli/test_cli_watch.py",
    "tests/console/test_player.py",
    "tests/engines/test_engine_vision.py",
    "tests/local/test_transcripts.py",
    "tests/local/test_real_speech.py",
    "tests/cli/test_cli_demo.py",
    "tests/engines/test_speech_process.py",
    "tests/cli/test_cli_serve.py",
    "tests/cli/test_cli_workflow.py",
    "tests/local/test_videos.py",
    "tests/local/test_kills.py",
    "tests/walk/test_workflow.py",
    "tests/official/test_workflow.py",
    "tests/media/test_matrix.py",
    "tests/local/test_export.py",
    "tests/local/test_streams.py",
    "tests/media/test_export.py",
    "tests/walk/test_bad_calls.py",
    "tests/walk/test_media.py",
    "tests/engines/test_vision_process.py",
    "tests/search/test_indexing.py",
    "tests/search/test_video_search.py",
    "tests/official/test_applications.py",
    "tests/local/test_spoken.py",
    "tests/cli/test_cli_capture.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the longest files begin first."""
    ranks = {file: rank for rank, file in enumerate(_LONGEST)}
    items.sort(key=lambda item: ranks.get(item.nodeid.partition("::")[0], len(ranks)))
