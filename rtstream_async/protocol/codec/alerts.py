"""REST answers about events and alerts -> models."""

from __future__ import annotations

from rtstream_async.errors import ProtocolError
from rtstream_async.models.alerts import Alert, Event
from rtstream_async.protocol.codec.fields import as_list, as_object, text

__all__ = ["alert_id", "alerts", "event_id", "events"]

_EVENT_IDS = ("event_id", "id")
_ALERT_IDS = ("alert_id", "id")


def event_id(data: object) -> str:
    """Return the id of an event that was made."""
    return _identity(as_object(data, "event"), _EVENT_IDS, "event")


def events(data: object) -> list[Event]:
    """Return all events."""
    return as_list(as_object(data, "list of events"), ("events",), "events", _event)


def alert_id(data: object) -> str:
    """Return the id of an alert that was made."""
    return _identity(as_object(data, "alert"), _ALERT_IDS, "alert")


def alerts(data: object) -> list[Alert]:
    """Return all alerts of an index."""
    return as_list(as_object(data, "list of alerts"), ("alerts",), "alerts", _alert)


def _event(data: object) -> Event:
    fields = as_object(data, "event")
    return Event(
        event_id=_identity(fields, _EVENT_IDS, "event"),
        event_prompt=text(fields, "event_prompt", "prompt"),
        label=text(fields, "label", "event_label"),
        raw=fields,
    )


def _alert(data: object) -> Alert:
    fields = as_object(data, "alert")
    return Alert(
        alert_id=_identity(fields, _ALERT_IDS, "alert"),
        event_id=text(fields, "event_id"),
        prompt=text(fields, "prompt", "event_prompt"),
        label=text(fields, "label", "event_label"),
        callback_url=text(fields, "callback_url"),
        status=text(fields, "status"),
        raw=fields,
    )


def _identity(fields: dict[str, object], keys: tuple[str, ...], what: str) -> str:
    id_ = text(fields, *keys)
    if not id_:
        raise ProtocolError(f"the answer has no `{keys[0]}`: the {what} can't be used")
    return id_
