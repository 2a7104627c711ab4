"""Where a window of a stream can be played."""

from __future__ import annotations

import time

import anyio
import attrs

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.handlers.streams import find_stream
from rtstream_async.local.links import window_urls
from rtstream_async.local.pipelines.live import LiveStream
from rtstream_async.local.recording import Recorded, playable, with_open
from rtstream_async.local.refusal import Refusal, invalid
from rtstream_async.local.store import statements
from rtstream_async.local.store.rows import StreamRow
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS"]

_ARGUMENTS = (
    "start",
    "end",
    "player_title",
    "player_description",
    "player_slug_prefix",
    "original_frame_rate",
    "frame_rate",
)
_DONE = "Operation successful"
_ROUNDING = 0.001  # seconds
_LAST_MOMENT = 1e11  # seconds; what is larger is in another unit


async def get_playback(call: Call) -> Reply:
    """Answer the URLs of a window's manifest and of a page that plays it.

    A window that ends a moment ahead of the recording is waited for, so that it is whole.
    """
    stream = await find_stream(call)
    call.query.only(_ARGUMENTS)
    start, end = await _window(call, stream)
    live = call.services.director.live(stream.id)
    await _wait_for(call, live, end)
    if not await playable(call.services.store, stream.id, live, start=start, end=end):
        raise Refusal(
            404,
            "NOT_RECORDED",
            f"nothing of {start:.3f} to {end:.3f} is recorded; {await _span(call, stream)}",
        )
    urls = window_urls(
        call.services.tokens,
        call.base_url,
        stream_id=stream.id,
        start=start,
        end=end,
        lifetime=call.services.settings.clip_lifetime,
        title=call.query.text("player_title") or stream.name,
        description=call.query.text("player_description"),
        slug_prefix=call.query.text("player_slug_prefix"),
    )
    return Reply(data=attrs.asdict(urls), message=await _said(call, stream, start))


async def _window(call: Call, stream: StreamRow) -> tuple[float, float]:
    recorded = await _recorded(call, stream)
    start, end = _moment(call, "start"), _moment(call, "end")
    start = recorded.recorded_from if start is None else start
    end = recorded.recorded_to if end is None else end
    if start is None or end is None:
        raise Refusal(404, "NOT_RECORDED", "nothing of this stream is recorded yet")
    if start >= end:
        raise invalid("start", f"{start:.3f} must be before end {end:.3f}")
    horizon = time.time() + call.services.settings.clip_patience
    if end > horizon:
        raise invalid("end", f"{end:.3f} lies in the future; it is {time.time():.3f} now")
    return start, end


async def _recorded(call: Call, stream: StreamRow) -> Recorded:
    stored = await call.services.store.run(statements.recorded, stream.id)
    return with_open(stored, call.services.director.live(stream.id))


def _moment(call: Call, name: str) -> float | None:
    value = call.query.number(name)
    if value is not None and not 0 <= value < _LAST_MOMENT:
        raise invalid(name, f"{value:g} is no Unix time in seconds")
    return value


async def _wait_for(call: Call, live: LiveStream | None, end: float) -> None:
    patience = call.services.settings.clip_patience
    if live is None or end - live.present > patience:
        return
    with anyio.move_on_after(patience):
        await live.wait_recorded(end)


async def _said(call: Call, stream: StreamRow, start: float) -> str:
    """Say from when on a window plays, if nothing is recorded of its begin."""
    first = (await _recorded(call, stream)).recorded_from
    if first is None or first <= start + _ROUNDING:
        return _DONE
    return f"the recording begins at {first:.3f}, {first - start:.3f} s after the time asked for"


async def _span(call: Call, stream: StreamRow) -> str:
    recorded = await _recorded(call, stream)
    if recorded.recorded_from is None or recorded.recorded_to is None:
        return "nothing of this stream is recorded yet"
    return f"recorded is {recorded.recorded_from:.3f} to {recorded.recorded_to:.3f}"


ENDPOINTS: tuple[Endpoint, ...] = ((routes.STREAM_PLAYBACK, get_playback),)
