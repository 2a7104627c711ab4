"""REST: the envelope, who may ask, how paths are spelt, and what is refused in which words."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from rtstream_async.errors import InvalidArgumentError, LocalServerError
from rtstream_async.local import LocalServer
from tests.local.harness import Api, api_of


async def test_answers_come_in_the_envelope_with_a_request_id(api: Api) -> None:
    """Every client of the service reads `success` and `data`, and reports the id."""
    response = await api.http.get("/collection/default")
    body = response.json()
    assert body["success"] is True
    assert body["data"]["id"].startswith("c-")
    assert len(response.headers["x-request-id"]) == 16
    assert response.headers["content-type"] == "application/json"


async def test_nulls_and_the_other_spelling_are_taken(api: Api) -> None:
    """The official SDK sends null for what its caller left out; the Node SDK says time_based."""
    stream = await api.connect(ws_connection_id="")
    index = await api.index(
        stream,
        extraction_type="time_based",
        extraction_config={"time": 3, "frame_count": None},
        prompt=None,
        model_name=None,
        model_config={},
        name=None,
    )
    answer = await api.call("GET", f"/rtstream/{stream}/index/{index}")
    assert answer["extraction_type"] == "time"
    assert answer["extraction_config"] == {"time": "3", "frame_count": "5"}
    assert answer["status"] == "running"
    nameless = await api.index(stream, extraction_config=None)
    answer = await api.call("GET", f"/rtstream/{stream}/index/{nameless}")
    assert answer["name"]


async def test_streams_are_listed_filtered_ordered_and_paged(api: Api) -> None:
    """Monitors of many streams walk this list."""
    for name in ("alpha", "beta", "gamma", "Alphabet"):
        await api.connect(f"scripted://{name}", name=name)
    page = await api.call("GET", "/rtstream", params={"limit": 3})
    assert [item["name"] for item in page["results"]] == ["Alphabet", "gamma", "beta"]
    assert page["count"] == 4
    assert page["previous"] is None
    rest = await api.call("GET", page["next"])
    assert [item["name"] for item in rest["results"]] == ["alpha"]
    assert rest["next"] is None
    assert [item["name"] for item in (await api.call("GET", rest["previous"]))["results"]] == [
        item["name"] for item in page["results"]
    ]
    by_name = await api.call("GET", "/rtstream", params={"name": "ALPHA", "ordering": "name"})
    assert [item["name"] for item in by_name["results"]] == ["Alphabet", "alpha"]
    assert (await api.call("GET", "/rtstream", params={"status": "stopped"}))["count"] == 0
    empty = {"limit": 0, "offset": 0, "status": "", "name": "", "ordering": ""}
    assert (await api.call("GET", "/rtstream", params=empty))["count"] == 4
    refused = await api.refused("GET", "/rtstream", 400, params={"ordering": "sideways"})
    assert "-created_at" in refused["message"]


async def test_a_stream_has_the_contracts_fields_and_can_be_renamed(api: Api) -> None:
    """The official SDK reads these keys."""
    response = await api.http.post("/rtstream", json={"url": "scripted://a"})
    assert response.status_code == 201
    made = response.json()["data"]
    assert made["id"].startswith("rts-")
    assert made["status"] == "connected"
    assert made["sample_rate"] == 30
    assert made["media_types"] == ["video"]
    assert made["store"] is False
    assert made["name"]
    assert "T" in made["created_at"]
    path = f"/rtstream/{made['id']}"
    changed = await api.call("PATCH", path, json={"name": "porch", "sample_rate": 15})
    assert (changed["name"], changed["sample_rate"]) == ("porch", 15)
    assert (await api.call("GET", path))["name"] == "porch"
    await api.refused("PATCH", path, 400, json={"sample_rate": 10_000})


async def test_a_second_start_is_no_error(api: Api) -> None:
    """A stream is connected as soon as it is made, and the reference calls start() next."""
    stream = await api.connect()
    path = f"/rtstream/{stream}/status"
    assert (await api.call("PATCH", path, json={"action": "start"}))["status"] == "connected"
    assert (await api.call("PATCH", path, json={"action": "stop"}))["status"] == "stopped"
    assert (await api.call("PATCH", path, json={"action": "stop"}))["status"] == "stopped"
    assert (await api.call("PATCH", path, json={"action": "start"}))["status"] == "connected"
    refused = await api.refused("PATCH", path, 400, json={"action": "pause"})
    assert "start, stop" in refused["message"]


async def test_a_strict_server_refuses_a_second_start_as_the_service_does() -> None:
    """An app that is to run against the service wants to see it here first."""
    async with LocalServer(control=True, strict_start=True) as server, api_of(server) as api:
        stream = await api.connect()
        path = f"/rtstream/{stream}/status"
        refused = await api.refused("PATCH", path, 400, json={"action": "start"})
        assert "already active" in refused["message"]


async def test_scenes_are_paged_newest_first_and_cut_by_time(api: Api, server: LocalServer) -> None:
    """History is read in pages, and gaps are filled by time."""
    stream = await api.connect()
    index = await api.index(stream)
    for number in range(7):
        start = 1000 + 2 * number
        await server.control.add_scene(stream, f"scene {number}", start=start, end=start + 2)
    path = f"/rtstream/{stream}/index/scene/{index}"
    first = await api.call("GET", path, params={"page_size": 3})
    last = await api.call("GET", path, params={"page_size": 3, "page": 3})
    assert [scene["text"] for scene in first["scene_index_records"]] == [
        "scene 6",
        "scene 5",
        "scene 4",
    ]
    assert first["next_page"] is True
    assert [scene["description"] for scene in last["scene_index_records"]] == ["scene 0"]
    assert last["next_page"] is False
    cut = await api.scenes(stream, index, start=1004.5, end=1007.5)
    assert [(scene["start"], scene["end"]) for scene in cut] == [(1006, 1008), (1004, 1006)]
    assert [scene["text"] for scene in await api.scenes(stream, index, end=1001)] == ["scene 0"]
    assert len(await api.scenes(stream, index, start=0)) == 7


async def test_a_failure_inside_is_answered_without_a_traceback(
    api: Api, server: LocalServer, caplog: pytest.LogCaptureFixture
) -> None:
    """A traceback tells strangers about the machine, and the owner needs it in the log."""
    stream = await api.connect()
    index = await api.index(stream)
    await server.control.add_scene(stream, "x", start=1, end=2)
    store = server.control._store
    await store.run(lambda db: db.execute("UPDATE scenes SET metadata = 'not json'").fetchall())
    response = await api.http.get(f"/rtstream/{stream}/index/scene/{index}")
    assert response.status_code == 500
    body = response.json()
    assert body["error_code"] == "INTERNAL"
    assert "Traceback" not in response.text
    id_ = response.headers["x-request-id"]
    assert id_ in body["message"]
    assert any(id_ in record.getMessage() and record.exc_info for record in caplog.records)


async def test_the_key_is_made_once_and_only_its_owner_can_read_it(tmp_path: Path) -> None:
    """A key that changes at each start locks everybody out; one that all can read is none."""
    async with LocalServer(tmp_path / "data") as server:
        key = server.api_key
    async with LocalServer(tmp_path / "data") as server:
        assert server.api_key == key
    for name in ("api_key", "secret"):
        assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600
    async with LocalServer(tmp_path / "data", api_key="sk-mine") as server:
        assert server.api_key == "sk-mine"


async def test_a_second_server_on_the_same_directory_is_refused(tmp_path: Path) -> None:
    """Two servers would record over each other."""
    async with LocalServer(tmp_path):
        other = LocalServer(tmp_path)
        with pytest.raises(LocalServerError, match="in use"):
            await other.start()
    async with LocalServer(tmp_path) as server:
        assert server.data_dir == tmp_path


async def test_a_taken_address_is_told_in_plain_words(server: LocalServer) -> None:
    """A port in use is the most common trouble at a start."""
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(LocalServerError, match=f"127.0.0.1:{port}"):
        await LocalServer(port=port).start()


def test_other_machines_are_let_in_only_when_asked_for() -> None:
    """A default must not put cameras on the network."""
    with pytest.raises(InvalidArgumentError, match="allow_remote"):
        LocalServer(host="0.0.0.0")
    LocalServer(host="0.0.0.0", allow_remote=True)


async def test_a_server_that_does_not_run_says_so(server: LocalServer) -> None:
    """Forgetting the `async with` must not end in an AttributeError."""
    idle = LocalServer()
    with pytest.raises(LocalServerError, match="async with"):
        _ = idle.url
    with pytest.raises(LocalServerError, match="runs already"):
        await server.start()
    async with LocalServer() as plain:
        with pytest.raises(LocalServerError, match="control=True"):
            _ = plain.control
        async with api_of(plain) as api:
            await api.refused("GET", "/_local/sockets", 404)
            refused = await api.refused("POST", "/rtstream", 400, json={"url": "scripted://a"})
            assert "scripted" in refused["message"]
