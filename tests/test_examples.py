"""The examples, run as a reader would run them."""

import sys
from pathlib import Path

from rtstream_async.local.assets import clip_path
from tests.cli.program import running, running_process

EXAMPLES = Path(__file__).parents[1] / "examples"
CLIP = clip_path()


def test_watch_prints_what_is_seen(tmp_path):
    """It is the first program that a newcomer copies."""
    with running(
        *("serve", "--port", 0, "--data-dir", tmp_path, "--media-root", CLIP.parent, "--json")
    ) as server:
        ready = server.object()
        with running_process(
            [sys.executable, str(EXAMPLES / "watch.py"), CLIP.as_uri()],
            VIDEO_DB_BASE_URL=ready["url"],
            VIDEO_DB_API_KEY=ready["api_key"],
        ) as example:
            lines = [example.line() for _ in range(2)]
            example.end()
        assert server.end().code == 0
    clock, _, text = lines[0].partition("  ")
    assert clock.count(":") == 2
    assert text.strip()
