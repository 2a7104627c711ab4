"""What an installation brings, and what it loads."""

import re
import subprocess
import sys
import zipfile
from importlib.metadata import requires, version
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import rtstream_async

ROOT = Path(__file__).parents[1]
MOST_PACKAGES = 10
EXTRA_MODULES = (
    "av",
    "cv2",
    "h2",
    "numpy",
    "onnxruntime",
    "rapidocr",
    "rich",
    "starlette",
    "typer",
    "uvicorn",
    "videodb",
)


def canonical(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def needed_by(name, extras=frozenset()):
    for text in requires(name) or ():
        requirement = Requirement(text)
        marker = requirement.marker
        wanted = extras or {""}
        if marker is None or any(marker.evaluate({"extra": extra}) for extra in wanted):
            yield canonical(requirement.name), frozenset(requirement.extras)


def test_the_core_install_stays_small():
    """Each package more is one more to trust, to audit and to wait for."""
    found = {}
    waiting = [("rtstream-async", frozenset())]
    while waiting:
        name, extras = waiting.pop()
        for needed, its_extras in needed_by(name, extras):
            if needed not in found:
                found[needed] = its_extras
                waiting.append((needed, its_extras))
    assert {"httpx", "websockets", "anyio", "attrs", "msgspec"} <= found.keys()
    assert len(found) <= MOST_PACKAGES, sorted(found)


def test_importing_loads_no_extra():
    """A web service that only reads messages must not pay for a server's media code."""
    code = (
        "import sys, rtstream_async\n"
        f"print(*(name for name in {EXTRA_MODULES!r} if name in sys.modules))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert loaded.stdout.split() == []


def test_every_public_name_is_there():
    """A name that is promised and missing breaks at import, in somebody else's program."""
    assert [name for name in rtstream_async.__all__ if not hasattr(rtstream_async, name)] == []


def test_the_version_is_told_once():
    """A bug report with the wrong version costs a day."""
    assert rtstream_async.__version__ == version("rtstream-async")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    target = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps"),
            *("--no-build-isolation", "--no-index", "--disable-pip-version-check"),
            *("--wheel-dir", str(target), str(ROOT)),
        ],
        check=True,
    )
    (path,) = target.glob("*.whl")
    with zipfile.ZipFile(path) as archive:
        yield archive


@pytest.mark.parametrize(
    "name",
    [
        "rtstream_async/py.typed",
        "rtstream_async/local/assets/clip.mp4",
        "rtstream_async/local/engines/weights/nanodet-coco80-416-fp16.onnx",
        "rtstream_async/local/console/static/hls.light.min.js",
        "rtstream_async/local/console/static/player.css",
        "rtstream_async/local/console/static/player.js",
        f"rtstream_async-{rtstream_async.__version__}.dist-info/licenses/LICENSE",
        f"rtstream_async-{rtstream_async.__version__}.dist-info/licenses/NOTICE",
    ],
)
def test_the_wheel_has_all_that_is_needed_at_run_time(wheel, name):
    """What works from a checkout and not from an installation is found by users first."""
    assert name in wheel.namelist()
    assert name.endswith("py.typed") or wheel.getinfo(name).file_size > 0


def test_the_wheel_has_nothing_else(wheel):
    """Tests and tools in site-packages shadow other people's modules."""
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    assert tops == {"rtstream_async", f"rtstream_async-{rtstream_async.__version__}.dist-info"}
