"""What is said in exported videos: written down, and read."""

from __future__ import annotations

from typing import cast

from rtstream_async.local.calls import Call, Endpoint, Reply
from rtstream_async.local.domain.batches import SEGMENTERS, Segmenter
from rtstream_async.local.handlers.asset_replies import transcript_data
from rtstream_async.local.handlers.jobs import answer_of, later
from rtstream_async.local.handlers.videos import asset_in_path, find_in_path
from rtstream_async.local.pipelines.spoken import INDEX, SEGMENTATIONS, Segmentation
from rtstream_async.local.refusal import Refusal, invalid
from rtstream_async.protocol import routes

__all__ = ["ENDPOINTS"]

_INDEX_TYPES = ("spoken_word", "scene")
_LONGEST = 86_400.0  # seconds


async def index_video(call: Call) -> Reply:
    """Answer that what is said in a video was written down, or that this goes on."""
    asset = await asset_in_path(call)
    body = call.body
    if body.choice("index_type", _INDEX_TYPES, "spoken_word") == "scene":
        raise Refusal(
            400,
            "NOT_OFFERED",
            "index_type: scenes of exported videos are not described here; index the stream while"
            " it runs (index_visuals), and search its records",
        )
    body.only(("index_type", "language_code", "segmentation_type", "force", "callback_url"))
    segmentation = body.choice("segmentation_type", SEGMENTATIONS, "sentence")
    callback_url = body.text("callback_url")
    job = await call.services.transcriber.begin(
        asset,
        segmentation=cast("Segmentation", segmentation),
        language=body.text("language_code"),
        force=body.flag("force", default=False),
        callback_url=callback_url,
    )
    if callback_url is not None:
        return later(call, job, is_awaited=False)
    return await answer_of(call, job)


async def transcribe(call: Call) -> Reply:
    """Answer what is said, written down now if it was not before."""
    asset = await asset_in_path(call)
    call.body.only(("force", "language_code"))
    force = call.body.flag("force", default=False)
    if asset.spoken.status == "done" and not force:
        return Reply(data=await transcript_data(call, asset))
    job = await call.services.transcriber.begin(
        asset,
        language=call.body.text("language_code"),
        force=force,
        wants_transcript=True,
    )
    return await answer_of(call, job)


async def get_transcript(call: Call) -> Reply:
    """Answer what is said in a video, by words, sentences or stretches of time."""
    query = call.query
    query.only(("start", "end", "segmenter", "length", "force", "collection_id"))
    asset = await find_in_path(call)
    segmenter = cast("Segmenter", query.choice("segmenter", SEGMENTERS, "word"))
    length = query.positive("length", 1.0, high=_LONGEST)
    query.flag("force", default=False)  # what is kept is what is answered: nothing is cached
    start, end = query.number("start"), query.number("end")
    if start is not None and start < 0:
        raise invalid("start", f"{start:g} is before the video's start, 0")
    if start is not None and end is not None and start > end:
        raise invalid("start", f"{start:g} must not be after end {end:g}")
    if asset.spoken.status != "done":
        raise Refusal(400, "NO_TRANSCRIPT", _why_not(call, asset.id))
    data = await transcript_data(
        call, asset, segmenter=segmenter, length=length, start=start, end=end
    )
    return Reply(data=data)


def _why_not(call: Call, asset_id: str) -> str:
    job = call.services.jobs.running(INDEX, asset_id)
    if job is not None:
        return f"what is said in {asset_id} is being written down, {job.share:.0%} so far"
    return f"what is said in {asset_id} was not written down yet; call index_spoken_words first"


ENDPOINTS: tuple[Endpoint, ...] = (
    (routes.VIDEO_INDEX, index_video),
    (routes.VIDEO_TRANSCRIPT, get_transcript),
    (routes.VIDEO_TRANSCRIBE, transcribe),
    (routes.AUDIO_TRANSCRIPT, get_transcript),
    (routes.AUDIO_TRANSCRIBE, transcribe),
)
