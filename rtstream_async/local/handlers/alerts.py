"""Events, and alerts that watch indexes for them."""

from __future__ import annotations

import os
import time
from typing import Any

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.ids import ENTROPY, short_id
from rtstream_async.local.domain.rules.reading import read_prompt
from rtstream_async.local.domain.rules.understanding import Understanding, understand
from rtstream_async.local.domain.webhooks import visible
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.outbound import OutboundError
from rtstream_async.local.pipelines.publisher import HEARD
from rtstream_async.local.refusal import Refusal, invalid, not_found
from rtstream_async.local.store import alerts as stored
from rtstream_async.local.store import statements
from rtstream_async.local.store.alerts import DISABLED, ENABLED, AlertRow, AlertView, EventRow
from rtstream_async.local.store.rows import IndexRow
from rtstream_async.local.store.understandings import UNDERSTANDING
from rtstream_async.protocol import routes
from rtstream_async.protocol.codec import emit
from rtstream_async.protocol.codec.times import microseconds

__all__ = ["ENDPOINTS"]

_LONGEST_PROMPT = 2000  # characters
_LONGEST_LABEL = 200
_LONGEST_URL = 2048
_ACTIONS = {"enable": ENABLED, "disable": DISABLED}


async def create_event(call: Call) -> Reply:
    """Answer the new event, with how its prompt was understood."""
    call.body.only(("event_prompt", "label"))
    row = EventRow(
        id=short_id(os.urandom(ENTROPY)),
        event_prompt=_short(call.body, "event_prompt", _LONGEST_PROMPT),
        label=_short(call.body, "label", _LONGEST_LABEL),
        created_us=microseconds(time.time()),
    )
    await call.services.store.run(stored.add_event, row)
    return Reply(data=_event(row), message=_understood(row).note)


async def list_events(call: Call) -> Reply:
    """Answer all events, oldest first."""
    call.query.only(())
    rows = await call.services.store.run(stored.list_events)
    return Reply(data={"events": [_event(row) for row in rows]})


async def create_alert(call: Call) -> Reply:
    """Answer the new alert, which judges every record of its index from now on."""
    index = await _find_index(call)
    call.body.only(("event_id", "callback_url", "ws_connection_id"))
    event_id = call.body.required_text("event_id").removeprefix("event-")
    event = await call.services.store.run(stored.get_event, event_id)
    if event is None:
        raise not_found("event", event_id)
    row = AlertRow(
        id=short_id(os.urandom(ENTROPY)),
        index_id=index.id,
        event_id=event.id,
        callback_url=_callback(call),
        ws_connection_id=call.body.text("ws_connection_id"),
        base_url=call.base_url,
        status=ENABLED,
        judged_to=0,
        fired=0,
        undecided=0,
        delivered=0,
        undelivered=0,
        last_error=None,
        delivery_error=None,
        created_us=microseconds(time.time()),
    )
    row = await call.services.store.run(stored.add_alert, row)
    call.services.alerts.arm(index.id, row.id)
    view = AlertView(alert=row, event=event, waiting=0)
    return Reply(data=_alert(index, view), message=_note(index, view))


async def list_alerts(call: Call) -> Reply:
    """Answer all alerts of an index, oldest first."""
    index = await _find_index(call)
    views = await call.services.store.run(stored.list_alerts, index.id)
    return Reply(data={"alerts": [_alert(index, view) for view in views]})


async def change_alert_status(call: Call) -> Reply:
    """Enable or disable an alert; answer what it is then."""
    index = await _find_index(call)
    status = _wanted_status(call.body)
    id_ = call.ids["alert_id"]
    view = await call.services.store.run(stored.set_alert_status, index.id, id_, status)
    if view is None:
        raise not_found("alert", id_)
    if status == ENABLED:
        call.services.alerts.arm(index.id, id_)
    else:
        call.services.alerts.disarm(index.id, id_)
    return Reply(data=_alert(index, view))


async def _find_index(call: Call) -> IndexRow:
    stream = await find_stream(call)
    id_ = call.ids["index_id"]
    row = await call.services.store.run(statements.get_index, stream.id, id_)
    if row is None or row.family == UNDERSTANDING:
        raise not_found("index", id_)
    return row


def _short(body: Arguments, name: str, most: int) -> str:
    text = body.required_text(name)
    if len(text) > most:
        raise invalid(name, f"has {len(text)} characters; {most} are possible")
    return text


def _callback(call: Call) -> str | None:
    url = call.body.text("callback_url")
    if url is None:
        return None
    url = _short(call.body, "callback_url", _LONGEST_URL)
    try:
        call.services.outbound.check(url)
    except OutboundError as exc:
        raise invalid("callback_url", str(exc)) from None
    return url


def _wanted_status(body: Arguments) -> str:
    """Return the status that `action` (of the SDKs) or `status` (of the specification) asks for."""
    body.only(("action", "status"))
    if ("action" in body.values) == ("status" in body.values):
        raise Refusal(400, "INVALID_ARGUMENT", "give either action or status, and not both")
    if "action" in body.values:
        return _ACTIONS[body.choice("action", tuple(_ACTIONS))]
    return body.choice("status", (ENABLED, DISABLED))


def _understood(row: EventRow) -> Understanding:
    return understand(read_prompt(row.event_prompt))


def _event(row: EventRow) -> dict[str, Any]:
    understood = _understood(row)
    return {
        "event_id": row.id,
        "event_prompt": row.event_prompt,
        "label": row.label,
        "created_at": emit.created_at(row.created_us / 1e6),
        "understood_as": understood.words,
        "decided_by": understood.decided_by,
        "not_understood": list(understood.not_understood),
    }


def _alert(index: IndexRow, view: AlertView) -> dict[str, Any]:
    alert, event = view.alert, view.event
    understood = _understood(event)
    return {
        "alert_id": alert.id,
        "event_id": event.id,
        "prompt": event.event_prompt,
        "label": event.label,
        "callback_url": None if alert.callback_url is None else visible(alert.callback_url),
        "status": alert.status,
        "rtstream_id": index.stream_id,
        "rtstream_index_id": index.id,
        "has_socket": alert.ws_connection_id is not None,
        "created_at": emit.created_at(alert.created_us / 1e6),
        "understood_as": understood.words,
        "decided_by": understood.decided_by,
        "not_understood": list(understood.not_understood),
        "fired": alert.fired,
        "undecided": alert.undecided,
        "last_error": alert.last_error or alert.delivery_error,
        "webhooks": {
            "waiting": view.waiting,
            "delivered": alert.delivered,
            "undelivered": alert.undelivered,
        },
    }


def _note(index: IndexRow, view: AlertView) -> str:
    """Return what the maker of an alert should know of it."""
    understood = _understood(view.event)
    notes = [understood.note]
    if view.alert.callback_url is None and view.alert.ws_connection_id is None:
        notes.append(
            "It has neither callback_url nor ws_connection_id: what it finds is counted, and"
            " sent nowhere."
        )
    is_heard = index.extraction_type == HEARD
    out_of_reach = understood.out_of_reach(is_heard=is_heard)
    if out_of_reach is not None:
        notes.append(out_of_reach)
    return " ".join(notes)


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.EVENT_CREATE, create_event),
    (routes.EVENT_LIST, list_events),
    (routes.ALERT_CREATE, create_alert),
    (routes.ALERT_LIST, list_alerts),
    (routes.ALERT_STATUS, change_alert_status),
    (routes.STREAM_INDEX_ALERT_CREATE, create_alert),
    (routes.STREAM_INDEX_ALERT_LIST, list_alerts),
    (routes.STREAM_INDEX_ALERT_STATUS, change_alert_status),
)
