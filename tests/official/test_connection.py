"""Collections, events, tokens, answers that come later; and what all requests have in common."""

from __future__ import annotations

import pytest
import videodb
from videodb.exceptions import AuthenticationError, InvalidRequestError

from tests.official.driving import drives, is_id, until


@drives(
    "Connection.get_collection",
    "Connection.get_collections",
    "Connection.create_collection",
    "Connection.update_collection",
    "Collection.make_public",
    "Collection.make_private",
    "Collection.delete",
)
def test_collections_come_and_go(conn):
    """Programs make one for each of their customers."""
    home = conn.get_collection()
    assert is_id("c", home.id)
    assert (home.name, home.description, home.is_public) == (
        "Default",
        "Default collection",
        False,
    )
    made = conn.create_collection("Doors", "All doors", is_public=True)
    assert is_id("c", made.id)
    assert made.is_public is True
    made.make_private()
    assert conn.get_collection(made.id).is_public is False
    made.make_public()
    changed = conn.update_collection(made.id, "Gates", "All gates")
    assert (changed.id, changed.name, changed.description) == (made.id, "Gates", "All gates")
    assert changed.is_public is True
    assert [item.id for item in conn.get_collections()] == [home.id, made.id]
    made.delete()
    assert [item.id for item in conn.get_collections()] == [home.id]
    with pytest.raises(InvalidRequestError, match="no collection"):
        conn.get_collection(made.id)
    with pytest.raises(InvalidRequestError, match="default"):
        home.delete()


@drives("Connection.create_event", "Connection.list_events")
def test_events_are_made_and_listed(conn):
    """Their id is bare here, and has a prefix in webhooks."""
    first = conn.create_event("A person is in the picture", "visitor")
    second = conn.create_event(event_prompt="A dog is in the picture", label="dog")
    assert is_id("hex", first)
    events = conn.list_events()
    assert [event["event_id"] for event in events] == [first, second]
    assert (events[0]["event_prompt"], events[0]["label"]) == (
        "A person is in the picture",
        "visitor",
    )


@drives("Connection.generate_client_token")
def test_a_client_token_stands_in_for_the_key(site, conn):
    """The machine of an end user must not have the key."""
    token = conn.generate_client_token(expires_in=60)
    assert is_id("st", token)
    theirs = site.connect(api_key=None, session_token=token)
    assert theirs.get_collection().id == conn.get_collection().id
    with pytest.raises(InvalidRequestError, match="needs the API key"):
        theirs.generate_client_token()


def test_a_wrong_key_is_an_error_of_its_own(site):
    """401 is the one status that the SDK tells from all others."""
    with pytest.raises(AuthenticationError, match="Error: the API key is not valid"):
        site.connect(api_key="sk-wrong").get_collection()


def test_the_environment_names_the_key(site, monkeypatch):
    """Most programs name it nowhere else."""
    monkeypatch.setenv("VIDEO_DB_API_KEY", site.server.api_key)
    conn = videodb.connect(base_url=site.url)
    assert conn.get_collections()
    conn.session.close()


def test_a_base_url_may_end_in_a_slash(site):
    """Row 6: the SDK then asks for `//collection/default`."""
    assert site.connect(base_url=f"{site.url}/").get_collection().name == "Default"


@pytest.mark.parametrize("path", ["/rtstream", "/rtstream/", "//rtstream"])
def test_a_stream_is_created_with_201_at_either_path(site, path):
    """A redirect would make a GET of the POST; and 200 is not what the specification says."""
    created = site.raw("POST", path, json={"url": "clip.mp4", "name": "door"})
    assert created.status_code == 201
    body = created.json()
    assert (body["success"], is_id("rts", body["data"]["id"])) == (True, True)
    site.raw("PATCH", f"/rtstream/{body['data']['id']}/status/", json={"action": "stop"})


@pytest.mark.parametrize("path", ["/collection", "/rtstream", "/rtstream/event", "/video"])
def test_both_slashes_answer_the_same(site, path):
    """The specification writes some paths with one, and no SDK sends any."""
    without, with_one = site.raw("GET", path), site.raw("GET", f"{path}/")
    assert without.status_code == with_one.status_code == 200
    assert without.json() == with_one.json()


@drives("Connection.get_async_response", "Connection.get_job_status", "Connection.wait_for_job")
def test_what_takes_a_while_is_asked_for_later(site, conn, coll):
    """With a callback URL, nothing but the id of the job comes back at once."""
    stream = coll.connect_rtstream("clip.mp4", "film", media_types=["video", "audio"], store=True)
    until(lambda: coll.get_rtstream(stream.id).status, lambda status: status == "stopped")
    video = coll.get_video(stream.export().video_id)
    body = {"callback_url": "http://127.0.0.1:9/nobody"}
    started = site.raw("POST", f"/video/{video.id}/index", json=body).json()
    job = started["data"]["id"]
    assert (started["status"], started["request_type"]) == ("processing", "async")
    finished = conn.wait_for_job(job, timeout=60, interval=1)
    assert (finished["id"], finished["video_id"]) == (job, video.id)
    status = conn.get_job_status(job)
    assert (status["success"], status["status"], status["data"]["percentage"]) == (
        True,
        "done",
        100.0,
    )
    assert conn.get_async_response(job)["video_id"] == video.id
    with pytest.raises(InvalidRequestError, match="no answer"):
        conn.get_async_response("job-nobody")
