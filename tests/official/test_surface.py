"""The official SDK, method by method: driven by a test, or not offered and refused in words."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from videodb.exceptions import InvalidRequestError
from videodb.video import Video

from tests.official.surface import NOT_OFFERED, surface

ATTEMPTS = {name: attempt for calls in NOT_OFFERED.values() for name, attempt in calls.items()}


def driven():
    """What the tests of this folder prove that they call."""
    names = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        module = importlib.import_module(f"tests.official.{path.stem}")
        for test in vars(module).values():
            names |= getattr(test, "drives", frozenset())
    return names


def test_every_method_is_driven_or_not_offered():
    """A new version of the SDK must not bring a method that nobody has thought of."""
    calls, offered = surface(), driven()
    assert offered.isdisjoint(ATTEMPTS)
    assert sorted(calls - offered - set(ATTEMPTS)) == []
    assert sorted((offered | set(ATTEMPTS)) - calls) == []


@pytest.mark.parametrize("name", sorted(ATTEMPTS))
def test_what_is_not_offered_is_refused_in_words(conn, coll, name):
    """A program that needs it must say so at once, rather than hang or fail with a riddle."""
    video = Video(conn, "m-1", coll.id, stream_url="http://127.0.0.1/a.m3u8")
    target = {"Connection": conn, "Collection": coll, "Video": video}[name.partition(".")[0]]
    with pytest.raises(InvalidRequestError, match="not offered here: ") as caught:
        ATTEMPTS[name](target)
    answer = caught.value.response
    body = answer.json()
    assert (answer.status_code, body["success"], body["error_code"]) == (404, False, "NOT_OFFERED")


def test_a_path_of_nobody_is_refused_in_the_envelope(site):
    """What the service itself has not."""
    answer = site.raw("POST", "/no/such/path", json={})
    assert answer.status_code == 404
    assert answer.json()["error_code"] == "NOT_FOUND"
