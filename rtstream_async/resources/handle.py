"""What all handles share: a record of the service's, read by attribute or by key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any, Generic, TypeVar

from rtstream_async.api.streams import Action
from rtstream_async.errors import ConflictError, ValidationError
from rtstream_async.models.base import UNSET, Keyed
from rtstream_async.resources.context import Context

__all__ = ["ACTIVE", "STOPPED", "Handle"]

R = TypeVar("R", bound=Keyed)

# The service has more than one word for each; see the table of states in the compatibility notes.
ACTIVE = frozenset(
    {
        "active",
        "connected",
        "connecting",
        "reconnecting",
        "running",
        "starting",
    }
)
STOPPED = frozenset({"stop_requested", "stopped", "stopping"})


class Handle(Generic[R]):
    """An object of the service. It shows what the service said last; it never assumes."""

    def __init__(self, context: Context, record: R) -> None:
        self._context = context
        self._record = record

    @property
    def raw(self) -> Mapping[str, Any]:
        """The service's last answer about this object, unchanged."""
        raw: Mapping[str, Any] = self._record["raw"]
        return raw

    def __getitem__(self, key: str) -> Any:
        if key in self.keys():
            return getattr(self, key)
        return self._record[key]

    def get(self, key: str, default: Any = None) -> Any:
        """Return the value of `key`, or `default` when there is no such key."""
        try:
            return self[key]
        except KeyError:
            return default

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and self.get(key, UNSET) is not UNSET

    def keys(self) -> Iterator[str]:
        """Iterate over the names of the properties."""
        return (name for name in self._record.keys() if name != "raw")  # noqa: SIM118 - no dict

    async def _switch(
        self,
        action: Action,
        *,
        change: Callable[[Action], Awaitable[None]],
        look: Callable[[], Awaitable[R]],
    ) -> None:
        """Start or stop this object, and read from the service what became of it.

        The service refuses to start what runs; the refusal has no code of its own, so the state
        tells whether it was that. The state is read after every change: the official SDK sets it
        without asking, and is wrong as soon as a start does not work or takes a while.
        """
        wanted = ACTIVE if action == "start" else STOPPED
        try:
            await change(action)
        except (ConflictError, ValidationError):
            self._record = await look()
            if self._record.get("status") not in wanted:
                raise
        else:
            self._record = await look()
