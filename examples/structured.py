"""JSON of your own type in place of text: `python examples/structured.py rtsp://camera/screen`.

It needs a vision engine that follows prompts, for example
`rtstream serve --vision openai:http://127.0.0.1:8000/v1#model`. The offline engine only says what
it sees: its text can't be read as JSON, and is told as that.
"""

import asyncio
import sys

import attrs

import rtstream_async as rts


@attrs.frozen
class Screen:
    """What is on a screen."""

    app_name: str
    activity: str
    contains_text: bool


async def main(url: str) -> None:
    """Print what is on the screen at `url`, until Ctrl-C."""
    async with rts.connect() as conn:
        coll = await conn.get_collection()
        stream = await coll.connect_rtstream(url=url, name="Screen")
        await stream.index_visuals(
            prompt="What is the user doing on this screen?",
            batch_config={"type": "time", "value": 3, "frame_count": 3},
            model_name="pro",
            output_type=Screen,
        )
        async for msg in stream.events("scene_index"):
            if msg.output is None:
                print("text", msg.text, flush=True)
            else:
                print("screen", msg.output.app_name, "-", msg.output.activity, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
