"""Endpoints of events, which are rules that alerts can be made of."""

from __future__ import annotations

from rtstream_async.api.caller import Caller
from rtstream_async.models.alerts import Event
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import alerts

__all__ = ["create", "list_all"]


async def create(caller: Caller, *, event_prompt: str, label: str) -> str:
    """Create an event and return its id."""
    return await caller.call(
        routes.EVENT_CREATE,
        alerts.event_id,
        body={"event_prompt": event_prompt, "label": label},
    )


async def list_all(caller: Caller) -> list[Event]:
    """Return all events of the account."""
    return await caller.call(routes.EVENT_LIST, alerts.events)
