"""Summaries and judgements of a model behind an endpoint."""

from __future__ import annotations

import json

import pytest

from rtstream_async.local.engines.openai.chat import Chat
from rtstream_async.local.engines.openai.language import OpenAILanguage
from rtstream_async.local.engines.ports import EngineError, Verdict
from rtstream_async.protocol.structured import prompt_for
from tests.engines.endpoints import endpoint_to, failing, stub, usage

FITS = {"fits": True, "confidence": 0.9, "explanation": " Two people are there. "}


def language(endpoint):
    return OpenAILanguage(Chat(endpoint))


def to(server, **fields):
    return endpoint_to(server.url, kind="language", **fields)


async def test_what_was_said_is_summarised_as_asked():
    """The prompt is the user's, the transcript is data."""
    async with stub(says=lambda body: "They agree.") as server, to(server) as endpoint:
        summary = await language(endpoint).summarise(
            ["We ship on Monday.", "Yes."], prompt="What is decided?"
        )
        await language(endpoint).summarise(["Yes."], prompt=None)
    assert summary.text == "They agree."
    assert summary.engine.startswith("openai:vl@127.0.0.1:")
    assert summary.metadata["total_tokens"] == 107
    assert summary.metadata["prompt_followed"] is True
    asked, usual = (body["messages"][0]["content"] for body in server.bodies)
    assert asked.startswith("What is decided?\n\n")
    assert "<transcript>\nWe ship on Monday.\nYes.\n</transcript>" in asked
    assert usual.startswith("Summarise")
    assert "response_format" not in server.bodies[0]


async def test_a_summary_may_be_json_of_a_type():
    """`index_audio` takes an `output_type`, too."""
    prompt = prompt_for("What is decided?", dict[str, int])
    async with stub(says=lambda body: '```json\n{"n": 1}\n```') as server, to(server) as endpoint:
        summary = await language(endpoint).summarise(["One."], prompt=prompt)
        assert summary.text == '{"n": 1}'
        server.says = lambda body: "One."
        flagged = await language(endpoint).summarise(["One."], prompt=prompt)
    assert flagged.text == "One."
    assert flagged.metadata["output_error"] == "it is not JSON"
    assert server.bodies[0]["response_format"]["type"] == "json_schema"


async def test_an_index_has_its_own_model_and_settings():
    """`model_name` and `model_config` of `index_audio`."""
    async with stub() as server, to(server, model="vl,mini=small") as endpoint:
        tuned = language(endpoint).tuned(model_name="mini", model_config={"max_tokens": 5})
        await tuned.summarise(["Yes."], prompt=None)
        with pytest.raises(ValueError, match="'stream' is not known"):
            language(endpoint).tuned(model_name=None, model_config={"stream": True})
    assert (server.bodies[0]["model"], server.bodies[0]["max_tokens"]) == ("small", 5)


@pytest.mark.parametrize("formats", [("json_schema",), ("json_object",), ()])
async def test_a_judgement_is_a_verdict(formats):
    """Alerts are sent by it, with its words."""
    said = json.dumps(FITS)
    async with stub(says=lambda body: said, formats=formats) as server, to(server) as endpoint:
        verdict = await language(endpoint).judge("Two people.", rule="more than one person")
    assert verdict == Verdict(fits=True, confidence=0.9, explanation="Two people are there.")
    text = server.bodies[-1]["messages"][0]["content"]
    assert "more than one person" in text
    assert "<observation>\nTwo people.\n</observation>" in text


@pytest.mark.parametrize(
    "said",
    [
        "Yes.",
        "{}",
        '{"fits": "yes", "confidence": 1, "explanation": "x"}',
        '{"fits": true, "confidence": 90, "explanation": "x"}',
        '{"fits": true, "confidence": 0.9, "explanation": null}',
        '[true, 1.0, "x"]',
    ],
)
async def test_what_is_no_judgement_judges_nothing(said):
    """An alert must not be sent, or held back, by a guess at what was meant."""
    async with stub(says=lambda body: said) as server, to(server) as endpoint:
        with pytest.raises(EngineError, match="gives no judgement"):
            await language(endpoint).judge("Two people.", rule="a crowd")
    assert len(server.bodies) == 2


async def test_a_failing_endpoint_is_an_error():
    """Whoever asked falls back to what it knows without."""
    async with stub() as server, to(server) as endpoint:
        engine = language(endpoint)
        await engine.warm_up()
        server.next.append(failing(401))
        with pytest.raises(EngineError, match="refuses the key"):
            await engine.judge("x", rule="y")
        await engine.aclose()
        with pytest.raises(EngineError, match="was closed"):
            await engine.summarise(["x"], prompt=None)
    assert engine.usage is endpoint.usage
    assert usage(endpoint)["failures"] == 2
