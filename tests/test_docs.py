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


@pytest.fixture
async def clips(tmp_path, monkeypatch):
    folder = tmp_path / "clips"
    folder.mkdir()
    shutil.copy(clip_path(), folder / "street.mp4")
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.mark.parametrize("code", SNIPPETS)
async def test_a_snippet_runs_as_it_stands(code, clips, monkeypatch, capsys):
    """Readers paste these first."""
    async with LocalServer(media_root=clips) as server:
        monkeypatch.setenv("VIDEO_DB_API_KEY", server.api_key)
        monkeypatch.setenv("VIDEO_DB_BASE_URL", server.url)
        async with rts.connect() as conn:
            coll = await conn.get_collection()
            names: dict[str, object] = {"rts": rts, "conn": conn, "coll": coll}
            if "conn.events" in code:
                stream = await coll.connect_rtstream(url=str(clips / "street.mp4"), name="Street")
                await stream.index_visuals(
                    batch_config={"type": "time", "value": 1, "frame_count": 1}
                )
            await run(code.replace(CAMERA, str(clips / "street.mp4")), names)
    printed = capsys.readouterr().out
    assert printed.strip() or "print" not in code


async def test_the_tutorial_is_one_program(clips, monkeypatch, capsys):
    """Its reader types one step after the other, and must come to the end."""
    async with LocalServer(media_root=clips) as server:
        monkeypatch.setenv("VIDEO_DB_API_KEY", server.api_key)
        monkeypatch.setenv("VIDEO_DB_BASE_URL", server.url)
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
