"""The address of an OpenAI-compatible endpoint, as users write it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import SplitResult, parse_qsl, urlsplit

import attrs

__all__ = ["OPTIONS", "EndpointAddress", "origin_of", "parse_endpoint"]

_ROLES: Final = {
    "vision": ("mini", "basic", "pro", "ultra"),
    "speech": (),
    "language": ("mini", "basic", "pro", "ultra"),
    "embedding": ("query", "passage"),
}
_USUAL: Final = {"vision": "basic", "language": "basic", "embedding": "passage"}


@attrs.frozen(kw_only=True)
class EndpointAddress:
    """Where an engine is, and how it is to be used."""

    kind: str  #: `vision`, `speech`, `language` or `embedding`
    base_url: str  #: without a slash at its end
    model: str  #: what is used unless another one is named
    models: Mapping[str, str] = attrs.field(factory=dict[str, str])  #: by tier, or by role
    options: Mapping[str, Any] = attrs.field(factory=dict[str, Any])

    @property
    def host(self) -> str:
        """Host, with its port when that is not the usual one."""
        return origin_of(self.base_url).partition("://")[2]

    @property
    def hostname(self) -> str:
        """Host alone, an address without brackets."""
        return urlsplit(self.base_url).hostname or ""

    def named(self, model: str) -> str:
        """Return the name of the engine that `model` at this endpoint is."""
        return f"openai:{model}@{self.host}"

    def model_for(self, role: str | None) -> str:
        """Return the model for a tier or role; for one that is not configured, the usual one."""
        return self.models.get(role or "", self.model)


def parse_endpoint(kind: str, text: str) -> EndpointAddress:
    """Return what `URL?options#model` names, for an engine of a kind.

    Raises:
        ValueError: It can't be used; the text says why, and does not quote the address.
    """
    parts = _split(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"is no http:// or https:// address; write it as {_EXAMPLE}")
    if parts.username is not None or parts.password is not None:
        raise ValueError(
            "has a user or password in its URL; a key is read from the environment"
            f" (RTSTREAM_{kind.upper()}_API_KEY)"
        )
    model, models = _models(kind, parts.fragment)
    path = parts.path.rstrip("/") or "/v1"
    return EndpointAddress(
        kind=kind,
        base_url=f"{origin_of(text)}{path}",
        model=model,
        models=models,
        options=_options(kind, parts.query),
    )


def origin_of(url: str) -> str:
    """Return scheme, host and port (unless it is the usual one) of `url`; empty: it has none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return ""
    host = parts.hostname or ""
    if not host or not parts.scheme:
        return ""
    usual = {"http": 80, "https": 443}.get(parts.scheme)
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + ("" if port in (None, usual) else f":{port}")


_EXAMPLE: Final = "openai:https://host/v1#model"


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port  # reading it checks it
    except ValueError:
        raise ValueError(f"is no URL; write it as {_EXAMPLE}") from None
    if any(ord(char) <= ord(" ") for char in text):
        raise ValueError("has a space or a line break in it")
    return parts


def _models(kind: str, fragment: str) -> tuple[str, Mapping[str, str]]:
    """Return the usual model, and those for roles: `a`, `mini=a,pro=b` or `a,pro=b`."""
    usual, models = "", dict[str, str]()
    for part in filter(None, fragment.split(",")):
        role, equals, model = part.partition("=")
        if not equals or role not in _ROLES[kind]:
            if usual:
                raise ValueError(f"names two models, {usual!r} and {part!r}; {_how(kind)}")
            usual = part
        elif not model or role in models:
            raise ValueError(f"names no model, or two, as {role!r}")
        else:
            models[role] = model
    first = models.get(_USUAL.get(kind, "")) or next(iter(models.values()), "")
    if not (usual or first):
        raise ValueError(f"names no model; write it after a '#': {_EXAMPLE}")
    return usual or first, models


def _how(kind: str) -> str:
    roles = _ROLES[kind]
    if not roles:
        return "there is one for speech"
    return f"write {','.join(f'{role}=...' for role in roles)} for several"


def _options(kind: str, query: str) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        known = OPTIONS[kind]
        if name not in known:
            raise ValueError(f"has the option {name!r}; allowed: {', '.join(known)}")
        try:
            options[name] = known[name](value)
        except ValueError as exc:
            raise ValueError(f"has the option {name}={value!r}, which should be {exc}") from None
    return options


def _number(low: float, high: float) -> Callable[[str], float]:
    def read(text: str) -> float:
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not low <= number <= high:
            raise ValueError(f"a number from {low:g} to {high:g}")
        return number

    return read


def _whole(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text[:12]) <= high):
            raise ValueError(f"a whole number from {low} to {high}")
        return int(text)

    return read


def _one_of(choices: Sequence[str]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(f"one of {', '.join(choices)}")
        return text

    return read


_Readers = Mapping[str, Callable[[str], Any]]

_COMMON: Final[_Readers] = {
    "timeout": _number(0.1, 3600.0),
    "retries": _whole(0, 10),
    "concurrency": _whole(1, 50),
}
_CHAT: Final[_Readers] = {
    **_COMMON,
    "max_tokens": _whole(1, 1_000_000),
    "temperature": _number(0.0, 2.0),
}

OPTIONS: Final[Mapping[str, _Readers]] = {
    "vision": {**_CHAT, "detail": _one_of(("low", "high", "auto"))},
    "speech": {**_COMMON, "language": str, "longest": _number(2.0, 30.0)},
    "language": _CHAT,
    "embedding": {
        **_COMMON,
        "batch": _whole(1, 2048),
        "query_prefix": str,
        "passage_prefix": str,
        "input_type": _one_of(("yes", "no")),
    },
}
"""What may stand after the `?`, for each kind, with what reads it."""
