"""Engines by configuration: what is understood, what is refused, and where keys go."""

from __future__ import annotations

import logging

import pytest

from rtstream_async.errors import InvalidArgumentError
from rtstream_async.local import LocalServer
from rtstream_async.local.engines.choice import choose_engines
from rtstream_async.local.engines.openai.embedding import OpenAIEmbedding
from rtstream_async.local.engines.openai.language import OpenAILanguage
from rtstream_async.local.engines.openai.speech import OpenAISpeech
from rtstream_async.local.engines.openai.vision import OpenAIVision
from rtstream_async.local.engines.registry import Engines
from rtstream_async.local.engines.vision_process import VisionProcess
from rtstream_async.local.outbound import Outbound
from rtstream_async.local.refusal import Refusal
from tests.local.engines import PixelEngine

KINDS = {
    "vision": OpenAIVision,
    "speech": OpenAISpeech,
    "language": OpenAILanguage,
    "embedding": OpenAIEmbedding,
}
NONE = dict.fromkeys(KINDS)


def chosen(environ=None, **given):
    return choose_engines(**{**NONE, **given}, environ=environ or {})


def key_of(text, environ, kind="vision"):
    engine = getattr(chosen(environ, **{kind: text}).makers(Outbound()), kind).make()
    return engine._endpoint._key


@pytest.mark.parametrize("kind", KINDS)
async def test_text_chooses_an_endpoint_for_each_kind(kind):
    """It is what a command line can say."""
    choices = chosen(**{kind: "openai:http://127.0.0.1:8000#m"})
    engines = Engines(choices.makers(Outbound()))
    engine = await getattr(engines, kind)()
    assert isinstance(engine, KINDS[kind])
    assert engine.name == "openai:m@127.0.0.1:8000"
    await engines.aclose()


@pytest.mark.parametrize("given", [None, "offline"])
async def test_without_a_choice_all_is_offline(given):
    """Nothing leaves the machine unless somebody said so."""
    makers = chosen(**dict.fromkeys(KINDS, given)).makers(Outbound())
    assert isinstance(makers.vision.make(), VisionProcess)
    for kind in KINDS:
        assert getattr(makers, kind).label == "offline"
        assert getattr(makers, kind).make().name.startswith(("offline", "extractive"))


async def test_a_callable_makes_an_engine_of_ones_own():
    """The ports are open."""
    own = PixelEngine()
    engines = Engines(chosen(vision=lambda: own).makers(Outbound()))
    assert await engines.vision(model_name="pro", model_config={"whatever": 1}) is own
    assert engines.report()[0]["usage"] is None


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ("openai", "must be 'offline', 'openai:URL#model', or a callable"),
        ("http://127.0.0.1:8000/v1#m", "must be 'offline'"),
        ("", "must be 'offline'"),
        (7, "must be 'offline'"),
        ("openai:127.0.0.1:8000#m", "the endpoint is no "),
        ("openai:http://127.0.0.1:8000", "the endpoint names no model"),
        ("openai:http://user:geheim@h#m", "the key|is read from the environment"),
        ("openai:http://h?nonsense=1#m", "has the option 'nonsense'; allowed: timeout"),
    ],
)
def test_what_can_not_be_used_is_refused_with_the_server(kind, given, problem):
    """Before a port is taken, a directory made, or anything sent."""
    with pytest.raises(InvalidArgumentError, match=problem) as caught:
        LocalServer(**{kind: given})
    assert caught.value.argument == kind
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "environ", "value"),
    [
        ("openai:http://127.0.0.1:1#m", {"RTSTREAM_VISION_API_KEY": " k "}, "k"),
        ("openai:http://127.0.0.1:1#m", {"RTSTREAM_SPEECH_API_KEY": "k"}, None),
        ("openai:http://127.0.0.1:1#m", {"OPENAI_API_KEY": "k"}, None),
        ("openai:https://elsewhere.example#m", {"OPENAI_API_KEY": "k"}, None),
        ("openai:https://api.openai.com.evil.example#m", {"OPENAI_API_KEY": "k"}, None),
        ("openai:http://api.openai.com#m", {"OPENAI_API_KEY": "k"}, None),
        ("openai:https://api.openai.com/v1#m", {"OPENAI_API_KEY": "k"}, "k"),
        (
            "openai:https://api.openai.com/v1#m",
            {"OPENAI_API_KEY": "k", "RTSTREAM_VISION_API_KEY": "own"},
            "own",
        ),
        (
            "openai:https://api.openai.com/v1#m",
            {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"},
            None,
        ),
        (
            "openai:http://127.0.0.1:1/v1#m",
            {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "http://127.0.0.1:1/v1"},
            "k",
        ),
        ("openai:http://h#m", {"OPENAI_API_KEY": "k", "OPENAI_BASE_URL": "nonsense"}, None),
    ],
)
async def test_a_key_goes_to_the_endpoint_that_it_is_for_and_to_no_other(text, environ, value):
    """A key of OpenAI's, sent to somebody's server in the next room, is lost."""
    key = key_of(text, environ)
    assert key.value == value
    assert key.variable.startswith("RTSTREAM_VISION_API_KEY")
    assert value is None or value not in repr(key).replace(key.variable, "")


def test_a_key_that_can_be_none_is_refused_and_not_shown():
    """A line break would be a header of its own."""
    with pytest.raises(InvalidArgumentError, match="RTSTREAM_VISION_API_KEY has") as caught:
        chosen({"RTSTREAM_VISION_API_KEY": "geheim\r\nx: y"}, vision="openai:http://h#m")
    assert "geheim" not in str(caught.value)


def test_a_key_that_travels_in_the_open_is_warned_about(caplog):
    """It is often meant so, and sometimes not."""
    caplog.set_level(logging.WARNING)
    keys = {"RTSTREAM_VISION_API_KEY": "geheim"}
    for near in ("http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "https://far"):
        chosen(keys, vision=f"openai:{near}#m")
    assert not caplog.records
    chosen(keys, vision="openai:http://10.0.0.5:1#m")
    assert "RTSTREAM_VISION_API_KEY goes to 10.0.0.5:1 unencrypted" in caplog.text
    assert "geheim" not in caplog.text


async def test_an_index_with_a_setting_that_is_not_known_is_refused():
    """As an answer to the client, and not as an error of the server."""
    url = "openai:http://127.0.0.1:9#m"
    engines = Engines(chosen(vision=url, language=url).makers(Outbound()))
    for get in (engines.vision, engines.language):
        with pytest.raises(Refusal, match="model_config: 'stream' is not known") as caught:
            await get(model_config={"stream": True})
        assert caught.value.status == 400
    assert (await engines.vision(model_name="pro", model_config={"seed": 1})).name


async def test_the_report_says_what_was_chosen_and_what_it_cost(caplog):
    """`GET /local/engines` is made of it."""
    caplog.set_level(logging.INFO)
    engines = Engines(chosen(vision="openai:http://h/v1#m").makers(Outbound()))
    before = engines.report()
    assert [row["kind"] for row in before] == list(KINDS)
    assert before[0] == {
        "kind": "vision",
        "chosen": "openai:http://h/v1#m",
        "engine": None,
        "usage": None,
    }
    engine = await engines.vision()
    engine.usage.requests = 3
    engine.usage.note_answer(0.5)
    engine.usage.total_tokens = 70
    engine.usage.images = 15
    assert engines.report()[0]["engine"] == "openai:m@h"
    assert engines.report()[0]["usage"]["images"] == 15
    assert engines.report()[1]["usage"] is None
    await engines.aclose()
    assert (
        "vision by openai:m@h: 3 requests (0 repeated), 0 failures, 70 tokens, 15 images,"
        " 0.50 s an answer"
    ) in caplog.text
