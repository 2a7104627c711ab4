"""Events and alerts, over the whole client."""

from __future__ import annotations

import pytest

import rtstream_async as rts
from tests.client.scripted import scripted_service

EVENT = "POST /rtstream/event"
CREATE = "POST /rtstream/rts-1/index/i-1/alert"
LIST = "GET /rtstream/rts-1/index/i-1/alert"
PATIENCE = 20.0  # seconds until something that should happen counts as not happening


@pytest.fixture
async def service():
    async with scripted_service() as running:
        running.says(EVENT, {"event_id": "3adc40d26d6fed0d"})
        running.says(CREATE, {"alert_id": "1891843a2c669ea3"})
        yield running


async def test_an_event_is_made_and_listed(service):
    """The reference prints `event['event_id']` and `event['label']`."""
    event_id = await service.conn.create_event("A person is at the door", label="visitor")
    assert event_id == "3adc40d26d6fed0d"
    wire = {"event_id": event_id, "event_prompt": "A person is at the door", "label": "visitor"}
    service.says("GET /rtstream/event", {"events": [wire]})
    (event,) = await service.conn.list_events()
    assert isinstance(event, rts.Event)
    assert (event["event_id"], event["label"], event.event_prompt) == (
        event_id,
        "visitor",
        "A person is at the door",
    )


@pytest.mark.parametrize("arguments", [("", "x"), ("x", ""), (" ", "x"), ("x", "\n")])
async def test_an_event_of_nothing_is_refused(service, arguments):
    """It would fire always or never."""
    with pytest.raises(rts.InvalidArgumentError):
        await service.conn.create_event(*arguments)
    assert service.loopback.seen == []


async def test_an_alert_pushes_to_our_own_socket(service):
    """Neither an address nor a connection id has to be given."""
    peer = await service.live()
    alert_id = await service.index().create_alert("3adc40d26d6fed0d")
    assert alert_id == "1891843a2c669ea3"
    assert service.body(CREATE) == {
        "event_id": "3adc40d26d6fed0d",
        "callback_url": "",
        "ws_connection_id": "conn-1",
    }
    data = {"event_label": "visitor", "timestamp": 1_710_000_012_340, "text": "somebody came"}
    await peer.send({"channel": "alert", "rtstream_id": "rts-1", "data": data})
    message = await service.stream().events("alert").receive(timeout=PATIENCE)
    assert isinstance(message, rts.AlertMessage)
    assert (message.label, message.text, message.timestamp) == (
        "visitor",
        "somebody came",
        1710000012.34,
    )


async def test_an_alert_may_go_to_a_web_server_alone(service):
    """Who has no socket open must not open one for it."""
    await service.index().create_alert("e", "https://example.test/hook", None)
    assert service.body(CREATE) == {"event_id": "e", "callback_url": "https://example.test/hook"}
    assert service.sockets.requests == 0


@pytest.mark.parametrize(
    ("arguments", "argument"),
    [(("",), "event_id"), (("e", "example.test/hook"), "callback_url")],
)
async def test_a_mistake_is_named_before_anything_is_sent(service, arguments, argument):
    """A hook that can't be called is noticed when the first alert does not come."""
    with pytest.raises(rts.InvalidArgumentError) as caught:
        await service.index().create_alert(*arguments)
    assert caught.value.argument == argument
    assert service.loopback.seen == []


async def test_alerts_are_listed_and_switched(service):
    """The service says `action`, and answers with nothing."""
    wire = {"alert_id": "a-1", "event_id": "e", "label": "visitor", "status": "enabled"}
    service.says(LIST, {"alerts": [wire]})
    index = service.index()
    (alert,) = await index.list_alerts()
    assert isinstance(alert, rts.Alert)
    assert (alert["alert_id"], alert["status"], alert.is_enabled) == ("a-1", "enabled", True)
    switch = "PATCH /rtstream/rts-1/index/i-1/alert/a-1/status"
    service.says(switch, None)
    await index.disable_alert(alert.alert_id)
    assert service.body(switch) == {"action": "disable"}
    await index.enable_alert(alert.alert_id)
    assert service.body(switch) == {"action": "enable"}
    with pytest.raises(rts.InvalidArgumentError):
        await index.enable_alert("")


async def test_an_index_can_be_asked_something_else(service):
    """The Node SDK can; to stop an index for a better prompt would lose what it had seen."""
    change, look = "PATCH /rtstream/rts-1/index/scene/i-1", "GET /rtstream/rts-1/index/i-1"
    service.says(change, None)
    service.says(look, {"rtstream_index_id": "i-1", "prompt": "Only cats"})
    index = service.index()
    await index.update(prompt="Only cats")
    assert service.body(change) == {"prompt": "Only cats"}
    assert index.prompt == "Only cats"
    with pytest.raises(rts.InvalidArgumentError):
        await index.update(prompt="")
