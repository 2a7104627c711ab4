"""Which addresses the server may call on a client's word: patterns of hosts."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

import attrs

__all__ = ["Targets", "is_address", "is_loopback", "parse_targets"]

_PATTERN = re.compile(r"(?P<host>\[[^\]]+\]|[^:\[\]]+)(?::(?P<port>\d{1,5}))?")
_NAME = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")
_MAX_PORT = 65535

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@attrs.frozen
class _Pattern:
    """One pattern: a network, or a name that may begin with `*.`; and a port, or any."""

    network: _Network | None
    name: str
    port: int | None

    def fits(self, host: str, port: int) -> bool:
        if self.port not in (None, port):
            return False
        if self.network is not None:
            return is_address(host) and ipaddress.ip_address(host) in self.network
        if self.name.startswith("*."):
            return host.endswith(self.name[1:]) and not is_address(host)
        return host == self.name


@attrs.frozen
class Targets:
    """A list of what may be called; `None`: everything."""

    patterns: tuple[_Pattern, ...] | None

    def allow(self, host: str, port: int) -> bool:
        """Return whether `host` (a name in ASCII, or an address without brackets) may be called."""
        if self.patterns is None:
            return True
        name = host.lower().rstrip(".")
        return any(pattern.fits(name, port) for pattern in self.patterns)


def parse_targets(patterns: Iterable[str] | None) -> Targets:
    """Return what `patterns` allow.

    `example.com` and `10.0.0.5` allow any port of one host, `example.com:8443` and `[::1]:80` one
    port, `*.example.com` all names below `example.com` (and not itself), `10.0.0.0/8` all
    addresses of a network. A name is compared as it is written, never looked up: a network allows
    addresses in URLs, and no names that lead there.

    Raises:
        ValueError: One of them is none of these.
    """
    if patterns is None:
        return Targets(None)
    return Targets(tuple(_parse(pattern.strip().lower()) for pattern in patterns))


def is_address(host: str) -> bool:
    """Return whether `host` is an IP address, written in the usual way."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether `host` is this machine, by its name or address alone."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def _parse(pattern: str) -> _Pattern:
    network = _network(pattern)
    if network is not None:
        return _Pattern(network, "", None)
    found = _PATTERN.fullmatch(pattern)
    if found is None:
        raise _unreadable(pattern)
    host = found["host"].strip("[]")
    port = None if found["port"] is None else int(found["port"])
    if port is not None and not 0 < port <= _MAX_PORT:
        raise _unreadable(pattern)
    network = _network(host)
    name = host.rstrip(".")
    if network is None and not _NAME.fullmatch(name):
        raise _unreadable(pattern)
    return _Pattern(network, name, port)


def _network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _unreadable(pattern: str) -> ValueError:
    return ValueError(f"{pattern!r} is no host, host:port, *.domain or network such as 10.0.0.0/8")
