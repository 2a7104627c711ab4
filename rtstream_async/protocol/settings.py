"""What `connect()` is given, checked: key, address, headers; before any I/O, and never quoted."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Final
from urllib.parse import urlsplit

from rtstream_async.errors import AuthenticationError, InvalidArgumentError

__all__ = ["BASE_URL", "BASE_URL_VARIABLE", "KEY_VARIABLE", "api_key", "base_url", "extra_headers"]

BASE_URL: Final = "https://api.videodb.io"
BASE_URL_VARIABLE: Final = "VIDEO_DB_BASE_URL"
KEY_VARIABLE: Final = "VIDEO_DB_API_KEY"

_OWN_HEADERS = frozenset({"x-access-token", "x-videodb-client"})
_ALIKE = 0.66  # `retry` is `retries`; `org_id` is nothing of ours


def api_key(key: str | None, session_token: str | None, environment: Mapping[str, str]) -> str:
    """Return the credential: the key, else the session token, else the environment's key.

    Raises:
        AuthenticationError: There is none; the same class that a wrong one raises.
        InvalidArgumentError: It has characters that no header can carry. It is not quoted.
    """
    given = {
        "api_key": key,
        "session_token": session_token,
        KEY_VARIABLE: environment.get(KEY_VARIABLE),
    }
    for name, value in given.items():
        credential = (value or "").strip()
        if not credential:
            continue
        if not re.fullmatch(r"[!-~]+", credential):
            raise InvalidArgumentError(name, "has a character that is not printable ASCII")
        return credential
    raise AuthenticationError(
        f"no key: set {KEY_VARIABLE}, or call connect(api_key=...) or connect(session_token=...)"
    )


def base_url(url: str | None, environment: Mapping[str, str]) -> str:
    """Return the address of the API, without slashes at its end.

    Raises:
        InvalidArgumentError: It is no http(s) address, or has parts that don't belong there.
    """
    name = "base_url" if url else BASE_URL_VARIABLE
    text = (url or environment.get(BASE_URL_VARIABLE) or BASE_URL).strip().rstrip("/")
    try:
        parts = urlsplit(text)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        # Python quotes the port; a `/` in a password makes it one.
        problem = "is no address: its host or port can't be read"
        raise InvalidArgumentError(name, problem) from None
    if parts.scheme not in ("http", "https"):
        raise InvalidArgumentError(name, "must begin with https:// or http://")
    if not has_host:
        raise InvalidArgumentError(name, "names no host")
    if parts.username is not None or parts.query or parts.fragment:
        raise InvalidArgumentError(name, "must be scheme, host and path only")
    return text


def extra_headers(
    headers: Mapping[str, str] | None, options: Mapping[str, object], known: Collection[str]
) -> dict[str, str]:
    """Return the headers of every request: `headers`, and `org_id="o-1"` as `x-org-id: o-1`.

    Args:
        headers: As they are.
        options: Keyword arguments of `connect()` that are not its own.
        known: Its own, for guessing what a misspelt one meant.

    Raises:
        TypeError: An option looks like one of `known`, misspelt.
        InvalidArgumentError: A name or value that no header can have, or a header of ours.
    """
    found = {name.lower(): value for name, value in (headers or {}).items()}
    for option, value in options.items():
        _check_spelling(option, known)
        found["x-" + option.replace("_", "-").lower()] = str(value)
    for name, value in found.items():
        _check_header(name, value)
    return found


def _check_spelling(option: str, known: Collection[str]) -> None:
    import difflib  # loaded only by those who give options

    meant = difflib.get_close_matches(option, known, n=1, cutoff=_ALIKE)
    if meant:
        raise TypeError(
            f"connect() got an unexpected keyword argument {option!r}; did you mean"
            f" {meant[0]!r}? (a header of this name can be given in `headers`)"
        )


def _check_header(name: str, value: object) -> None:
    if name in _OWN_HEADERS:
        raise InvalidArgumentError("headers", f"can't have {name!r}: it is set from the key")
    if not re.fullmatch(r"[a-z0-9!#$%&'*+.^_`|~-]+", name):
        raise InvalidArgumentError("headers", f"can't have the name {name!r}")
    # A space at an end is refused by the HTTP library, which quotes the value.
    if not isinstance(value, str) or not re.fullmatch(r"([!-~]([ -~]*[!-~])?)?", value):
        raise InvalidArgumentError(
            "headers", f"{name!r} must be text of printable ASCII, with no space at its ends"
        )
