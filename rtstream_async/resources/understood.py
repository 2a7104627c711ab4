"""`Understood`: what a stream has of understandings and of the indexes made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rtstream_async.api import understandings
from rtstream_async.errors import InvalidArgumentError
from rtstream_async.models.base import UNSET, Unset
from rtstream_async.models.records import StreamRecord
from rtstream_async.protocol.rearm import Arm
from rtstream_async.resources.handle import Handle
from rtstream_async.resources.understanding import RTStreamIndex, RTStreamUnderstanding

__all__ = ["UNDERSTOOD_INDEX", "Understood"]

UNDERSTOOD_INDEX = "index"
"""What stands for a channel in the note of an index of an understanding, which pushes nothing."""


class Understood(Handle[StreamRecord]):
    """Gives a stream its understandings."""

    async def understand(
        self,
        segmentation: Mapping[str, Any] | None = None,
        analyzers: Sequence[Mapping[str, Any]] | None = None,
        store: bool = True,
        ws_connection_id: str | Unset | None = UNSET,
    ) -> RTStreamUnderstanding:
        """Return a new understanding of the stream; it runs at once.

        Args:
            segmentation: How the stream is cut, for example `{"type": "time", "window": "10s"}`.
                `None`: the service's own.
            analyzers: What looks at each window; the service takes one so far, of type `vlm`, for
                example `[{"type": "vlm", "name": "scene", "sampling": {"frame_count": 5},
                "config": {"prompt": "...", "model": "basic"}}]`.
            store: Whether its output is kept, so that it can be read and indexed.
            ws_connection_id: Where messages go. Not given: to this connection's own socket. `None`:
                nowhere. On which channel they come is not documented; the local server, if asked
                to push them at all, calls it `understanding`.

        Raises:
            InvalidArgumentError: `segmentation` or `analyzers` can't be used.
            ValidationError: The service does not take them.
        """
        _check(segmentation, analyzers)
        target = await self._context.push_target(ws_connection_id)
        record = await understandings.create(
            self._context.caller,
            self._record.id,
            segmentation=segmentation or {},
            analyzers=analyzers or (),
            store=store,
            ws_connection_id=target,
        )
        self._note("understanding", record.id, target)
        return RTStreamUnderstanding(self._context, record)

    async def get_understanding(self, understanding_id: str) -> RTStreamUnderstanding:
        """Return the understanding with this id."""
        record = await understandings.get(self._context.caller, self._record.id, understanding_id)
        return RTStreamUnderstanding(self._context, record)

    async def list_understanding(self) -> list[RTStreamUnderstanding]:
        """Return all understandings of the stream."""
        records = await understandings.list_all(self._context.caller, self._record.id)
        return [RTStreamUnderstanding(self._context, record) for record in records]

    async def index(
        self,
        source: Mapping[str, Any],
        name: str | None = None,
        use_for: Sequence[str] | None = None,
    ) -> RTStreamIndex:
        """Return a new index of what an understanding puts out; it runs at once.

        Args:
            source: One of `understanding.outputs`, as it is.
            name: Name of the index.
            use_for: What it is to do. `None`: the service's own, `["semantic"]`.

        Raises:
            InvalidArgumentError: `source` is no description of an output.
        """
        if not isinstance(source, Mapping) or not source:  # pyright: ignore[reportUnnecessaryIsInstance] - callers may have no types
            raise InvalidArgumentError(
                "source", f"must be one of understanding.outputs, not {source!r}"
            )
        record = await understandings.create_index(
            self._context.caller, self._record.id, source=source, name=name, use_for=use_for
        )
        self._note(UNDERSTOOD_INDEX, record.id, None)
        return RTStreamIndex(self._context, record)

    async def get_index(self, index_id: str) -> RTStreamIndex:
        """Return the index with this id, which was made by `index()`."""
        record = await understandings.get_index(self._context.caller, self._record.id, index_id)
        return RTStreamIndex(self._context, record)

    async def list_indexes(self) -> list[RTStreamIndex]:
        """Return all indexes of the stream that were made by `index()`."""
        records = await understandings.list_indexes(self._context.caller, self._record.id)
        return [RTStreamIndex(self._context, record) for record in records]

    def _note(self, channel: str, source: str, target: str | None) -> None:
        arm = Arm(
            rtstream_id=self._record.id,
            channel=channel,
            source=source,
            connection_id=target or "",
        )
        self._context.note_armed(arm)


def _check(segmentation: object, analyzers: object) -> None:
    if segmentation is not None and not isinstance(segmentation, Mapping):
        kind = type(segmentation).__name__
        raise InvalidArgumentError("segmentation", f"must be a dict, not {kind}")
    if analyzers is None:
        return
    given = cast("Sequence[object]", analyzers) if isinstance(analyzers, list | tuple) else None
    if given is None or not all(isinstance(analyzer, Mapping) for analyzer in given):
        raise InvalidArgumentError("analyzers", f"must be a list of dicts, not {analyzers!r}")
