"""What the service tells about an answer that comes later."""

from __future__ import annotations

import attrs

__all__ = ["JobProgress"]


@attrs.frozen(kw_only=True)
class JobProgress:
    """How the service is getting on with something that takes a while."""

    status: str  #: the service's word: `processing`, `queued`, ...
    fraction: float | None = None  #: how much is done, from 0 to 1; `None`: it does not say
    elapsed: float = 0.0  #: seconds since the service took it on
