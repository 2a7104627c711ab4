"""Chaos over REST: what goes wrong, told, set and ended; only with `control=True`."""

from __future__ import annotations

from typing import Any

import attrs

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.refusal import invalid
from rtstream_async.protocol.routes import Route

__all__ = ["ENDPOINTS"]


async def show_chaos(call: Call) -> Reply:
    """Answer what goes wrong, and what was done so far."""
    call.query.only(())
    return Reply(data={**_settings(call), "counts": attrs.asdict(call.services.chaos.counts)})


async def change_chaos(call: Call) -> Reply:
    """Change some of what goes wrong; answer all of it."""
    try:
        await call.services.chaos.set(**call.body.values)
    except InvalidArgumentError as exc:
        raise invalid(exc.argument, exc.problem, allowed=exc.allowed) from None
    return Reply(data=_settings(call))


async def end_chaos(call: Call) -> Reply:
    """Mend all; answer that nothing goes wrong."""
    await call.services.chaos.off()
    return Reply(data=_settings(call))


async def open_half(call: Call) -> Reply:
    """Leave sockets open and dead, or have them go on; answer how many."""
    call.body.only(("connection_id", "mend"))
    chaos, id_ = call.services.chaos, call.body.text("connection_id")
    is_over = call.body.flag("mend", default=False)
    return Reply(data={"sockets": chaos.mend(id_) if is_over else chaos.half_open(id_)})


def _settings(call: Call) -> dict[str, Any]:
    return {"settings": attrs.asdict(call.services.chaos.plan)}


ENDPOINTS: tuple[Endpoint, ...] = (
    (Route("GET", "/_local/chaos"), show_chaos),
    (Route("POST", "/_local/chaos"), change_chaos),
    (Route("DELETE", "/_local/chaos"), end_chaos),
    (Route("POST", "/_local/sockets/half-open"), open_half),
)
