"""A reader without REST: what the reader's benchmarks measure, armed by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from rtstream_async.protocol.rearm import Arm
from rtstream_async.realtime.hub import Hub
from rtstream_async.realtime.settings import HubSettings
from rtstream_async.supervisor import Supervisor
from rtstream_async.transport.socket import SocketOptions, opener

__all__ = ["CHANNEL", "opened", "streams"]

CHANNEL = "scene_index"


@asynccontextmanager
async def opened(url: str = "", armed: Iterable[str] = ()) -> AsyncIterator[Hub]:
    """Give a hub, and close it.

    Args:
        url: Of its socket, connected at once; empty: nobody may ask for one.
        armed: Ids of the streams that publish to it.
    """

    async def fetch_url() -> str:
        if not url:
            raise RuntimeError("this benchmark opens no socket")
        return url

    supervisor = Supervisor("benchmark")
    hub = Hub(
        fetch_url=fetch_url,
        open_socket=opener(SocketOptions(proxy=None, compression=None)),
        settings=HubSettings(),
        supervisor=supervisor,
    )
    try:
        if url:
            connection_id = await hub.connection_id()
            for stream in armed:
                hub.note_armed(
                    Arm(
                        rtstream_id=stream, channel=CHANNEL, source="i", connection_id=connection_id
                    )
                )
        yield hub
    finally:
        await hub.aclose()
        await supervisor.aclose()


def streams(count: int) -> list[str]:
    """Return the ids of so many streams."""
    return [f"rts-{number:06d}" for number in range(count)]
