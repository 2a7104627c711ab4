"""Collections of the local server: made, renamed, deleted, and remembered."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rtstream_async.local import LocalServer
from tests.local.harness import api_of


async def test_a_collection_lives_until_it_is_deleted(tmp_path: Path) -> None:
    """Tenants are kept apart by them, across restarts too."""
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        made = await api.call("POST", "/collection", json={"name": "Shop", "description": "1"})
        assert made["is_public"] is False
        changed = await api.call("PATCH", f"/collection/{made['id']}", json={"name": "Shop 2"})
        assert (changed["name"], changed["description"]) == ("Shop 2", "1")
        stream = await api.call(
            "POST", "/rtstream", json={"url": "scripted://a", "collection_id": made["id"]}
        )
        assert stream["collection_id"] == made["id"]
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        listed = await api.call("GET", "/collection")
        assert [item["name"] for item in listed["collections"]] == ["Default", "Shop 2"]
        assert listed["default_collection"] == listed["collections"][0]["id"]
        refused = await api.refused("DELETE", f"/collection/{made['id']}", status=400)
        assert "still run; stop them" in refused["message"]
        await api.call("PATCH", f"/rtstream/{stream['id']}/status", json={"action": "stop"})
        await api.call("DELETE", f"/collection/{made['id']}")
        await api.refused("GET", f"/rtstream/{stream['id']}", status=404)
        await api.refused("GET", f"/collection/{made['id']}", status=404)
    async with LocalServer(tmp_path) as server, api_of(server) as api:
        assert len((await api.call("GET", "/collection"))["collections"]) == 1


@pytest.mark.parametrize("name", ["default", None])
async def test_the_default_collection_stays(name: str | None) -> None:
    """Every program asks for it first."""
    async with LocalServer() as server, api_of(server) as api:
        id_ = name or (await api.call("GET", "/collection/default"))["id"]
        await api.refused("DELETE", f"/collection/{id_}", status=400)


async def test_streams_of_an_older_version_keep_their_collection(tmp_path: Path) -> None:
    """An update must not leave them without one."""
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        stream = await api.call("POST", "/rtstream", json={"url": "scripted://a"})
    with closing(sqlite3.connect(tmp_path / "rtstream.db")) as db, db:
        db.execute("DELETE FROM collections")
        db.execute(
            "INSERT INTO settings VALUES ('default_collection', ?)", (stream["collection_id"],)
        )
    async with LocalServer(tmp_path, control=True) as server, api_of(server) as api:
        found = await api.call("GET", "/collection/default")
        assert found["id"] == stream["collection_id"]


async def test_a_collection_needs_a_name() -> None:
    """A list of nameless ones helps nobody."""
    async with LocalServer() as server, api_of(server) as api:
        await api.refused("POST", "/collection", json={}, status=400)
