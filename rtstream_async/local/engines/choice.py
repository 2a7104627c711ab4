"""Which engine is used for what: text from a command line, or a callable from a program."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, Generic, TypeVar, cast

import attrs

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.local.domain.endpoints import EndpointAddress, origin_of, parse_endpoint
from rtstream_async.local.domain.targets import is_loopback
from rtstream_async.local.engines import defaults
from rtstream_async.local.engines.openai.chat import Chat
from rtstream_async.local.engines.openai.embedding import OpenAIEmbedding
from rtstream_async.local.engines.openai.endpoint import Endpoint, EndpointKey
from rtstream_async.local.engines.openai.language import OpenAILanguage
from rtstream_async.local.engines.openai.vision import OpenAIVision
from rtstream_async.local.engines.ports import (
    EmbeddingEngine,
    LanguageEngine,
    SpeechEngine,
    VisionEngine,
)
from rtstream_async.local.engines.registry import EngineMakers, Maker
from rtstream_async.local.outbound import Outbound

__all__ = ["EngineChoices", "choose_engines"]

logger = logging.getLogger(__name__)

E = TypeVar("E")

_OFFLINE: Final = "offline"
_OPENAI: Final = "openai:"
_OPENAI_ORIGIN: Final = "https://api.openai.com"


@attrs.frozen(kw_only=True)
class _Choice(Generic[E]):
    """One engine that was chosen; `make` makes it."""

    label: str  #: what was chosen, for people
    make: Callable[[Outbound], E]

    def maker(self, outbound: Outbound) -> Maker[E]:
        return Maker(label=self.label, make=lambda: self.make(outbound))


@attrs.frozen(kw_only=True)
class EngineChoices:
    """What was chosen for each kind of engine."""

    vision: _Choice[VisionEngine]
    speech: _Choice[SpeechEngine]
    language: _Choice[LanguageEngine]
    embedding: _Choice[EmbeddingEngine]

    def makers(self, outbound: Outbound) -> EngineMakers:
        """Return how each is made, with the door that their requests go through."""
        return EngineMakers(
            vision=self.vision.maker(outbound),
            speech=self.speech.maker(outbound),
            language=self.language.maker(outbound),
            embedding=self.embedding.maker(outbound),
        )


def choose_engines(
    *,
    vision: str | Callable[[], VisionEngine] | None,
    speech: str | Callable[[], SpeechEngine] | None,
    language: str | Callable[[], LanguageEngine] | None,
    embedding: str | Callable[[], EmbeddingEngine] | None,
    environ: Mapping[str, str] | None = None,
) -> EngineChoices:
    """Return what was chosen, checked; nothing is opened or loaded.

    Each is `offline` (or `None`), `openai:URL#model`, or a callable that makes an engine. Keys are
    read from `environ` (that of the process, when not given): `RTSTREAM_VISION_API_KEY` and so on.

    Raises:
        InvalidArgumentError: A choice can't be used; the text says why.
    """
    keys = os.environ if environ is None else environ
    return EngineChoices(
        vision=_choose("vision", vision, defaults.vision, _vision, keys),
        speech=_choose("speech", speech, defaults.speech, _speech, keys),
        language=_choose("language", language, defaults.language, _language, keys),
        embedding=_choose("embedding", embedding, defaults.embedding, OpenAIEmbedding, keys),
    )


def _vision(endpoint: Endpoint) -> VisionEngine:
    return OpenAIVision(Chat(endpoint))


def _speech(endpoint: Endpoint) -> SpeechEngine:
    from rtstream_async.local.engines.openai.speech import OpenAISpeech  # it loads numpy

    return OpenAISpeech(endpoint)


def _language(endpoint: Endpoint) -> LanguageEngine:
    return OpenAILanguage(Chat(endpoint))


def _choose(
    kind: str,
    given: Any,
    offline: Callable[[], E],
    online: Callable[[Endpoint], E],
    environ: Mapping[str, str],
) -> _Choice[E]:
    if given is None or given == _OFFLINE:
        return _Choice(label=_OFFLINE, make=lambda _: offline())
    if callable(given):
        make = cast("Callable[[], E]", given)
        return _Choice(label=str(getattr(given, "__name__", "custom")), make=lambda _: make())
    if not isinstance(given, str) or not given.startswith(_OPENAI):
        raise InvalidArgumentError(
            kind, "must be 'offline', 'openai:URL#model', or a callable that makes an engine"
        )
    try:
        address = parse_endpoint(kind, given.removeprefix(_OPENAI))
    except ValueError as exc:
        raise InvalidArgumentError(kind, f"the endpoint {exc}") from None
    key = _key_for(address, environ)
    return _Choice(
        label=f"{_OPENAI}{address.base_url}#{address.model}",
        make=lambda outbound: online(Endpoint(outbound, address, key)),
    )


def _key_for(address: EndpointAddress, environ: Mapping[str, str]) -> EndpointKey:
    """Return the key for an endpoint, and for no other."""
    variable = f"RTSTREAM_{address.kind.upper()}_API_KEY"
    value = environ.get(variable, "").strip()
    # That one belongs to the place that OpenAI's own client would send it to, and nowhere else.
    home = origin_of(environ.get("OPENAI_BASE_URL", "").strip() or _OPENAI_ORIGIN)
    if not value and home and origin_of(address.base_url) == home:
        fallback = environ.get("OPENAI_API_KEY", "").strip()
        variable = f"{variable} or OPENAI_API_KEY"
        value = fallback
    if any(not "!" <= char <= "~" for char in value):
        raise InvalidArgumentError(
            address.kind, f"the key in {variable} has characters that no key has"
        )
    if value and address.base_url.startswith("http://") and not is_loopback(address.hostname):
        logger.warning("the key in %s goes to %s unencrypted", variable, address.host)
    return EndpointKey(value=value or None, variable=variable)
