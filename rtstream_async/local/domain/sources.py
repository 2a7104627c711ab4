"""What kind of source a URL names, and what it asks for."""

from __future__ import annotations

import enum
import ipaddress
import re
from urllib.parse import SplitResult, parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import attrs

__all__ = ["Source", "SourceKind", "parse_source", "without_secrets"]

_CREDENTIALS = re.compile(r"(?<=://)[^/?#\s]*@")
_QUERY = re.compile(r"""(?<=://)([^?#\s'"]*)\?[^\s'"]*""")
_PORT = re.compile(r"\d{1,5}", re.ASCII)
_PORTS = 65536
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def without_secrets(text: str) -> str:
    """Return `text` with the credentials and the query of every URL in it left out."""
    return _QUERY.sub(r"\1", _CREDENTIALS.sub("", text))


def _shown(url: str) -> str:
    return repr(without_secrets(url))


class SourceKind(enum.Enum):
    """How a source is read; the values are what users see."""

    FILE = "file"
    RTMP = "rtmp"
    RTSP = "rtsp"
    HTTP = "http"


_KINDS = {
    "": SourceKind.FILE,
    "file": SourceKind.FILE,
    "rtmp": SourceKind.RTMP,
    "rtmps": SourceKind.RTMP,
    "rtsp": SourceKind.RTSP,
    "rtsps": SourceKind.RTSP,
    "http": SourceKind.HTTP,
    "https": SourceKind.HTTP,
}


@attrs.frozen(kw_only=True)
class Source:
    """A source as its URL describes it; nothing was opened yet."""

    kind: SourceKind
    url: str = attrs.field(repr=_shown)
    """Without the options that are ours; for a file, its plain path."""
    loop: bool = False  #: `?loop=1`: a finite source starts over at its end
    listen: bool = False  #: `?listen=1`: we wait for a publisher at this address
    also: Source | None = None
    """`?rtsp=PORT` of an RTMP listener: where a publisher that speaks RTSP may come instead."""

    @property
    def addresses(self) -> tuple[str, ...]:
        """Every address of it; those of a listener are waited at together."""
        return (self.url,) if self.also is None else (self.url, self.also.url)


def parse_source(url: str) -> Source:
    """Return what `url` asks for.

    Raises:
        ValueError: It can't be a source; the text says why, and does not quote it.
    """
    parts = _split(url)
    kind = _KINDS.get(parts.scheme.lower())
    if kind is None:
        raise ValueError(
            f"{parts.scheme}:// is no source for a stream; use rtsp, rtmp, http(s) or a file"
        )
    options, rest = _split_options(parts.query, _OPTIONS[kind])
    if kind is SourceKind.FILE:
        return _file(url, loop="loop" in options)
    if not parts.hostname:
        raise ValueError("the address names no host")
    port = _port(parts)
    second: int | None = None
    if "listen" in options:
        _check_listener(parts.hostname, port)
        if kind is SourceKind.RTMP:
            second, rest = _split_second(rest)
    return Source(
        kind=kind,
        # Rebuilt only when something of ours must go: a signed address breaks easily.
        url=url if rest == parts.query else urlunsplit(parts._replace(query=rest)),
        loop="loop" in options,
        listen="listen" in options,
        also=None if second is None else _second(parts, second),
    )


_SWITCH = {"1": True, "true": True, "yes": True, "": True, "0": False, "false": False, "no": False}

_OPTIONS = {
    SourceKind.FILE: {"loop"},
    SourceKind.HTTP: {"loop"},
    SourceKind.RTMP: {"listen"},
    SourceKind.RTSP: {"listen"},
}


def _split_options(query: str, names: set[str]) -> tuple[set[str], str]:
    """The options of ours that are switched on, and the query without any of ours."""
    pairs = parse_qsl(query, keep_blank_values=True)
    ours = [(name, value) for name, value in pairs if name in names]
    if not ours:
        return set(), query
    for name, value in ours:
        if value.lower() not in _SWITCH:
            raise ValueError(f"?{name}= takes 1 or 0, not {value!r}")
    rest = urlencode([pair for pair in pairs if pair[0] not in names])
    return {name for name, value in ours if _SWITCH[value.lower()]}, rest


def _split_second(query: str) -> tuple[int | None, str]:
    """The port of a second listener, and the query without it."""
    pairs = parse_qsl(query, keep_blank_values=True)
    ports = [value for name, value in pairs if name == "rtsp"]
    if not ports:
        return None, query
    if not _PORT.fullmatch(ports[-1]) or not 0 < int(ports[-1]) < _PORTS:
        raise ValueError(f"?rtsp= takes a port, not {ports[-1]!r}")
    return int(ports[-1]), urlencode([pair for pair in pairs if pair[0] != "rtsp"])


def _second(parts: SplitResult, port: int) -> Source:
    host = parts.hostname or ""
    place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    url = urlunsplit(("rtsp", place, parts.path, "", ""))
    return Source(kind=SourceKind.RTSP, url=url, listen=True)


def _file(url: str, *, loop: bool) -> Source:
    if not url.lower().startswith("file:"):
        path, _, query = url.rpartition("?")
        names = {name for name, _ in parse_qsl(query, keep_blank_values=True)}
        # A question mark may also be part of the name.
        is_option = bool(path) and names == {"loop"}
        return Source(kind=SourceKind.FILE, url=path if is_option else url, loop=loop)
    parts = urlsplit(url)
    if parts.netloc not in {"", "localhost"}:
        raise ValueError(f"file://{parts.netloc} is on another machine; write file:///path")
    return Source(kind=SourceKind.FILE, url=unquote(parts.path), loop=loop)


def _split(url: str) -> SplitResult:
    try:
        parts = urlsplit(url)
    except ValueError:
        # Python quotes the part before the host, which may hold a password.
        raise ValueError("the address has a host that can't be read") from None
    # Python leaves such characters out before it looks; FFmpeg takes what has them for a file,
    # or sends them on as a line of its request.
    if parts.scheme and (_CONTROL.search(url) or url != url.strip()):
        raise ValueError("the address has a control character, or a space at an end")
    return parts


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        # A `/` in a password ends up here, too.
        raise ValueError("the address has a port that is no number below 65536") from None


def _check_listener(host: str, port: int | None) -> None:
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = host == "localhost"
    if not loopback:
        raise ValueError(f"only a loopback address can listen (127.0.0.1), not {host}")
    if not port:
        raise ValueError("a listener needs its port in the URL: rtmp://127.0.0.1:1935/app/key")
