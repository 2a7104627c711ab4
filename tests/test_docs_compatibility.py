"""The page of compatibility is true: of the official SDK, of ours, and of the tests."""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from pathlib import Path

import attrs
import pytest
import videodb

import rtstream_async as rts
from rtstream_async import Collection, RTStream, RTStreamSceneIndex
from rtstream_async.local import LocalServer
from rtstream_async.models.records import CollectionRecord, IndexRecord, StreamRecord
from rtstream_async.models.understandings import StreamIndexRecord

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
HERE = [name for name in METHODS if name not in TOOL.not_offered()]


def classes(name):
    """Return the official class, and ours."""
    kind = METHODS[name][0]
    return TOOL.api_page.official(kind), getattr(rts, kind)


def is_other(theirs, ours):
    """Whether two arguments have different defaults, and *Porting* does not tell it of all."""
    if theirs.default in ({}, []) and type(theirs.default) in (dict, list):
        return ours.default is not None
    if ours.default is rts.UNSET:
        return theirs.default is not None
    return theirs.default != ours.default


def section(kind):
    """Return the lines of the page that are about a class."""
    text = PAGE.read_text(encoding="utf-8")
    return text.partition(f"### `{kind}`\n")[2].partition("\n#")[0].splitlines()


def is_id(parameter):
    return parameter.name == "id" or parameter.name.endswith("_id")


def takes_an_id(kind, method):
    parameters = inspect.signature(getattr(getattr(rts, kind), method)).parameters.values()
    return any(
        is_id(parameter) and parameter.default is parameter.empty for parameter in parameters
    )


def one_of(kind, connection):
    """Return an object of the service that nobody was asked for."""
    made = {
        "Connection": lambda _: connection,
        "Collection": lambda context: Collection(context, CollectionRecord(id="c-1")),
        "RTStream": lambda context: RTStream(context, StreamRecord(id="rts-1")),
        "RTStreamSceneIndex": lambda context: RTStreamSceneIndex(
            context, IndexRecord(rtstream_index_id="i-1", rtstream_id="rts-1")
        ),
        "RTStreamIndex": lambda context: rts.RTStreamIndex(
            context, StreamIndexRecord(id="i-2", rtstream_id="rts-1")
        ),
    }
    return made[kind](connection._context)


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
    told = TOOL.not_offered().keys() | TOOL.words.BETTER.keys() | TOOL.words.WITHOUT.keys()
    assert told <= METHODS.keys()
    assert not TOOL.not_offered().keys() & TOOL.words.BETTER.keys()


@pytest.mark.parametrize("name", HERE)
def test_arguments_are_the_official_ones_but_for_those_that_are_told(name):
    """Another order, or another default, is found out in production."""
    theirs, ours = (TOOL.arguments_of(kind, METHODS[name][1]) for kind in classes(name))
    without, others = (set(names.split()) for names in TOOL.words.WITHOUT.get(name, ("", "")))
    assert set(theirs) - set(ours) == without
    assert {key for key in theirs if key in ours and is_other(theirs[key], ours[key])} == others
    shared = [key for key in theirs if key not in without]
    assert list(ours)[: len(shared)] == shared
    assert all(ours[key].kind is theirs[key].kind for key in shared)
    assert {ours[key].kind for key in TOOL.added(*METHODS[name])} <= {
        inspect.Parameter.KEYWORD_ONLY
    }


@pytest.mark.parametrize("name", HERE)
def test_a_row_tells_all_that_differs(name):
    """*same* is what nobody looks at again."""
    kind, method = METHODS[name]
    row = next(line for line in section(kind) if line.startswith(f"| `{method}` |"))
    without, others = (names.split() for names in TOOL.words.WITHOUT.get(name, ("", "")))
    for argument in (*TOOL.added(kind, method), *without):
        assert TOOL.shown_argument(argument) in row
    assert all(f"`{argument}`" in row for argument in others)
    assert ("not awaited" in row) is TOOL.is_plain(kind, method)
    theirs, ours = (TOOL.arguments_of(each, method) for each in classes(name))
    if any(default.default is rts.UNSET for key, default in ours.items() if key in theirs):
        assert "own socket" in row
    if "| same |" in row:
        assert not without
        assert not others


@pytest.mark.parametrize("kind", TOOL.official_methods())
def test_attributes_are_here_or_told_to_be_missing(kind):
    """A ported program reads them, and finds an `AttributeError` at the first rare answer."""
    ours = getattr(rts, kind)
    has = {field.name for field in attrs.fields(ours)} if attrs.has(ours) else set()
    has |= set(dir(ours)) | TOOL.attributes_of(ours)
    missing = TOOL.attributes_of(TOOL.api_page.official(kind)) - has
    assert missing == TOOL.words.ATTRIBUTES.get(kind, {}).keys()
    told = [line for line in section(kind) if line.startswith("Attributes of the official object")]
    assert all(f"`{name}`" in "".join(told) for name in missing)


def test_names_of_the_module_are_all_told():
    """An import that fails is the first that is seen of a port."""
    told = [name for names in TOOL.words.MODULE for name in names.split()]
    assert sorted(told) == sorted(TOOL.official_names())
    for names, here in TOOL.words.MODULE.items():
        if here.startswith("same"):
            assert set(names.split()) <= set(rts.__all__)
        if here.startswith("its text: "):
            words = set(re.findall(r"`(\w+)`", here))
            theirs = vars(getattr(videodb, names)).values()
            assert words <= {str(getattr(value, "value", value)) for value in theirs}


@pytest.mark.parametrize("name", [name for name in HERE if takes_an_id(*METHODS[name])])
async def test_an_empty_id_is_refused_before_any_request(name):
    """It names the whole list: in a deletion, of all things."""
    kind, method = METHODS[name]
    async with rts.connect("k", base_url="http://127.0.0.1:9") as connection:
        call = getattr(one_of(kind, connection), method)
        needed = [
            parameter
            for parameter in inspect.signature(call).parameters.values()
            if parameter.default is parameter.empty
        ]
        with pytest.raises(rts.InvalidArgumentError):
            await call(*("" if is_id(parameter) else "x" for parameter in needed))


def test_a_value_becomes_a_dict():
    """`json.dumps()` of what was a dict is in every second program."""
    scene = rts.Scene(start=1.0, end=2.0, text="a dog")
    assert dict(scene)["text"] == "a dog"
    stream = RTStream(None, StreamRecord(id="rts-1", name="door"))
    assert dict(stream)["name"] == "door"


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
