import pytest

from rtstream_async.errors import ProtocolError
from rtstream_async.models.alerts import Alert, Event
from rtstream_async.protocol.codec import alerts

ALERT = {
    "alert_id": "1891843a2c669ea3",
    "event_id": "3adc40d26d6fed0d",
    "prompt": "Detect fire",
    "label": "fire",
    "callback_url": "https://example.com/a",
    "status": "enabled",
    "fired": 2,
}


def test_events_are_read_by_key_and_by_attribute():
    """The reference prints `event['event_id']`."""
    wire = {"event_id": "3a", "event_prompt": "Detect fire", "label": "fire", "new": 1}
    (event,) = alerts.events({"events": [wire]})
    assert event == Event(event_id="3a", event_prompt="Detect fire", label="fire")
    assert (event["event_id"], event["label"], event["new"]) == ("3a", "fire", 1)


def test_alerts_are_read_by_key_and_by_attribute():
    """Row 166."""
    (alert,) = alerts.alerts({"alerts": [ALERT]})
    assert alert == Alert(**{key: value for key, value in ALERT.items() if key != "fired"})
    assert (alert["alert_id"], alert["fired"]) == ("1891843a2c669ea3", 2)


@pytest.mark.parametrize(
    ("status", "is_enabled"),
    [("enabled", True), ("active", True), ("disabled", False), ("new word", False), (None, False)],
)
def test_whether_an_alert_watches(status, is_enabled):
    """The service's words are open."""
    (alert,) = alerts.alerts({"alerts": [{**ALERT, "status": status}]})
    assert (alert.status, alert.is_enabled) == (status, is_enabled)


def test_ids_are_found():
    """Rows 20, 161."""
    assert alerts.event_id({"event_id": "3a"}) == alerts.event_id({"id": "3a"}) == "3a"
    assert alerts.alert_id({"alert_id": "18"}) == alerts.alert_id({"id": "18"}) == "18"


@pytest.mark.parametrize("read", [alerts.event_id, alerts.alert_id])
@pytest.mark.parametrize("data", [None, [], {}, {"event_id": ""}, {"alert_id": None}])
def test_what_has_no_id_is_a_protocol_error(read, data):
    """Rows 22, 165: AttributeError in the official SDK, or None for an id."""
    with pytest.raises(ProtocolError):
        read(data)


@pytest.mark.parametrize("read", [alerts.events, alerts.alerts])
def test_a_list_may_be_left_out(read):
    """Rows 24, 167."""
    assert read({}) == []


@pytest.mark.parametrize("read", [alerts.events, alerts.alerts])
@pytest.mark.parametrize(
    "data", [None, {"events": 1, "alerts": 1}, {"events": [{}], "alerts": [{}]}]
)
def test_a_list_that_cannot_be_read_is_a_protocol_error(read, data):
    """To call it empty would hide what watches."""
    with pytest.raises(ProtocolError):
        read(data)
