"""One REST call as a handler sees it, and what a handler gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import msgspec

from rtstream_async.local.arguments import Arguments
from rtstream_async.local.refusal import invalid
from rtstream_async.protocol.routes import Route

if TYPE_CHECKING:
    from rtstream_async.local.services import Services

__all__ = ["Call", "Endpoint", "Handler", "Reply"]

T = TypeVar("T")


@attrs.frozen(kw_only=True)
class Call:
    """A request that is authenticated and readable; its arguments are not checked yet."""

    services: Services
    base_url: str  #: `http://host:port` under which the client reached the server
    request_id: str
    ids: Mapping[str, str]  #: from the path
    query: Arguments
    content: Any  #: the body's JSON; `None` when it is empty

    @property
    def body(self) -> Arguments:
        """The body's arguments.

        Raises:
            Refusal: The body is no JSON object.
        """
        if self.content is None:
            return Arguments({})
        return Arguments(_convert(self.content, dict[str, Any], "body", "a JSON object"))

    @property
    def items(self) -> Sequence[Arguments]:
        """The arguments of each item of a body that is a list.

        Raises:
            Refusal: The body is no list of JSON objects.
        """
        listed = _convert(self.content, list[Any], "body", "a JSON list")
        return [
            Arguments(_convert(item, dict[str, Any], f"[{n}]", "a JSON object"), f"[{n}].")
            for n, item in enumerate(listed)
        ]


def _convert(content: Any, kind: type[T], name: str, what: str) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError:
        raise invalid(name, f"must be {what}") from None


@attrs.frozen(kw_only=True)
class Reply:
    """An answer; a successful one, unless its `envelope` says otherwise."""

    data: Any = None
    status: int = 200
    message: str = "Operation successful"
    envelope: Mapping[str, Any] = attrs.field(factory=dict[str, Any])  #: more beside the data


Handler = Callable[[Call], Awaitable[Reply]]
Endpoint = tuple[Route, Handler]
