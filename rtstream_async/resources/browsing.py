"""Opening a page in the browser of the machine that this runs on."""

from __future__ import annotations

from urllib.parse import urlsplit

from anyio import to_thread

from rtstream_async.errors import ProtocolError

__all__ = ["open_page"]


async def open_page(url: str) -> bool:
    """Open a web page; return whether there is a browser that took it.

    Cancelling is safe: the page opens or not.

    Raises:
        ProtocolError: It is no web page: the service named it, and it could be a local file.
    """
    import webbrowser  # with all that it brings along, for those few who play something

    scheme = urlsplit(url).scheme
    if scheme not in ("http", "https"):
        raise ProtocolError(f"the player's address is no web page, but {scheme or 'no address'}")
    return await to_thread.run_sync(webbrowser.open, url, abandon_on_cancel=True)
