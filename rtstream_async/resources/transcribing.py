"""What has a stream transcribed, and reads what was said."""

from __future__ import annotations

from datetime import datetime

from rtstream_async.api import transcripts
from rtstream_async.api.transcripts import StopMode
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.base import UNSET, Unset
from rtstream_async.models.records import Page, StreamRecord
from rtstream_async.models.transcripts import TranscriptSegment, TranscriptStatus
from rtstream_async.protocol.paging import ByNumber
from rtstream_async.protocol.rearm import TranscriptArm
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.pages import Pages, Records

__all__ = ["TRANSCRIPT", "Transcribing", "transcript_arm"]

TRANSCRIPT = "transcript"
"""The channel of a transcript, and what its arm is called: a stream has one."""

_STOP_MODES = ("graceful", "force")


class Transcribing(Handle[StreamRecord]):
    """Gives `RTStream` its transcript."""

    async def start_transcript(
        self, ws_connection_id: str | Unset | None = UNSET, engine: str | None = None
    ) -> TranscriptStatus:
        """Have the stream transcribed; return what the service says of the transcript.

        Its messages come on the channel `transcript`. When it is cancelled, the transcript may
        have been started all the same: `get_transcript_status()` tells.

        Args:
            ws_connection_id: Where messages go. Not given: to this connection's own socket, so
                that `events()` has them. `None`: nowhere.
            engine: Who is to listen, for example `assemblyai`. `None`: the service's own.

        Raises:
            ValidationError: The service refuses it: the stream has no sound, for example.
        """
        target = await self._context.push_target(ws_connection_id)
        status = await transcripts.start(
            self._context.caller, self._record.id, engine=engine, ws_connection_id=target
        )
        self._context.note_armed(transcript_arm(self._record.id, target, engine))
        return status

    async def stop_transcript(
        self, engine: str | None = None, *, mode: StopMode | None = None
    ) -> TranscriptStatus:
        """Have the stream transcribed no longer; what was said so far stays.

        After a loss of the connection it is not started again.

        Args:
            engine: Who listens. `None`: the service's own.
            mode: `graceful` hears out what is being said, `force` does not. `None`: the service's
                own.

        Raises:
            InvalidArgumentError: There is no such `mode`.
        """
        if mode is not None and mode not in _STOP_MODES:
            raise InvalidArgumentError("mode", f"can't be {mode!r}", allowed=_STOP_MODES)
        with self._context.stopping(self._record.id, TRANSCRIPT):
            return await transcripts.stop(
                self._context.caller, self._record.id, engine=engine, mode=mode
            )

    async def get_transcript_status(self, engine: str | None = None) -> TranscriptStatus:
        """Return whether the stream is being transcribed.

        Args:
            engine: Who listens. `None`: the service's own.
        """
        return await transcripts.get_status(self._context.caller, self._record.id, engine=engine)

    def get_transcript(
        self,
        page: int = 1,
        page_size: int = 100,
        start: float | datetime | None = None,
        end: float | datetime | None = None,
        since: float | datetime | None = None,
        engine: str | None = None,
        *,
        follow: bool = False,
        prefetch: int = 1,
    ) -> Pages[TranscriptSegment]:
        """Return what was said: `await` it for one page, `async for` it for all from `page` on.

        The order is the service's: the local server's is oldest first. Only what is final is in
        it; `events()` has the partial messages too, and `follow=True` what is said from now on.

        Args:
            page: Which page, from 1.
            page_size: Segments of a page; the service gives at most 1000.
            start: Nothing before this: Unix seconds, or an aware `datetime`.
            end: Nothing after this; each bound may be given alone.
            since: For who asks again and again: only what is newer than this.
            engine: Who listened. `None`: the service's own.
            follow: Go on with what is added, for ever: from the oldest (or `start`) up in time,
                each once, and late ones when they come. Only by iterating.
            prefetch: Pages that are asked for while you work on those before.

        Raises:
            InvalidArgumentError: A bound or a number can't be used, or not with `follow`.
        """

        async def fetch(place: ByNumber) -> tuple[Page[TranscriptSegment], ByNumber | None]:
            return await transcripts.segment_page(
                self._context.caller, self._record.id, place, engine=engine
            )

        records = Records(
            start=start,
            end=end,
            since=since,
            page=page,
            page_size=page_size,
            follow=follow,
            prefetch=prefetch,
        )
        return records.pages(
            self._context, fetch, rtstream_id=self._record.id, channel="transcript"
        )


def transcript_arm(stream_id: str, target: str | None, engine: str | None = None) -> TranscriptArm:
    """Return what is to be noted of a transcript that was started for `target`."""
    return TranscriptArm(
        rtstream_id=stream_id,
        channel=TRANSCRIPT,
        source=TRANSCRIPT,
        connection_id=target or "",
        engine=engine,
    )
