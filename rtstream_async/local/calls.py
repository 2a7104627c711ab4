"""One REST call as a handler sees it, and what a handler gives back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

import attrs

from rtstream_async.local.arguments import Arguments
from rtstream_async.protocol.routes import Route

if TYPE_CHECKING:
    from rtstream_async.local.services import Services

__all__ = ["Call", "Endpoint", "Handler", "Reply"]


@attrs.frozen(kw_only=True)
class Call:
    """A request that is authenticated and readable; its arguments are not checked yet."""

    services: Services
    base_url: str  #: `http://host:port` under which the client reached the server
    request_id: str
    ids: Mapping[str, str]  #: from the path
    query: Arguments
    body: Arguments


@attrs.frozen(kw_only=True)
class Reply:
    """A successful answer."""

    data: Any = None
    status: int = 200
    message: str = "Operation successful"


Handler = Callable[[Call], Awaitable[Reply]]
Endpoint = tuple[Route, Handler]
