"""Which engines the server uses, and what they cost so far."""

from __future__ import annotations

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.protocol.routes import Route

__all__ = ["ENDPOINTS"]


async def list_engines(call: Call) -> Reply:
    """Answer each kind of engine: what was chosen, its name once it is in use, its counters."""
    call.query.only(())
    return Reply(data={"engines": call.services.engines.report()})


# The service has no such endpoint; ours are below a name that it does not use.
ENDPOINTS: tuple[Endpoint, ...] = ((Route("GET", "/local/engines", repeatable=True), list_engines),)
