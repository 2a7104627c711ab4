"""Expiring tokens for what a browser, a socket or an end user's machine does without the key.

A token names what it opens (one socket, one window of one stream or video, one file) and until
when. It can't be changed without the server's secret, and opens nothing else.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Callable

import attrs
import msgspec

from rtstream_async.local.refusal import Refusal

__all__ = ["CLIENT", "CLIENT_PREFIX", "Grant", "Tokens"]

CLIENT = "client"
"""The kind of a token that stands in for the key, on the machine of an end user."""

CLIENT_PREFIX = "st-"

_MAC_BYTES = 16


@attrs.frozen(kw_only=True)
class Grant:
    """What a token opens."""

    kind: str  #: `socket`, `clip`, `timeline`, `file` or `client`
    subject: str  #: connection nonce, or id of a stream, a video, or shots of videos
    start_us: int = 0  #: begin of the window, Unix microseconds
    end_us: int = 0  #: end of the window, Unix microseconds


@attrs.frozen
class Tokens:
    """Issues and checks tokens; those of an earlier run are good while they share the secret."""

    _secret: bytes = attrs.field(repr=False)
    _clock: Callable[[], float] = time.time

    def issue(self, grant: Grant, *, lifetime: float) -> str:
        """Return a token for `grant` that is good for `lifetime` seconds."""
        claims = msgspec.json.encode(
            [grant.kind, grant.subject, grant.start_us, grant.end_us, self._clock() + lifetime]
        )
        return f"{_text(claims)}.{_text(self._mac(claims))}"

    def check(self, token: str, *kinds: str) -> Grant:
        """Return what `token` opens, which is one of `kinds`.

        Raises:
            Refusal: It is missing, not ours, for something else, or has expired.
        """
        claims, mac = _parts(token)
        if not hmac.compare_digest(mac, self._mac(claims)):
            raise Refusal(403, "BAD_TOKEN", "the token in this URL is not valid; ask for a new URL")
        named, subject, start_us, end_us, expires = msgspec.json.decode(
            claims, type=tuple[str, str, int, int, float]
        )
        if named not in kinds:
            raise Refusal(403, "BAD_TOKEN", "the token in this URL is for something else")
        if self._clock() > expires:
            raise Refusal(403, "EXPIRED", "this URL has expired; ask for a new one")
        return Grant(kind=named, subject=subject, start_us=start_us, end_us=end_us)

    def _mac(self, claims: bytes) -> bytes:
        return hmac.digest(self._secret, claims, hashlib.sha256)[:_MAC_BYTES]


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _parts(token: str) -> tuple[bytes, bytes]:
    claims, _, mac = token.partition(".")
    try:
        return _bytes(claims), _bytes(mac)
    except (binascii.Error, ValueError):
        raise Refusal(403, "BAD_TOKEN", "the token in this URL is damaged") from None


def _bytes(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
