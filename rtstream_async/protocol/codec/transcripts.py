"""REST answers about speech -> models."""

from __future__ import annotations

from typing import Any, cast

from rtstream_async.errors import ProtocolError
from rtstream_async.models.records import Page
from rtstream_async.models.transcripts import TranscriptSegment, TranscriptStatus, Word
from rtstream_async.protocol.codec.fields import as_list, as_object, text, whole
from rtstream_async.protocol.codec.times import to_seconds
from rtstream_async.protocol.paging import ByNumber

__all__ = ["segment", "segment_page", "status"]

_LISTS = ("transcription_records", "segments", "transcriptions")
_WORD_LISTS = ("word_timestamps", "words")
_STATUSES = ("status", "transcription_status", "state")


def status(data: object) -> TranscriptStatus:
    """Return what an answer says of a transcript; a bare success says nothing."""
    fields: dict[str, Any] = {} if data is None else as_object(data, "transcript")
    return TranscriptStatus(
        status=text(fields, *_STATUSES),
        engine=text(fields, "engine"),
        language=text(fields, "language", "language_code"),
        created_at=to_seconds(fields.get("created_at")),
        updated_at=to_seconds(fields.get("updated_at")),
        raw=fields,
    )


def segment(data: object) -> TranscriptSegment:
    """Return one piece of speech.

    Raises:
        ProtocolError: It has no times.
    """
    fields = as_object(data, "transcript segment")
    start, end = to_seconds(fields.get("start")), to_seconds(fields.get("end"))
    if start is None or end is None:
        raise ProtocolError(
            f"a transcript segment has no usable `start` and `end`: {fields.get('start')!r},"
            f" {fields.get('end')!r}"
        )
    return TranscriptSegment(
        start=start,
        end=end,
        text=text(fields, "text", "transcript", "description") or "",
        words=_words(fields),
        engine=text(fields, "engine"),
        raw=fields,
    )


def segment_page(
    data: object, *, place: ByNumber
) -> tuple[Page[TranscriptSegment], ByNumber | None]:
    """Return one page of a transcript, and the place of the next."""
    fields = as_object(data, "transcript")
    items = as_list(fields, _LISTS, "transcript segments", segment)
    spans = [(item.start, item.end) for item in items]
    after = place.after(spans=spans, more=bool(fields.get("next_page")))
    page = Page(
        items=items,
        next_page=after is not None,
        page=place.page,
        page_size=place.page_size,
        total_count=whole(fields, "total_count"),
        label="segments",
        raw=fields,
    )
    return page, after


def _words(fields: dict[str, Any]) -> tuple[Word, ...]:
    for key in _WORD_LISTS:
        found = fields.get(key)
        if isinstance(found, list):
            words = map(_word, cast("list[object]", found))
            return tuple(word for word in words if word is not None)
    return ()


def _word(data: object) -> Word | None:
    """Return a word, or `None`: one that can't be placed is no reason to lose what was said."""
    if not isinstance(data, dict):
        return None
    fields = cast("dict[str, Any]", data)
    start, end = to_seconds(fields.get("start")), to_seconds(fields.get("end"))
    said = text(fields, "word", "text")
    if start is None or end is None or said is None:
        return None
    return Word(start=start, end=end, text=said, raw=fields)
