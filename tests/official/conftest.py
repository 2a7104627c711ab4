from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.local.engines import BeepEngine, CountingLanguage
from tests.media.clips import Clip, make_clip
from tests.official.driving import Site, serving
from tests.official.engines import Doorman
from tests.search.engines import IdeaEngine

BEEPS = (0.3, 0.5, 0.7, 2.0, 2.2)  # two sentences


@pytest.fixture(scope="session")
def media(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`clip.mp4`, with pictures and five beeps; `sound.mp4`, the beeps alone; `short.mp4`."""
    folder = tmp_path_factory.mktemp("media")
    make_clip(folder / "clip.mp4", Clip(seconds=4, gop=1, chirps=BEEPS))
    make_clip(folder / "sound.mp4", Clip(seconds=4, video=None, chirps=BEEPS))
    make_clip(folder / "short.mp4", Clip(seconds=1, gop=1, audio=None))
    return folder


@pytest.fixture(scope="module")
def site(media: Path) -> Iterator[Site]:
    """A server with real media and quick engines."""
    with serving(
        media_root=media,
        control=True,
        vision=Doorman,
        speech=BeepEngine,
        language=CountingLanguage,
        embedding=IdeaEngine,
    ) as running:
        yield running


@pytest.fixture(scope="module")
def conn(site: Site) -> Any:
    return site.connect()


@pytest.fixture(scope="module")
def coll(conn: Any) -> Any:
    return conn.get_collection()


@pytest.fixture(scope="module")
def stream(coll: Any) -> Any:
    """A recorded stream with pictures and sound, which never ends."""
    return coll.connect_rtstream(
        url="clip.mp4?loop=1",
        name="door",
        media_types=["video", "audio"],
        store=True,
        enable_transcript=False,
    )
