"""Requests that nobody would write, made from the server's own description of itself.

`RTSTREAM_FUZZ_PHASES=coverage,fuzzing` also tries each limit of each field, which takes minutes.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from tests.cli.program import environment, running
from tests.local.harness import Api, until
from tests.media.clips import Clip, make_clip

PHASES = os.environ.get("RTSTREAM_FUZZ_PHASES", "fuzzing")
CHECKS = (
    "not_a_server_error",
    "content_type_conformance",
    "response_schema_conformance",
    "status_code_conformance",
)


async def one_of_each(api: Api) -> dict[str, str]:
    """Make one object of each kind; return their ids by what a path calls them."""
    stream = await api.connect("clip.mp4?loop=1", store=True, media_types=["video", "audio"])
    made = await api.call("POST", f"/rtstream/{stream}/understand", json={})
    source = {"source": made["outputs"]["scene"]}
    index = await api.call("POST", f"/rtstream/{stream}/indexes", json=source)
    event = await api.call(
        "POST", "/rtstream/event", json={"event_prompt": "a person", "label": "p"}
    )
    alert = await api.call(
        "POST",
        f"/rtstream/{stream}/indexes/{index['id']}/alert",
        json={"event_id": event["event_id"]},
    )
    session = await api.call(
        "POST", "/collection/default/capture/session", json={"end_user_id": "u"}
    )
    done = await api.connect("clip.mp4", store=True)
    await until(lambda: api.stream(done), lambda seen: seen["recorded_seconds"] > 1)
    await api.call("PATCH", f"/rtstream/{done}/status", json={"action": "stop"})
    video = await api.call("POST", f"/rtstream/{done}/export", json={})
    return {
        "collection_id": "default",
        "stream_id": stream,
        "index_id": index["id"],
        "alert_id": alert["alert_id"],
        "understanding_id": made["id"],
        "session_id": session["session_id"],
        "video_id": video["video_id"],
    }


async def test_no_request_breaks_the_server(tmp_path: Path) -> None:
    """A 5xx is a mistake of ours, whatever was asked; and answers are as they are described."""
    import httpx

    media = tmp_path / "media"
    media.mkdir()
    make_clip(media / "clip.mp4", Clip(seconds=3, gop=1))
    with running(
        *("serve", "--port", 0, "--data-dir", tmp_path / "data", "--media-root", media, "--json"),
        patience=600,
    ) as server:
        ready = server.object()
        headers = {"x-access-token": ready["api_key"]}
        config = tmp_path / "schemathesis.toml"
        async with httpx.AsyncClient(base_url=ready["url"], headers=headers, timeout=60) as http:
            found = await one_of_each(Api(http))
        lines = (f'{name} = "{id_}"\n' for name, id_ in found.items())
        config.write_text("".join(("[parameters]\n", *lines)))
        code, told = await fuzz(config, ready["url"], ready["api_key"])
        ended = server.end()
    assert code == 0, told
    assert ended.code == 0
    assert "Traceback" not in ended.err


async def fuzz(config: Path, url: str, key: str) -> tuple[int | None, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(config), "run"),
        *(f"{url}/openapi.json", "--header", f"x-access-token: {key}"),
        *("--checks", ",".join(CHECKS), "--phases", PHASES, "--max-examples", "4"),
        *("--seed", "1", "--generation-deterministic", "--no-color", "--continue-on-failure"),
        *("--request-timeout", "120"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=environment(),
        cwd=config.parent,
    )
    assert process.stdout is not None
    told = (await process.stdout.read()).decode()
    return await process.wait(), told
