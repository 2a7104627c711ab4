"""Every Python snippet of the README and the docs, run against a local server."""

from __future__ import annotations

import ast
import inspect
import re
import shutil
import textwrap
from pathlib import Path
from types import CodeType

import pytest
import pytest_asyncio

import rtstream_async as rts
from rtstream_async.local import LocalServer
from rtstream_async.local.assets import clip_path

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TUTORIAL = ROOT / "docs" / "tutorial.md"


def snippets_of(page: Path) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


SNIPPETS = [
    pytest.param(code, id=f"{page.relative_to(ROOT)}:{number}")
    for page in PAGES
    if page != TUTORIAL  # a program in pieces
    for number, code in enumerate(snippets_of(page), start=1)
]
READS_RECORDS = re.compile(r"\bget_(scenes|transcript)\b")

CAMERA = "rtsp://cam/door"
"""A source of the snippets that no test machine has; a file stands in for it."""


def compiled(code: str) -> CodeType:
    """Compile a snippet; a loop over live messages ends after its first turn, as a user would."""
    tree = ast.parse(textwrap.dedent(code))
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncFor) and not READS_RECORDS.search(ast.unparse(node.iter)):
            node.body.append(ast.Break())
    ast.fix_missing_locations(tree)
    return compile(tree, "<snippet>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


async def run(code: str, names: dict[str, object]) -> None:
    result = eval(compiled(code), names)
    if inspect.isawaitable(result):
        await result


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("docs") / "clips"
    folder.mkdir()
    shutil.copy(clip_path(), folder / "street.mp4")
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(clips):
    """One server for all snippets: to load its engines for each would take most of the time."""
    async with LocalServer(media_root=clips) as server:
        yield server


@pytest_asyncio.fixture(loop_scope="module")
async def server(served, clips, monkeypatch):
    """The server as a reader has it: named in the environment, and with nothing at work."""
    monkeypatch.chdir(clips.parent)
    monkeypatch.setenv("VIDEO_DB_API_KEY", served.api_key)
    monkeypatch.setenv("VIDEO_DB_BASE_URL", served.url)
    yield served
    async with rts.connect() as conn:
        async for stream in (await conn.get_collection()).list_rtstreams():
            if stream.status != "stopped":
                await stream.stop()


@pytest.mark.parametrize("code", SNIPPETS)
@pytest.mark.asyncio(loop_scope="module")
async def test_a_snippet_runs_as_it_stands(code, server, clips, capsys):
    """Readers paste these first."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        names: dict[str, object] = {"rts": rts, "conn": conn, "coll": coll}
        if "conn.events" in code:
            stream = await coll.connect_rtstream(url=str(clips / "street.mp4"), name="Street")
            await stream.index_visuals(batch_config={"type": "time", "value": 1, "frame_count": 1})
        await run(code.replace(CAMERA, str(clips / "street.mp4")), names)
    printed = capsys.readouterr().out
    assert printed.strip() or "print" not in code


@pytest.mark.asyncio(loop_scope="module")
async def test_the_tutorial_is_one_program(server, capsys):
    """Its reader types one step after the other, and must come to the end."""
    names: dict[str, object] = {}
    for code in snippets_of(TUTORIAL):
        await run(code, names)
    printed = capsys.readouterr().out
    assert "said:" in printed
    assert "person_seen" in printed
    assert "payment service" in printed


def test_the_two_commands_are_in_the_readme():
    """A newcomer types these, and nothing else."""
    text = (ROOT / "README.md").read_text()
    targets = (ROOT / "Makefile").read_text()
    for target in ("demo", "test"):
        assert f"make {target}" in text
        assert re.search(rf"^{target}:", targets, re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_between_the_pages_lead_somewhere(page):
    """A dead link in the docs is a dead end for its reader."""
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target
