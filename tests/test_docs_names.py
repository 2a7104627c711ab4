"""The page of names, and the names of the reference, held against the package."""

from __future__ import annotations

import importlib.util
import inspect
import re
from pathlib import Path

import pytest

import rtstream_async as rts

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "reference" / "api.md"

REFERENCE = {
    "Connection": {
        "get_collection": "collection_id",
        "get_capture_session": "session_id",
        "create_event": "event_prompt label",
        "list_events": "",
    },
    "Collection": {
        "connect_rtstream": "url name media_types sample_rate store enable_transcript"
        " ws_connection_id",
        "get_rtstream": "id",
        "list_rtstreams": "limit offset status name ordering",
        "search": "query",
        "get_video": "video_id",
    },
    "RTStream": {
        "start": "",
        "stop": "",
        "generate_stream": "start end",
        "export": "name",
        "index_visuals": "prompt batch_config model_name",
        "index_audio": "prompt batch_config model_name",
        "list_scene_indexes": "",
        "get_scene_index": "index_id",
        "search": "query",
        "start_transcript": "ws_connection_id engine",
        "get_transcript": "page page_size start end since engine",
        "stop_transcript": "engine",
    },
    "RTStreamSceneIndex": {
        "get_scenes": "start end page page_size",
        "start": "",
        "stop": "",
        "create_alert": "event_id callback_url ws_connection_id",
        "list_alerts": "",
        "enable_alert": "alert_id",
        "disable_alert": "alert_id",
    },
    "CaptureSession": {"get_rtstream": "category"},
    "Video": {"index_spoken_words": "", "search": "query"},
    "SearchResult": {"compile": ""},
}
"""Each method of the reference, and the arguments that it shows, in order."""


def of_reference():
    for kind, methods in REFERENCE.items():
        for method, arguments in methods.items():
            yield pytest.param(kind, method, arguments.split(), id=f"{kind}.{method}")


@pytest.mark.parametrize(("kind", "method", "arguments"), list(of_reference()))
def test_a_method_of_the_reference_is_awaited_and_has_its_arguments(kind, method, arguments):
    """A snippet is ported by putting `await` in front of it, and by nothing else."""
    found = getattr(getattr(rts, kind), method)
    names = list(inspect.signature(found).parameters)[1:]
    assert names[: len(arguments)] == arguments
    gives_pages = "Pages[" in str(inspect.signature(found).return_annotation)
    assert inspect.iscoroutinefunction(found) or gives_pages


def tool():
    spec = importlib.util.spec_from_file_location("api_page", ROOT / "tools" / "api_page.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_of_names_is_the_package():
    """Who looks a method up must find it as it is.

    When it fails: `python tools/api_page.py`.
    """
    assert PAGE.read_text() == tool().page()


def test_every_public_name_is_on_the_page():
    """A name that is on no page is found by nobody."""
    told = set(re.findall(r"`(\w+)(?:\(\))?`", PAGE.read_text()))
    assert set(rts.__all__) - told == set()


@pytest.mark.parametrize("name", sorted(tool().OFFICIAL.keys() & set(rts.__all__)))
def test_what_the_reference_takes_by_position_is_taken_here_in_the_same_order(name):
    """`stream.search(query, index_id)` must not come to mean something else."""
    ours, official = getattr(rts, name), tool()._official(name)
    for method in tool()._methods(official):
        if not hasattr(ours, method):
            continue
        theirs = positional(getattr(official, method))
        mine = positional(getattr(ours, method))
        assert mine[: len(theirs)] == [n for n in theirs if n in mine][: len(mine)], method


def positional(method):
    parameters = list(inspect.signature(method).parameters.values())[1:]
    return [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
