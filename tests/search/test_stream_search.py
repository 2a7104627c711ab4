"""Searching in streams, as a client sees it."""

from __future__ import annotations

import pytest

from tests.search.site import EPOCH, Site

STREET = (
    "a dog crosses the street",
    "two people carry a sofa",
    "smoke and flames behind the garage",
    "number plate KX73 TLD passes",
)


async def test_an_answer_in_other_words_is_found(here: Site) -> None:
    """People do not know the words that an engine has chosen."""
    stream, index = await here.stream(*STREET)
    answer = await here.search(stream, "hound")
    best = answer["results"][0]
    assert best["text"] == STREET[0]
    assert (best["start"], best["end"]) == (EPOCH, EPOCH + 2)
    assert best["rtstream_id"] == stream
    assert best["scene_index_id"] == index
    assert best["scene_index_name"].startswith("Scene index")
    assert best["engine"] == "scripted"
    assert best["metadata"] == {}
    assert 0 < best["score"] <= 1
    assert answer["warnings"] == []
    assert answer["degraded"] is False


async def test_times_keep_their_microseconds(here: Site) -> None:
    """A shot is played from `start` to `end`: a rounded one shows what came before."""
    stream, _ = await here.stream()
    start, end = 1748483434.213579, 1748483439.987653
    await here.server.control.add_scene(stream, "a dog", start=start, end=end)
    (hit,) = (await here.search(stream, "dog"))["results"]
    assert (hit["start"], hit["end"]) == (start, end)


async def test_a_code_is_found_before_what_resembles_it(here: Site) -> None:
    """Somebody who types a number plate wants that car."""
    others = [f"number plate KX{number} TLD passes again and again" for number in range(10, 30)]
    stream, _ = await here.stream(*others, STREET[3])
    answer = await here.search(stream, "where did number plate KX73 pass")
    first, second = answer["results"][:2]
    assert first["text"] == STREET[3]
    assert first["score"] > 0.5 >= second["score"]


async def test_a_phrase_in_quotation_marks_is_taken_literally(here: Site) -> None:
    """Quotation marks mean that everywhere else too."""
    stream, _ = await here.stream("the gate is red", "the red gate", "a gate")
    assert (await here.texts(stream, '"red gate"'))[0] == "the red gate"


async def test_a_whole_collection_is_searched(here: Site) -> None:
    """Which camera saw it is the question."""
    first, one = await here.stream("a dog sleeps", name="yard")
    second, other = await here.stream("a puppy runs", "a fire", name="gate")
    found = (await here.search(None, "dog"))["results"]
    by_text = {hit["text"]: hit for hit in found}
    assert by_text["a dog sleeps"]["rtstream_id"] == first
    assert by_text["a dog sleeps"]["rtstream_name"] == "yard"
    assert by_text["a puppy runs"]["rtstream_id"] == second
    assert by_text["a puppy runs"]["rtstream_name"] == "gate"
    assert {hit["scene_index_id"] for hit in found} <= {one, other}
    assert await here.texts(first, "dog") == ["a dog sleeps"]


async def test_other_collections_are_left_out(here: Site) -> None:
    """Collections are what users keep apart."""
    await here.stream("a dog sleeps")
    made = await here.api.call("POST", "/collection", json={"name": "x", "description": "y"})
    path = f"/rtstream/collection/{made['id']}/search"
    answer = await here.api.call("POST", path, json={"query": "dog"})
    assert answer["results"] == []


async def test_one_index_is_searched(here: Site) -> None:
    """A stream may have an index of what is seen and one of what is said."""
    stream, first = await here.stream()
    second = await here.api.index(stream)
    await here.tell(stream, "a dog on the grass", index_id=first)
    await here.tell(stream, "the dog is called Rex", index_id=second)
    assert len(await here.texts(stream, "dog")) == 2
    assert await here.texts(stream, "dog", scene_index_id=second) == ["the dog is called Rex"]
    assert len(await here.texts(stream, "dog", scene_index_id="")) == 2
    path = f"/rtstream/{stream}/search"
    body = {"query": "dog", "scene_index_id": "0123456789abcdef"}
    refused = await here.api.refused("POST", path, 404, json=body)
    assert "no index '0123456789abcdef'" in refused["message"]


async def test_what_is_seen_and_what_is_said_are_searched_apart(here: Site) -> None:
    """The official Node SDK sends `index_type`."""
    stream = await here.api.connect(media_types=["video", "audio"])
    seen = await here.api.index(stream)
    heard = await here.api.index(stream, extraction_type="transcript", extraction_config={})
    await here.tell(stream, "a dog on the grass", index_id=seen)
    await here.tell(stream, "the dog is called Rex", index_id=heard)
    assert await here.texts(stream, "dog", index_type="scene") == ["a dog on the grass"]
    assert await here.texts(stream, "dog", index_type="spoken_word") == ["the dog is called Rex"]
    for both in (None, ""):
        assert len(await here.texts(stream, "dog", index_type=both)) == 2
    body = {"query": "dog", "index_type": "smell"}
    refused = await here.api.refused("POST", f"/rtstream/{stream}/search", 400, json=body)
    assert "allowed: scene, spoken_word" in refused["message"]


async def test_the_index_of_another_stream_is_not_found(here: Site) -> None:
    """An id must not open what its path does not name."""
    stream, _ = await here.stream("a dog")
    _, foreign = await here.stream("a puppy")
    body = {"query": "dog", "scene_index_id": foreign}
    await here.api.refused("POST", f"/rtstream/{stream}/search", 404, json=body)
    assert await here.texts(None, "dog", scene_index_id=foreign) == ["a puppy"]


async def test_limits_and_thresholds(here: Site) -> None:
    """They are how a caller says what is good enough."""
    stream, _ = await here.stream("dog", "dog and cat", "dog cat bird fish cow", "fire")
    everything = (await here.search(stream, "dog"))["results"]
    scores = [hit["score"] for hit in everything]
    assert scores == sorted(scores, reverse=True)
    assert len(scores) == 3
    assert await here.texts(stream, "dog", result_threshold=2) == ["dog", "dog and cat"]
    middle = scores[1]
    assert len(await here.texts(stream, "dog", score_threshold=middle - 0.001)) == 2
    assert await here.texts(stream, "dog", score_threshold=1) == ["dog"]
    assert await here.texts(stream, "dog", dynamic_score_percentage=10) == ["dog"]
    assert len(await here.texts(stream, "dog", dynamic_score_percentage=100)) == 3
    assert await here.texts(stream, "dog", dynamic_score_percentage=0) == ["dog"]


async def test_ten_hits_are_given_when_nobody_says_how_many(here: Site) -> None:
    """The service's documents say ten."""
    stream, _ = await here.stream(*(f"dog number {word}" for word in "abcdefghijklm"))
    assert len(await here.texts(stream, "dog")) == 10


async def test_the_newest_comes_first_among_equals(here: Site) -> None:
    """A quiet camera says the same all day."""
    stream, _ = await here.stream(*["an empty street with a dog"] * 300)
    found = (await here.search(stream, "dog", result_threshold=5))["results"]
    assert [hit["start"] for hit in found] == [EPOCH + 598 - 2 * back for back in range(5)]


async def test_records_that_follow_each_other_are_joined_when_asked_for(here: Site) -> None:
    """Somebody who stands at the door for a minute is one shot to play."""
    texts = ["a dog barks", "a dog barks", "a fire", "a dog sleeps"]
    stream, index = await here.stream(*texts)
    await here.tell(stream, index_id=index)
    found = (await here.search(stream, "dog", stitch=True))["results"]
    spans = sorted((hit["start"], hit["end"], hit["text"]) for hit in found)
    assert spans == [
        (EPOCH, EPOCH + 4, "a dog barks"),
        (EPOCH + 6, EPOCH + 8, "a dog sleeps"),
    ]
    assert len((await here.search(stream, "dog"))["results"]) == 3


async def test_metadata_is_filtered(here: Site) -> None:
    """The filter decides even where everything else is better."""
    stream, _ = await here.stream()
    for number in range(400):
        await here.server.control.add_scene(
            stream,
            "a dog" if number else "a dog, somewhere far away, behind trees and houses",
            start=EPOCH + number,
            end=EPOCH + number + 1,
            metadata={"objects": {"dog": 1}, "weather": "sun" if number else "rain"},
        )
    rainy = [{"weather": "rain"}]
    (hit,) = (await here.search(stream, "dog", filter=rainy))["results"]
    assert hit["start"] == EPOCH
    assert hit["metadata"] == {"objects": {"dog": 1}, "weather": "rain"}
    both = [{"metadata.weather": "rain"}, {"objects.dog": 1}]
    assert len(await here.texts(stream, "dog", filter=both)) == 1
    assert await here.texts(stream, "dog", filter=[{"weather": "fog"}]) == []
    assert len(await here.texts(stream, "dog", filter=[])) == 10


async def test_any_language_can_be_searched(here: Site) -> None:
    """Cameras stand everywhere."""
    texts = ["ein Hund läuft über die Straße", "一只狗穿过街道", "собака бежит", "🐕 dog emoji"]
    stream, _ = await here.stream(*texts)
    assert (await here.texts(stream, "STRASSE Straße"))[0] == texts[0]
    assert (await here.texts(stream, "一只狗穿过街道"))[0] == texts[1]
    assert (await here.texts(stream, '"СОБАКА"'))[0] == texts[2]
    assert (await here.texts(stream, "🐕 emoji"))[0] == texts[3]


async def test_what_nothing_answers_finds_nothing(here: Site) -> None:
    """Ten results for nonsense are worse than none."""
    stream, _ = await here.stream(*STREET)
    assert await here.texts(stream, "xylophone") == []


async def test_a_stream_without_indexes_has_nothing(here: Site) -> None:
    """It is no mistake to search it."""
    stream = await here.api.connect()
    answer = await here.search(stream, "dog")
    assert answer["results"] == []
    assert answer["degraded"] is False


async def test_what_is_not_offered_is_said(here: Site) -> None:
    """An option without effect must not pass for one with effect."""
    stream, _ = await here.stream("a dog")
    answer = await here.search(stream, "dog", rerank=True, rerank_params={"model": "x"})
    assert [warning["code"] for warning in answer["warnings"]] == ["not_reranked"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "query"),
        ({"query": ""}, "query"),
        ({"query": "  \n "}, "query"),
        ({"query": 7}, "query"),
        ({"query": ["dog"]}, "query"),
        ({"query": "dog " * 25_000}, "query: has 100000 characters"),
        ({"query": "dog", "result_threshold": 0}, "result_threshold"),
        ({"query": "dog", "result_threshold": -1}, "result_threshold"),
        ({"query": "dog", "result_threshold": 1.5}, "result_threshold"),
        ({"query": "dog", "result_threshold": 10**9}, "result_threshold"),
        ({"query": "dog", "score_threshold": -0.1}, "score_threshold"),
        (
            {"query": "dog", "score_threshold": 20},
            "score_threshold: 20 is not a number from 0 to 1",
        ),
        ({"query": "dog", "score_threshold": "high"}, "score_threshold"),
        ({"query": "dog", "dynamic_score_percentage": 101}, "dynamic_score_percentage"),
        ({"query": "dog", "filter": {"a": 1}}, "filter: must be a list"),
        ({"query": "dog", "filter": [{"a": {"$gt": 1}}]}, "filter: compares 'a'"),
        ({"query": "dog", "stitch": "maybe"}, "stitch"),
        ({"query": "dog", "rerank": 2}, "rerank"),
        ({"query": "dog", "rerank_params": [1]}, "rerank_params"),
        ({"query": "dog", "top_k": 3}, "top_k: is not known here"),
        ({"query": "dog", "start": 1}, "start: is not known here"),
        ({"query": "dog", "scene_index_id": 5}, "scene_index_id"),
    ],
)
async def test_what_can_not_be_meant_is_refused(here: Site, body: dict, problem: str) -> None:
    """A misspelt argument must not give answers to another question."""
    stream, _ = await here.stream("a dog")
    for where in (stream, "collection/default"):
        refused = await here.api.refused("POST", f"/rtstream/{where}/search", 400, json=body)
        assert problem in refused["message"]
    assert here.engine.passages.count("a dog") <= 1


@pytest.mark.parametrize(
    "query", ['"', '""', "'", "*", "NOT", "a AND", "x\x00y", "(", "^", "{}", "-"]
)
async def test_no_query_is_a_program(here: Site, query: str) -> None:
    """The words go to a search engine with a language of its own."""
    stream, _ = await here.stream("a dog and a cat")
    answer = await here.search(stream, query)
    assert answer["degraded"] is False


async def test_unknown_streams_and_collections_are_not_found(here: Site) -> None:
    """An empty answer would say that nothing happened."""
    for where in ("rts-nobody", "collection/c-nobody"):
        await here.api.refused("POST", f"/rtstream/{where}/search", 404, json={"query": "dog"})
