"""Frames and prompts to a model behind an endpoint, and what it may answer."""

from __future__ import annotations

import io
import json

import attrs
import av
import msgspec
import numpy as np
import pytest

from rtstream_async.local.engines.openai.chat import Chat
from rtstream_async.local.engines.openai.vision import OpenAIVision
from rtstream_async.local.engines.ports import EngineError, Frame, Tunable
from rtstream_async.protocol.structured import prompt_for
from tests.engines.endpoints import USAGE, endpoint_to, failing, stub, usage

START = 1_700_000_000.0


@attrs.frozen
class Door:
    color: str
    is_open: bool


def numbered(index, time=START):
    """A JPEG with a number drawn into it, which the endpoint reads."""
    picture = np.zeros((96, 192, 3), np.uint8)
    for bit in range(12):
        if index >> (11 - bit) & 1:
            picture[:, bit * 16 : (bit + 1) * 16] = 255
    file = io.BytesIO()
    with av.open(file, "w", format="mjpeg") as out:
        stream = out.add_stream("mjpeg", 25)
        stream.width, stream.height, stream.pix_fmt = 192, 96, "yuvj420p"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    return Frame(time=time, jpeg=file.getvalue(), width=192, height=96)


FRAMES = [numbered(index, START + index * 0.5) for index in (7, 8, 1000)]


def vision(endpoint, **wishes):
    engine = OpenAIVision(Chat(endpoint))
    if not wishes:
        return engine
    return engine.tuned(**{"model_name": None, "model_config": {}, **wishes})


async def describe(engine, prompt="What is it?"):
    return await engine.describe(FRAMES, key="k", prompt=prompt)


async def test_frames_arrive_whole_and_in_order_with_the_prompt():
    """A model that sees another second, or backwards, describes what never happened."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        seen = await describe(vision(endpoint))
    assert server.pictures == [[7, 8, 1000]]
    (body,) = server.bodies
    assert body["model"] == "vl"
    assert body.keys() == {"model", "messages"}
    text = body["messages"][0]["content"][0]["text"]
    assert text.startswith("Below is 3 frames, in order, over 496.5 s, of a live video.")
    assert text.endswith("\n\nWhat is it?")
    assert seen.text == "A red door."
    host = server.url.removeprefix("http://")
    assert seen.engine == f"openai:vl@{host}"
    assert seen.metadata["model"] == "vl-2"
    assert seen.metadata["frames"] == 3
    assert seen.metadata["prompt_followed"] is True
    assert {name: seen.metadata[name] for name in USAGE} == USAGE
    assert seen.metadata["answer_seconds"] >= 0
    assert msgspec.json.encode(seen.metadata)
    counters = usage(endpoint)
    assert (counters["images"], counters["total_tokens"], counters["requests"]) == (3, 107, 1)


async def test_one_frame_without_a_prompt_is_described():
    """The reference leaves prompts out."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        await vision(endpoint).describe(FRAMES[:1], key="k", prompt=None)
        with pytest.raises(ValueError, match="frames is empty"):
            await vision(endpoint).describe([], key="k", prompt=None)
    text = server.bodies[0]["messages"][0]["content"][0]["text"]
    assert text.startswith("Below is a frame of a live video.\n\nDescribe")


async def test_settings_of_endpoint_and_index_are_passed_on():
    """Who pays by the token sets a limit; an index may set another one."""
    options = "?detail=low&max_tokens=50&temperature=0"
    async with stub() as server, endpoint_to(server.url, options=options) as endpoint:
        await describe(vision(endpoint))
        config = {"max_tokens": 9, "seed": 4, "detail": "high"}
        await describe(vision(endpoint, model_config=config))
        await describe(vision(endpoint, model_config={"max_completion_tokens": 8}))
    usual, own, newer = server.bodies
    assert (usual["max_tokens"], usual["temperature"]) == (50, 0)
    assert (own["max_tokens"], own["temperature"], own["seed"]) == (9, 0, 4)
    assert newer["max_completion_tokens"] == 8
    assert "max_tokens" not in newer
    details = [
        {part["image_url"]["detail"] for part in body["messages"][0]["content"][1:]}
        for body in (usual, own)
    ]
    assert details == [{"low"}, {"high"}]


async def test_a_tier_is_the_model_that_was_configured_for_it():
    """`pro` costs more: it must be meant, and the record must say so."""
    async with stub() as server, endpoint_to(server.url, model="vl,pro=big") as endpoint:
        assert isinstance(vision(endpoint), Tunable)
        for tier, model in [("pro", "big"), ("basic", "vl"), (None, "vl"), ("unheard-of", "vl")]:
            engine = vision(endpoint, model_name=tier)
            seen = await describe(engine)
            assert server.bodies[-1]["model"] == model
            assert seen.engine == engine.name
            assert seen.engine.startswith(f"openai:{model}@")


@pytest.mark.parametrize(
    ("config", "problem"),
    [
        ({"messages": []}, "'messages' is not known here; allowed: detail, frequency_penalty"),
        ({"model": "other"}, "'model' is not known here"),
        ({"detail": "huge"}, "detail must be one of low, high, auto"),
        ({"response_format": "json"}, "response_format must be"),
    ],
)
async def test_a_setting_that_is_not_known_is_refused_with_the_index(config, problem):
    """Nobody reads the hundredth window's error; and no client chooses another model."""
    async with endpoint_to("http://127.0.0.1:9") as endpoint:
        with pytest.raises(ValueError, match=problem):
            vision(endpoint, model_config=config)


def says(*answers):
    """Return what gives one answer after the other."""
    left = list(answers)
    return lambda body: left.pop(0)


DOOR = '{"color": "red", "is_open": false}'


async def test_a_type_is_asked_for_as_a_schema_and_comes_as_json():
    """`message.output` is decoded from it."""
    async with stub(says=says(DOOR)) as server, endpoint_to(server.url) as endpoint:
        seen = await describe(vision(endpoint), prompt_for("The door?", Door))
    assert msgspec.json.decode(seen.text, type=Door) == Door("red", is_open=False)
    assert "output_error" not in seen.metadata
    sent = server.bodies[0]["response_format"]
    assert sent["type"] == "json_schema"
    assert set(sent["json_schema"]["schema"]["required"]) == {"color", "is_open"}


@pytest.mark.parametrize(
    ("formats", "tried"),
    [
        (("json_schema", "json_object"), ["json_schema"]),
        (("json_object",), ["json_schema", "json_object"]),
        ((), ["json_schema", "json_object", None]),
    ],
)
async def test_an_endpoint_without_such_formats_is_asked_without(formats, tried):
    """Local servers know none, or one; it is found out once, and not with every window."""
    async with (
        stub(says=lambda body: DOOR, formats=formats) as server,
        endpoint_to(server.url) as endpoint,
    ):
        engine = vision(endpoint)
        another = engine.tuned(model_name="pro", model_config={})  # an index is spared it, too
        for asked in (engine, engine, another):
            seen = await describe(asked, prompt_for("The door?", Door))
            assert seen.text == DOOR
    kinds = [body.get("response_format", {"type": None})["type"] for body in server.bodies]
    assert kinds == [*tried, tried[-1], tried[-1]]


async def test_a_format_of_the_index_is_passed_on_as_it_is():
    """A user knows what his endpoint takes."""
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    async with stub(says=says('{"n": 1}')) as server, endpoint_to(server.url) as endpoint:
        engine = vision(endpoint, model_config={"response_format": form})
        assert (await describe(engine)).text == '{"n": 1}'
    assert server.bodies[0]["response_format"] == form


async def test_a_wrong_answer_is_asked_for_again_with_what_is_wrong():
    """Most models get it right then."""
    wrong = 'Sure!\n```json\n{"color": 7, "is_open": false}\n```'
    right = f"```\n{DOOR}\n```"
    async with stub(says=says(wrong, right)) as server, endpoint_to(server.url) as endpoint:
        seen = await describe(vision(endpoint), prompt_for("The door?", Door))
    assert seen.text == DOOR
    assert "output_error" not in seen.metadata
    first, second = (body["messages"] for body in server.bodies)
    assert second[0] == first[0]
    assert second[1] == {"role": "assistant", "content": wrong}
    assert "the answer.color should be string" in second[2]["content"]
    assert seen.metadata["total_tokens"] == 214
    assert usage(endpoint)["images"] == 6


@pytest.mark.parametrize(
    ("answers", "text", "problem"),
    [
        (("A door.", "A red door."), "A red door.", "it is not JSON"),
        (('{"color": "r', '{"color": "r'), '{"color": "r', "it is not JSON"),
        (("{}", '{"color": 7}'), '{"color": 7}', "the answer has no 'is_open'"),
    ],
)
async def test_what_stays_wrong_is_told_as_it_was_said_and_flagged(answers, text, problem):
    """Nothing is made up, and nothing that was paid for is thrown away."""
    async with stub(says=says(*answers)) as server, endpoint_to(server.url) as endpoint:
        seen = await describe(vision(endpoint), prompt_for("The door?", Door))
    assert len(server.bodies) == 2
    assert seen.text == text
    assert problem.partition("is_open")[0] in seen.metadata["output_error"]


async def test_the_first_answer_is_told_when_the_second_never_comes():
    """An endpoint may go away between the two."""
    async with stub(says=says("A red door.")) as server, endpoint_to(server.url) as endpoint:

        async def then_fail(seen, writer):
            await server.handle(seen, writer)
            server.always = failing(500)

        server.next.append(then_fail)
        seen = await describe(vision(endpoint), prompt_for("The door?", Door))
        assert seen.text == "A red door."
        assert seen.metadata["output_error"] == "it is not JSON"


async def test_an_answer_that_was_cut_says_so():
    """Half a sentence looks like a whole one."""
    async with stub(finish_reason="length") as server, endpoint_to(server.url) as endpoint:
        assert (await describe(vision(endpoint))).metadata["is_cut"] is True


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"choices": []}, "'vl' has answered with no choice"),
        ({"choices": [{"message": {}}]}, "'vl' has answered with nothing"),
        (
            {"choices": [{"message": {"content": " "}, "finish_reason": "content_filter"}]},
            r"'vl' has answered with nothing \(content_filter\)",
        ),
        ({"choices": [{"message": {"content": "<think>Hm.</think>"}}]}, "answered with nothing"),
        (
            {"choices": [{"message": {"content": None, "refusal": "I can't."}}]},
            "'vl' declines: I can't.",
        ),
        ({"choices": [{"message": {"content": 7}}]}, "not of OpenAI's kind"),
        ({"choices": [{}]}, "not of OpenAI's kind"),
        ({"object": "list"}, "not of OpenAI's kind"),
        ([], "not of OpenAI's kind"),
    ],
)
async def test_no_answer_is_an_error_and_no_record(body, problem):
    """An empty record would look like an empty scene."""
    async with stub() as server, endpoint_to(server.url) as endpoint:
        server.next.append(failing(200, body))
        with pytest.raises(EngineError, match=problem):
            await describe(vision(endpoint))
    counters = usage(endpoint)
    assert counters["failures"] == 1
    assert counters["last_error"]


async def test_an_answer_in_parts_is_joined_and_tokens_may_be_missing():
    """Some servers answer so; the format allows it."""
    parts = [{"type": "text", "text": "A red "}, {"type": "text", "text": "door."}]
    async with stub() as server, endpoint_to(server.url) as endpoint:
        server.next.append(failing(200, {"choices": [{"message": {"content": parts}}]}))
        seen = await describe(vision(endpoint))
    assert seen.text == "A red door."
    assert seen.metadata["model"] == "vl"
    assert "total_tokens" not in seen.metadata


async def test_a_model_that_is_not_there_is_named():
    """A typing error in the configuration."""
    async with stub() as server, endpoint_to(server.url, model="missing") as endpoint:
        with pytest.raises(EngineError, match=r"has no model 'missing'.*: no such model"):
            await describe(vision(endpoint))


async def test_it_is_ready_at_once_and_ends_for_all_indexes():
    """A server starts before its endpoint does; and stops for good."""
    async with endpoint_to("http://127.0.0.1:9") as endpoint:
        engine = vision(endpoint)
        await engine.warm_up()
        assert engine.usage.requests == 0
        tuned = vision(endpoint, model_name="pro")
        await engine.aclose()
        with pytest.raises(EngineError, match="was closed"):
            await describe(tuned)
    assert json.dumps(engine.usage.report())
