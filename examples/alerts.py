"""Be told when something happens: `python examples/alerts.py rtsp://camera/door [WEBHOOK_URL]`."""

import asyncio
import sys

import rtstream_async as rts


async def main(url: str, callback_url: str | None = None) -> None:
    """Print when a person is seen at `url`, and have it posted to `callback_url`."""
    async with rts.connect() as conn:
        event_id = await conn.create_event(
            event_prompt="A person is in the picture", label="person_seen"
        )
        for event in await conn.list_events():
            print("event", event["event_id"], event["label"])

        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(url=url, name="Front door", store=True)
        index = await stream.index_visuals(
            prompt="Who is at the door?",
            batch_config={"type": "time", "value": 2, "frame_count": 2},
        )
        alert_id = await index.create_alert(event_id, callback_url=callback_url)

        alert = await anext(stream.events("alert"))
        print("alert", alert.label, alert.confidence, alert.text)

        await index.disable_alert(alert_id)
        for found in await index.list_alerts():
            print("now", found["alert_id"], found["status"])
        await stream.stop()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
