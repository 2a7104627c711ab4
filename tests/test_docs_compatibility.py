"""The page of compatibility is true: of the official SDK, of ours, and of the tests."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path

import pytest

import rtstream_async as rts
from rtstream_async.local import LocalServer

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "compatibility.md"


def tool():
    sys.path.insert(0, str(ROOT / "tools"))
    try:
        return importlib.import_module("compatibility_page")
    finally:
        sys.path.remove(str(ROOT / "tools"))


TOOL = tool()
METHODS = {
    f"{kind}.{method}": (kind, method)
    for kind, methods in TOOL.official_methods().items()
    for method in methods
}


def test_the_page_is_what_its_tool_writes():
    """Who ports a program reads it line by line.

    When it fails: `python tools/compatibility_page.py`.
    """
    assert PAGE.read_text(encoding="utf-8") == TOOL.page()


@pytest.mark.parametrize("name", METHODS)
def test_each_official_method_is_here_or_has_a_reason(name):
    """A method that is neither is found out in production."""
    kind, method = METHODS[name]
    is_here = hasattr(getattr(rts, kind), method)
    assert is_here is (name not in TOOL.not_offered())


def test_no_word_is_about_a_method_that_does_not_exist():
    """A new official SDK must not leave old words behind."""
    told = TOOL.not_offered().keys() | TOOL.words.BETTER.keys()
    assert told <= METHODS.keys()
    assert not TOOL.not_offered().keys() & TOOL.words.BETTER.keys()


def test_what_is_said_to_be_better_has_what_it_takes():
    """A page may not promise an argument that is not there."""
    for name, how in TOOL.words.BETTER.items():
        kind, method = METHODS[name]
        parameters = inspect.signature(getattr(getattr(rts, kind), method)).parameters
        for argument in re.findall(r"`(\w+)=`", how):
            assert argument in parameters, name
        if "own socket" in how:
            assert parameters["ws_connection_id"].default is rts.UNSET, name


def test_the_switches_of_the_page_are_those_of_the_server():
    """A switch that does not exist is a TypeError at start."""
    parameters = inspect.signature(LocalServer).parameters
    named = re.findall(r"LocalServer\((\w+)=", PAGE.read_text(encoding="utf-8"))
    assert named
    assert set(named) <= parameters.keys()


def test_every_disagreement_is_told():
    """There are 23 of them."""
    assert len(TOOL.words.DISAGREEMENTS) == 23
