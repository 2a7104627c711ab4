"""Which engines the server uses, and what they cost so far."""

from __future__ import annotations

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS"]


async def list_engines(call: Call) -> Reply:
    """Answer each kind of engine: what was chosen, its name once it is in use, its counters."""
    call.query.only(())
    return Reply(data={"engines": call.services.engines.report()})


ENDPOINTS: tuple[Endpoint, ...] = ((routes.ENGINES, list_engines),)
